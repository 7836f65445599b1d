"""Nulls have the options of what they are nulls of, and differ in the one thing that they are about."""

import numpy as np
import pytest
import torch

from layerstats.corpora import Clips, demo_corpus
from layerstats.errors import ArgumentError
from layerstats.models import ConvolutionalEncoder, ModelCard, running, save_checkpoint, seeded, untrained
from layerstats.probes.maximization import NULLS, maximize_activations, record_nulls
from layerstats.probes.maximization.nulls import check_nulls
from layerstats.resources import bundled
from layerstats.store import open_store

WORDS = ("ask", "wash")
CARD = ModelCard("words", "Random weights.", outputs=WORDS)
OPTIONS = {"starts": 3, "steps": 2, "rate": 0.02, "card": CARD, "seed": 5, "device": "cpu"}


@pytest.fixture(scope="module")
def network():
    with seeded(0):
        return ConvolutionalEncoder(outputs=2, width=1)


@pytest.fixture(scope="module")
def speech():
    return Clips(demo_corpus(words=[*WORDS, "dark"], voices=4))


@pytest.fixture(scope="module")
def made(network, speech, tmp_path_factory):
    folder = tmp_path_factory.mktemp("nulls")
    card = ModelCard("shuffled", "Random weights.", outputs=WORDS, training={"labels": "shuffled"})
    shuffled = save_checkpoint(folder / "shuffled.safetensors", untrained(network, 9), card)
    maximize_activations(network, WORDS, folder / "s.zarr", **OPTIONS)
    return record_nulls(network, WORDS, folder / "s.zarr", NULLS, shuffled=shuffled, natural=speech, **OPTIONS)


def test_each_null_says_what_it_is(made):
    table = made.outcomes.set_index("name")
    assert set(table["null"]) == {"", *NULLS}
    assert set(table["set_up"]) == {"none"}
    assert table.loc["none.words_untrained_00.untrained", "network"] == "words_untrained_00"
    assert table.loc["none.shuffled.shuffled", "labels"] == "shuffled"
    assert not table.loc["none.words_untrained_00.untrained", "trained"]
    assert table.loc["none.words.zero_steps", "steps"] == 0
    assert table.loc["none.words.random_direction", "direction"] == "random"
    others = table.drop("none.words.natural")
    assert others["rate"].eq(0.02).all()
    assert others["seed"].eq(5).all()
    assert table["starts"].eq(6).all()


def test_starts_are_those_of_the_maximization(made):
    own = made.outcome("none.words")
    for name in ("none.words.zero_steps", "none.words.random_direction", "none.words_untrained_00.untrained"):
        null = made.outcome(name)
        assert null["seed"].to_numpy().tolist() == own["seed"].to_numpy().tolist()
        assert np.array_equal(null["features_before"], own["features_before"])


def test_zero_steps_are_the_beginning_and_random_directions_go_as_far(made):
    own, zero, elsewhere = (made.outcome(f"none.words{null}") for null in ("", ".zero_steps", ".random_direction"))
    assert np.array_equal(zero["features_after"], own["features_before"])
    assert np.array_equal(zero["scores_after"], own["scores_before"])
    moved = (elsewhere["features_after"] - elsewhere["features_before"]).to_numpy()
    assert np.allclose(np.linalg.norm(moved, axis=1), own["displacement"], rtol=1e-4)
    ascent = (own["features_after"] - own["features_before"]).to_numpy()
    cosine = (moved * ascent).sum(axis=1) / np.linalg.norm(moved, axis=1) / np.linalg.norm(ascent, axis=1)
    assert np.abs(cosine).max() < 0.05


def test_the_untrained_network_is_the_one_of_its_seed(made, network):
    null = made.outcome("none.words_untrained_00.untrained")
    other = untrained(network, 0)
    with running(other, torch.device("cpu")):
        scores = other(torch.from_numpy(null["features_after"].to_numpy())).softmax(dim=1)
    assert np.allclose(null["scores_after"], scores.numpy(), atol=1e-6)


def test_natural_exemplars_are_the_tokens_of_the_highest_scores(made, network, speech):
    null = made.outcome("none.words.natural")
    with running(network, torch.device("cpu")):
        waveforms = torch.from_numpy(speech.waveforms(slice(None)))
        scores = network(waveforms).log_softmax(dim=1).numpy()
    for target, word in enumerate(WORDS):
        best = np.argsort(-scores[:, target], kind="stable")[:3]
        rows = null["target"].to_numpy() == word
        assert null["token"].to_numpy()[rows].tolist() == speech.tokens["token"].to_numpy()[best].tolist()
        assert np.array_equal(null["features_after"].to_numpy()[rows], waveforms.numpy()[best])
        assert np.allclose(null["objective_after"].to_numpy()[rows], scores[best, target], atol=1e-5)
    assert null["displacement"].to_numpy().tolist() == [0] * 6


def test_what_is_there_is_passed_over(made, network):
    before = made.outcomes["created_at"].tolist()
    record_nulls(network, WORDS, made.path, ["zero_steps", "random_direction"], **OPTIONS)
    assert open_store(made.path).outcomes["created_at"].tolist() == before


def test_progress_counts_over_all_nulls(network, tmp_path):
    seen = []
    nulls = ["untrained", "zero_steps"]
    record_nulls(
        network, WORDS, tmp_path / "s.zarr", nulls, untrained_seeds=(0, 1),
        progress=lambda done, total: seen.append((done, total)), **OPTIONS,
    )  # fmt: skip
    assert seen[-1] == (18, 18)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@pytest.mark.parametrize(
    ("nulls", "message"),
    [
        (["shuffled"], "needs a network that was trained on shuffled labels"),
        (["natural"], "looks for the best tokens of a corpus"),
        (["other"], "Invalid value for the 'nulls' parameter"),
    ],
)
def test_nulls_without_what_they_need_are_refused(network, tmp_path, nulls, message):
    with pytest.raises(ArgumentError, match=message):
        record_nulls(network, WORDS, tmp_path / "s.zarr", nulls, **OPTIONS)
    assert not (tmp_path / "s.zarr").exists()


def test_a_network_of_true_labels_is_no_shuffled_null():
    path = bundled("data", "checkpoints", "commands", "commands_1.safetensors")
    with pytest.raises(ArgumentError, match=r"commands_1\.safetensors says that its labels were true"):
        check_nulls(["shuffled"], shuffled=path)
