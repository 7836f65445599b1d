"""Tokens of their own length: what is recorded of each is what the network gives of it alone, and nothing behind."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from layerstats.corpora import Clips, Corpus, demo_corpus
from layerstats.corpora.audio import MemoryAudio
from layerstats.corpora.phones import phones_table
from layerstats.errors import DataError, NetworkError
from layerstats.models import ConvolutionalEncoder, seeded
from layerstats.probes import Activation, Gradient, Quantity, Variable, maps, plan_recording, record
from layerstats.probes.layers.capture import capturing
from layerstats.probes.recording.sample_counts import CountsByLength, find_counts
from layerstats.store import open_store

RATE_HZ = 8000
LENGTHS = [900, 1500, 901, 2600, 1500, 1207, 1850, 900, 1733]


def speech(order=None, lengths=LENGTHS):
    """Noise of different lengths, each token of two phones; the audio of a token depends on its name only."""
    names = [f"t{number}" for number in range(len(lengths))]
    audio = {
        name: np.random.default_rng(number).normal(0, 4000, length).astype(np.int16)
        for number, (name, length) in enumerate(zip(names, lengths, strict=True))
    }
    frame = pd.DataFrame(
        {
            "token": names,
            "word": [("ask", "wash")[number % 2] for number in range(len(names))],
            "speaker": [f"s{number % 3}" for number in range(len(names))],
            "split": "test",
            "duration_s": [length / RATE_HZ for length in lengths],
        }
    )
    frame = frame.iloc[list(range(len(names)) if order is None else order)].reset_index(drop=True)
    rows = [
        (token, label, start * duration, end * duration)
        for token, duration in zip(frame["token"], frame["duration_s"], strict=True)
        for label, start, end in (("s", 0, 0.5), ("ae", 0.5, 1))
    ]
    phones = phones_table(pd.DataFrame(rows, columns=["token", "label", "onset_s", "offset_s"]))
    corpus = Corpus("noise", frame, phones, RATE_HZ, MemoryAudio(audio))
    return Clips(corpus, rate_hz=RATE_HZ, samples=None, silence_s=0.0, normalisation="standard")


class Network(nn.Module):
    """Two convolutions over waveforms (token, sample), and what follows them."""

    def __init__(self, after=None, padding=(0, 0)):
        super().__init__()
        with seeded(0):
            self.conv1 = nn.Conv1d(1, 4, 9, stride=4, padding=padding[0])
            self.conv2 = nn.Conv1d(4, 6, 8, stride=5, padding=padding[1])
        self.after = nn.Identity() if after is None else after

    def forward(self, waveforms):
        return self.after(torch.relu(self.conv2(torch.relu(self.conv1(waveforms[:, None])))))


class Recurrent(nn.Module):
    """An LSTM both ways: zeros behind a token reach all of it."""

    def __init__(self):
        super().__init__()
        with seeded(0):
            self.lstm = nn.LSTM(6, 3, batch_first=True, bidirectional=True)

    def forward(self, hidden):
        return self.lstm(hidden.transpose(1, 2))[0]


class Masked(nn.Module):
    """Attention over the frames of each token, by a mask made of lengths."""

    def __init__(self):
        super().__init__()
        with seeded(0):
            self.conv = nn.Conv1d(1, 8, 20, stride=10)
            self.attention = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.eval()

    def forward(self, waveforms, frames):
        hidden = torch.tanh(self.conv(waveforms[:, None])).transpose(1, 2)
        behind = torch.arange(hidden.shape[1]) >= frames[:, None]
        return self.attention(hidden, src_key_padding_mask=behind)


def with_frames(waveforms, lengths):
    return {"waveforms": waveforms, "frames": (lengths - 20) // 10 + 1}


NETWORKS = {
    "valid convolutions": (Network, ["conv1", "conv2"], {}, "padded"),
    "padded convolutions": (lambda: Network(padding=(4, 2)), ["conv1", "conv2"], {}, "equal_lengths"),
    "group norm": (lambda: Network(nn.GroupNorm(6, 6)), ["conv2", "after"], {}, "equal_lengths"),
    "recurrence": (lambda: Network(Recurrent()), ["after.lstm"], {}, "equal_lengths"),
    "masked attention": (Masked, ["conv", "attention"], {"prepare_input": with_frames}, "padded"),
}


@pytest.fixture(params=NETWORKS)
def case(request):
    make, layers, options, batches = NETWORKS[request.param]
    return make().eval(), layers, options, batches


def alone(network, clips, layer, token, prepare_input=None):
    """What a layer gives of one token, (channel, sample)."""
    waveform = torch.from_numpy(clips.waveform(token))[None]
    given = {"waveforms": waveform}
    if prepare_input is not None:
        given = prepare_input(waveform, torch.tensor([waveform.shape[1]]))
    with torch.no_grad(), capturing(network, [layer], lambda _, output: output.clone()) as kept:
        network(**given)
    found = kept[layer][0]
    return (found if layer.startswith("conv") or layer == "after" else found.T).numpy()


def test_every_token_is_what_the_network_gives_of_it_alone(case, tmp_path):
    network, layers, options, batches = case
    clips = speech()
    found = record(network, clips, tmp_path / "s.zarr", Activation(maps=True), layers, batch_size=4, **options)
    assert found.recording_attrs["ragged"] is True
    assert found.recording_attrs["batches"] == batches
    for layer in layers:
        dataset = found.layer(layer)
        assert dataset.attrs["batches"] == batches
        longest = alone(network, clips, layer, "t3", **options).shape[1]
        assert dataset.sizes["sample"] == longest
        for row, token in enumerate(clips.tokens["token"]):
            expected = alone(network, clips, layer, token, **options)
            recorded = dataset["maps"].to_numpy()[row]
            np.testing.assert_allclose(recorded[:, : expected.shape[1]], expected, atol=2e-6)
            np.testing.assert_allclose(
                dataset["mean"].to_numpy()[row, : expected.shape[1]], expected.mean(0), atol=2e-6
            )
            assert np.isnan(recorded[:, expected.shape[1] :]).all()
            assert np.isnan(dataset["mean"].to_numpy()[row, expected.shape[1] :]).all()


def test_values_depend_neither_on_neighbours_nor_on_the_order_of_tokens(case, tmp_path):
    network, layers, options, _ = case
    order = np.random.default_rng(1).permutation(len(LENGTHS))
    stores = {
        "forwards": record(network, speech(), tmp_path / "a.zarr", Activation(), layers, batch_size=4, **options),
        "mixed": record(network, speech(order), tmp_path / "b.zarr", Activation(), layers, batch_size=3, **options),
        "single": record(network, speech(), tmp_path / "c.zarr", Activation(), layers, batch_size=1, **options),
    }
    assert stores["single"].recording_attrs["batches"] == "single"
    for layer in layers:
        means = {name: store.layer(layer)["mean"].to_numpy() for name, store in stores.items()}
        np.testing.assert_allclose(means["mixed"], means["forwards"][order], atol=2e-6)
        np.testing.assert_allclose(means["single"], means["forwards"], atol=2e-6)


def test_the_effect_of_padding_is_measured_and_stored(tmp_path):
    invariant = record(Network().eval(), speech(), tmp_path / "a.zarr", Activation(), "conv*")
    mixing = record(Network(nn.GroupNorm(6, 6)).eval(), speech(), tmp_path / "b.zarr", Activation(), ["conv2", "after"])
    assert invariant.layer("conv2").attrs["padding_difference"] < 1e-5
    assert mixing.layer("after").attrs["padding_difference"] > 0.05
    assert mixing.layer("conv2").attrs["padding_difference"] < 1e-5
    # Of convolutions with padding only the last sample differs, and only where clips end in some places.
    edges = record(Network(padding=(4, 2)).eval(), speech(), tmp_path / "c.zarr", Activation(), "conv*")
    assert edges.layer("conv2").attrs["padding_difference"] > 1e-3


def test_recording_again_and_after_a_kill_gives_the_same_bytes(case, tmp_path, monkeypatch):
    network, layers, options, _ = case
    options = {**options, "batch_size": 4}

    def files(path):
        return {file.relative_to(path): file.read_bytes() for file in path.rglob("*") if file.is_file()}

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    monkeypatch.setattr("layerstats.probes.recording.recorder.tokens_in_shard", lambda *_: 4)
    record(network, speech(), tmp_path / "whole.zarr", Activation(phones=True), layers, **options)

    def stop(done, total):
        if done > 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(network, speech(), tmp_path / "killed.zarr", Activation(phones=True), layers, progress=stop, **options)
    record(network, speech(), tmp_path / "killed.zarr", Activation(phones=True), layers, **options)
    record(network, speech(), tmp_path / "killed.zarr", Activation(phones=True), layers, **options)
    assert files(tmp_path / "killed.zarr") == files(tmp_path / "whole.zarr")


@pytest.mark.slow
def test_two_workers_write_the_same_bytes(tmp_path, monkeypatch):
    def files(path):
        return {file.relative_to(path): file.read_bytes() for file in path.rglob("*") if file.is_file()}

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    monkeypatch.setattr("layerstats.probes.recording.recorder.tokens_in_shard", lambda *_: 3)
    with seeded(0):
        network = nn.Sequential(nn.Unflatten(1, (1, -1)), nn.Conv1d(1, 4, 9, stride=4), nn.ReLU())
    for workers in (1, 2):
        path = tmp_path / f"{workers}.zarr"
        record(network, speech(), path, Activation(phones=True), ["1", "2"], batch_size=2, workers=workers)
    assert files(tmp_path / "2.zarr") == files(tmp_path / "1.zarr")


def test_few_tokens_are_shards_enough_to_share(tmp_path):
    """Each of Whisper's costs half a second: of 130 words one worker of two had 128."""
    with seeded(0):
        network = nn.Sequential(nn.Unflatten(1, (1, -1)), nn.Conv1d(1, 4, 9, stride=4), nn.ReLU())
    clips = speech()
    tokens = len(clips.tokens)
    plan = plan_recording(network, clips, tmp_path / "s.zarr", Activation(), ["1", "2"], batch_size=2)
    assert [plan.rows(number).stop for number in range(plan.shards)] == [*range(2, tokens, 2), tokens]


def test_phones_are_averaged_over_samples_of_their_own_clip(case, tmp_path):
    network, layers, options, _ = case
    clips = speech()
    found = record(network, clips, tmp_path / "s.zarr", Activation(phones=True), layers, batch_size=4, **options)
    for layer in layers:
        vectors, times = found.layer(layer)["phones"].to_numpy(), found.times(layer)
        for row, phone in enumerate(clips.phones.itertuples()):
            values = alone(network, clips, layer, phone.token, **options)
            time_s = times[: values.shape[1]]
            inside = (time_s >= phone.onset_s) & (time_s < phone.offset_s)
            np.testing.assert_allclose(vectors[row], values[:, inside].mean(1), atol=2e-6)


def test_a_token_without_a_sample_has_no_vectors(tmp_path):
    """The second convolution hears 37 samples; zeros behind the last token would give it some."""
    clips = speech(lengths=[900, 1500, 901, 2600, 30])
    with pytest.raises(DataError, match="Token 't4' is so short that layer 'conv2' has no sample of it"):
        record(Network().eval(), clips, tmp_path / "s.zarr", Activation(phones=True), ["conv1", "conv2"], batch_size=5)
    record(Network().eval(), clips, tmp_path / "s.zarr", Activation(phones=True), "conv1", "first", batch_size=5)


class Largest(Quantity):
    """The largest value of each token, which no zeros behind it may make."""

    name = "largest"
    variables = (Variable("largest", ("token",)),)

    def reduce(self, values, axes):
        return {"largest": maps(values, axes).amax(dim=(1, 2))}


def test_what_is_made_of_a_whole_token_hears_no_zeros(tmp_path):
    network, clips = Network().eval(), speech()
    found = record(network, clips, tmp_path / "s.zarr", Largest(), "conv2", batch_size=4)
    expected = [alone(network, clips, "conv2", token).max() for token in clips.tokens["token"]]
    np.testing.assert_allclose(found.layer("conv2")["largest"].to_numpy(), expected, atol=2e-6)
    assert found.recording_attrs["batches"] == "equal_lengths"


def test_gradients_of_tokens_of_their_own_length(tmp_path):
    class Scores(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = Network()

        def forward(self, waveforms):
            return self.body(waveforms).square().mean(2)[:, :2]

    network, clips = Scores().eval(), speech()
    together = record(network, clips, tmp_path / "a.zarr", Gradient(1), "body.conv1", batch_size=4)
    single = record(network, clips, tmp_path / "b.zarr", Gradient(1), "body.conv1", batch_size=1)
    # A mean over time counts zeros behind a token, so that no token is filled up.
    assert together.recording_attrs["batches"] == "equal_lengths"
    np.testing.assert_allclose(
        together.layer("body.conv1")["mean"].to_numpy(), single.layer("body.conv1")["mean"].to_numpy(), atol=1e-7
    )


def test_values_that_are_not_finite_are_told_of_the_clip_only(tmp_path):
    class Behind(nn.Module):
        def forward(self, hidden):
            # Not a number where nothing was heard: behind the tokens.
            return hidden / (hidden.abs().sum(1, keepdim=True) > 0)

    with seeded(0):
        conv = nn.Conv1d(1, 4, 9, stride=4, bias=False)
    network = nn.Sequential(nn.Unflatten(1, (1, -1)), conv, Behind()).eval()
    found = record(network, speech(), tmp_path / "s.zarr", Activation(), "2", batch_size=4)
    assert found.recording_attrs["batches"] == "padded"
    conv.weight.data[0, 0, 0] = torch.nan
    with pytest.raises(DataError, match="NaN or infinite values for token"):
        record(network, speech(), tmp_path / "t.zarr", Activation(), "1", batch_size=4)


def test_memory_of_a_batch_is_bounded_by_its_samples(tmp_path, monkeypatch):
    heard = []

    class Counting(Network):
        def forward(self, waveforms):
            heard.append(tuple(waveforms.shape))
            return super().forward(waveforms)

    clips = speech(lengths=[900] * 6 + [8000 * 3, 8000 * 3 + 5, 8000 * 7])
    record(Counting().eval(), clips, tmp_path / "s.zarr", Activation(), "conv2", batch_size=6)
    assert max(tokens * samples for tokens, samples in heard if tokens > 2) <= 6 * RATE_HZ


def test_the_rule_of_lengths_is_found_from_few_runs():
    calls = []

    def counts(length):
        calls.append(length)
        return {"deep": ((length + 6 - 9) // 5 + 1 - 4) // 64 + 1}

    expected = [counts(length)["deep"] for length in range(400, 3000)]
    calls.clear()
    found = find_counts(counts, "deep", 320.0, 1600, shortest=0)
    assert found.of(np.arange(400, 3000)).tolist() == expected
    assert len(calls) <= 1 + 2 + 9
    assert find_counts(counts, "deep", 12.5, 1600, shortest=0) is None
    assert CountsByLength(2, 5).of(np.array([0, 4, 5])).tolist() == [0, 0, 1]


def test_a_network_of_one_length_refuses_clips_of_others(tmp_path):
    network = nn.Sequential(nn.Unflatten(1, (1, -1)), nn.Conv1d(1, 2, 4, stride=4), nn.Linear(225, 2))
    with pytest.raises(NetworkError, match=r"as long as their tokens.*samples="):
        record(network, speech(), tmp_path / "s.zarr", Activation(), "1")


@pytest.mark.parametrize("lengths", [[900, 1500, 30, 1700], [5, 900]])
def test_a_token_too_short_for_the_network_is_named_before_anything_is_recorded(lengths, tmp_path):
    shortest = f"token 't{np.argmin(lengths)}' has {min(lengths)} samples"
    with pytest.raises(NetworkError, match=rf"Kernel size.*{shortest}.*too short"):
        record(Network().eval(), speech(lengths=lengths), tmp_path / "s.zarr", Activation(), "conv2")
    assert not (tmp_path / "s.zarr").exists()


def test_our_networks_of_one_length_say_how_clips_of_that_are_made(tmp_path):
    with pytest.raises(NetworkError, match=r"16384.*as long as their tokens.*samples="):
        record(ConvolutionalEncoder(3).eval(), speech(), tmp_path / "s.zarr", Activation())


class Steps(nn.Module):
    """Fills frames up to a multiple of 16: as many of the longest clip as a network without it, not of others."""

    def forward(self, hidden):
        return nn.functional.pad(hidden, (0, -hidden.shape[-1] % 16))


def test_layers_whose_samples_follow_no_rule_are_recorded_as_they_come(tmp_path):
    clips, network = speech(), Network(Steps()).eval()
    found = record(network, clips, tmp_path / "s.zarr", Activation(maps=True), "after", batch_size=4)
    assert found.recording_attrs["batches"] == "equal_lengths"
    for row, token in enumerate(clips.tokens["token"]):
        with torch.no_grad():
            expected = network(torch.from_numpy(clips.waveform(token))[None])[0].numpy()
        recorded = found.layer("after")["maps"].to_numpy()[row]
        np.testing.assert_allclose(recorded[:, : expected.shape[1]], expected, atol=1e-6)
        assert np.isnan(recorded[:, expected.shape[1] :]).all()


def test_words_of_the_built_in_corpus_with_silences(tmp_path):
    clips = Clips(demo_corpus(words=["ask", "wash"], voices=2), samples=None, rate_hz=8000)
    found = record(Network().eval(), clips, tmp_path / "s.zarr", Activation(), "conv2", batch_size=4)
    frame = open_store(found.path).to_frame()
    assert frame["value"].notna().all()
