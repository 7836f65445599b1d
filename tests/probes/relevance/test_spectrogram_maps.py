"""Relevance laid over spectrograms: the values of `attribute`, at the right time and frequency."""

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose

from layerstats.corpora import clips_for, demo_corpus, utterance
from layerstats.errors import ArgumentError, DataError
from layerstats.models import CommandClassifier, ConvolutionalEncoder, MelFrontEnd, Wav2Letter, seeded
from layerstats.models.mel import mel_filterbank
from layerstats.probes import clip_maps, letter_maps
from layerstats.probes.relevance import attribute

SENTENCE = "the quick fox jumped over a lazy dog"


@pytest.fixture(scope="module")
def corpus():
    return demo_corpus(sentences=[SENTENCE], voices=2, said_by=2)


@pytest.fixture(scope="module")
def reader():
    with seeded(0):
        return Wav2Letter(width=4, top=8).eval()


@pytest.fixture(scope="module")
def windows(corpus):
    names = corpus.tokens["token"].tolist()
    table = {"token": ["w1", "w2"], "utterance": names, "letter": ["a", "o"], "start_frame": [11, 30]}
    return pd.DataFrame(table)


def test_centres_of_bands_are_the_peaks_of_their_filters():
    front_end = MelFrontEnd(n_fft=8192)
    filters = mel_filterbank(22050, 8192, 80, 125.0, 7600.0)
    peaks = filters.argmax(axis=1) * 22050 / 8192
    assert_allclose(front_end.centres_hz, peaks, atol=22050 / 8192)


def test_windows_hold_what_was_heard_and_the_relevance_of_their_letter(corpus, reader, windows):
    table = letter_maps(reader, corpus, windows, ["gradient", "input_x_gradient"])
    assert len(table) == 2 * 2 * 206 * 128
    first = table.query("token == 'w1' and method == 'gradient'")
    samples = utterance(corpus, windows["utterance"][0], reader.front_end.rate_hz)
    heard = reader.features(torch.from_numpy(samples)[None])[0, 11 : 11 + 206]
    assert_allclose(first["input"].to_numpy().reshape(206, 128), heard.numpy(), atol=1e-6)
    # By plain autograd, without padding.
    reader.padding = "valid"
    given = heard[None].requires_grad_()
    reader(given)[0, 0, reader.alphabet.letters.index("a")].backward()
    reader.padding = "same"
    assert_allclose(first["relevance"].to_numpy().reshape(206, 128), given.grad[0].numpy(), rtol=1e-3, atol=1e-7)
    assert_allclose(first["time_s"].unique(), (11 + np.arange(206)) * 0.008)
    assert_allclose(first["frequency_hz"].to_numpy()[:128], reader.front_end.centres_hz)
    both = table.query("token == 'w1'").pivot_table(index=["time_s", "mel"], columns="method", values="relevance")
    product = both["gradient"].to_numpy() * first["input"].to_numpy()
    assert_allclose(both["input_x_gradient"], product, rtol=1e-3, atol=1e-7)
    assert reader.padding == "same"


def test_windows_lie_in_their_utterances(corpus, reader, windows):
    with pytest.raises(DataError, match="reaches beyond its"):
        letter_maps(reader, corpus, windows.assign(start_frame=10_000), ["gradient"])
    with pytest.raises(DataError, match="no windows"):
        letter_maps(reader, corpus, windows.iloc[:0], ["gradient"])
    with pytest.raises(ArgumentError, match="method"):
        letter_maps(reader, corpus, windows, ["magic"])


def test_clips_of_a_classifier_of_words():
    speech = demo_corpus(words=["yes", "no"], voices=1)
    with seeded(1):
        network = CommandClassifier(2).eval()
    table = clip_maps(network, speech, {"epsilon": {"epsilon": 0.1}}, labels=["yes", "no"])
    token = speech.tokens["token"][0]
    one = table.loc[table["token"] == token]
    clips = clips_for(network, speech)
    heard = network.front_end(torch.from_numpy(clips.waveforms(slice(0, 1))))
    found = attribute(network, heard, str(clips.tokens["word"][0]), "epsilon", labels=["yes", "no"], epsilon=0.1)
    assert_allclose(one["relevance"].to_numpy().reshape(found.values.shape[1:]), found.values[0].numpy(), atol=1e-6)
    assert one["time_s"].max() == pytest.approx(89 * 256 / 22050)
    with pytest.raises(ArgumentError, match="record_relevance"):
        clip_maps(ConvolutionalEncoder(outputs=2, width=1), speech, ["gradient"])
