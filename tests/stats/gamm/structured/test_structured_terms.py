"""Against mgcv: terms beyond those of the random models, and designs without full rank (`reference/make_terms.R`)."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import UnsupportedModelError
from layerstats.stats.gamm.engine_interface import FitPlan
from layerstats.stats.gamm.engines.structured import StructuredEngine
from layerstats.stats.gamm.fit import fit
from layerstats.stats.gamm.structured import aliased

REFERENCE = Path(__file__).parent / "reference"
ROWS = pd.read_csv(REFERENCE / "terms_rows.csv.gz")
CASES = pd.read_csv(REFERENCE / "terms_cases.csv").set_index("case")
ANSWERS = dict(iter(pd.read_csv(REFERENCE / "terms_answers.csv.gz").groupby("case")))
# bam() hands ML and REML to gam(), which stops further from the optimum.
LOOSE = {"fREML": 1.0, "REML": 12.0, "ML": 12.0}
# Columns of factors tie: which of them mgcv leaves out, rounding errors decide.
ARBITRARY = r"speaker|present"


def _fit(formula, engine="structured", **options):
    ordered = {"word_o": ("word", "a")} if "word_o" in formula else {}
    return fit(formula, ROWS, engine=engine, ordered=ordered, series="token", order="x", **options)


@pytest.mark.parametrize("case", CASES.index, ids=CASES["formula"].str.removeprefix("y ~ "))
def test_equals_mgcv(case):
    settings = CASES.loc[case]
    answers = {quantity: group["value"].to_numpy() for quantity, group in ANSWERS[case].groupby("quantity")}
    result = _fit(settings.formula, method=settings.method, rho=settings.rho)
    loose = LOOSE[settings.method]
    glance = result.glance.iloc[0]
    assert answers["score"][0] - 1e-4 * loose <= glance["score"] <= answers["score"][0] + 1e-6
    assert glance["scale"] == pytest.approx(answers["scale"][0], rel=1e-5 * loose)
    if settings.method == "fREML":
        assert glance["df"] == pytest.approx(answers["df"][0], abs=1e-2)
    _check_parametric(result.parametric, answers, ANSWERS[case], 1e-5 * loose)
    smooths = result.smooths
    assert np.abs(smooths["edf"] - answers["edf"]).max() < 1e-3 * loose
    steady = (smooths["edf"] > 1e-3).to_numpy()
    assert np.abs(smooths["ref_df"] - answers["ref_df"])[steady].max() < 1e-3 * loose
    assert np.abs(smooths["p_value"] - answers["p_value"])[steady].max() < 5e-5 * loose
    chosen = ANSWERS[case].query("quantity == 'fitted'")["term"].astype(int).to_numpy() - 1
    spread = ROWS["y"].std()
    assert np.abs(result.fitted.iloc[chosen] - answers["fitted"]).max() < 1e-5 * spread * loose
    moved = ROWS.iloc[chosen].assign(v=lambda rows: 0.95 * rows["v"], z=lambda rows: rows["z"] + 0.1)
    if "twice" not in settings.formula and not settings.formula.startswith("y ~ v +"):
        predicted = result.predict(moved)
        assert np.abs(predicted["fit"] - answers["predicted"]).max() < 2e-5 * spread * loose
        assert predicted["std_error"].to_numpy() == pytest.approx(answers["predicted_error"], rel=1e-4 * loose)


def _check_parametric(table, answers, rows, tolerance):
    terms = rows.query("quantity == 'estimate'")["term"]
    assert list(table["term"]) == list(terms)
    ours = table.set_index("term")
    theirs = pd.DataFrame({"estimate": answers["estimate"], "std_error": answers["std_error"]}, index=terms)
    if theirs["std_error"].eq(0).any() and terms.str.contains(ARBITRARY).any():
        # As many are left out; which ones may differ, and with them all others of the same factors.
        assert ours["std_error"].eq(0).sum() == theirs["std_error"].eq(0).sum()
        return
    assert list(ours["std_error"] == 0) == list(theirs["std_error"] == 0)
    left_out = ours["std_error"] == 0
    assert ours.loc[left_out, ["statistic", "p_value"]].isna().all().all()
    used = ours[~left_out]
    error = theirs.loc[~left_out, "std_error"]
    assert (np.abs(used["estimate"] - theirs.loc[~left_out, "estimate"]) / error).max() < tolerance
    assert used["std_error"].to_numpy() == pytest.approx(error.to_numpy(), rel=tolerance)


@pytest.mark.parametrize("formula", ["y ~ s(v, z)", "y ~ s(v, z, k = 15, m = 3)", "y ~ s(u, bs = 'ts', m = 1, k = 7)"])
def test_smoothing_parameters_of_thin_plates_are_those_of_mgcv(formula):
    case = CASES.index[CASES["formula"] == formula][0]
    expected = ANSWERS[case].query("quantity == 'smoothing'")["value"].to_numpy()
    assert _fit(formula).engine_fit.smoothing_parameters == pytest.approx(expected, rel=1e-4)


def test_what_is_left_out_is_named():
    by_size = _fit("y ~ word + v + twice + s(x, k = 5)")
    assert any("cannot tell v from" in note and "as in mgcv" in note for note in by_size.notes)
    tied = _fit("y ~ word + speaker + s(x, k = 5)")
    assert any("speakers4, speakers5" in note and "others in their place" in note for note in tied.notes)
    plain = _fit("y ~ word + s(x, k = 5)")
    assert not any("left out" in note for note in plain.notes)


def test_what_is_left_out_changes_no_fit():
    nested = _fit("y ~ word + speaker + s(x, k = 5)")
    alone = _fit("y ~ speaker + s(x, k = 5)")
    assert np.allclose(nested.fitted, alone.fitted, atol=1e-8)
    assert nested.glance["df_residual"][0] == pytest.approx(alone.glance["df_residual"][0], abs=1e-6)
    rows = ROWS.iloc[:5]
    assert np.allclose(nested.predict(rows)["std_error"], alone.predict(rows)["std_error"], rtol=1e-6)


def test_notes_say_where_rounding_errors_decide_in_mgcv():
    assert any("s(v)" in note for note in _fit("y ~ s(v, bs = 'cs', k = 4)").notes)
    assert not any("rounding" in note for note in _fit("y ~ t2(v, z, k = 4)").notes)


def test_refused_where_the_choice_of_mgcv_cannot_be_known():
    with pytest.raises(UnsupportedModelError, match="a smooth with several of them"):
        _fit("y ~ v + twice + te(v, x, k = 4)")


def test_refused_beyond_the_coefficients_whose_order_is_computed(monkeypatch):
    monkeypatch.setattr(aliased, "MOST_COEFFICIENTS", 20)
    _fit("y ~ v + twice + s(token, bs = 're')")
    with pytest.raises(UnsupportedModelError, match="more than 20 coefficients; use 'fREML'"):
        _fit("y ~ v + twice + s(token, bs = 're')", method="REML")


# mgcv leaves out one in each; where columns tie, scores and fits are the same whichever it is.
DEPENDENT = [
    "y ~ word + v + twice + s(x, k = 5)",
    "y ~ v + I(2 * v) + s(v, k = 5)",
    "y ~ word + x + s(x, by = word, k = 4)",
    "y ~ v + twice + te(x, z, k = 4) + s(token, bs = 're')",
    "y ~ word + v + twice + s(x, k = 4) + s(x, token, bs = 'fs', m = 1, k = 4)",
    "y ~ word * present + v + twice + s(x, k = 5) + s(token, bs = 're')",
    "y ~ u + s(v, k = 5) + s(x, by = u, bs = 'cr', k = 5)",
    "y ~ s(v, k = 5) + s(twice, k = 5)",
    "y ~ s(x, by = word, k = 4) + s(x, by = sex, k = 4) + s(token, bs = 're')",
    "y ~ word + s(x, k = 4) + s(x, by = word, k = 4)",
    "y ~ s(v, z, k = 12) + v",
    "y ~ v + twice",
]


@pytest.mark.r
@pytest.mark.parametrize("method", ["fREML", "REML", "ML"])
@pytest.mark.parametrize("formula", DEPENDENT)
def test_designs_without_full_rank_against_mgcv_here(formula, method):
    ours = _fit(formula, method=method)
    with warnings.catch_warnings():
        # That smooths of one covariate are repeated.
        warnings.simplefilter("ignore")
        theirs = _fit(formula, engine="mgcv", method=method)
    loose = LOOSE[method]
    assert theirs.glance["score"][0] - 1e-4 * loose <= ours.glance["score"][0] <= theirs.glance["score"][0] + 1e-6
    assert ours.glance["scale"][0] == pytest.approx(theirs.glance["scale"][0], rel=1e-5 * loose)
    assert np.abs(ours.fitted - theirs.fitted).max() < 1e-4 * loose * ROWS["y"].std()
    assert ours.glance["df_residual"][0] == pytest.approx(theirs.glance["df_residual"][0], abs=2e-3 * loose)
    rows = ROWS.iloc[::9]
    assert ours.predict(rows)["std_error"].to_numpy() == pytest.approx(
        theirs.predict(rows)["std_error"], rel=1e-3 * loose
    )
    if any("others in their place" in note for note in ours.notes):
        return
    assert (ours.parametric["std_error"] == 0).equals(theirs.parametric["std_error"] == 0)
    error = theirs.parametric["std_error"].replace(0, 1)
    assert np.abs((ours.parametric["estimate"] - theirs.parametric["estimate"]) / error).max() < 1e-4 * loose
    assert ours.parametric["p_value"].isna().equals(theirs.parametric["p_value"].isna())
    if len(ours.smooths):
        assert np.abs(ours.smooths["edf"] - theirs.smooths["edf"]).max() < 1e-3 * loose
        assert np.abs(ours.smooths["p_value"] - theirs.smooths["p_value"]).max() < 1e-3 * loose


def test_one_smoothing_parameter_of_all_copies():
    alone = _fit("y ~ word + s(v, by = word, k = 5)")
    shared = _fit("y ~ word + s(v, by = word, k = 5, id = 1)")
    assert len(alone.engine_fit.smoothing_parameters) == 3
    assert len(shared.engine_fit.smoothing_parameters) == 1
    assert shared.glance["score"][0] > alone.glance["score"][0]


def test_full_rank_models_keep_every_column(make_request, make_tokens):
    request = make_request("y ~ word * v + s(x, k = 5) + s(token, bs = 're')", make_tokens())
    assert isinstance(StructuredEngine().plan(request), FitPlan)
    result = fit("y ~ word * v + s(x, k = 5)", make_tokens(), engine="structured")
    assert (result.parametric["std_error"] > 0).all()


@pytest.mark.r
@pytest.mark.parametrize(
    "formula",
    [
        "y ~ t2(v, z, bs = 'tp', k = 4) + s(token, bs = 're')",
        "y ~ s(v, z, k = 20) + s(u, bs = 'ts')",
        "y ~ word + v + twice + s(x, by = word, id = 1, k = 5)",
    ],
)
def test_verified_against_mgcv_here(formula):
    table = _fit(formula, verify=True).verification
    assert table["agrees"].all(), table[~table["agrees"]].to_string()


@pytest.mark.parametrize("basis", ["tp", "ts"])
def test_thin_plates_without_their_null_space_are_for_mgcv(basis):
    generator = np.random.default_rng(1)
    data = pd.DataFrame({"y": generator.normal(size=40), "t": np.linspace(0, 1, 40)})

    with pytest.raises(UnsupportedModelError, match=r"the argument m = c\(2, 0\)"):
        fit(f"y ~ s(t, bs='{basis}', k=6, m=c(2, 0))", data, engine="structured")
