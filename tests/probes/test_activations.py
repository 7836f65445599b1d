"""Recording any network: Eq. 1 by definition, nothing left on the module, nothing lost, nothing stale."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from transformers import HubertConfig, HubertModel, WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from layerstats.errors import ArgumentError, AudioError, DataError, StoreError
from layerstats.models import ConvolutionalEncoder, seeded
from layerstats.probes import record_activations, record_untrained
from layerstats.store import open_store, shards


def means_of(store, layer, group="activations"):
    return open_store(store).recording(group).layer(layer)["mean"].to_numpy()


@pytest.fixture
def clips(small):
    return small.small_clips()


@pytest.fixture
def network(small):
    return small.small_network()


def slow_series(output, channel_axis):
    """Eq. 1, a channel at a time, in double precision."""
    channels = output.double().movedim(channel_axis, 0)
    total = torch.zeros_like(channels[0])
    for channel in channels:
        total += channel
    return (total / len(channels)).numpy()


def test_series_are_the_mean_over_channels(tmp_path, clips, network):
    record_activations(network, clips, tmp_path / "s.zarr", layers=["1", "5"], batch_size=3)
    with torch.no_grad():
        waveforms = torch.from_numpy(clips.waveforms(slice(0, 10)))
        network.eval()
        first = network[1](network[0](waveforms))
        last = network(waveforms)
    np.testing.assert_allclose(means_of(tmp_path / "s.zarr", "1"), slow_series(first, 1), atol=1e-6)
    np.testing.assert_allclose(means_of(tmp_path / "s.zarr", "5"), slow_series(last, 1), atol=1e-6)


def test_times_and_attributes_of_layers(tmp_path, clips, network):
    experiment = record_activations(network, clips, tmp_path / "s.zarr", layers=["2", "5"])
    layer = experiment.layer("5")
    # Kernel 9 with padding 4, stride 2; then kernel 5, stride 2: first centre 0 + 2 * 2, field 9 + 4 * 2.
    np.testing.assert_allclose(layer["time_s"], (4 + 4 * np.arange(254)) / 8000)
    assert layer.attrs["hop_s"] == 4 / 8000
    assert layer.attrs["receptive_field_s"] == 17 / 8000
    assert (layer.attrs["activation"], layer.attrs["slope"]) == ("relu", 0.0)
    assert (layer.attrs["geometry"], layer.attrs["context"]) == ("layers", "local")
    assert (experiment.layer("2").attrs["activation"], experiment.layer("2").attrs["slope"]) == ("leaky_relu", 0.1)
    frame = experiment.to_frame("5")
    assert len(frame) == 10 * 254
    assert set(frame["word"]) == {"ask", "wash"}


def test_maps_are_kept_by_choice_and_before_work_in_place(tmp_path, clips, network):
    """Layer 4 is followed by a ReLU that overwrites its output."""
    record_activations(network, clips, tmp_path / "s.zarr", layers=["4"], maps=True, batch_size=4)
    layer = open_store(tmp_path / "s.zarr").layer("4")
    assert layer["maps"].dims == ("token", "channel", "sample")
    assert layer["maps"].dtype == np.float32
    assert (layer["maps"] < 0).any()
    np.testing.assert_allclose(layer["maps"].mean("channel"), layer["mean"], atol=1e-6)


class _Restless(nn.Module):
    """Counts its calls in a buffer, replaces another one, and draws random numbers even in eval mode."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("last", torch.zeros(3))
        self.conv = nn.Conv1d(1, 3, 5)
        self.dropout = nn.Dropout(0.5)
        self.frozen = nn.Linear(2, 2).requires_grad_(False).eval()

    def forward(self, waveform):
        self.calls += 1
        self.last = torch.rand(3)
        return self.dropout(self.conv(waveform[:, None]))


def state_of(model):
    return {
        "tensors": {name: (id(tensor), tensor.clone()) for name, tensor in model.state_dict(keep_vars=True).items()},
        "attributes": {name: sorted(vars(module)) for name, module in model.named_modules()},
        "hooks": [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()],
        "training": [module.training for module in model.modules()],
        "requires_grad": [parameter.requires_grad for parameter in model.parameters()],
        "gradients": [parameter.grad for parameter in model.parameters()],
    }


def assert_same_state(before, after):
    assert {key: value for key, value in before.items() if key != "tensors"} == {
        key: value for key, value in after.items() if key != "tensors"
    }
    for name, (identity, tensor) in before["tensors"].items():
        assert after["tensors"][name][0] == identity
        assert torch.equal(after["tensors"][name][1], tensor)


def test_the_network_is_left_as_it_was(tmp_path, clips):
    model = _Restless().train()
    model.frozen.eval()
    before, random_state, threads = state_of(model), torch.get_rng_state(), torch.get_num_threads()
    record_activations(model, clips, tmp_path / "s.zarr", layers="dropout")
    assert_same_state(before, state_of(model))
    assert torch.equal(torch.get_rng_state(), random_state)
    assert (torch.get_num_threads(), torch.is_grad_enabled()) == (threads, True)
    # Dropout was off: no value is zero.
    assert (means_of(tmp_path / "s.zarr", "dropout") != 0).all()


class _Failing(_Restless):
    def forward(self, waveform):
        super().forward(waveform)
        if len(waveform) > 1:
            raise RuntimeError("the network broke")
        return waveform


def test_the_network_is_left_as_it_was_when_it_fails(tmp_path, clips):
    model = _Failing().train()
    before = state_of(model)
    with pytest.raises(RuntimeError, match="the network broke"):
        record_activations(model, clips, tmp_path / "s.zarr", layers="conv")
    assert_same_state(before, state_of(model))


def test_the_same_call_again_does_nothing(tmp_path, clips, network):
    store = tmp_path / "s.zarr"
    record_activations(network, clips, store, layers="1")
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()}
    moves = []
    record_activations(network, clips, store, layers="1", progress=lambda *move: moves.append(move))
    assert moves == []
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "change",
    [
        {"layers": ["1", "2"]},
        {"layers": "1", "maps": True},
        {"layers": "1", "batch_size": 4},
        {"layers": "1", "prepare_input": lambda waveforms: waveforms * 2},
        {"layers": "1", "choose_output": lambda output: output * 2},
        {"layers": "1", "input_hop_s": 0.5},
    ],
    ids=["layers", "maps", "batches", "preparation", "choice", "hop"],
)
def test_another_option_never_meets_the_old_recording(tmp_path, clips, network, change):
    record_activations(network, clips, tmp_path / "s.zarr", layers="1")
    with pytest.raises(StoreError, match="another recording"):
        record_activations(network, clips, tmp_path / "s.zarr", **change)


def test_other_weights_buffers_and_settings_are_another_recording(tmp_path, clips, small, network):
    record_activations(network, clips, tmp_path / "s.zarr", layers="1")
    weights, buffers, settings = small.small_network(seed=1), small.small_network(), small.small_network()
    buffers[4].running_mean += 1
    settings[2].negative_slope = 0.3
    for other in (weights, buffers, settings):
        with pytest.raises(StoreError, match="another recording"):
            record_activations(other, clips, tmp_path / "s.zarr", layers="1")
    with pytest.raises(StoreError, match="other clips"):
        record_activations(network, small.small_clips(seed=1), tmp_path / "s.zarr", layers="1")


def test_whisper_by_its_features(tmp_path, small):
    """Axes (token, sample, channel), and an input of features with keyword arguments."""
    clips = small.small_clips(tokens=4)
    with seeded(0):
        model = WhisperEncoder(
            WhisperConfig(
                d_model=16,
                encoder_layers=2,
                encoder_attention_heads=2,
                encoder_ffn_dim=16,
                num_mel_bins=8,
                max_source_positions=32,
            )
        )

    def features(waveforms):
        # 64 frames of 16 samples (2 ms at 8 kHz), 8 bands.
        return {"input_features": torch.fft.rfft(waveforms.reshape(-1, 64, 16)).abs()[..., :8].transpose(1, 2)}

    experiment = record_activations(
        model,
        clips,
        tmp_path / "s.zarr",
        layers=["conv1", "conv2", "layers.*"],
        axes={"layers.*": ("token", "sample", "channel")},
        prepare_input=features,
        input_hop_s=0.002,
        batch_size=3,
    )
    assert experiment.layers == ("conv1", "conv2", "layers.0", "layers.1")
    with torch.no_grad():
        output = model.eval()(**features(torch.from_numpy(clips.waveforms(slice(0, 4)))), output_hidden_states=True)
    np.testing.assert_allclose(experiment.layer("layers.0")["mean"], slow_series(output.hidden_states[1], 2), atol=1e-5)
    attributes = {name: experiment.layer(name).attrs for name in experiment.layers}
    # conv1: kernel 3, stride 1; conv2: kernel 3, stride 2, both padded by one; then attention.
    assert [attributes[name]["hop_s"] for name in experiment.layers] == [0.002, 0.004, 0.004, 0.004]
    np.testing.assert_allclose([attributes[name]["receptive_field_s"] for name in ("conv1", "conv2")], [0.006, 0.01])
    assert (attributes["layers.1"]["context"], attributes["layers.1"]["receptive_field_s"]) == ("clip", 0.128)


def test_hubert_on_waveforms(tmp_path, small):
    clips = small.small_clips(tokens=3, samples=4096)
    config = HubertConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        feat_extract_norm="layer",
    )
    with seeded(0):
        model = HubertModel(config)
    experiment = record_activations(
        model,
        clips,
        tmp_path / "s.zarr",
        layers=["feature_extractor.conv_layers.*", "encoder.layers.*"],
        axes={"encoder.layers.*": ("token", "sample", "channel")},
    )
    assert len(experiment.layers) == 9
    with torch.no_grad():
        output = model.eval()(torch.from_numpy(clips.waveforms(slice(0, 3))), output_hidden_states=True)
    np.testing.assert_allclose(
        experiment.layer("encoder.layers.0")["mean"], slow_series(output.hidden_states[1], 2), atol=1e-5
    )
    last = experiment.layer("feature_extractor.conv_layers.6").attrs
    np.testing.assert_allclose([last["hop_s"], last["receptive_field_s"]], [320 / 8000, 400 / 8000])


class _Tuple(nn.Module):
    def __init__(self):
        super().__init__()
        self.recurrent = nn.LSTM(1, 4, batch_first=True)

    def forward(self, waveform):
        return self.recurrent(waveform[:, :64, None])


def test_first_tensor_of_a_tuple_or_a_chosen_one(tmp_path, small):
    clips, model = small.small_clips(tokens=3), _Tuple()
    options = {"layers": "recurrent", "axes": ("token", "sample", "channel")}
    record_activations(model, clips, tmp_path / "first.zarr", **options)
    assert means_of(tmp_path / "first.zarr", "recurrent").shape == (3, 64)
    cell = lambda output: output[1][1].transpose(0, 1)  # noqa: E731
    record_activations(model, clips, tmp_path / "cell.zarr", choose_output=cell, **options)
    with torch.no_grad():
        _, (_, state) = model(torch.from_numpy(clips.waveforms(slice(0, 3))))
    np.testing.assert_allclose(
        means_of(tmp_path / "cell.zarr", "recurrent"), slow_series(state[0], 1)[:, None], atol=1e-6
    )
    with pytest.raises(ArgumentError, match=r"recurrent.*choose_output"):
        record_activations(model, clips, tmp_path / "x.zarr", choose_output=lambda output: None, **options)


def test_unknown_layers_list_those_that_exist(tmp_path, clips):
    model = ConvolutionalEncoder(2, width=1, samples=1024)
    with pytest.raises(ArgumentError, match=r"'conv6'.*conv1, conv1\.padding"):
        record_activations(model, clips, tmp_path / "s.zarr", layers=["conv1", "conv6"])
    # A pattern does not reach into a module.
    assert record_activations(model, clips, tmp_path / "s.zarr").layers == ("conv1", "conv2", "conv3", "conv4", "conv5")


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (("token", "sample"), r"3 axes, \(1, 4, 512\)"),
        (("token", "channel", "frequency"), "'token' and 'sample'"),
        (("sample", "channel", "token"), "512 entries where one token"),
    ],
)
def test_axes_that_do_not_fit(tmp_path, clips, network, axes, message):
    with pytest.raises(ArgumentError, match=message):
        record_activations(network, clips, tmp_path / "s.zarr", layers="1", axes=axes)


def test_a_layer_without_time_is_refused(tmp_path, clips):
    model = ConvolutionalEncoder(2, width=1, samples=1024)
    with pytest.raises(ArgumentError, match=r"'logits' gives an output of 2 axes"):
        record_activations(model, clips, tmp_path / "s.zarr", layers="logits")


def test_a_layer_that_runs_twice_is_refused(tmp_path, clips):
    shared = nn.ReLU()
    model = nn.Sequential(nn.Unflatten(1, (1, -1)), shared, nn.Conv1d(1, 2, 3), shared)
    with pytest.raises(ArgumentError, match="runs 2 times"):
        record_activations(model, clips, tmp_path / "s.zarr", layers="1")


def test_nan_is_named_and_what_was_recorded_is_kept(tmp_path, small, network, monkeypatch):
    monkeypatch.setattr(shards, "SHARD_TOKENS", 2)
    clips = small.small_clips(tokens=8)
    poison = clips.waveforms(slice(6, 7))

    def prepare(waveforms):
        return torch.where((waveforms == torch.from_numpy(poison)).all(1, keepdim=True), torch.nan, waveforms)

    store = tmp_path / "s.zarr"
    with pytest.raises(DataError, match=r"'1'.*NaN.*'t006'"):
        record_activations(network, clips, store, layers="1", batch_size=2, prepare_input=prepare, maps=True)
    assert int(open_store(store, incomplete="allow").recordings["tokens"].iloc[0]) == 6


class _FailingAudio:
    """A source of audio in which one file cannot be read for a while."""

    def __init__(self, source, token):
        self.source, self.token, self.broken = source, token, True

    def load(self, token):
        if self.broken and token == self.token:
            raise AudioError(f"{token} is corrupt")
        return self.source.load(token)

    def fingerprints(self, tokens):
        return self.source.fingerprints(tokens)


def test_unreadable_audio_is_found_before_anything_is_written(tmp_path, small, network):
    clips = small.small_clips(tokens=20)
    source = _FailingAudio(clips.corpus.source, "t015")
    corpus = dataclasses.replace(clips.corpus, source=source)
    store, moves = tmp_path / "s.zarr", []
    with pytest.raises(AudioError, match="t015 is corrupt"):
        record_activations(network, dataclasses.replace(clips, corpus=corpus), store, layers="1")
    assert not store.exists()
    source.broken = False
    clips = dataclasses.replace(clips, corpus=dataclasses.replace(corpus))
    record_activations(network, clips, store, layers="1", progress=lambda done, total: moves.append(done))
    assert moves[-1] == 20
    assert means_of(store, "1").shape == (20, 512)


def test_a_preparation_of_another_kind_is_refused(tmp_path, clips, network):
    with pytest.raises(ArgumentError, match=r"prepare_input must return a tensor.*ndarray"):
        record_activations(network, clips, tmp_path / "s.zarr", layers="1", prepare_input=lambda x: x.numpy())


def test_unknown_device_and_batch_size(tmp_path, clips, network):
    with pytest.raises(ArgumentError, match=r"'device'.*'abacus'"):
        record_activations(network, clips, tmp_path / "s.zarr", layers="1", device="abacus")
    with pytest.raises(ArgumentError, match="batch_size"):
        record_activations(network, clips, tmp_path / "s.zarr", layers="1", batch_size=0)


def test_untrained_networks_stand_beside(tmp_path, clips, network, small):
    store, moves = tmp_path / "s.zarr", []
    record_activations(network, clips, store, layers="1")
    options = {"layers": "1", "seeds": [3, 7]}
    experiment = record_untrained(network, clips, store, progress=lambda *move: moves.append(move), **options)
    assert set(experiment.recordings["recording"]) == {"activations", "untrained_03", "untrained_07"}
    assert moves[-1] == (20, 20)
    series = [means_of(store, "1", group) for group in experiment.recordings["recording"]]
    assert len({values.tobytes() for values in series}) == 3
    other = tmp_path / "other.zarr"
    record_untrained(small.small_network(seed=5), clips, other, **options)
    np.testing.assert_array_equal(means_of(other, "1", "untrained_07"), series[2])
    with pytest.raises(ArgumentError, match="seeds"):
        record_untrained(network, clips, store, seeds=[])


def test_root_mean_square_in_place_of_the_mean(tmp_path, clips, network):
    options = {"layers": ["1", "5"], "summary": "root_mean_square"}
    experiment = record_activations(network, clips, tmp_path / "s.zarr", **options)
    with torch.no_grad():
        output = network.eval()(torch.from_numpy(clips.waveforms(slice(0, 10))))
    expected = np.sqrt(slow_series(output**2, 1))
    np.testing.assert_allclose(experiment.layer("5")["root_mean_square"], expected, atol=1e-6)
    np.testing.assert_allclose(experiment.to_frame("5")["value"], expected.ravel(), atol=1e-6)
    record_untrained(network, clips, tmp_path / "s.zarr", seeds=[0], **options)
    # The mean is another recording, not the same one under another name.
    with pytest.raises(StoreError, match="another recording"):
        record_activations(network, clips, tmp_path / "s.zarr", layers=["1", "5"])
    with pytest.raises(ArgumentError, match="'summary'"):
        record_activations(network, clips, tmp_path / "s.zarr", summary="median")


def test_several_summaries_in_one_recording(tmp_path, clips, network):
    """Each is what it is alone, and the mean is what analyses look at."""
    summaries = ("root_mean_square", "mean")
    both = record_activations(network, clips, tmp_path / "both.zarr", layers=["1", "5"], summary=summaries, maps=True)
    assert both.summary == "mean"
    for name in summaries:
        alone = record_activations(network, clips, tmp_path / f"{name}.zarr", layers=["1", "5"], summary=name)
        for layer in ("1", "5"):
            np.testing.assert_array_equal(both.layer(layer)[name], alone.layer(layer)[name])
    np.testing.assert_allclose(both.layer("5")["maps"].mean("channel"), both.layer("5")["mean"], atol=1e-6)
    with pytest.raises(ArgumentError, match="none twice"):
        record_activations(network, clips, tmp_path / "x.zarr", layers="1", summary=["mean", "mean"])


class _Normed(nn.Module):
    def __init__(self, last):
        super().__init__()
        with seeded(0):
            self.conv = nn.Conv1d(1, 16, 25, stride=16)
            self.block = nn.Sequential(nn.Linear(16, 16), last)

    def forward(self, waveform):
        return self.block(self.conv(waveform[:, None]).mT)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(
    ("last", "mean", "size"),
    [
        (nn.LayerNorm(16), "LayerNorm", None),
        (nn.Sequential(nn.LayerNorm(16), nn.Dropout(0.5)), "LayerNorm", None),
        (nn.Softmax(-1), "Softmax", None),
        (nn.RMSNorm(16), None, "RMSNorm"),
        (nn.Tanh(), None, None),
    ],
    ids=["layer-norm", "dropout", "softmax", "rms-norm", "tanh"],
)
def test_what_a_norm_fixes_is_said_by_layer(tmp_path, clips, last, mean, size, dtype):
    model = _Normed(last).to(dtype)
    attrs = record_activations(model, clips, tmp_path / "mean.zarr", layers=["conv", "block"]).layer("block").attrs
    assert attrs.get("fixed_mean") == mean
    if mean == "LayerNorm":
        assert attrs["channel_rms"] == pytest.approx(1, abs=0.1)
    options = {"layers": "block", "summary": "root_mean_square"}
    attrs = record_activations(model, clips, tmp_path / "size.zarr", **options).layer("block").attrs
    if size is not None and dtype != torch.bfloat16:
        assert attrs.get("fixed_root_mean_square") in (size, None)
    conv = open_store(tmp_path / "mean.zarr").layer("conv").attrs
    assert "fixed_mean" not in conv
    values = open_store(tmp_path / "mean.zarr").layer("conv")["mean"]
    assert conv["channel_rms"] >= float((values**2).mean() ** 0.5) * 0.1


def test_weights_of_a_norm_that_learned_leave_the_mean_free(tmp_path, clips):
    norm = nn.LayerNorm(16)
    with torch.no_grad(), seeded(1):
        norm.weight.normal_(1, 0.1)
    attrs = record_activations(_Normed(norm), clips, tmp_path / "s.zarr", layers="block").layer("block").attrs
    assert "fixed_mean" not in attrs
    with torch.no_grad():
        norm.weight.fill_(2)
        norm.bias.fill_(3)
    attrs = record_activations(_Normed(norm), clips, tmp_path / "t.zarr", layers="block").layer("block").attrs
    assert attrs["fixed_mean"] == "LayerNorm"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model": lambda waveforms: waveforms}, "must be a torch.nn.Module, but got function"),
        ({"layers": []}, "fits an empty list"),
        ({"batch_size": 1.5}, "'batch_size' parameter must be a positive whole number"),
        ({"axes": "token,channel,sample"}, r"must be a list or tuple, for instance \('token', 'channel', 'sample'\)"),
        ({"axes": {"lstm": ("token", "sample", "channel")}}, "Axes were named for 'lstm', which no layer"),
    ],
)
def test_arguments_of_other_kinds(tmp_path, small, change, reason):
    arguments = {"model": nn.Sequential(nn.Conv1d(1, 2, 25)), "layers": "0", **change}
    with pytest.raises(ArgumentError, match=reason):
        record_activations(corpus=small.small_clips(tokens=2), store=tmp_path / "s.zarr", **arguments)
