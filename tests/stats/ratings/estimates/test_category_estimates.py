"""Means, probabilities and differences of wine, beside what emmeans 1.8.4 prints of the same fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from wine_by_hand import wine, wine_by_hand

from layerstats.errors import ArgumentError
from layerstats.stats.ratings.estimates.category_estimates import (
    level_contrasts,
    probabilities_by_category,
    scale_means,
)


@pytest.fixture(scope="module")
def model():
    return wine_by_hand()


def test_means_over_raters_are_nearer_to_the_middle_of_the_scale_than_those_of_the_rater_in_the_middle(model):
    integrated = scale_means(model, "temp")["estimate"].to_numpy()
    np.testing.assert_allclose(integrated, [2.353, 3.484], atol=5e-4)
    middle = scale_means(model, "temp", integrate=False)["estimate"].to_numpy()
    assert integrated[0] > middle[0]
    raw = wine().groupby("temp")["rating"].mean()
    np.testing.assert_allclose(integrated, raw, atol=0.03)


def test_the_rater_in_the_middle_has_the_means_of_emmeans(model):
    table = scale_means(model, "temp", integrate=False)
    np.testing.assert_allclose(table["estimate"], [2.34, 3.48], atol=5e-3)
    np.testing.assert_allclose(table["std_error"], [0.167, 0.202], atol=5e-4)
    np.testing.assert_allclose(table["conf_low"], [2.01, 3.08], atol=0.03)
    np.testing.assert_allclose(table["conf_high"], [2.67, 3.88], atol=0.03)


def test_probabilities_are_those_of_emmeans_and_their_intervals_stay_inside(model):
    table = probabilities_by_category(model, "temp", integrate=False)
    emmeans = [0.09761, 0.52233, 0.33106, 0.04088, 0.00814, 0.00530, 0.09866, 0.44653, 0.30982, 0.13969]
    std_errors = [0.05626, 0.09102, 0.08617, 0.02550, 0.00656, 0.00461, 0.05073, 0.08363, 0.08237, 0.06838]
    np.testing.assert_allclose(table["estimate"], emmeans, atol=2e-5)
    np.testing.assert_allclose(table["std_error"], std_errors, atol=2e-5)
    # emmeans has an interval from -.0127 here.
    assert (table["conf_low"] > 0).all()
    assert (table["conf_high"] < 1).all()
    np.testing.assert_allclose(table.groupby("temp")["estimate"].sum(), 1)


def test_differences_are_those_of_emmeans(model):
    latent = level_contrasts(model, "temp", integrate=False).iloc[0]
    assert latent["contrast"] == "cold - warm"
    np.testing.assert_allclose([latent["estimate"], latent["std_error"]], [-3.06, 0.595], atol=5e-3)
    np.testing.assert_allclose(latent["statistic"], -5.145, atol=1e-3)
    mean = level_contrasts(model, "temp", at="mean", integrate=False).iloc[0]
    np.testing.assert_allclose([mean["estimate"], mean["std_error"]], [-1.14, 0.173], atol=5e-4)
    np.testing.assert_allclose(mean["statistic"], -6.587, atol=1e-3)


def test_a_reversed_difference_changes_its_signs_only(model):
    there = level_contrasts(model, "temp", pairs=[("warm", "cold")], at="mean", margin=0.5).iloc[0]
    back = level_contrasts(model, "temp", pairs=[("cold", "warm")], at="mean", margin=0.5).iloc[0]
    assert there["estimate"] == -back["estimate"]
    assert there["conf_low"] == -back["conf_high"]
    assert there["p_value"] == back["p_value"]
    assert there["p_equivalence"] == back["p_equivalence"]


def test_the_difference_of_means_is_that_of_the_table_of_means(model):
    means = scale_means(model, ["temp", "contact"]).set_index(["temp", "contact"])["estimate"]
    table = level_contrasts(model, ["temp", "contact"], reference="cold, no", at="mean")
    assert table["contrast"].tolist() == ["cold, yes - cold, no", "warm, no - cold, no", "warm, yes - cold, no"]
    expected = [means[level] - means["cold", "no"] for level in (("cold", "yes"), ("warm", "no"), ("warm", "yes"))]
    np.testing.assert_allclose(table["estimate"], expected, atol=1e-12)
    assert (table["p_adjusted"] >= table["p_value"]).all()
    assert table["family"].unique().tolist() == ["temp and contact less cold, no, mean"]


def test_equivalence_is_shown_where_the_interval_of_twice_the_error_lies_inside_the_margin(model):
    row = level_contrasts(model, "contact", at="mean", margin=1.0, conf_level=0.9).iloc[0]
    edge = max(abs(row["conf_low"]), abs(row["conf_high"]))
    for margin in (edge * 1.001, edge * 0.999):
        table = level_contrasts(model, "contact", at="mean", margin=margin)
        assert (table["p_equivalence"].iloc[0] < 0.05) == (margin > edge)


def test_observed_weights_are_what_averaging_over_the_rows_gives(model):
    frame = model.frame.iloc[[0, 1, 2, 4]]
    uneven = type(model)(**{**model.__dict__, "frame": frame})
    observed = scale_means(uneven, "temp", weights="observed")["estimate"].to_numpy()
    cells = scale_means(model, ["temp", "contact"])["estimate"].to_numpy().reshape(2, 2)
    np.testing.assert_allclose(observed, cells @ [0.75, 0.25])
    held = scale_means(uneven, "temp", weights="observed", hold={"contact": "yes"})["estimate"].to_numpy()
    np.testing.assert_allclose(held, cells[:, 1])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"by": "judge"}, "'judge' is no part of the model"),
        ({"by": "temp", "pairs": [("cold", "hot")]}, "'hot'"),
        ({"by": "temp", "reference": "hot"}, "'hot'"),
        ({"by": "temp", "pairs": [("cold", "cold")]}, "two different levels"),
        ({"by": "temp", "pairs": [("cold", "warm")], "reference": "cold"}, "not both"),
        ({"by": "temp", "hold": {"temp": "cold"}}, "one level"),
        ({"by": "temp", "hold": {"contact": "maybe"}}, "'maybe'"),
        ({"by": "temp", "margin": 0.2}, "at='mean'"),
    ],
)
def test_what_cannot_be_compared_is_said(model, options, words):
    with pytest.raises(ArgumentError, match=words):
        level_contrasts(model, **options)


def test_numbers_are_held_at_their_means_and_need_values_to_be_compared(model):
    numbers = pd.DataFrame({"temp": [0.0, 1.0, 1.0, 2.0], "contact": model.frame["contact"].iloc[:4].tolist()})
    numbers["contact"] = numbers["contact"].astype("category")

    def designs(frame):
        return model.designs(frame.assign(temp=np.where(frame["temp"] == 1, "warm", "cold")))

    mixed = type(model)(**{**model.__dict__, "frame": numbers, "designs": designs})
    table = scale_means(mixed, "contact")
    assert table.attrs["notes"] == ("temp is held at its mean, 1.",)
    with pytest.raises(ArgumentError, match="hold="):
        scale_means(mixed, "temp")
    assert scale_means(mixed, "temp", hold={"temp": [0, 1]})["temp"].tolist() == [0, 1]
