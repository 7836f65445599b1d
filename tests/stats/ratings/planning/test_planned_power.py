"""Power of planned listening tests: against the noncentral t of a balanced plan, and by its own promises."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.ratings import RatingVariances, rating_power, smallest_plans

VARIANCES = RatingVariances(rater=0.6, rater_by_condition=0.3, clip=0.4, noise=0.8)


def analytic_power(difference, raters, clips, each, own, alpha=0.05):
    """Power of a t test whose variance is known but for its degrees of freedom (Satterthwaite)."""
    parts = np.array([2 * own.rater_by_condition**2 / raters, 2 * own.clip**2 / clips])
    rest = 2 * own.noise**2 / (clips * each)
    error = np.sqrt(parts.sum() + rest)
    freedom = error**4 / (((parts + rest) ** 2) / np.array([raters - 1, 2 * clips - 2])).sum()
    critical = stats.t.isf(alpha / 2, freedom)
    return float(stats.nct.sf(critical, freedom, difference / error))


@pytest.mark.parametrize(
    ("raters", "clips", "each", "difference"), [(30, 20, 30, 0.4), (40, 20, 10, 0.5), (24, 40, 6, 0.3)]
)
def test_power_is_that_of_the_t_test_with_the_true_variances(raters, clips, each, difference):
    found = rating_power(difference, [raters], [clips], raters_per_clip=each, variances=VARIANCES, replicates=300)
    expected = analytic_power(difference, raters, clips, each, VARIANCES)
    assert 0.3 < expected < 0.95
    # Three standard errors of the simulation, and two points for the approximation.
    assert abs(found["power"].item() - expected) < 3 * np.sqrt(expected * (1 - expected) / 300) + 0.02
    assert found["conf_low"].item() < found["power"].item() < found["conf_high"].item()


def test_no_difference_is_found_as_rarely_as_promised():
    found = rating_power(0.0, [20], [20], raters_per_clip=5, variances=VARIANCES, replicates=500)
    assert found["power"].item() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 500)


def test_equivalence_is_found_where_it_is_true_and_rarely_at_the_margin():
    options = {"variances": VARIANCES, "margin": 0.5, "replicates": 250}
    equal = rating_power(0.0, [40], [60], raters_per_clip=20, **options).set_index("test")["power"]
    assert equal["equivalence"] > 0.9
    assert equal["difference"] < 0.1
    edge = rating_power(0.5, [40], [60], raters_per_clip=20, **options).set_index("test")["power"]
    assert edge["equivalence"] < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 250)


def test_more_of_either_finds_more_and_the_smallest_plan_is_told():
    table = rating_power(0.4, [10, 40], [10, 40], raters_per_clip=5, variances=VARIANCES, replicates=100)
    power = table.pivot(index="raters", columns="clips_per_condition", values="power")
    assert power.loc[40, 40] > power.loc[10, 10] + 0.2
    assert table["clips_per_rater"].tolist() == [10, 40, 2.5, 10]
    smallest = smallest_plans(table, power=float(power.loc[40, 40]))
    assert smallest["power"].min() >= power.loc[40, 40]
    assert smallest_plans(table, power=0.999).empty


def test_results_depend_on_the_seed_and_on_nothing_else():
    options = {"raters_per_clip": 4, "replicates": 60}
    one = rating_power(0.4, [12], [8, 10], seed=3, **options)
    pd.testing.assert_frame_equal(one, rating_power(0.4, [12], [8, 10], seed=3, workers=2, **options))
    alone = rating_power(0.4, [12], [10], seed=3, **options)
    assert alone["power"].item() == one["power"].iloc[1]
    assert not one.equals(rating_power(0.4, [12], [8, 10], seed=4, **options))


@pytest.mark.slow
def test_a_mixed_model_of_categories_finds_about_as_much():
    options = {"raters_per_clip": 6, "variances": RatingVariances(0.5, 0.0, 0.4, 0.8), "replicates": 60}
    two_way, ordered = (rating_power(0.6, [18], [15], analysis=name, **options)["power"].item()
                        for name in ("two_way", "clmm"))  # fmt: skip
    assert abs(two_way - ordered) < 3 * np.sqrt(0.5 / 60)


def test_variances_of_a_pilot_are_found():
    rng = np.random.default_rng(5)
    raters, clips = 80, 80
    kind = rng.normal(0, 0.6, raters)[:, None, None] + rng.normal(0, 0.4, (raters, 3, 1))
    ratings = 3 + kind + rng.normal(0, 0.5, (3, clips)) + rng.normal(0, 0.8, (raters, 3, clips))
    rater, condition, clip = np.indices(ratings.shape)
    table = pd.DataFrame({"rater": rater.ravel(), "condition": condition.ravel(), "rating": ratings.ravel(),
                          "clip": (condition * clips + clip).ravel()})  # fmt: skip
    heard = table.loc[rng.random(len(table)) < 0.3]
    for given in (table, heard):
        found = RatingVariances.of(given)
        # About three standard errors of standard deviations of 80 raters and 240 clips.
        assert found.rater == pytest.approx(0.6, abs=0.18)
        assert found.rater_by_condition == pytest.approx(0.4, abs=0.1)
        assert found.clip == pytest.approx(0.5, abs=0.08)
        assert found.noise == pytest.approx(0.8, abs=0.03)


@pytest.mark.realdata
def test_variances_of_a_published_test_are_those_of_its_mixed_model(real_data):
    table = pd.read_csv(real_data("ratings", "vcc2018", "vcc2018_training_data.csv"))
    parts = table["WAV_PATH"].str.removesuffix(".wav").str.split("_")
    ratings = table.rename(columns={"WAV_PATH": "clip", "JUDGE": "rater", "MOS": "rating"})
    found = RatingVariances.of(ratings.assign(system=parts.str[-1] + "_" + parts.str[0]), "system", scale=(1, 5))
    # lme4 1.1-31, REML: rating ~ system + (1 | rater) + (1 | rater:system) + (1 | clip).
    fitted = RatingVariances(rater=0.68896, rater_by_condition=0.40339, clip=0.43949, noise=0.74847)
    for name, value in vars(fitted).items():
        assert getattr(found, name) == pytest.approx(value, abs=0.015)
        assert getattr(RatingVariances(), name) == pytest.approx(value, abs=0.015)


def test_variances_that_cannot_be_told_apart_are_refused():
    table = pd.DataFrame(
        {"rater": list("abcd"), "clip": list("wxyz"), "condition": list("mmnn"), "rating": [1, 2, 3, 4]}
    )
    with pytest.raises(DataError, match="no rater heard two clips"):
        RatingVariances.of(table)
    with pytest.raises(DataError, match="no clip was heard by two raters"):
        RatingVariances.of(table.assign(rater="a"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"raters": [3], "raters_per_clip": 5}, "raters_per_clip=1 to 3"),
        ({"raters": [100], "raters_per_clip": 2}, "Possible are 2 to 40 raters"),
        ({"raters": []}, "need numbers of raters"),
        ({"clips": [1]}, "clips of 2 or more"),
        ({"analysis": "anova"}, "'analysis'"),
        ({"margin": 0}, "'margin'"),
    ],
)
def test_plans_that_are_not_possible_are_refused(changed, message):
    with pytest.raises(ArgumentError, match=message):
        rating_power(**{"difference": 0.5, "raters": [20], "clips": [10], **changed})


@pytest.mark.parametrize("difference", [float("nan"), float("inf")])
def test_a_difference_that_is_no_number_has_no_power(difference):
    with pytest.raises(ArgumentError, match="'difference'"):
        rating_power(difference, [4], [3], replicates=2)
