"""Mean ratings: published means, the analysis of variance, resampling by its definition, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from rating_worlds import crossed_ratings, mean_squares, vcc_2018
from scipy import stats

from layerstats.errors import ArgumentError, DataError
from layerstats.parallel import RunOptions
from layerstats.stats import rating_means
from layerstats.stats.ratings.means.rating_cells import RatingCells
from layerstats.stats.ratings.means.two_way_bootstrap import BLOCK, drawn_weights, two_way_replicates
from layerstats.stats.ratings.means.two_way_variance import TwoWayVariance
from layerstats.stats.resampling.seeds import replicate_generator


def test_variance_of_a_complete_table_is_that_of_the_analysis_of_variance():
    table = crossed_ratings(7, 5, conditions=1, rater=2.0, clip=2.0, seed=1)
    matrix = table.pivot_table(index="rater", columns="clip", values="rating").to_numpy()
    raters, clips, noise = mean_squares(matrix)
    means = rating_means(table, interval="t").table.iloc[0]
    assert means["std_error"] ** 2 == pytest.approx((raters + clips - noise) / matrix.size)
    own = (raters**2 / 6 + clips**2 / 4) / (raters + clips - noise) ** 2
    assert means["df"] == pytest.approx(1 / own)
    width = stats.t.isf(0.025, means["df"]) * means["std_error"]
    assert (means["conf_low"], means["conf_high"]) == pytest.approx(
        (max(means["estimate"] - width, table["rating"].min()), min(means["estimate"] + width, table["rating"].max()))
    )


@pytest.mark.parametrize("name", ["rating", "ratings", "raters", "estimate", "conf_low"])
def test_conditions_are_never_overwritten_by_what_is_found(name):
    table = crossed_ratings(4, 3, conditions=2, rater=1.0, clip=1.0, seed=1)
    own = table if name == "rating" else table.rename(columns={"condition": name})
    with pytest.raises(ArgumentError, match=f"'{name}'"):
        rating_means(own, name, interval="t")


def test_components_without_balance_are_those_of_all_pairs():
    """Moments by their definition: half the squared difference of every pair of ratings with a rater, or a clip."""
    table = crossed_ratings(6, 8, conditions=1, heard=3, seed=2)
    y = table["rating"].to_numpy()
    raters, clips = (pd.factorize(table[name])[0] for name in ("rater", "clip"))
    squares = (y[:, None] - y[None, :]) ** 2 / 2
    with_rater, with_clip = raters[:, None] == raters, clips[:, None] == clips
    per_rater, per_clip = with_rater.sum(axis=1), with_clip.sum(axis=1)
    found = [
        np.sum(squares * with_rater / per_rater[:, None]),
        np.sum(squares * with_clip / per_clip[:, None]),
        np.sum(squares),
    ]
    n, number_raters, number_clips = len(y), raters.max() + 1, clips.max() + 1
    expected = [
        [0, n - number_raters, n - number_raters],
        [n - number_clips, 0, n - number_clips],
        [n**2 - per_rater.sum(), n**2 - per_clip.sum(), n**2 - n],
    ]
    variance = TwoWayVariance.of(RatingCells.of(table, ["condition"]))
    assert variance.components[0] == pytest.approx(np.linalg.solve(expected, found))


def test_replicates_are_means_weighted_by_how_often_raters_and_clips_were_drawn():
    table = crossed_ratings(5, 4, heard=3, seed=3)
    cells = RatingCells.of(table, ["condition"])
    replicates = two_way_replicates(cells, 120, seed=4)
    generator = replicate_generator(4, 1)
    raters = drawn_weights(np.zeros(5, dtype=int), BLOCK, generator)
    clips = drawn_weights(cells.clip_sums.strata, BLOCK, generator)
    assert set(clips[:4].sum(axis=0)) == {4}
    weight = raters[pd.factorize(table["rater"], sort=True)[0], 7] * clips[pd.factorize(table["clip"], sort=True)[0], 7]
    by_hand = [
        np.average(table["rating"][own], weights=weight[own])
        for own in (table["condition"] == "k0", table["condition"] == "k1")
    ]
    assert replicates[BLOCK + 7] == pytest.approx(by_hand)
    assert np.array_equal(replicates, two_way_replicates(cells, 120, seed=4, run=RunOptions(2, threads=True)))


def test_bootstrap_has_the_two_way_spread_and_the_pigeonhole_counts_noise_three_times():
    table = crossed_ratings(40, 60, conditions=1, heard=4, rater=0.0, clip=0.0, seed=5)
    error = {
        kind: rating_means(table, interval=kind, seed=1).table["std_error"][0] for kind in ("t", "pigeonhole", "naive")
    }
    assert error["pigeonhole"] / error["naive"] == pytest.approx(3**0.5, rel=0.15)
    assert error["t"] / error["naive"] == pytest.approx(1, rel=0.35)
    widths = {
        kind: float((one["conf_high"] - one["conf_low"]).iloc[0])
        for kind, one in ((kind, rating_means(table, interval=kind, seed=1).table) for kind in ("t", "bootstrap"))
    }
    assert widths["bootstrap"] == pytest.approx(widths["t"], rel=0.1)


def test_only_raters_are_drawn_for_a_clip_and_only_clips_for_a_rater():
    table = crossed_ratings(6, 5, conditions=1, seed=6)
    for unit in ("clip", "rater"):
        means = rating_means(table, unit, interval="t").table
        by_hand = table.groupby(unit)["rating"].agg(["mean", "sem", "size"])
        assert means["estimate"].tolist() == pytest.approx(by_hand["mean"].tolist())
        assert means["std_error"].tolist() == pytest.approx(by_hand["sem"].tolist())
        assert means["df"].tolist() == pytest.approx((by_hand["size"] - 1).tolist())


@pytest.mark.slow
@pytest.mark.parametrize("interval", ["t", "bootstrap"])
def test_intervals_cover_the_mean_of_other_raters_and_clips(interval):
    """300 data sets with known truth; the naive interval misses it more than every third time."""
    covered = {interval: 0, "naive": 0}
    for seed in range(300):
        table = crossed_ratings(12, 15, conditions=1, rater=0.6, clip=0.6, seed=seed, heard=6)
        for kind in covered:
            means = rating_means(table, interval=kind, scale=None, draws=400, seed=seed).table.iloc[0]
            covered[kind] += means["conf_low"] <= 3 <= means["conf_high"]
    # Three standard errors of 300 draws about .95.
    assert 0.91 * 300 < covered[interval] <= 0.985 * 300
    assert covered["naive"] < 0.75 * 300


def test_intervals_stay_inside_of_the_scale_and_roles_other_than_test_do_not_count():
    table = pd.DataFrame(
        {
            "rater": [f"r{r}" for r in range(5) for _ in range(6)],
            "clip": [f"c{c}" for _ in range(5) for c in range(6)],
            "role": ["test"] * 4 + ["catch", "reference"] + (["test"] * 4 + ["catch", "reference"]) * 4,
            "rating": [5, 5, 5, 5, 1, 1] * 4 + [5, 4, 5, 3, 1, 1],
        }
    )
    for interval in ("t", "bootstrap", "pigeonhole"):
        means = rating_means(table, [], interval=interval, scale=(1, 5)).table.iloc[0]
        assert means["ratings"] == 20
        assert 1 <= means["conf_low"] <= means["estimate"] <= means["conf_high"] <= 5


def test_what_is_not_known_has_no_interval_and_is_said():
    table = pd.DataFrame({"rater": list("ababc"), "clip": ["x", "x", "y", "y", "z"], "rating": [4, 4, 2, 3, 1]})
    means = rating_means(table, "clip")
    assert means.table["conf_low"].isna().tolist() == [True, False, True]
    assert any("have no interval" in note for note in means.notes)
    assert any("not comparable across tests" in note for note in means.notes)
    alone = rating_means(table[table["rater"] == "a"], [])
    assert any("of one rater" in note for note in alone.notes)
    assert np.isfinite(alone.table["conf_low"][0])


def test_bad_input_is_refused_with_what_was_found():
    table = crossed_ratings(3, 3)
    with pytest.raises(DataError, match=r"'system' is not in the ratings.*condition"):
        rating_means(table, "system")
    with pytest.raises(ArgumentError, match="pigeonhole"):
        rating_means(table, interval="wald")
    with pytest.raises(ArgumentError, match="different columns"):
        rating_means(table, ["condition", "condition"])
    with pytest.raises(DataError, match="nobody rated"):
        rating_means(table.assign(role="catch"))


@pytest.mark.realdata
def test_means_of_the_voice_conversion_challenge(real_data):
    table = vcc_2018(real_data)
    clips = rating_means(table, "clip", interval="t", scale=(1, 5)).table
    assert (len(table), len(clips)) == (54_040, 13_580)
    assert clips["estimate"].to_numpy() == pytest.approx(table.groupby("clip")["MEAN"].first().to_numpy(), abs=1e-12)
    published = pd.read_csv(real_data("ratings", "vcc2018", "vcc2018_system.csv")).set_index("system_ID")["mean"]
    systems = rating_means(table, "system", scale=(1, 5)).table.set_index("system")
    assert len(systems) == 38
    assert np.corrcoef(systems["estimate"], published[systems.index])[0, 1] > 0.999
    # The published means are of all ratings, of which the training split is a part.
    inside = (systems["conf_low"] <= published[systems.index]) & (published[systems.index] <= systems["conf_high"])
    assert inside.all()
