"""Networks that others trained hear tokens as long as they are: what is recorded is what they give of each alone."""

import numpy as np
import pytest
import torch

from layerstats.corpora import Corpus, clips_for, demo_corpus
from layerstats.models.pretrained import open_network
from layerstats.probes import Activation, plan_recording, record

# Where convolutions are normalised over time, zeros behind a token change all of it, mask or no mask.
BATCHES = {"whisper": "padded", "wav2vec2": "equal_lengths", "hubert": "equal_lengths", "wavlm": "equal_lengths"}


@pytest.fixture(scope="module")
def corpus():
    speech = demo_corpus(words=["ask", "wash", "water"], voices=4)
    return speech.subset(tokens=speech.tokens["token"].tolist()[:7])


def direct(network, clips, token):
    """The states after each block of the transformer for one token, (sample, channel) by layer."""
    waveform = torch.from_numpy(clips.waveform(token))[None]
    with torch.no_grad():
        given = network.hearing.prepare(waveform, torch.tensor([waveform.shape[1]]))
        states = network(**given, output_hidden_states=True).hidden_states
    prefix = "layers." if network.hearing.kind == "whisper" else "encoder.layers."
    return {f"{prefix}{number}": state[0].numpy() for number, state in enumerate(states[1:-1])}


def test_each_token_is_what_the_network_gives_of_it_alone(saved, kind, corpus, tmp_path):
    network = open_network(saved(kind))
    clips = clips_for(network, corpus)
    assert clips.ragged
    found = record(network, corpus, tmp_path / "a.zarr", Activation(maps=True, phones=True), batch_size=4)
    order = [3, 0, 6, 1, 5, 2, 4]
    tokens = corpus.tokens.iloc[order].reset_index(drop=True)
    mixed = Corpus(corpus.name, tokens, corpus.phones, corpus.rate_hz, corpus.source)
    again = record(network, mixed, tmp_path / "b.zarr", Activation(maps=True), batch_size=3)
    expected_batches = "padded" if "by frame" in kind else BATCHES[kind]
    assert {store.recording_attrs["batches"] for store in (found, again)} == {expected_batches}
    for layer in found.layers:
        first, second = (store.layer(layer)["maps"].to_numpy() for store in (found, again))
        np.testing.assert_allclose(second, first[order], atol=5e-5)
        assert np.isfinite(found.layer(layer)["phones"].to_numpy()).all()
    for row, token in enumerate(clips.tokens["token"]):
        for layer, states in direct(network, clips, token).items():
            recorded = found.layer(layer)["maps"].to_numpy()[row].T
            inside = ~np.isnan(recorded[:, 0])
            duration_s = clips.lengths()[row] / clips.rate_hz
            if kind == "whisper":
                assert inside.sum() == np.sum(found.times(layer) < duration_s)
            else:
                assert inside.sum() == len(states)
            np.testing.assert_allclose(recorded[inside], states[: inside.sum()], atol=5e-5)


def test_words_that_are_filled_up_count_as_long_as_they_are_heard(saved, corpus, tmp_path):
    """On a CPU a batch of 32 words of Whisper needed 2 GB and no less time: here are 1.2 s a token, and 4 s a batch."""
    network = open_network(saved("whisper"))
    plan = plan_recording(network, corpus, tmp_path / "s.zarr", Activation(), batch_size=4, device="cpu")
    assert [len(rows) for rows in plan.run.batches(slice(0, 7))] == [3, 3, 1]


def test_a_word_costs_the_samples_of_a_word(saved, corpus, tmp_path):
    network = open_network(saved("whisper"))
    found = record(network, corpus, tmp_path / "s.zarr", Activation())
    longest = clips_for(network, corpus).lengths().max() / 16000
    assert network.hearing.fixed_samples == 2 * 60 * 160
    # Of the 60 samples of all that it hears, one in 20 ms.
    assert found.layer("layers.0").sizes["sample"] == np.ceil(longest / 0.02) < 60
