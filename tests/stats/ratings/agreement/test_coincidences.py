"""Krippendorff's alpha: the published example, pairs by the definition, and what has none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from rating_worlds import crossed_ratings, vcc_2018

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import krippendorff_alpha

# Krippendorff 2011, example C: 4 observers, 12 units.
OBSERVERS = ["12332141 2...", "123322412 5.3", ".33323422 51.", "123324412 51."]
PUBLISHED = {"nominal": 0.743, "ordinal": 0.815, "interval": 0.849, "ratio": 0.797}


def observed(rows):
    """Return a table of observers whose ratings are characters, "." where there is none."""
    rows = [row.replace(" ", "") for row in rows]
    found = [
        (f"observer{rater}", f"unit{unit:02d}", None if one == "." else int(one))
        for rater, row in enumerate(rows)
        for unit, one in enumerate(row)
    ]
    return pd.DataFrame(found, columns=["rater", "clip", "rating"])


def by_pairs(table, level):
    """Return alpha from all pairs of ratings, one by one."""
    units = [own["rating"].dropna().tolist() for _, own in table.groupby("clip")]
    units = [own for own in units if len(own) > 1]
    every = sorted(value for own in units for value in own)

    def difference(one, two):
        if level == "nominal":
            return float(one != two)
        if level == "interval":
            return (one - two) ** 2
        if level == "ratio":
            return ((one - two) / (one + two)) ** 2 if one + two else 0.0
        low, high = min(one, two), max(one, two)
        between = sum(low <= value <= high for value in every)
        return (between - (every.count(low) + every.count(high)) / 2) ** 2 if low != high else 0.0

    pairs = lambda values: [(a, b) for i, a in enumerate(values) for j, b in enumerate(values) if i != j]  # noqa: E731
    within = sum(difference(a, b) / (len(own) - 1) for own in units for a, b in pairs(own))
    expected = sum(difference(a, b) for a, b in pairs(every)) / (len(every) - 1)
    return 1 - within / expected


@pytest.mark.parametrize(("level", "alpha"), PUBLISHED.items())
def test_published_example(level, alpha):
    found = krippendorff_alpha(observed(OBSERVERS), level, draws=500)
    assert round(found.estimate, 3) == alpha
    assert found.conf_low < found.estimate < found.conf_high <= 1
    assert any("1 clips with one rating" in note for note in found.notes)
    assert found.table["method"].tolist() == [f"Krippendorff's alpha ({level}), 11 clips drawn again"]


@pytest.mark.parametrize("level", PUBLISHED)
def test_counts_give_what_pairs_give(level):
    table = crossed_ratings(6, 7, heard=3, seed=1)
    table["rating"] = table["rating"].round().clip(0, 7)
    assert krippendorff_alpha(table, level, draws=10).estimate == pytest.approx(by_pairs(table, level), abs=1e-12)


def test_a_missing_rating_is_no_category():
    for level in PUBLISHED:
        assert krippendorff_alpha(observed(["112", "11.", ".12"]), level, draws=10).estimate == 1


def test_one_disagreement_in_pairs_is_what_is_expected_at_random():
    for level in ("nominal", "ordinal", "interval"):
        assert krippendorff_alpha(observed(["3" * 11 + "1", "3" * 12]), level, draws=10).estimate == 0


def test_texts_are_nominal():
    table = observed(OBSERVERS).dropna()
    table["response"] = table["rating"].map({1: "yes", 2: "no", 3: "wash", 4: "ask", 5: "rag"})
    assert round(krippendorff_alpha(table, "nominal", value="response", draws=10).estimate, 3) == 0.743
    with pytest.raises(DataError, match=r"no number: 'yes'.*'nominal' takes texts"):
        krippendorff_alpha(table, "ordinal", value="response")


def test_what_is_not_defined_is_said():
    with pytest.raises(DataError, match=r"All ratings .* are the same .* not defined"):
        krippendorff_alpha(observed(["333", "333"]), "ordinal")
    with pytest.raises(DataError, match="No clip has two ratings"):
        krippendorff_alpha(observed(["12.", "..3"]), "ordinal")
    with pytest.raises(DataError, match="Nobody rated"):
        krippendorff_alpha(observed(["..", ".."]), "ordinal")
    with pytest.raises(DataError, match="zero or above"):
        krippendorff_alpha(observed(["12", "12"]).assign(rating=[-1, 2, 1, 2]), "ratio")
    with pytest.raises(ArgumentError, match="'nominal', 'ordinal'"):
        krippendorff_alpha(observed(["12", "12"]), "metric")
    one = krippendorff_alpha(observed(["1", "2"]), "ordinal")
    assert np.isnan(one.conf_low)
    assert any("no interval" in note for note in one.notes)


def test_ratings_that_are_repeated_are_counted_and_said():
    table = observed(["12345", "12344"])
    found = krippendorff_alpha(pd.concat([table, table.head(1)]), "interval", draws=50)
    assert any("1 ratings are of a clip that the rater rated before" in note for note in found.notes)


def test_the_same_seed_gives_the_same_interval():
    table = observed(OBSERVERS)
    ends = [krippendorff_alpha(table, "ordinal", draws=100, seed=seed).conf_low for seed in (1, 1, 2)]
    assert ends[0] == ends[1] != ends[2]


@pytest.mark.slow
def test_intervals_cover_the_alpha_of_many_clips():
    """200 samples of 40 clips, of a world whose alpha is known from 20,000 clips."""

    def world(clips, seed):
        random = np.random.default_rng(seed)
        values = 3 + random.normal(0, 0.8, (clips, 1)) + random.normal(0, 0.8, (clips, 3))
        rated = np.clip(np.round(values), 1, 5)
        unit, rater = np.indices(rated.shape)
        return pd.DataFrame({"rater": rater.ravel(), "clip": unit.ravel(), "rating": rated.ravel()})

    truth = krippendorff_alpha(world(20_000, 1000), "ordinal", draws=1).estimate
    found = [krippendorff_alpha(world(40, seed), "ordinal", draws=400) for seed in range(200)]
    covered = np.mean([one.conf_low <= truth <= one.conf_high for one in found])
    assert 0.89 < covered < 0.99, covered


@pytest.mark.realdata
def test_fifty_thousand_ratings_take_seconds(real_data):
    found = krippendorff_alpha(vcc_2018(real_data), "ordinal", draws=200)
    assert 0.2 < found.conf_low < found.estimate < found.conf_high < 0.7
    assert found.conf_high - found.conf_low < 0.03
