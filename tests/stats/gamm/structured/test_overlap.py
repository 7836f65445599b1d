"""The rank of a random effect's test does not hang on rounding errors: what unpenalised columns have too is zero."""

import numpy as np
import pytest

from layerstats.stats.gamm import fit
from layerstats.stats.gamm.structured.inference import block_spectrum
from layerstats.stats.gamm.structured.inference.overlap import block_overlap, dense_overlap


def structured_fit(result):
    return result.engine_fit.design.args[0]


@pytest.fixture
def fitted(make_tokens):
    data = make_tokens(tokens=12, samples=9)
    return data, lambda formula: fit(formula, data, series="token", order="x", engine="structured")


def test_constants_are_shared_once_for_each_word(fitted):
    data, fit_formula = fitted
    words = data["word"].nunique()
    for formula, shared in (
        ('y ~ word + s(x, k=5) + s(x, token, bs="fs", m=1, k=4)', words),
        ('y ~ s(x, k=5) + s(x, token, bs="fs", m=1, k=4)', 1),
        ('y ~ word + s(x, k=5) + s(token, bs="re")', words),
        # With two unpenalised functions of its own the term has straight lines too.
        ('y ~ word + s(x, k=5) + s(x, token, bs="fs", m=2, k=4)', words + 1),
    ):
        found = structured_fit(fit_formula(formula))
        functions = found.optimum.solution.system.functions
        assert block_overlap(found.model, found.optimum.solution, slice(0, functions)) == shared, formula


def test_terms_of_the_dense_corner_share_them_too(fitted):
    _, fit_formula = fitted
    found = structured_fit(fit_formula('y ~ s(x, k=5) + s(word, bs="re") + s(x, token, bs="fs", m=1, k=4)'))
    assert dense_overlap(found.model, found.optimum.solution, found.model.dense_spans["s(word)"]) == 1


@pytest.mark.parametrize("error", [1e-11, -1e-11])
def test_rounding_errors_do_not_choose_the_rank(fitted, monkeypatch, error):
    data, fit_formula = fitted
    eigenvalues = block_spectrum.BlockProduct._eigenvalues

    def inexact(self):
        values = eigenvalues(self)
        return np.where(np.abs(values) < 1e-12 * values.max(), error * values.max(), values)

    monkeypatch.setattr(block_spectrum.BlockProduct, "_eigenvalues", inexact)
    smooths = fit_formula('y ~ word + s(x, k=5) + s(x, token, bs="fs", m=1, k=4)').smooths
    rank = 4 * data["token"].nunique() - data["word"].nunique()
    assert smooths.set_index("term").loc["s(x,token)", "ref_df"] == rank
