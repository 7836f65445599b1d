"""Posterior draws: their mean and covariance are those of the fit, the same seed gives the same curves."""

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats.gamm import fit, posterior_draws

FORMULA = "y ~ word + s(x, by = word)"


@pytest.fixture(scope="module", params=["structured", "pygam"])
def model(request, words):
    return fit(FORMULA, words, engine=request.param)


@pytest.fixture(scope="module")
def rows():
    return pd.DataFrame({"x": [0.0, 0.4, 0.5, 1.0], "word": ["A", "A", "A", "B"]})


def test_shape(model, rows):
    found = posterior_draws(model, rows, draws=3)
    assert list(found.columns) == ["draw", "row", "value"]
    assert found["draw"].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert found["row"].tolist() == [0, 1, 2, 3] * 3


def test_moments_are_those_of_the_fit(model, rows):
    count = 20_000
    values = posterior_draws(model, rows, draws=count, seed=1)["value"].to_numpy().reshape(count, len(rows))
    design = model.design(rows)
    covariance = design.matrix @ design.covariance @ design.matrix.T
    errors = np.sqrt(np.diag(covariance))
    # Within four standard errors of a mean, and of a correlation.
    assert np.all(np.abs(values.mean(axis=0) - design.matrix @ design.coefficients) < 4 * errors / np.sqrt(count))
    np.testing.assert_allclose(values.std(axis=0), errors, rtol=4 / np.sqrt(2 * count))
    correlation = covariance / np.outer(errors, errors)
    np.testing.assert_allclose(np.corrcoef(values.T), correlation, atol=4 / np.sqrt(count))


def test_one_seed_one_curve(model, rows):
    whole = posterior_draws(model, rows, draws=50, seed=4)
    part = posterior_draws(model, rows.iloc[[2]], draws=50, seed=4)
    np.testing.assert_allclose(part["value"], whole.loc[whole["row"] == 2, "value"], rtol=1e-10)
    other = posterior_draws(model, rows, draws=50, seed=5)
    assert np.all(whole["value"] != other["value"])


def test_levels_of_random_terms(words):
    result = fit("y ~ s(x) + s(x, token, bs = 'fs', m = 1, k = 4)", words, engine="structured")
    rows = words.groupby("token").head(1).head(3)
    count = 5000
    values = posterior_draws(result, rows, draws=count)["value"].to_numpy().reshape(count, 3)
    predicted = result.predict(rows)
    np.testing.assert_allclose(values.std(axis=0), predicted["std_error"], rtol=4 / np.sqrt(2 * count))
    assert np.all(np.abs(values.mean(axis=0) - predicted["fit"]) < 4 * predicted["std_error"] / np.sqrt(count))


def test_unconditional_draws_spread_more(words, rows):
    result = fit(FORMULA, words, engine="structured")
    spread = [
        posterior_draws(result, rows, draws=500, unconditional=choice).groupby("row")["value"].std().to_numpy()
        for choice in (False, True)
    ]
    # The same normal numbers, so that only the covariance differs.
    assert spread[1].sum() > spread[0].sum()


def test_no_draws(model, rows):
    with pytest.raises(ArgumentError, match="'draws'"):
        posterior_draws(model, rows, draws=0)
