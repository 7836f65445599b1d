"""Means, probabilities and contrasts of fitted models: wine's, and worlds whose means are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats
from wine_by_hand import wine, wine_by_hand

from layerstats.errors import ArgumentError
from layerstats.stats.ratings import clmm
from layerstats.stats.ratings.estimates import level_contrasts, scale_means


@pytest.fixture(scope="module")
def model():
    return clmm("rating ~ temp + contact + (1 | judge)", wine())


def test_wine_has_the_means_of_the_fit_by_r(model):
    means = model.means("temp")
    np.testing.assert_allclose(means["estimate"], [2.353, 3.484], atol=5e-4)
    np.testing.assert_allclose(means["std_error"], scale_means(wine_by_hand(), "temp")["std_error"], atol=1e-3)
    middle = model.means("temp", integrate=False)
    np.testing.assert_allclose(middle["estimate"], [2.340, 3.480], atol=5e-4)
    assert model.probabilities("temp")["estimate"].between(0, 1).all()


def test_wine_has_the_contrast_of_the_fit_by_r(model):
    here, there = (level_contrasts(one, "temp", at="mean").iloc[0] for one in (model.latent_model(), wine_by_hand()))
    np.testing.assert_allclose(
        here[["estimate", "std_error"]].tolist(), there[["estimate", "std_error"]].tolist(), atol=1e-3
    )
    assert model.contrasts("temp", at="mean", margin=3).iloc[0]["p_equivalence"] < 0.001


def test_means_of_a_world_with_slopes_are_those_of_new_raters():
    rng = np.random.default_rng(5)
    rater, clip = np.repeat(np.arange(120), 40), np.tile(np.arange(40), 120)
    new = clip % 2
    slope = rng.normal(0, 1.2, 120)[rater] * new
    latent = 0.8 * new + rng.normal(0, 1, 120)[rater] + slope + rng.logistic(size=len(rater))
    thresholds = np.array([-2.0, 0.0, 1.5, 3.0])
    ratings = pd.DataFrame(
        {"rating": 1 + (latent[:, None] > thresholds).sum(1), "system": np.where(new, "new", "old"), "rater": rater}
    )
    model = clmm("rating ~ system + (1 + system | rater)", ratings, levels={"system": ["old", "new"]})
    draws = np.random.default_rng(6)
    truth = {}
    for name, shift, variance in (("old", 0.0, 1.0), ("new", 0.8, 1.0 + 1.2**2)):
        simulated = shift + draws.normal(0, np.sqrt(variance), 400_000) + draws.logistic(size=400_000)
        truth[name] = float(np.mean(1 + (simulated[:, None] > thresholds).sum(1)))
    means = model.means("system").set_index("system")
    for name, value in truth.items():
        assert abs(means.loc[name, "estimate"] - value) < 3 * means.loc[name, "std_error"]
    middle = model.means("system", integrate=False).set_index("system")["estimate"]
    # The difference of new raters is smaller than that of the rater in the middle.
    assert middle["new"] - middle["old"] > means.loc["new", "estimate"] - means.loc["old", "estimate"]


def test_two_categories_in_words_have_the_probability_of_the_second():
    data = wine().assign(heard=lambda frame: np.where(frame["rating"] > 2, "yes", "no"))
    model = clmm("heard ~ temp + (1 | judge)", data, levels={"heard": ["no", "yes"]})
    means = model.means("temp")
    second = model.probabilities("temp").query("category == 'yes'")
    np.testing.assert_allclose(means["estimate"], second["estimate"])
    np.testing.assert_allclose(means["conf_low"], second["conf_low"], rtol=1e-6)


@pytest.mark.realdata
@pytest.mark.slow
def test_means_of_real_systems_are_near_the_plain_means_where_raters_and_clips_are_integrated_out(real_data):
    folder = real_data("ratings", "vcc2018")
    parts = [pd.read_csv(path) for path in sorted(folder.glob("vcc2018_*_data.csv"))]
    ratings = pd.concat(parts).rename(columns={"WAV_PATH": "clip", "JUDGE": "rater", "MOS": "rating"})
    ratings["system"] = ratings["clip"].str.split("_").str[0]
    plain = ratings.groupby("system")["rating"].mean()
    model = clmm("rating ~ system + (1 | rater) + (1 | clip)", ratings)
    away = {
        integrate: (model.means("system", integrate=integrate).set_index("system")["estimate"] - plain).abs()
        for integrate in (True, False)
    }
    assert away[True].max() < 0.06
    assert away[True].mean() < away[False].mean() / 2


@pytest.mark.slow
def test_intervals_cover_the_means_and_probabilities_of_new_raters_and_clips():
    thresholds, deviation = np.array([-2.0, -0.5, 1.0, 2.5]), np.hypot(1.0, 0.7)
    nodes = np.linspace(-9, 9, 3001)
    weights = stats.norm.pdf(nodes) / stats.norm.pdf(nodes).sum()
    below = special.expit(thresholds[:, None] - deviation * nodes) @ weights
    shares = np.diff(np.r_[0, below, 1])
    truth = float(shares @ np.arange(1, 6))
    covered, covered_shares = [], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rater, clip = np.repeat(np.arange(20), 20), np.tile(np.arange(20), 20)
        effect = rng.normal(0, 1.0, 20)[rater] + rng.normal(0, 0.7, 20)[clip]
        latent = effect + rng.logistic(size=len(rater))
        ratings = pd.DataFrame({"rating": 1 + (latent[:, None] > thresholds).sum(1), "rater": rater, "clip": clip})
        model = clmm("rating ~ 1 + (1 | rater) + (1 | clip)", ratings)
        mean, each = model.means().iloc[0], model.probabilities()
        covered.append(mean["conf_low"] <= truth <= mean["conf_high"])
        if len(each) == len(shares):
            covered_shares += ((each["conf_low"] <= shares) & (shares <= each["conf_high"])).tolist()
    # Of 100 data sets, three standard errors below .95 are .885.
    assert np.mean(covered) > 0.885
    assert np.mean(covered_shares) > 0.885


def test_few_clips_make_intervals_wider_where_t_is_asked_for():
    rng = np.random.default_rng(4)
    rater, clip = np.repeat(np.arange(9), 16), np.tile(np.arange(16), 9)
    latent = rng.normal(0, 1, 9)[rater] + rng.normal(0, 1, 16)[clip] + rng.logistic(size=len(rater))
    ratings = pd.DataFrame({"rating": 1 + (latent[:, None] > np.array([-1.5, 0.0, 1.5])).sum(1), "rater": rater})
    ratings = ratings.assign(clip=clip, system=np.where(clip % 2, "b", "a"), order=np.where(rater % 2, "x", "y"))
    ratings["half"] = np.where(rng.random(len(ratings)) < 0.5, "1", "2")
    model = clmm("rating ~ system + half + (1 | rater) + (1 | clip)", ratings)
    for by, clips in (("system", 16 - 2), ("half", np.inf)):
        plain, wide = (model.contrasts(by, distribution=one).iloc[0] for one in ("normal", "t"))
        half_width = stats.t.ppf(0.975, clips) * plain["std_error"]
        assert wide["conf_high"] == pytest.approx(plain["estimate"] + half_width)
        assert wide["p_value"] == pytest.approx(2 * stats.t.sf(abs(plain["statistic"]), clips))
    # Eight clips a system.
    plain, wide = (model.means("system", distribution=one).iloc[0] for one in ("normal", "t"))
    ends = [
        special.logit((row["conf_high"] - 1) / 3) - special.logit((row["estimate"] - 1) / 3) for row in (plain, wide)
    ]
    assert ends[1] / ends[0] == pytest.approx(stats.t.ppf(0.975, 7) / stats.norm.ppf(0.975))
    slopes = clmm("rating ~ half + (1 + half || rater)", ratings)
    wide = slopes.contrasts("half", distribution="t").iloc[0]
    assert wide["p_value"] == pytest.approx(2 * stats.t.sf(abs(wide["statistic"]), 9 - 1))
    assert model.probabilities("system", distribution="t")["conf_high"].max() < 1
    with pytest.raises(ArgumentError, match="'z'"):
        model.means("system", distribution="z")


@pytest.mark.parametrize(("unit", "zero"), [(1e9, 0.0), (1e-6, 0.0), (1.0, 1e4), (1e6, 1e9)])
def test_neither_units_of_a_number_nor_its_zero_change_what_is_found(unit, zero):
    # Nanoseconds, or a year: a rater's slope of 1e-9 is one too, and intervals of means are the same.
    draws = np.random.RandomState(1)
    rater, clip = (part.ravel() for part in np.meshgrid(np.arange(10), np.arange(24), indexing="ij"))
    number = draws.normal(size=24)[clip]
    latent = 0.8 * (clip % 2) + (0.7 + draws.normal(size=10)[rater]) * number + draws.logistic(size=len(rater))
    frame = pd.DataFrame(
        {"rating": np.digitize(latent, [-1.5, 0, 1.5]) + 1, "condition": np.array(["a", "b"])[clip % 2]}
    ).assign(number=number, rater=[f"r{one}" for one in rater])
    formula = "rating ~ condition + number + (0 + number | rater)"
    if zero:
        formula = "rating ~ condition + number + (1 | rater)"
    for kind in ("flexible", "equidistant"):
        plain, moved = (
            clmm(formula, one, threshold=kind) for one in (frame, frame.assign(number=unit * number + zero))
        )
        assert moved.glance["log_lik"][0] == pytest.approx(plain.glance["log_lik"][0], abs=1e-6)
        for table in ("means", "probabilities"):
            found, expected = (getattr(model, table)("condition") for model in (moved, plain))
            np.testing.assert_allclose(found.select_dtypes("number"), expected.select_dtypes("number"), rtol=1e-4)
        slopes = [model.coefficients.set_index("term").loc["number"] for model in (plain, moved)]
        assert slopes[1]["estimate"] * unit == pytest.approx(slopes[0]["estimate"], rel=1e-4)
        assert slopes[1]["std_error"] * unit == pytest.approx(slopes[0]["std_error"], rel=1e-4)
        assert not any("is zero" in note for note in moved.notes)
        if kind == "flexible":
            # A threshold is where the number is zero.
            shift = zero * slopes[1]["estimate"]
            np.testing.assert_allclose(
                moved.thresholds["estimate"] - shift, plain.thresholds["estimate"], atol=1e-4 * (1 + abs(shift))
            )
