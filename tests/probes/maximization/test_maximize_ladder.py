"""A ladder is the same starts after more and more steps."""

import numpy as np
import pytest

from layerstats.errors import ArgumentError
from layerstats.models import CommandClassifier, InfoWaveGAN, ModelCard, seeded
from layerstats.probes.maximization import CiwganPrior, hearing_of, maximize_activations, maximize_ladder

CARD = ModelCard("small", "Random weights.", outputs=("yes", "no"))
OPTIONS = {"starts": 2, "card": CARD, "device": "cpu"}


@pytest.fixture(scope="module")
def network():
    with seeded(0):
        return CommandClassifier(outputs=2, channels=(2, 2, 2), hidden=(4, 4, 4))


@pytest.fixture(scope="module")
def ciwgan(network):
    with seeded(1):
        return CiwganPrior(hearing_of(network), InfoWaveGAN(codes=2, latent=4, width=1))


@pytest.fixture(scope="module")
def ladder(network, ciwgan, tmp_path_factory):
    path = tmp_path_factory.mktemp("ladder") / "s.zarr"
    seen = []
    made = maximize_ladder(
        network, CARD.outputs, path, ["none", ciwgan], steps=(4, 1), progress=lambda *now: seen.append(now), **OPTIONS
    )
    assert seen[-1] == (48, 48)
    return made


def test_each_number_of_steps_is_a_set_and_each_has_its_null(ladder):
    table = ladder.outcomes
    assert set(zip(table["set_up"], table["steps"], table["null"], strict=True)) == {
        (set_up, steps, null)
        for set_up in ("none", "ciwgan")
        for steps in (0, 1, 4)
        for null in ("", "random_direction")
    }
    assert "ciwgan.small.004_steps.random_direction" in set(table["name"])


@pytest.mark.parametrize(("set_up", "kept"), [("none", "features"), ("ciwgan", "codes")])
def test_more_steps_go_on_from_the_same_beginning(ladder, set_up, kept):
    sets = [ladder.outcome(f"{set_up}.small.{steps:03d}_steps") for steps in (0, 1, 4)]
    for outcome in sets:
        assert np.array_equal(outcome[f"{kept}_before"], sets[0][f"{kept}_after"])
        assert outcome["seed"].to_numpy().tolist() == sets[0]["seed"].to_numpy().tolist()
    assert (sets[1]["displacement"] < sets[2]["displacement"]).all()


def test_a_set_is_what_so_many_steps_of_a_maximization_give(ladder, network, tmp_path):
    alone = maximize_activations(network, CARD.outputs, tmp_path / "s.zarr", steps=4, **OPTIONS).outcome()
    assert np.array_equal(alone["features_after"], ladder.outcome("none.small.004_steps")["features_after"])


@pytest.mark.parametrize(
    ("priors", "steps", "message"),
    [
        (["none"], [0], "at least one number of steps above 0"),
        (["smooth", "smooth?l2=1"], [1], "different priors"),
        ([], [1], "different priors"),
    ],
)
def test_what_is_no_ladder_is_refused(network, tmp_path, priors, steps, message):
    with pytest.raises(ArgumentError, match=message):
        maximize_ladder(network, CARD.outputs, tmp_path / "s.zarr", priors, steps=steps, **OPTIONS)
    assert not (tmp_path / "s.zarr").exists()
