"""AR(1) residuals whose correlation falls with the time between rows: against nlme's corCAR1, and by whole matrices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

from layerstats.errors import ArgumentError, UnsupportedModelError
from layerstats.stats.gamm.fit import fit
from layerstats.stats.gamm.structured.whitening import log_determinant, whiten

REFERENCE = Path(__file__).parent / "reference"
ANSWERS = pd.read_csv(REFERENCE / "corcar1_answers.csv")
ROWS = pd.read_csv(REFERENCE / "corcar1_rows.csv")


def _usual_step(order):
    return float(np.median(ROWS.groupby("token")[order].diff().dropna()))


def _fit(order, kind, **options):
    formula = f"y_{order} ~ word + {order}" + (" + s(token, bs = 're')" if kind == "lme" else "")
    return fit(formula, ROWS, engine="structured", series="token", order=order, gaps="time", **options)


@pytest.mark.parametrize("kind", ["lme", "gls"])
@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("order", ["step", "time"])
def test_equals_nlme(order, method, kind):
    table = ANSWERS.query("order == @order and method == @method and kind == @kind").set_index("quantity")["value"]
    step = _usual_step(order)
    estimates, errors = table.iloc[2:5].to_numpy(), table.iloc[5:].to_numpy()
    given = _fit(order, kind, method=method, rho=table["rho"] ** step)
    assert -given.glance["score"][0] == pytest.approx(table["log_lik"], abs=1e-6)
    assert given.parametric["estimate"].to_numpy() == pytest.approx(estimates, rel=1e-6)
    # Under ML with a random part the residual variance is over n less the edf here, over n less the effects in nlme.
    same = not (method == "ML" and kind == "lme")
    assert given.parametric["std_error"].to_numpy() == pytest.approx(errors, rel=1e-6 if same else 4e-3)
    joint = _fit(order, kind, method=method, rho="reml")
    assert joint.rho == pytest.approx(table["rho"] ** step, abs=2e-6)
    assert -joint.glance["score"][0] >= table["log_lik"] - 1e-7


def test_whitening_is_a_root_of_the_inverse_correlation():
    generator = np.random.default_rng(2)
    time = np.cumsum(generator.choice([0.7, 1.0, 3.0], 12))
    start = np.arange(12) == 0
    start[7] = True
    gaps = np.where(start, 1.0, np.diff(time, prepend=0.0))
    number = np.cumsum(start)
    correlation = 0.6 ** np.abs(time[:, None] - time[None, :]) * (number[:, None] == number[None, :])
    root = whiten(np.eye(12), 0.6**gaps, start)
    assert np.allclose(root @ correlation @ root.T, np.eye(12), atol=1e-12)
    assert log_determinant(0.6**gaps, start) == pytest.approx(-0.5 * np.linalg.slogdet(correlation)[1])


def test_likelihood_with_token_curves_by_whole_matrices():
    formula = "y_step ~ word + s(step, k = 4, bs = 'cr') + s(step, token, bs = 'fs', m = 1, k = 4)"
    result = fit(formula, ROWS, engine="structured", method="ML", rho=0.5, series="token", order="step", gaps="time")
    residuals = result.residuals.to_numpy()
    same = ROWS["token"].to_numpy()[:, None] == ROWS["token"].to_numpy()[None, :]
    apart = np.abs(ROWS["step"].to_numpy()[:, None] - ROWS["step"].to_numpy()[None, :])
    raw = ROWS["y_step"].to_numpy() - result.fitted.to_numpy()
    scale = np.mean(residuals**2)
    expected = multivariate_normal.logpdf(raw, cov=scale * 0.5**apart * same)
    assert result.glance["log_lik"][0] == pytest.approx(expected, rel=1e-9)


def test_estimated_from_pairs_one_step_apart():
    result = _fit("step", "gls", rho="auto")
    plain = _fit("step", "gls", rho=None)
    residuals = pd.Series(plain.residuals.to_numpy()).groupby(ROWS["token"])
    neighbours = ROWS.groupby("token")["step"].diff() == 1
    pairs = pd.DataFrame({"early": residuals.shift(), "late": plain.residuals.to_numpy()})[neighbours.to_numpy()]
    expected = (pairs["early"] * pairs["late"]).sum() / np.sqrt((pairs**2).sum().prod())
    assert result.rho == pytest.approx(expected, rel=1e-9)
    assert any(f"{len(pairs)} pairs" in note for note in result.notes)


def test_without_gaps_nothing_changes(make_tokens):
    options = {"engine": "structured", "rho": 0.4, "series": "token", "order": "x"}
    formula, rows = "y ~ word + s(x, k = 4) + s(token, bs = 're')", make_tokens()
    adjacent = fit(formula, rows, **options)
    by_time = fit(formula, rows.assign(x=rows["x"] * 0.25), gaps="time", **options)
    assert by_time.glance["score"][0] == pytest.approx(adjacent.glance["score"][0], abs=1e-8)
    assert by_time.request.series_gaps is None


def test_notes_name_the_gaps():
    longer = int((ROWS.groupby("token")["step"].diff() > 1).sum())
    assert any(f"{longer} gaps are longer" in note for note in _fit("step", "gls", rho=0.5).notes)
    assert any("steps of 1 in step" in note for note in _fit("step", "gls", rho=0.5).notes)
    assert any("cannot be negative" in note for note in _fit("time", "gls", rho=0.5).notes)
    ignored = fit("y_step ~ word", ROWS, engine="structured", rho=0.5, series="token", order="step")
    assert any("gaps='time' does not" in note for note in ignored.notes)


def test_negative_rho_needs_whole_steps():
    assert _fit("step", "gls", rho=-0.3).rho == -0.3
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        _fit("time", "gls", rho=-0.3)


def test_unknown_gaps(make_tokens):
    with pytest.raises(ArgumentError, match="'gaps' parameter"):
        fit("y ~ s(x, k = 4)", make_tokens(), gaps="ignored")


@pytest.mark.r
def test_mgcv_refuses_gaps_in_time():
    with pytest.raises(UnsupportedModelError, match="whatever the time between them"):
        fit("y_step ~ word", ROWS, engine="mgcv", rho=0.5, series="token", order="step", gaps="time")


@pytest.mark.parametrize("order", ["step", "time"])
def test_lags_are_steps_of_time(order):
    result = _fit(order, "gls", rho=0.5)
    rows = ROWS.iloc[result.positions]
    token, time = rows["token"].to_numpy(), rows[order].to_numpy() / _usual_step(order)
    residuals = result.engine_fit.whitened_residuals
    apart = time[:, None] - time
    table = result.autocorrelation(4).set_index("lag")
    for lag in range(1, 5):
        late, early = np.nonzero((token[:, None] == token) & (apart >= lag - 0.5) & (apart < lag + 0.5))
        products = residuals[early] @ residuals[late]
        expected = products / np.sqrt(np.sum(residuals[early] ** 2) * np.sum(residuals[late] ** 2))
        assert table.loc[lag, "pairs"] == len(early)
        assert table.loc[lag, "autocorrelation"] == pytest.approx(expected)
    assert table.loc[0, "pairs"] == len(ROWS)
    checked = result.residual_checks().set_index("check").loc["autocorrelation", "estimate"]
    assert checked == pytest.approx(table.loc[1, "autocorrelation"])
