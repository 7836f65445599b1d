"""Against mgcv: random models whose answers `reference/make_references.R` committed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerstats.stats.gamm.fit import fit

REFERENCE = Path(__file__).parent / "reference"
FAST = 40

# Where mgcv's optimiser stopped at a worse value of its own criterion, so that the two are different fits. What is left
# to check is that ours is never worse. The gain in the criterion is in the comment.
STOPPED_EARLY = {
    69,  # 4.4: s(x, speaker, by = word, bs = "fs"), ML
    231,  # 0.0008: ti(), ML
    244,  # 1.0: te() with two minima, fREML
}
# bam() hands ML and REML to gam(), which stops further from the optimum than fREML does.
SCORE_BELOW = {"fREML": 2e-6, "REML": 1e-4, "ML": 1e-4}
LOOSE = {"fREML": 1.0, "REML": 12.0, "ML": 12.0}
# A term that is all but zero has a smoothing parameter on a flat ridge. Its p-value is that of a ratio of two vanishing
# numbers, and its rank counts eigenvalues at the limit of what is above zero.
VANISHING = 1e-3


def _tables():
    cases = pd.read_csv(REFERENCE / "cases.csv.gz")
    rows = pd.read_csv(REFERENCE / "rows.csv.gz")
    answers = pd.read_csv(REFERENCE / "answers.csv.gz", keep_default_na=False)
    answers["value"] = pd.to_numeric(answers["value"], errors="coerce")
    return (
        cases.set_index("case"),
        dict(iter(rows.groupby("case"))),
        dict(iter(answers.groupby("case"))),
    )


CASES, ROWS, ANSWERS = _tables()


def _cases():
    return [
        pytest.param(case, marks=[] if position < FAST else [pytest.mark.slow])
        for position, case in enumerate(CASES.index)
    ]


def _relative(ours, reference):
    return np.max(np.abs(np.asarray(ours) - reference) / (np.abs(reference) + 1e-6), initial=0.0)


@pytest.mark.parametrize("case", _cases())
def test_equals_mgcv(case):
    settings, answers = CASES.loc[case], ANSWERS[case]
    data = ROWS[case].drop(columns="case").reset_index(drop=True)
    ordered = {"word_o": ("word", "a")} if "word_o" in settings.formula else {}
    result = fit(
        settings.formula,
        data,
        engine="structured",
        method=settings.method,
        rho=settings.rho,
        series="token",
        order="x",
        ordered=ordered,
        weights="w" if settings.weighted else None,
    )

    def reference(quantity):
        return answers.loc[answers["quantity"] == quantity, "value"].to_numpy()

    glance = result.glance.iloc[0]
    assert glance["score"] <= reference("score")[0] + 1e-6
    if case in STOPPED_EARLY:
        return
    loose = LOOSE[settings.method]
    assert glance["score"] >= reference("score")[0] - SCORE_BELOW[settings.method]
    for quantity in ("scale", "deviance", "log_lik"):
        assert glance[quantity] == pytest.approx(reference(quantity)[0], rel=1e-5 * loose, abs=1e-5)
    for quantity in ("deviance_explained", "adj_r_squared"):
        assert glance[quantity] == pytest.approx(reference(quantity)[0], abs=1e-5 * min(loose, 2))
    # With ML and REML mgcv adds a second-order term to edf2, which is positive and which this engine does not have.
    if settings.method == "fREML":
        assert glance["df"] == pytest.approx(reference("df")[0], abs=5e-3)
    else:
        assert glance["df"] < reference("df")[0] + 0.01

    parametric, smooths = result.parametric, result.smooths
    assert list(parametric["term"]) == list(answers.loc[answers["quantity"] == "estimate", "term"])
    assert list(smooths["term"]) == list(answers.loc[answers["quantity"] == "edf", "term"])
    error = reference("std_error")
    assert np.max(np.abs(parametric["estimate"] - reference("estimate")) / error) < 1e-5 * loose
    assert _relative(parametric["std_error"], error) < 1e-5 * loose
    assert np.max(np.abs(parametric["p_value"] - reference("p_parametric"))) < 2e-5

    edf = smooths["edf"].to_numpy()
    assert np.max(np.abs(edf - reference("edf"))) < 1e-3 * min(loose, 3)
    steady = edf > VANISHING
    # mgcv's own accuracy of these probabilities is 2e-5, and for terms of fractional rank it averages two.
    p_difference = np.abs(smooths["p_value"].to_numpy() - reference("p_smooth"))[steady]
    assert np.max(p_difference, initial=0.0) < (5e-5 if settings.method == "fREML" else 4e-4)
    freedom = np.abs(smooths["ref_df"].to_numpy() - reference("ref_df"))[steady]
    random = np.array(["token" in term or "speaker" in term for term in smooths["term"]])[steady]
    assert np.max(freedom[~random], initial=0.0) < 1e-3
    assert np.max(freedom[random], initial=0.0) <= 2

    chosen = answers.loc[answers["quantity"] == "fitted", "term"].astype(int).to_numpy() - 1
    predicted = result.predict(data.iloc[chosen].assign(word_o=data["word"].iloc[chosen]))
    spread = np.std(data["y"])
    assert np.max(np.abs(predicted["fit"] - reference("fitted"))) < 2e-5 * spread * loose
    assert _relative(predicted["std_error"], reference("fitted_error")) < 5e-5 * loose
    assert np.max(np.abs(result.residuals.iloc[chosen] - reference("whitened"))) < 2e-5 * spread * loose
    assert np.allclose(result.fitted.iloc[chosen], predicted["fit"], rtol=0, atol=1e-9 * spread)


def test_there_are_enough_models():
    assert len(CASES) >= 300
    assert {"fREML", "REML", "ML"} == set(CASES["method"])
    assert CASES["weighted"].any() and (CASES["rho"] > 0).any() and CASES["balanced"].nunique() == 2
