"""The sound alone as a recording: a spectrogram, with vectors of phones, of the clips that networks hear."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from layerstats.corpora import Clips, demo_corpus
from layerstats.errors import ArgumentError
from layerstats.models.pretrained import mel_network
from layerstats.probes import record_acoustics, record_activations
from layerstats.store import open_store, phone_vectors

SMALL = runpy.run_path(str(Path(__file__).with_name("small_speech.py")))


def test_a_tone_is_in_the_band_that_it_belongs_to():
    """Slaney's scale is linear up to 1000 Hz: 15 mels; of 40 bands up to 8 kHz the 14th is the nearest."""
    network = mel_network(40, 16000)
    time_s = torch.arange(16000) / 16000
    features = network(network.hearing.prepare(torch.sin(2 * torch.pi * 1000 * time_s)[None]))
    loudest = features[0, :, 50].argmax()
    top = 15 + np.log(8) / (np.log(6.4) / 27)
    assert abs((loudest + 1) * top / 41 - 15) < top / 41


def test_it_stands_beside_a_network_and_says_that_it_is_the_sound(tmp_path):
    clips = SMALL["small_clips"](12)
    store = tmp_path / "s.zarr"
    record_activations(SMALL["small_network"](), clips, store, layers=["1"], phones=True)
    record_acoustics(clips, store, mels=20)
    sound = phone_vectors(store, "features", recording="acoustics")
    assert (sound.attrs["network_kind"], sound.sizes["channel"]) == ("acoustics", 20)
    assert (
        sound["phone"].to_numpy().tolist()
        == phone_vectors(store, "1", recording="activations")["phone"].to_numpy().tolist()
    )
    layer = open_store(store, network_kind="acoustics").layer("features")
    # Ten milliseconds from frame to frame, the first at the first sample of the clip; windows of 25 ms.
    np.testing.assert_allclose(layer["time_s"], np.arange(layer.sizes["sample"]) * 0.01, atol=1e-3)
    assert layer.attrs["receptive_field_s"] == pytest.approx(0.025, abs=1e-3)


def test_vectors_are_means_over_frames_within_phones(tmp_path):
    clips = Clips(demo_corpus(words=["ask"], voices=2))
    store = tmp_path / "s.zarr"
    record_acoustics(clips, store, mels=30)
    network = mel_network(30, 16000)
    frames = network(network.hearing.prepare(torch.from_numpy(clips.waveforms(slice(0, 2))))).numpy()
    vectors = phone_vectors(store, "features")
    rows = {token: row for row, token in enumerate(clips.tokens["token"])}
    for phone in clips.phones.itertuples():
        inside = [n for n in range(frames.shape[2]) if phone.onset_s <= n * 0.01 < phone.offset_s]
        expected = frames[rows[phone.token]][:, inside].mean(axis=1)
        np.testing.assert_allclose(vectors[phone.Index], expected, atol=1e-5)


def test_bands_are_of_a_number_that_can_be():
    with pytest.raises(ArgumentError, match="from 1 to 128"):
        mel_network(200)
