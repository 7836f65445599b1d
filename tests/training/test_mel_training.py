"""Training on mel spectrograms: seeded, resumed after a kill, honest about held-out speakers, clear when it fails."""

import json
import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from layerstats.corpora import Clips, Corpus
from layerstats.corpora.audio import MemoryAudio
from layerstats.errors import ArgumentError, AudioError, CorpusError, DataError, FitError, MissingFileError
from layerstats.models import MelFrontEnd, load_checkpoint, save_checkpoint
from layerstats.training import MelFeatures, mel_features, train_autoencoder, train_commands

TONES = Path(__file__).with_name("tones.py")
tones = runpy.run_path(str(TONES))["tones"]
FRONT_END = {"rate_hz": 8000, "samples": 1024, "n_fft": 128, "hop": 32, "mels": 16, "high_hz": 3900, "frames": 36}
COMMANDS = {"channels": (2, 4, 4), "hidden": (16, 8, 8), "front_end": FRONT_END, "batch_size": 8, "device": "cpu"}
CODES = {"codes": 6, "channels": (2, 2, 2, 2), "front_end": FRONT_END, "batch_size": 8, "device": "cpu"}

TRAIN = """
import json, runpy, sys, torch
from layerstats import training
torch.set_num_threads(1)
clips = runpy.run_path(sys.argv[1])["tones"]()
tell = lambda done, total: print(done, flush=True)
getattr(training, sys.argv[2])(clips, folder=sys.argv[3], progress=tell, **json.loads(sys.argv[4]))
"""


def in_a_process(verb, folder, options, kill_at=None):
    command = [sys.executable, "-c", TRAIN, str(TONES), verb, str(folder), json.dumps(options)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    ) as process:
        for line in process.stdout:
            if int(line) == kill_at:
                process.send_signal(signal.SIGKILL)
    return process.returncode


def same(one, other):
    return all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


def relabelled(clips, **columns):
    tokens = clips.corpus.tokens.assign(**columns)
    corpus = Corpus("tones", tokens, clips.corpus.phones, clips.corpus.rate_hz, clips.corpus.source)
    return Clips(corpus, rate_hz=clips.rate_hz, samples=clips.samples)


@pytest.fixture(scope="module")
def result():
    return train_commands(tones(), **COMMANDS, epochs=25, learning_rate=5e-3, augment=False)


@pytest.fixture(scope="module")
def checkpoint(result, tmp_path_factory):
    return save_checkpoint(tmp_path_factory.mktemp("commands") / "tones.safetensors", result.model, result.card)


def test_held_out_speakers_are_recognised(result):
    assert result.accuracy == 1.0
    assert result.words == result.card.outputs == ("high", "low")
    assert result.history["loss"].iloc[-1] < 0.5 * result.history["loss"].iloc[0]
    clips = tones()
    rows = np.flatnonzero(clips.tokens["split"] == "test")
    with torch.no_grad():
        heard = result.model(torch.from_numpy(clips.waveforms(rows))).argmax(dim=1)
    assert [result.words[index] for index in heard] == clips.tokens["word"].iloc[rows].tolist()


def test_the_card_says_how_it_was_made(checkpoint):
    _, card = load_checkpoint(checkpoint)
    assert (card.training["speakers"], card.training["tokens"], card.training["steps"]) == (6, 24, 75)
    assert (card.evaluation["held_out_speakers"], card.evaluation["held_out_accuracy"]) == (2, 1.0)
    assert card.evaluation["held_out_accuracy_by_word"] == {"high": 1.0, "low": 1.0}
    assert (card.training["labels"], card.training["seed"]) == ("true", 0)
    assert card.training["corpus_hash"] == tones().content_hash()


def test_held_out_tokens_are_never_learned_from():
    clips = tones()
    test = clips.tokens["split"] == "test"
    swapped = clips.tokens["word"].where(~test, clips.tokens["word"].map({"high": "low", "low": "high"}))
    one, other = (
        train_commands(speech, **COMMANDS, epochs=3) for speech in (clips, relabelled(clips, word=swapped.to_numpy()))
    )
    assert same(one.model, other.model)
    assert one.accuracy == 1 - other.accuracy


def test_tokens_of_other_sides_are_left_aside():
    clips = tones()
    aside = relabelled(
        clips, split=clips.tokens["split"].where(clips.tokens["speaker"] != "s1", "validation").to_numpy()
    )
    result = train_commands(aside, **COMMANDS, epochs=1)
    assert (result.card.training["speakers"], result.card.evaluation["held_out_speakers"]) == (5, 2)


@pytest.mark.parametrize(("verb", "options"), [(train_commands, COMMANDS), (train_autoencoder, CODES)])
def test_same_seed_same_weights_and_the_callers_random_state_is_kept(verb, options):
    state = torch.get_rng_state()
    one, again, other = (verb(tones(), **options, epochs=2, augment=True, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), state)
    assert same(one.model, again.model)
    assert not same(one.model, other.model)
    pd.testing.assert_frame_equal(one.history.drop(columns="seconds"), again.history.drop(columns="seconds"))


class Stopped(Exception):
    """What stands for a kill."""


def stop_in_the_second_epoch(done, total):
    if done > total // 2:
        raise Stopped


@pytest.mark.parametrize(("verb", "options"), [(train_commands, COMMANDS), (train_autoencoder, CODES)])
def test_stopped_and_resumed_gives_the_same_weights(tmp_path, verb, options):
    options = {**options, "epochs": 2, "augment": True, "schedule": "one_cycle"}
    whole = verb(tones(), **options)
    with pytest.raises(Stopped):
        verb(tones(), **options, folder=tmp_path, progress=stop_in_the_second_epoch)
    resumed = verb(tones(), **options, folder=tmp_path, resume=True)
    assert same(resumed.model, whole.model)
    pd.testing.assert_frame_equal(resumed.history.drop(columns="seconds"), whole.history.drop(columns="seconds"))


@pytest.mark.slow
@pytest.mark.parametrize(("verb", "options"), [("train_commands", COMMANDS), ("train_autoencoder", CODES)])
def test_killed_and_resumed_gives_the_same_weights(tmp_path, verb, options):
    options = {**options, "epochs": 4, "augment": True, "schedule": "one_cycle"}
    assert in_a_process(verb, tmp_path / "killed", options, kill_at=8) == -signal.SIGKILL
    assert 1 <= len(pd.read_csv(tmp_path / "killed" / "history.csv")) < 4
    assert in_a_process(verb, tmp_path / "killed", {**options, "resume": True}) == 0
    assert in_a_process(verb, tmp_path / "whole", options) == 0
    ends = [torch.load(tmp_path / name / "state.pt", weights_only=True) for name in ("killed", "whole")]
    for name, weights in ends[1]["model"].items():
        assert torch.equal(weights, ends[0]["model"][name])
    histories = [pd.read_csv(tmp_path / name / "history.csv").drop(columns="seconds") for name in ("killed", "whole")]
    pd.testing.assert_frame_equal(*histories)


def test_only_the_same_training_is_gone_on_with(tmp_path):
    train_commands(tones(), **COMMANDS, epochs=1, folder=tmp_path)
    with pytest.raises(ArgumentError, match="holds a training already"):
        train_commands(tones(), **COMMANDS, epochs=1, folder=tmp_path)
    with pytest.raises(ArgumentError, match="labels is 'shuffled', but was 'true'"):
        train_commands(tones(), **COMMANDS, epochs=1, folder=tmp_path, resume=True, labels="shuffled")
    with pytest.raises(ArgumentError, match="speech is not the same"):
        train_commands(tones(speakers=12), **COMMANDS, epochs=1, folder=tmp_path, resume=True)
    with pytest.raises(ArgumentError, match="no training to resume"):
        train_autoencoder(tones(), **CODES, epochs=1, folder=tmp_path / "other", resume=True)


def test_of_shuffled_labels_no_word_is_learned():
    clips, shape = tones(), {**COMMANDS, "dropout": 0.0, "augment": False, "epochs": 20, "learning_rate": 5e-3}
    true, shuffled = (train_commands(clips, **shape, labels=labels) for labels in ("true", "shuffled"))
    assert shuffled.card.training["labels"] == "shuffled"
    assert any("null" in limit for limit in shuffled.card.limits)
    assert not any("null" in limit for limit in true.card.limits)
    # Half of the labels are wrong: what is common to the tokens of a word is no help any more.
    assert true.history["loss"].iloc[-1] < 0.2
    assert shuffled.history["loss"].iloc[-1] > 0.5
    assert shuffled.accuracy < true.accuracy


def test_speakers_are_held_out_anew_where_that_is_asked_for():
    one, again, other = (
        train_commands(tones(), **COMMANDS, epochs=1, held_out=3, seed=seed).card for seed in (1, 1, 2)
    )
    assert (one.training["speakers"], one.evaluation["held_out_speakers"]) == (5, 3)
    assert one.evaluation == again.evaluation
    features = mel_features(tones(), MelFrontEnd(**FRONT_END))
    sides = [features.held_out(seed, 3).tokens["split"].tolist() for seed in (1, 2)]
    assert sides[0] != sides[1]
    assert other.training["speakers"] == 5


def test_fine_tuning_keeps_front_end_shape_and_order_of_words(tmp_path):
    three = tones(words=("low", "middle", "high"))
    shape = {**COMMANDS, "channels": (8, 8, 8), "hidden": (64, 32, 16), "dropout": 0.0, "augment": False}
    begun = train_commands(three, **shape, epochs=60, learning_rate=5e-3)
    path = save_checkpoint(tmp_path / "three.safetensors", begun.model, begun.card)
    two = Clips(three.corpus.subset(words=["low", "high"]), rate_hz=8000, samples=1024)
    tuned = train_commands(two, start=path, epochs=1, batch_size=8, device="cpu", channels=(9, 9, 9))
    assert tuned.words == tuned.card.outputs == ("high", "low", "middle")
    assert tuned.model.configuration == begun.model.configuration
    assert tuned.accuracy == 1.0
    assert sorted(tuned.card.evaluation["held_out_accuracy_by_word"]) == ["high", "low"]
    assert tuned.card.training["start"].startswith("three.safetensors, sha256 ")
    with pytest.raises(CorpusError, match="the words lowest, which"):
        train_commands(tones(words=("high", "low", "lowest")), start=path, epochs=1)


def test_fine_tuning_begins_with_a_classifier(tmp_path):
    autoencoder = train_autoencoder(tones(), **CODES, epochs=1)
    path = save_checkpoint(tmp_path / "codes.safetensors", autoencoder.model, autoencoder.card)
    with pytest.raises(ArgumentError, match="holds a MelAutoencoder"):
        train_commands(tones(), start=path, epochs=1)


def test_an_autoencoder_learns_to_rebuild_and_knows_the_codes_of_its_speech():
    result = train_autoencoder(tones(), **CODES, epochs=30, learning_rate=5e-3)
    assert result.history["held_out_loss"].iloc[-1] < 0.9 * result.history["held_out_loss"].iloc[0]
    assert result.history["held_out_error_db"].iloc[-1] < result.history["held_out_error_db"].iloc[0]
    features = mel_features(tones(), MelFrontEnd(**FRONT_END))
    with torch.no_grad():
        codes = result.model.encode(features.batch(features.rows("train"))).double().numpy()
    np.testing.assert_allclose(result.model.code_mean.numpy(), codes.mean(axis=0), rtol=1e-4, atol=1e-5)
    root = result.model.code_root.double().numpy()
    np.testing.assert_allclose(root @ root.T, np.cov(codes.T), rtol=1e-3, atol=1e-3 * np.cov(codes.T).max())


def test_features_are_kept_and_read_again(tmp_path, result):
    features = mel_features(tones(), MelFrontEnd(**FRONT_END))
    waveforms = torch.from_numpy(tones().waveforms(slice(0, 4)))
    torch.testing.assert_close(features.batch(torch.arange(4)), MelFrontEnd(**FRONT_END)(waveforms), atol=0.002, rtol=0)
    again = MelFeatures.load(features.save(tmp_path / "features.npz"))
    assert torch.equal(again.mels, features.mels)
    pd.testing.assert_frame_equal(again.tokens, features.tokens, check_dtype=False)
    assert (again.front_end, again.name, again.content_hash) == (features.front_end, "tones", tones().content_hash())
    other = train_commands(again, **COMMANDS, epochs=25, learning_rate=5e-3, augment=False)
    assert same(other.model, result.model)
    with pytest.raises(MissingFileError):
        MelFeatures.load(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no features")
    with pytest.raises(DataError, match="no features that layerstats wrote"):
        MelFeatures.load(tmp_path / "text.npz")


def test_another_front_end_is_refused(checkpoint):
    features = mel_features(tones(), MelFrontEnd(**{**FRONT_END, "mels": 24}))
    with pytest.raises(ArgumentError, match="mels is 24, not 16"):
        train_commands(features, start=checkpoint, epochs=1)
    with pytest.raises(ArgumentError, match="at 8000 Hz, but the network's mel front end hears 22050 Hz"):
        train_commands(tones(), epochs=1)


def test_bad_corpora_are_refused():
    with pytest.raises(CorpusError, match="at least two words"):
        train_commands(tones(words=("high",)), **COMMANDS)
    with pytest.raises(CorpusError, match="one speaker only"):
        train_commands(tones(speakers=1, split=False), **COMMANDS)
    with pytest.raises(CorpusError, match="both sides"):
        train_commands(relabelled(tones(), speaker="s0"), **COMMANDS)
    split = tones().tokens["split"].where(tones().tokens["word"] == "low", "test").to_numpy()
    one_word = relabelled(tones(), split=split, speaker=tones().tokens["token"].to_numpy())
    with pytest.raises(CorpusError, match="on the training side: low"):
        train_commands(one_word, **COMMANDS)
    with pytest.raises(ArgumentError, match="'held_out'"):
        train_commands(tones(), **COMMANDS, held_out=8)


def test_silence_is_refused_before_anything_is_trained():
    clips = tones()
    tokens = clips.corpus.tokens
    audio = {token: clips.corpus.audio(token) for token in tokens["token"]}
    audio[tokens["token"].iloc[3]] = np.zeros(600, dtype=np.float32)
    silent = Corpus("tones", tokens, clips.corpus.phones, clips.corpus.rate_hz, MemoryAudio(audio))
    speech = Clips(silent, rate_hz=8000, samples=1024)
    for verb, options in ((train_commands, COMMANDS), (train_autoencoder, CODES)):
        with pytest.raises(AudioError, match=str(tokens["token"].iloc[3])):
            verb(speech, **options)


@pytest.mark.parametrize(("verb", "options"), [(train_commands, COMMANDS), (train_autoencoder, CODES)])
def test_a_loss_that_explodes_stops_with_the_step(verb, options):
    with pytest.raises(FitError, match=r"(nan|inf) at step \d+ of 6\..*learning_rate"):
        verb(tones(), **options, epochs=2, learning_rate=1e30)


@pytest.mark.parametrize(
    ("option", "value"),
    [("epochs", 0), ("batch_size", -1), ("labels", "wrong"), ("schedule", "none"), ("dropout", 2.0)],
)
def test_parameters_out_of_range(option, value):
    with pytest.raises(ArgumentError, match=option):
        train_commands(tones(), **{**COMMANDS, option: value})
