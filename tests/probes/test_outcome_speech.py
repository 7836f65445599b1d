"""Stored outcomes as speech: by a vocoder where a network hears mel features, as they are where it hears waveforms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from layerstats.corpora import Clips, read_generated, write_generated
from layerstats.errors import ArgumentError, AudioError
from layerstats.models import (
    CommandClassifier,
    ConvolutionalEncoder,
    InfoWaveGAN,
    MelAutoencoder,
    ModelCard,
    save_checkpoint,
    seeded,
)
from layerstats.models.vocoders import GriffinLim
from layerstats.probes import outcome_speech
from layerstats.probes.maximization import maximize_activations, rendered
from layerstats.store import open_store

WORDS = ("no", "stop", "yes")
SMALL = {"channels": (2, 2, 2), "hidden": (4, 4, 4)}


@pytest.fixture(scope="module")
def classifier():
    with seeded(0):
        return CommandClassifier(outputs=3, **SMALL)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory, classifier):
    """Priors by their kind, as they are opened."""
    folder = tmp_path_factory.mktemp("priors")
    with seeded(1):
        networks = {"autoencoder": MelAutoencoder(), "ciwgan": InfoWaveGAN(codes=2, width=2)}
    for name, network in networks.items():
        save_checkpoint(folder / f"{name}.safetensors", network, ModelCard(name, "A network of a test."))
    return {name: f"{name}:{folder / name}.safetensors" for name in networks}


@pytest.fixture(scope="module")
def experiment(tmp_path_factory, classifier, checkpoints):
    store = tmp_path_factory.mktemp("outcomes") / "store.zarr"
    options = {"labels": WORDS, "network_name": "small", "starts": 3, "steps": 2}
    for prior in ("none", *checkpoints.values()):
        maximize_activations(classifier, ["no", "yes"], store, prior=prior, **options)
    with seeded(2):
        hears_waveforms = ConvolutionalEncoder(outputs=3, width=1)
    maximize_activations(hears_waveforms, ["no"], store, **{**options, "network_name": "waves"})
    return open_store(store)


def test_starts_are_tokens_and_targets_are_words(experiment):
    speech = outcome_speech(experiment, set_up="none", network="small")
    assert speech.tokens["token"].tolist() == [f"{word}_{number:05d}" for word in ("no", "yes") for number in range(3)]
    assert speech.tokens["word"].tolist() == ["no"] * 3 + ["yes"] * 3
    assert set(speech.tokens["speaker"]) == {"small"}
    assert speech.tokens["number"].tolist() == [0, 1, 2, 0, 1, 2]
    assert speech.rate_hz == 22050
    audio = speech.audio("yes_00001")
    assert audio.shape == (22050,)
    assert np.abs(audio).max() == 0.5
    # Sixteen bits hold it exactly.
    assert np.array_equal(np.rint(audio * 32768), audio * 32768)
    assert len(Clips(speech, samples=16384 + 1024)) == 6


def test_the_sound_is_that_of_the_vocoder(experiment, classifier):
    outcome = experiment.outcome(set_up="none", network="small")
    sound = GriffinLim(classifier.front_end).synthesise(torch.from_numpy(rendered(outcome, [4])))[0].numpy()
    audio = outcome_speech(experiment, set_up="none", network="small", starts=["yes_00001"]).audio("yes_00001")
    assert np.abs(audio - 0.5 * sound / np.abs(sound).max()).max() < 1e-4


def test_a_start_sounds_the_same_alone_in_whatever_order_and_before_as_it_began(experiment):
    options = {"set_up": "none", "network": "small"}
    together = outcome_speech(experiment, **options)
    alone = outcome_speech(experiment, starts=["yes_00002", "no_00000"], **options)
    assert alone.tokens["token"].tolist() == ["yes_00002", "no_00000"]
    for start in ("no_00000", "yes_00002"):
        assert np.abs(together.audio(start) - alone.audio(start)).max() < 1e-3
    before = outcome_speech(experiment, which="before", **options)
    assert np.abs(before.audio("no_00000") - together.audio("no_00000")).max() > 0.01
    hashes = {corpus.content_hash() for corpus in (together, alone, before)}
    assert len(hashes) == 3
    assert together.content_hash() == outcome_speech(experiment, **options).content_hash()


def test_codes_are_decoded_by_the_prior_that_they_belong_to(experiment, checkpoints):
    speech = outcome_speech(experiment, set_up="autoencoder", prior=checkpoints["autoencoder"])
    assert np.abs(speech.audio("no_00000")).max() == 0.5
    with pytest.raises(ArgumentError, match="whose checkpoint is needed"):
        outcome_speech(experiment, set_up="autoencoder")


def test_a_prior_that_says_waveforms_needs_no_vocoder(experiment, checkpoints, classifier):
    speech = outcome_speech(experiment, set_up="ciwgan", prior=checkpoints["ciwgan"])
    assert (speech.rate_hz, speech.audio("no_00000").shape) == (22050, (22050,))
    # What the network heard is what its front end makes of this sound.
    heard = classifier.front_end(torch.from_numpy(speech.audio("no_00000"))[None])[0].numpy()
    outcome = experiment.outcome(set_up="ciwgan")
    assert np.abs(heard - rendered(outcome, [0], prior=checkpoints["ciwgan"])[0]).mean() < 0.01
    vocoder = GriffinLim(classifier.front_end)
    with pytest.raises(ArgumentError, match="need no vocoder"):
        outcome_speech(experiment, set_up="ciwgan", prior=checkpoints["ciwgan"], vocoder=vocoder)


def test_a_network_that_hears_waveforms_is_heard_as_it_hears(experiment):
    speech = outcome_speech(experiment, network="waves")
    assert speech.rate_hz == 16000
    stored = experiment.outcome(network="waves")["features_after"].isel(start=1).to_numpy()
    assert np.abs(speech.audio("no_00001") - 0.5 * stored / np.abs(stored).max()).max() < 1e-4


class Whistle:
    """A vocoder that says the same of everything, a little too long."""

    attrs = {"vocoder": "whistle"}  # noqa: RUF012 - as a user writes it

    def __init__(self, settings, peak=1.0):
        self.settings, self.peak = settings, peak

    def synthesise(self, features):
        return self.peak * torch.sin(torch.arange(22100) / 5).expand(len(features), -1)


def test_another_vocoder_speaks_where_its_mel_parameters_are_those_of_the_network(experiment, classifier):
    settings = dict(classifier.front_end.configuration)
    options = {"set_up": "none", "network": "small"}
    speech = outcome_speech(experiment, vocoder=Whistle(settings), **options)
    assert np.abs(speech.audio("no_00000") - 0.5 * np.sin(np.arange(22050) / 5)).max() < 1e-3
    assert speech.content_hash() != outcome_speech(experiment, **options).content_hash()
    with pytest.raises(ArgumentError, match="hop is 200 there and 256 here"):
        outcome_speech(experiment, vocoder=Whistle({**settings, "hop": 200}), **options)


@pytest.mark.parametrize(("peak", "message"), [(0.0, "is silent"), (float("nan"), "has NaN")])
def test_a_start_without_a_sound_is_named(experiment, classifier, peak, message):
    vocoder = Whistle(classifier.front_end.configuration, peak)
    speech = outcome_speech(experiment, set_up="none", network="small", vocoder=vocoder)
    with pytest.raises(AudioError, match=f"start 'yes_00002' of 'none' {message}"):
        speech.audio("yes_00002")


def test_what_is_not_there_is_named(experiment):
    with pytest.raises(ArgumentError, match="'robot'"):
        outcome_speech(experiment, set_up="robot")
    with pytest.raises(ArgumentError, match="no start 'yes_00009'"):
        outcome_speech(experiment, set_up="none", network="small", starts=["yes_00000", "yes_00009"])
    with pytest.raises(ArgumentError, match="one or more different starts"):
        outcome_speech(experiment, set_up="none", network="small", starts=["yes_00000", "yes_00000"])
    with pytest.raises(ArgumentError, match="during"):
        outcome_speech(experiment, set_up="none", network="small", which="during")


def test_it_is_written_as_sound_files_and_read_again(experiment, tmp_path):
    speech = outcome_speech(experiment, set_up="none", network="small")
    written = write_generated(speech, tmp_path / "said")
    assert [file.name for file in written[:2]] == ["tokens.csv", "tour.wav"]
    again = read_generated(tmp_path / "said")
    assert again.tokens["token"].tolist() == speech.tokens["token"].tolist()
    assert again.tokens["seed"].tolist() == speech.tokens["seed"].tolist()
    assert np.array_equal(again.audio("yes_00001"), speech.audio("yes_00001"))
