"""Supervised training: deterministic, honest about held-out speakers, clear when it fails."""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from layerstats.corpora import Clips, Corpus
from layerstats.errors import ArgumentError, CorpusError, FitError
from layerstats.models import load_checkpoint, save_checkpoint
from layerstats.training import shift_and_scale, train_words

SMALL = runpy.run_path(str(Path(__file__).with_name("tones.py")))
tones, RATE_HZ = SMALL["tones"], SMALL["RATE_HZ"]


@pytest.fixture(scope="module")
def result():
    return train_words(tones(), width=4, epochs=30, batch_size=8, learning_rate=5e-3, device="cpu")


def test_held_out_speakers_are_recognised(result):
    assert result.accuracy == 1.0
    assert result.words == ("high", "low")
    assert result.confusion["tokens"].sum() == 8
    assert result.history["loss"].iloc[-1] < 0.3 * result.history["loss"].iloc[0]


def test_accuracy_is_what_the_network_gives_on_held_out_speakers(result):
    clips = tones()
    rows = np.flatnonzero(clips.tokens["split"] == "test")
    with torch.no_grad():
        heard = result.model(torch.from_numpy(clips.waveforms(rows))).argmax(dim=1)
    assert [result.words[index] for index in heard] == clips.tokens["word"].iloc[rows].tolist()


def test_held_out_tokens_are_never_learned_from():
    """With other labels on the test side the weights stay the same, and only the accuracy changes."""
    clips = tones()
    tokens = clips.corpus.tokens.copy()
    test = tokens["split"] == "test"
    tokens.loc[test, "word"] = tokens.loc[test, "word"].map({"high": "low", "low": "high"})
    swapped = Clips(
        Corpus("tones", tokens, clips.corpus.phones, RATE_HZ, clips.corpus.source), rate_hz=RATE_HZ, samples=1024
    )
    options = {"width": 2, "epochs": 3, "device": "cpu"}
    one, other = train_words(clips, **options), train_words(swapped, **options)
    for name, weights in one.model.state_dict().items():
        assert torch.equal(weights, other.model.state_dict()[name])
    assert one.accuracy == 1 - other.accuracy


def test_same_seed_same_weights_and_the_callers_random_state_is_kept():
    state = torch.get_rng_state()
    one, again, other = (train_words(tones(), width=2, epochs=2, seed=seed, device="cpu") for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), state)
    for name, weights in one.model.state_dict().items():
        assert torch.equal(weights, again.model.state_dict()[name])
    assert not torch.equal(one.model.logits.weight, other.model.logits.weight)
    columns = ["epoch", "steps", "loss", "train_accuracy", "held_out_accuracy"]
    pd.testing.assert_frame_equal(one.history[columns], again.history[columns])


def test_progress_counts_the_steps():
    moves = []
    result = train_words(tones(), width=1, epochs=2, batch_size=10, progress=lambda *move: moves.append(move))
    assert moves == [(step, 6) for step in range(1, 7)]
    assert result.history["steps"].tolist() == [3, 6]


def test_card_says_how_it_was_made(result, tmp_path):
    model, card = load_checkpoint(save_checkpoint(tmp_path / "tones.safetensors", result.model, result.card))
    assert card.outputs == ("high", "low")
    assert (card.training["speakers"], card.training["tokens"], card.training["steps"]) == (6, 24, 90)
    assert (card.evaluation["held_out_speakers"], card.evaluation["held_out_accuracy"]) == (2, 1.0)
    assert card.training["corpus_hash"] == tones().content_hash()
    assert len(card.limits) >= 3
    waveforms = torch.from_numpy(tones().waveforms(slice(0, 2)))
    assert torch.equal(model(waveforms), result.model(waveforms))


def test_a_corpus_without_a_test_side_holds_speakers_out():
    result = train_words(tones(split=False), width=1, epochs=1)
    assert (result.card.training["speakers"], result.card.evaluation["held_out_speakers"]) == (6, 2)


def test_bad_corpora_are_refused():
    with pytest.raises(CorpusError, match="at least two words"):
        train_words(tones(words=("high",)))
    with pytest.raises(CorpusError, match="one speaker only"):
        train_words(tones(speakers=1, split=False))
    clips = tones()
    tokens = clips.corpus.tokens.assign(speaker="s0")
    mixed = Corpus("mixed", tokens, clips.corpus.phones, RATE_HZ, clips.corpus.source)
    with pytest.raises(CorpusError, match="both sides"):
        train_words(Clips(mixed, rate_hz=RATE_HZ, samples=1024))


def test_a_loss_that_explodes_stops_with_the_step():
    with pytest.raises(FitError, match=r"(nan|inf) at step \d+ of 60.*learning_rate"):
        train_words(tones(), width=2, epochs=30, learning_rate=1e30)


def test_parameters_out_of_range():
    with pytest.raises(ArgumentError, match="epochs"):
        train_words(tones(), epochs=0)


def test_augmentation_shifts_and_softens():
    clips = torch.randn(50, 200)
    changed = shift_and_scale(clips, torch.Generator().manual_seed(0), largest_shift=20, smallest_gain=0.5)
    shifts, gains = [], []
    for before, after in zip(clips, changed, strict=True):
        found = []
        for shift in range(-20, 21):
            expected = torch.zeros(200)
            expected[max(shift, 0) : 200 + min(shift, 0)] = before[max(-shift, 0) : 200 - max(shift, 0)]
            gain = after.norm() / expected.norm()
            if torch.allclose(after, gain * expected, atol=1e-5):
                found.append((shift, float(gain)))
        assert len(found) == 1
        shifts.append(found[0][0])
        gains.append(found[0][1])
    assert min(shifts) < -10
    assert max(shifts) > 10
    assert 0.5 <= min(gains) < 0.6
    assert 0.9 < max(gains) <= 1.0


def test_first_weights_can_be_drawn_as_in_a_gan():
    result = train_words(tones(), width=1, epochs=1, initialisation="glorot")
    assert result.model.configuration["initialisation"] == "glorot"
    with pytest.raises(ArgumentError, match="initialisation"):
        train_words(tones(), width=1, initialisation="zeros")
