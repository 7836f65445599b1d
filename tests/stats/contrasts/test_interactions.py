"""The parts of contrasts of contrasts: the model with four cells, units, paired series, ranks, and the simulations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.stats.contrasts.difference_tests import difference_tests
from layerstats.stats.contrasts.interactions.cell_model import Crossing, interaction_model
from layerstats.stats.contrasts.interactions.paired_series import on_one_axis
from layerstats.stats.contrasts.interactions.projection import added_covariance
from layerstats.stats.contrasts.interactions.simulated import (
    CROSSING,
    PAIRED_WORLDS,
    CrossedWorld,
    PairedWorld,
    truth_of,
)
from layerstats.stats.contrasts.interactions.simulation_study import simulate_block
from layerstats.stats.contrasts.interactions.token_scale import scale_curves, scale_of
from layerstats.stats.contrasts.interactions.trained_among_untrained import network_distances, rank_trained
from layerstats.stats.gamm import fit
from layerstats.stats.series import Series
from layerstats.stats.units import count_interaction_units


def crossed(*, people=8, tokens=2, within=False, kind="level", seed=1) -> Series:
    """Every third point of a world's series, so that models are small."""
    world = CrossedWorld("", people, tokens, within, difference=1.0)
    frame = world.frame().assign(value=world.draw(kind, np.random.default_rng(seed)).ravel())
    return Series(frame.iloc[::2].reset_index(drop=True), "time", "token", frame.head(0))


def fitted(model, engine="structured", **changes):
    model = replace(model, **changes)
    return fit(
        model.formula, model.data, engine=engine, series=model.identifier, order=model.covariate,
        factors=model.factors, ordered=model.ordered,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "speakers", "expected"),
    [
        ("ab" * 8, "ff" * 4 + "mm" * 4, np.repeat(np.arange(8), 2), (8, 2)),
        ("ff" * 4 + "mm" * 4, "ab" * 8, np.repeat(np.arange(8), 2), (8, 2)),
        ("aabb" * 4, "fmfm" * 4, np.repeat(np.arange(4), 4), (4, 1)),
        ("aabb" * 4, "fmfm" * 4, np.arange(16), (16, 4)),
        ("aabb" * 4, "fmfm" * 4, None, (16, 4)),
    ],
)
def test_units_are_what_the_double_difference_is_judged_by(first, second, speakers, expected):
    units = count_interaction_units(np.array(list(first)), np.array(list(second)), speakers)
    assert (units.count, units.spent) == expected
    assert units.kind == ("tokens" if speakers is None else "speakers")


def test_words_of_fewer_cells_than_all_count_where_there_are_fewer():
    """Eight speakers say all cells, and each of six words is of one level of the first contrast."""
    first, second = np.array(list("aaabbb" * 16)), np.repeat(np.array(list("fm" * 8)), 6)
    speakers, words = np.repeat(np.arange(8), 12), np.tile(np.arange(6), 16)
    assert str(count_interaction_units(first, second, speakers)) == "8 speakers, less one"
    found = count_interaction_units(first, second, speakers, {"words": words})
    assert str(found) == "6 words, less one for each of 2 groups"
    # Words that are heard in all four cells are no reason to count fewer.
    assert (
        str(count_interaction_units(first, second, speakers, {"words": np.arange(96) // 24})) == "8 speakers, less one"
    )


def test_words_are_random_where_neither_contrast_is_between_them():
    series = crossed(tokens=3)
    words = replace(series, frame=series.frame.assign(word="w" + series.frame["token"].str[-1]))
    model = interaction_model(words, CROSSING, items=("word",))
    assert model.items == ("word",)
    assert model.formula.endswith('s(time, word, bs="fs", m=1, k=5)')
    alike = replace(series, frame=series.frame.assign(word=series.frame["b"]))
    assert interaction_model(alike, CROSSING, items=("word",)).items == ()


def random_terms(series, **options):
    formula = interaction_model(series, CROSSING, **options).formula
    return [term for term in formula.split(" + ") if "bs=" in term]


def test_speakers_have_slopes_for_what_they_are_heard_in_several_times():
    def names(series, **options):
        return [term.split("time, ")[1].split(", bs")[0] for term in random_terms(series, **options)]

    slope = ["speaker, by=a_code"]
    assert names(crossed()) == ["token", "speaker", *slope]
    assert names(crossed(tokens=1)) == ["token", "speaker"]
    both = ["speaker, by=b_code", "speaker, by=a_by_b_code"]
    assert names(crossed(within=True)) == ["token", "speaker", *slope, *both]
    # With one token a cell, tokens are the speakers' versions of cells.
    assert names(crossed(within=True, tokens=1)) == ["token", "speaker", *slope, *both[:1]]
    assert names(crossed(), speakers="none") == ["token"]


def test_a_level_with_one_speaker_is_refused():
    with pytest.raises(DataError, match="2 speakers, less one for each of 2 groups, leaves nothing"):
        interaction_model(crossed(people=2), CROSSING)


def test_slopes_are_speakers_own_versions_in_a_faster_form():
    model = interaction_model(crossed(tokens=3), CROSSING)
    versions = model.data.assign(speaker_a=model.data["speaker"] + model.data["a"])
    slow = fitted(model, formula=model.formula.replace("speaker, by=a_code", "speaker_a"), data=versions)
    fast = fitted(model)
    assert fast.glance["score"].iloc[0] == pytest.approx(slow.glance["score"].iloc[0], abs=1e-4)
    assert fast.parametric["estimate"].to_numpy() == pytest.approx(slow.parametric["estimate"].to_numpy(), abs=1e-4)
    for name in ("std_error", "statistic"):
        assert fast.parametric[name].to_numpy() == pytest.approx(slow.parametric[name].to_numpy(), rel=1e-3)


@pytest.mark.r
@pytest.mark.parametrize("within", [False, True])
def test_mgcv_says_the_same(within):
    """Also of R's own ``a*b``: its last coefficient is that of the cell of both second levels."""
    model = interaction_model(crossed(people=6, within=within), CROSSING, k=5)
    ours, theirs = fitted(model), fitted(model, engine="mgcv")
    by_hand = fitted(model, engine="mgcv", formula=model.formula.replace("a + b + a_by_b + s(", "a*b + s("))
    column, both = CROSSING.column, CROSSING.both
    tests = [difference_tests(one, column, "other", both, model.units) for one in (ours, theirs)]
    for name in ("level_difference", "level_std_error", "level_statistic", "shape_edf", "shape_ref_df"):
        assert tests[0][name] == pytest.approx(tests[1][name], rel=2e-3, abs=1e-4)
    for name in ("joint_p_value", "level_p_value", "shape_p_value"):
        assert tests[0][name] == pytest.approx(tests[1][name], rel=1e-2, abs=1e-4)
    last = by_hand.parametric.set_index("term").loc["aa2:bb2"]
    assert tests[0]["level_difference"] == pytest.approx(last["estimate"], rel=2e-3)
    assert tests[0]["level_std_error"] == pytest.approx(last["std_error"], rel=2e-3)


def test_a_cell_is_named_by_both_levels():
    crossing = Crossing("phone_set", ("s", "sh"), "sex", ("f", "m"))
    assert crossing.cell("sh", "m") == {"phone_set": "sh", "sex": "m", "phone_set_by_sex": "sh:m"}
    assert crossing.cell("sh", "f")["phone_set_by_sex"] == "other"


def test_what_units_add_is_the_variance_that_estimating_them_makes():
    """Simulated: the contrast over an estimated standard deviation, minus the contrast over the true one."""
    rng = np.random.default_rng(0)
    people, bins, effect = 30, 3, 2.0
    units = np.repeat(np.arange(people), 4)
    second = np.tile([False, False, True, True], people)
    moved, claimed = [], []
    for _ in range(400):
        common = rng.normal(size=(people, 1))[units]
        pair = [common * 0.7 + rng.normal(size=(len(units), 1)) + 0 * np.ones(bins) for _ in range(2)]
        pair = [(one + effect * second[:, None]) * scale for one, scale in zip(pair, (1.0, 5.0), strict=True)]
        scales = [scale_of(one, second, units) for one in pair]
        true = np.array([1.0, 5.0]) * np.sqrt(1.49)
        moved.append(
            sum(w * one.difference * (1 - one.sd / sd) for w, one, sd in zip((1, -1), scales, true, strict=True))
        )
        claimed.append(np.diag(scale_curves(scales, [1, -1]).T @ scale_curves(scales, [1, -1])))
    assert np.mean(claimed, axis=0) == pytest.approx(np.var(moved, axis=0), rel=0.2)


def test_influence_is_what_leaving_a_speaker_out_changes():
    rng = np.random.default_rng(1)
    units = np.repeat(np.arange(40), 5)
    values = rng.normal(size=(200, 2)) + rng.normal(size=(40, 1))[units]
    second = rng.random(200) < 0.5
    scale = scale_of(values, second, units)
    without = [
        np.log(scale_of(values[units != one], second[units != one], units[units != one]).sd) for one in range(40)
    ]
    pseudo = np.log(scale.sd) - np.array(without)
    assert np.corrcoef(pseudo, scale.influence)[0, 1] > 0.99
    assert np.sum(scale.influence**2) == pytest.approx(39 / 40 * np.sum((pseudo - pseudo.mean()) ** 2), rel=0.1)


def test_equal_units_that_move_together_add_nothing():
    values = np.random.default_rng(2).normal(size=(20, 3))
    second = np.arange(20) % 2 == 1
    scales = [scale_of(factor * values, second, np.arange(20)) for factor in (1.0, 9.0)]
    assert scale_curves(scales, [1, -1]) == pytest.approx(np.zeros((20, 3)), abs=1e-12)
    assert scales[0].unscaled().difference == pytest.approx(scales[0].difference * scales[0].sd)


def test_added_covariance_is_that_of_the_curves():
    time = np.linspace(0, 1, 50)
    difference = np.column_stack([np.ones(50), time])
    added = added_covariance(difference, np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]))
    assert added == pytest.approx(np.array([[1.0, 0.0], [0.0, 0.0]]), abs=1e-9)


def test_series_meet_at_the_times_of_the_coarsest():
    def series(points, values, names=("a", "b")):
        time = (np.arange(points) + 0.5) / points
        rows = [
            pd.DataFrame({"token": name, "speaker": name, "time": time, "value": np.asarray(values, dtype=float)})
            for name in names
        ]
        frame = pd.concat(rows, ignore_index=True)
        return Series(frame, "time", "token", frame.head(0).assign(samples=0, note=""))

    fine, coarse = on_one_axis([series(4, [1, 3, 5, 9]), series(2, [10, 20], names=("b", "c"))])
    assert fine.frame["token"].tolist() == coarse.frame["token"].tolist() == ["b", "b"]
    assert fine.dropped["token"].tolist() == coarse.dropped["token"].tolist() == ["a", "c"]
    assert fine.dropped["samples"].tolist() == [4, 2]
    assert fine.frame["value"].tolist() == [2, 7]
    assert coarse.frame["value"].tolist() == [10, 20]
    with pytest.raises(DataError, match="No token has enough samples in both"):
        on_one_axis([series(4, range(4), names=("a",)), series(2, [1, 2], names=("c",))])


def test_networks_are_ranked_by_how_far_they_are_from_all():
    rng = np.random.default_rng(3)
    second = np.arange(12) % 2 == 1
    shift = {"activations": 9.0} | {f"untrained_{number:02}": 0.5 * number for number in range(4)}
    scales = {
        name: scale_of(rng.normal(size=(12, 4)) + size * second[:, None], second, np.arange(12))
        for name, size in shift.items()
    }
    distances = network_distances("conv1", scales, "activations")
    curves = {name: one.difference for name, one in scales.items()}
    mean = np.mean(list(curves.values()), axis=0)
    for name, curve in curves.items():
        apart = curve - mean
        own = distances.loc[distances["recording"] == name].set_index("test")["effect_size"]
        assert own["level"] == pytest.approx(abs(apart.mean()))
        assert own["joint"] ** 2 == pytest.approx(own["level"] ** 2 + own["shape"] ** 2)
    assert rank_trained(distances).set_index("test").loc["level", "null_p_value"] == pytest.approx(1 / 5)


def test_ranks_of_one_more_untrained_network_are_uniform():
    rng = np.random.default_rng(4)
    found = []
    for _ in range(150):
        curves = rng.normal(size=(5, 3)) + rng.normal(size=(5, 1))
        scales = {f"n{number}": replace(ONE, difference=curve) for number, curve in enumerate(curves)}
        found.append(rank_trained(network_distances("conv1", scales, "n0")).set_index("test")["null_p_value"])
    shares = (pd.concat(found, axis=1) <= 0.2 + 1e-9).mean(axis=1)
    assert shares.to_numpy() == pytest.approx(np.full(3, 0.2), abs=0.11)


ONE = scale_of(np.array([[1.0], [3.0], [6.0], [8.0]]), np.array([False, False, True, True]), np.arange(4))


def test_simulated_truths():
    assert truth_of("none", 2.0) == pytest.approx(np.zeros(16))
    assert truth_of("shape", 2.0).mean() == pytest.approx(0, abs=1e-12)
    world = CrossedWorld("", 4000, 1, within=True, difference=1.0)
    values = world.draw("level", np.random.default_rng(5)).reshape(4000, 2, 2, -1).mean(axis=0)
    double = values[1, 1] - values[1, 0] - values[0, 1] + values[0, 0]
    assert double == pytest.approx(np.ones(16), abs=0.25)


def test_data_sets_do_not_depend_on_their_block():
    world = CrossedWorld("small", 6, 2, within=False)
    whole = simulate_block(world, "none", range(4)).set_index("quantity")
    halves = [simulate_block(world, "none", numbers).set_index("quantity") for numbers in (range(2), range(2, 4))]
    assert (halves[0]["total"] + halves[1]["total"]).to_numpy() == pytest.approx(whole["total"].to_numpy(), abs=1e-6)


def test_units_taken_as_known_err_and_ours_do_not():
    """A twelfth of the study: both sides 3 standard deviations, no double difference."""
    world = next(one for one in PAIRED_WORLDS if one.effect == 3)
    assert isinstance(world, PairedWorld)
    table = simulate_block(world, "none", range(80)).set_index(["recipe", "quantity"])
    share = table["total"] / table["datasets"]
    # Of 1,000 data sets .26 and .05, .76 and .96.
    assert share["units taken as known", "level"] > 0.14
    assert share["contrast_of_contrasts", "level"] < 0.14
    assert share["units taken as known", "simultaneous"] < 0.88
    assert 0.88 < share["contrast_of_contrasts", "simultaneous"] <= 1
    assert share["contrast_of_contrasts", "converged"] == 1
