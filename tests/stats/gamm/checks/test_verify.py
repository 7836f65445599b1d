"""Which differences count: made ones are found at their place, and an early stop of the reference widens tolerances."""

from dataclasses import replace

import numpy as np
import pytest

from layerstats.stats.gamm import fit
from layerstats.stats.gamm.checks.verification import verification_table


@pytest.fixture(scope="module")
def fitted(words):
    return fit("y ~ word + s(x, by = word)", words, engine="structured").engine_fit


def changed(fitted, table, column, change, row=-1):
    frame = getattr(fitted, table).copy()
    frame.loc[frame.index[row], column] += change
    return replace(fitted, **{table: frame})


def row_of(fit_, reference, quantity):
    return verification_table(fit_, reference).set_index("quantity").loc[quantity]


def test_a_fit_equals_itself(fitted):
    table = verification_table(fitted, fitted)
    assert table["agrees"].all()
    assert (table["difference"] == 0).all()


@pytest.mark.parametrize(
    ("frame", "column", "quantity", "tolerance"),
    [
        ("parametric", "p_value", "parametric p_value", 2e-5),
        ("smooths", "edf", "smooth edf", 1e-3),
        ("smooths", "ref_df", "smooth ref_df", 1e-3),
        ("smooths", "p_value", "smooth p_value", 2e-5),
        ("glance", "score", "score", 1e-6),
    ],
)
def test_tolerances(fitted, frame, column, quantity, tolerance):
    for share, agrees in ((0.9, True), (1.1, False)):
        row = row_of(changed(fitted, frame, column, share * tolerance), fitted, quantity)
        assert row["difference"] == pytest.approx(share * tolerance, rel=1e-3)
        assert row["agrees"] == agrees
        if frame != "glance":
            assert row["term"] == getattr(fitted, frame)["term"].iloc[-1]


def test_relative_tolerances(fitted):
    known = fitted.parametric.iloc[-1]
    scale = max(abs(known["estimate"]), known["std_error"])
    for share, agrees in ((0.9e-5, True), (1.1e-5, False)):
        assert (
            row_of(changed(fitted, "parametric", "estimate", share * scale), fitted, "parametric estimate")["agrees"]
            == agrees
        )
        error = changed(fitted, "parametric", "std_error", -share * known["std_error"])
        assert row_of(error, fitted, "parametric std_error")["agrees"] == agrees
    values = fitted.fitted.copy()
    values[7] += 2e-5 * np.std(values)
    found = row_of(replace(fitted, fitted=values), fitted, "fitted")
    assert not found["agrees"]
    assert found["term"] == "7"


def test_a_reference_that_stopped_early(fitted):
    early = changed(changed(fitted, "smooths", "edf", 0.02), "glance", "score", 5e-4)
    assert row_of(fitted, early, "smooth edf")["agrees"]  # sqrt(2 * 5e-4) = 0.032
    assert not row_of(early, fitted, "smooth edf")["agrees"]
    assert not row_of(fitted, changed(fitted, "smooths", "edf", 0.02), "smooth edf")["agrees"]
    assert not row_of(fitted, changed(fitted, "glance", "score", 0.02), "score")["agrees"]


def test_what_only_one_of_them_has(fitted):
    without = replace(fitted, smooths=fitted.smooths.assign(p_value=np.nan))
    found = row_of(without, fitted, "smooth p_value")
    assert not found["agrees"]
    assert np.isnan(found["difference"])
    fewer = replace(fitted, smooths=fitted.smooths.iloc[:1])
    assert not row_of(fewer, fitted, "smooth edf")["agrees"]
    assert not row_of(fitted, fewer, "smooth edf")["agrees"]


def test_another_label_is_no_difference(fitted):
    renamed = replace(fitted, parametric=fitted.parametric.assign(term=lambda table: table["term"] + ":other"))
    assert verification_table(fitted, renamed)["agrees"].all()
    twice = replace(fitted, smooths=fitted.smooths.assign(term="s(x)"))
    assert verification_table(twice, twice)["agrees"].all()


def test_reference_degrees_of_freedom_of_nothing_do_not_count(fitted):
    shrunk = changed(fitted, "smooths", "edf", 1e-3 - fitted.smooths["edf"].iloc[-1])
    other = changed(shrunk, "smooths", "ref_df", 5.0)
    assert row_of(other, shrunk, "smooth ref_df")["agrees"]
    assert not row_of(changed(fitted, "smooths", "ref_df", 5.0), fitted, "smooth ref_df")["agrees"]
    assert not row_of(other, fitted, "smooth ref_df")["agrees"]
