"""The same models by R's ordinal and by mgcv."""

from __future__ import annotations

import numpy as np
import pytest
from wine_by_hand import wine

from layerstats.errors import ArgumentError, UnsupportedModelError
from layerstats.rbridge import default_pool
from layerstats.stats.ratings import clmm, compare_clmm
from layerstats.tables import check_frame


@pytest.fixture(scope="module", autouse=True)
def _ordinal():
    if default_pool().call("bridge_versions").value["ordinal"] is None:
        pytest.skip("the R package ordinal is not installed; apt-get install r-cran-ordinal")


@pytest.mark.r
@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("rating ~ temp + contact + (1 | judge)", {}),
        ("rating ~ temp * contact + (1 + temp | judge) + (1 | bottle)", {}),
        ("rating ~ temp + (1 + temp || judge)", {}),
        ("rating ~ temp + (1 | judge)", {"link": "probit", "threshold": "equidistant"}),
        ("rating ~ temp + contact", {"scale": "~ temp"}),
    ],
)
def test_ordinal_finds_the_same_maximum(formula, options):
    here, there = (clmm(formula, wine(), engine=engine, **options) for engine in ("layerstats", "ordinal"))
    assert here.glance["log_lik"].item() >= there.glance["log_lik"].item() - 1e-5
    np.testing.assert_allclose(there.coefficients["estimate"], here.coefficients["estimate"], atol=2e-3)
    np.testing.assert_allclose(there.coefficients["std_error"], here.coefficients["std_error"], atol=2e-3)
    np.testing.assert_allclose(there.thresholds["estimate"], here.thresholds["estimate"], atol=2e-3)
    np.testing.assert_allclose(there.random["std_dev"].to_list(), here.random["std_dev"].to_list(), atol=2e-3)
    np.testing.assert_allclose(there.modes["mode"].to_numpy(float), here.modes["mode"].to_numpy(float), atol=5e-3)
    means = [model.means("temp")[["estimate", "std_error", "conf_low"]] for model in (here, there)]
    np.testing.assert_allclose(means[1], means[0], atol=2e-3)
    assert there.glance["engine"].item() == "ordinal"
    check_frame(there.glance)


@pytest.mark.r
def test_mgcv_is_near_and_says_what_differs():
    here, there = (clmm("rating ~ temp + contact + (1 | judge)", wine(), engine=one) for one in ("layerstats", "mgcv"))
    assert there.glance["log_lik"].item() == pytest.approx(here.glance["log_lik"].item(), abs=5e-3)
    np.testing.assert_allclose(there.thresholds["estimate"], here.thresholds["estimate"], atol=0.03)
    # Without the uncertainty of the thresholds mgcv's own table has .454 and .456 here.
    np.testing.assert_allclose(there.coefficients["std_error"], [0.595, 0.513], atol=0.01)
    np.testing.assert_allclose(there.thresholds["std_error"], here.thresholds["std_error"], rtol=0.02)
    np.testing.assert_allclose(there.random["std_dev"], [1.131], atol=2e-3)
    np.testing.assert_allclose(there.means("temp")["estimate"], here.means("temp")["estimate"], atol=5e-3)
    assert any("joint mode" in note for note in there.notes)
    with pytest.raises(ArgumentError, match="different approximations"):
        compare_clmm(here, there)


@pytest.mark.r
@pytest.mark.parametrize(
    ("formula", "options", "words"),
    [
        ("rating ~ temp + (1 | judge)", {"engine": "mgcv", "link": "probit"}, "probit link"),
        ("rating ~ temp + (1 | judge)", {"engine": "mgcv", "threshold": "equidistant"}, "equidistant thresholds"),
        ("rating ~ temp + (1 + temp | judge)", {"engine": "mgcv"}, "correlated random effects"),
        ("rating ~ temp + (1 | judge)", {"engine": "ordinal", "scale": "~ temp"}, "no scale effects beside random"),
        ("rating ~ temp", {"engine": "mgcv", "scale": "~ temp"}, "scale effects"),
    ],
)
def test_models_that_an_engine_has_not_are_refused(formula, options, words):
    with pytest.raises(UnsupportedModelError, match=words):
        clmm(formula, wine(), **options)


@pytest.mark.r
def test_two_categories_are_fitted_by_ordinal_and_not_by_mgcv():
    data = wine().assign(rating=lambda frame: (frame["rating"] > 2) * 1)
    here, there = (clmm("rating ~ temp + (1 | judge)", data, engine=engine) for engine in ("layerstats", "ordinal"))
    # A root has no sign of its own.
    np.testing.assert_allclose(there.estimates.abs(), here.estimates.abs(), atol=2e-3)
    with pytest.raises(UnsupportedModelError, match="two categories"):
        clmm("rating ~ temp + (1 | judge)", data, engine="mgcv")


def test_other_engines_are_refused():
    with pytest.raises(ArgumentError, match="'brms'"):
        clmm("rating ~ temp", wine(), engine="brms")
