"""Against mgcv: random models with smooths that contain each other (`reference/make_contained.R`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats.gamm.batched.rows import channel_design
from layerstats.stats.gamm.engines.structured import StructuredEngine
from layerstats.stats.gamm.fit import fit
from layerstats.stats.gamm.request.task import FitTask
from layerstats.stats.gamm.structured.model_building import build_model

REFERENCE = Path(__file__).parent / "reference"
ROWS = pd.read_csv(REFERENCE / "contained_rows.csv.gz")
CASES = pd.read_csv(REFERENCE / "contained_cases.csv").set_index("case")
ANSWERS = dict(iter(pd.read_csv(REFERENCE / "contained_answers.csv.gz").groupby("case")))
# As many columns of each product are deleted, but others where several tie.
ARBITRARY = (3, 7, 9, 11, 12)
# bam() hands ML and REML to gam(), which stops further from the optimum.
LOOSE = {"fREML": 1.0, "REML": 20.0, "ML": 20.0}


def _marked(case):
    formula = CASES["formula"][case]
    return pytest.param(case, marks=pytest.mark.slow) if "te(" in formula and "by = word" in formula else case


@pytest.mark.parametrize("case", list(map(_marked, CASES.index)), ids=CASES["formula"].str.removeprefix("y ~ "))
def test_equals_mgcv(case):
    settings = CASES.loc[case]
    answers = {quantity: group["value"].to_numpy() for quantity, group in ANSWERS[case].groupby("quantity")}
    result = fit(
        settings.formula, ROWS, engine="structured", method=settings.method, rho=settings.rho, series="token", order="x"
    )
    counted = len(result.parametric) + sum(part.coefficients for part in result.engine_fit.smooth_parts)
    assert counted == answers["coefficients"][0]
    if any("of which several tie" in note for note in result.notes):
        # Which of them, rounding errors decide in mgcv.
        assert case in ARBITRARY
        return
    assert case not in ARBITRARY
    loose, spread, glance = LOOSE[settings.method], ROWS["y"].std(), result.glance.iloc[0]
    assert answers["score"][0] - 1e-5 * loose <= glance["score"] <= answers["score"][0] + 1e-6
    assert glance["scale"] == pytest.approx(answers["scale"][0], rel=1e-6 * loose)
    assert glance["df"] == pytest.approx(answers["df"][0], abs=1e-3 * loose)
    error = answers["std_error"]
    assert (np.abs(result.parametric["estimate"] - answers["estimate"]) / error).max() < 1e-5 * loose
    assert result.parametric["std_error"].to_numpy() == pytest.approx(error, rel=1e-5 * loose)
    smooths = result.smooths
    assert np.abs(smooths["edf"] - answers["edf"]).max() < 1e-4 * loose
    assert np.abs(smooths["ref_df"] - answers["ref_df"]).max() < 2e-4 * loose
    steady = (smooths["edf"] > 1e-2).to_numpy()
    assert np.abs(smooths["p_value"] - answers["p_value"])[steady].max() < 5e-5 * loose
    chosen = ANSWERS[case].query("quantity == 'fitted'")["term"].astype(int).to_numpy() - 1
    assert np.abs(result.fitted.iloc[chosen] - answers["fitted"]).max() < 1e-5 * spread * loose
    predicted = result.predict(ROWS.iloc[chosen].assign(v=lambda r: 0.95 * r["v"], z=lambda r: 0.1 + 0.8 * r["z"]))
    assert np.abs(predicted["fit"] - answers["predicted"]).max() < 2e-5 * spread * loose
    assert predicted["std_error"].to_numpy() == pytest.approx(answers["predicted_error"], rel=1e-4 * loose)


@pytest.mark.parametrize(
    ("formula", "lost"),
    [
        # Of the product what has the same basis, or the straight line alone.
        ("y ~ s(v, k = 5) + te(v, z, k = 4)", {"te(v,z)": 1}),
        ("y ~ s(v, bs = 'cr', k = 4) + te(v, z, k = 4)", {"te(v,z)": 3}),
        ("y ~ s(v, k = 5) + s(z, k = 5) + te(v, z, k = 4)", {"te(v,z)": 2}),
        ("y ~ s(v, k = 5) + s(z, k = 5) + ti(v, z, k = 4)", {}),
        ("y ~ s(v, k = 5) + te(u, z, k = 4)", {}),
        ("y ~ s(v, by = w, k = 5) + te(v, z, k = 4)", {}),
        # Of a thin plate the straight line.
        ("y ~ s(v, k = 5) + s(v, z, k = 12)", {"s(v,z)": 1}),
    ],
)
def test_what_larger_smooths_lose(formula, lost, make_request):
    model = build_model(make_request(formula, ROWS))
    alone = {}
    for smooth in model.labels:
        (single,) = [str(term) for term in make_request(formula, ROWS).formula.smooths if term.label == smooth]
        alone[smooth] = build_model(make_request(f"y ~ {single}", ROWS)).dense[0].size
    assert {term.label: alone[term.label] - term.size for term in model.dense if alone[term.label] > term.size} == lost


def test_products_whose_loss_is_left_to_rounding_errors_are_refused(make_request):
    answer = StructuredEngine().plan(make_request("y ~ s(v, k = 4) + t2(v, z, k = 4)", ROWS)).reason
    assert answer is not None
    assert "smooths that contain each other (s(v) and t2(v,z))" in answer


def test_channels_say_that_they_cannot():
    with pytest.raises(ArgumentError, match=r"contain each other.*write ti"):
        channel_design(
            FitTask(
                "y ~ s(x, k = 4) + te(x, v, k = 4) + s(x, token, bs = 'fs', m = 1, k = 4)",
                ROWS,
                series="token",
                order="x",
            )
        )
