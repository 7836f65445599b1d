"""Every formula of the engine against the same formula with whole matrices, and derivatives against differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import cholesky

from layerstats.stats.gamm.restricted_likelihood import Derivatives
from layerstats.stats.gamm.structured.edf import EffectiveDf
from layerstats.stats.gamm.structured.fitting import criterion_of, fit_structured, series_start
from layerstats.stats.gamm.structured.inference import block_spectrum
from layerstats.stats.gamm.structured.inference.quadratic_form import QuadraticForm, f_like_form
from layerstats.stats.gamm.structured.model_building import build_model
from layerstats.stats.gamm.structured.optimum import Optimum
from layerstats.stats.gamm.structured.results.lpmatrix import design
from layerstats.stats.gamm.structured.results.tables import smooth_table

ORDERED = {"word_o": ("word", "a")}


class Whole:
    """A model as one matrix: every column, every penalty, by the definitions."""

    def __init__(self, request, model):
        frame = request.frame
        dense, block = model.dense_columns(frame), model.block_columns(frame)
        levels, functions = model.level_count, block.shape[1]
        spread = np.zeros((len(frame), levels, functions))
        if levels:
            spread[np.arange(len(frame)), model.level] = block
        matrix = np.hstack([dense, spread.reshape(len(frame), -1)])
        start = series_start(request)
        correlation = np.eye(len(frame))
        number = np.cumsum(start)
        for i in range(len(frame)):
            same = number == number[i]
            correlation[i, same] = request.rho ** np.abs(np.flatnonzero(same) - i)
        weights = np.ones(len(frame)) if request.weights is None else request.weights
        root = cholesky(np.linalg.inv(correlation)) * np.sqrt(weights)
        self.matrix, self.response = root @ matrix, root @ request.response_values
        self.penalties, self.labels = [], []
        for term in model.dense:
            span = model.dense_spans[term.label]
            for penalty in term.penalty_matrices():
                self.penalties.append(np.zeros((matrix.shape[1],) * 2))
                self.penalties[-1][span, span] = penalty
                self.labels.append(term.label)
        for term in model.blocks:
            for penalty in term.penalties:
                one = np.zeros(functions)
                one[model.block_spans[term.label]] = penalty
                diagonal = np.concatenate([np.zeros(dense.shape[1]), np.tile(one, levels)])
                self.penalties.append(np.diag(diagonal))
                self.labels.append(term.label)
        self.log_correlation = np.linalg.slogdet(correlation)[1]
        self.dense = dense.shape[1]
        self.offset = sum(term.restricted_offset for term in model.dense)
        self.random = {term.label for term in (*model.dense, *model.blocks) if term.random}
        self.columns = {
            label: np.flatnonzero(
                np.sum([np.diag(p) for p, owner in zip(self.penalties, self.labels, strict=True) if owner == label], 0)
            )
            for label in self.labels
        }

    def at(self, smoothing):
        self.penalty = np.tensordot(smoothing, np.stack(self.penalties), 1)
        self.information = self.matrix.T @ self.matrix + self.penalty
        self.inverse = np.linalg.inv(self.information)
        self.coefficients = self.inverse @ (self.matrix.T @ self.response)
        residuals = self.response - self.matrix @ self.coefficients
        self.square = residuals @ residuals + self.coefficients @ self.penalty @ self.coefficients
        self.kept = self.inverse @ (self.matrix.T @ self.matrix)
        return self

    def reml(self, scale):
        used = np.diag(self.penalty) > 0
        n, p = self.matrix.shape
        free = p - used.sum()
        return 0.5 * (
            self.square / scale
            + (n - free) * np.log(2 * np.pi * scale)
            + np.linalg.slogdet(self.information)[1]
            - np.linalg.slogdet(self.penalty[np.ix_(used, used)])[1]
            + self.offset
            + self.log_correlation
        )


@pytest.fixture(params=[True, False], ids=["balanced", "unbalanced"])
def case(request, formula, make_request, make_tokens):
    data = make_tokens(balanced=request.param)
    whole_request = make_request(
        formula, data, rho=0.4, weights=None if request.param else "w", ordered=ORDERED if "word_o" in formula else {}
    )
    if "speaker" in formula and "token" not in formula:
        whole_request = make_request(formula, data)
    model = build_model(whole_request)
    fitted = fit_structured(whole_request, model)
    return whole_request, model, fitted, Whole(whole_request, model).at(fitted.optimum.solution.smoothing)


def test_estimates_and_criterion(case):
    _, _, fitted, whole = case
    assert np.allclose(fitted.coefficients, whole.coefficients[: whole.dense], atol=1e-7)
    assert np.allclose(
        fitted.level_coefficients.ravel()[: len(whole.coefficients) - whole.dense],
        whole.coefficients[whole.dense :],
        atol=1e-7,
    )
    assert fitted.optimum.solution.penalised_square == pytest.approx(whole.square, rel=1e-8)
    assert fitted.optimum.value == pytest.approx(whole.reml(np.exp(fitted.optimum.log_scale)), abs=1e-6)


def test_degrees_of_freedom(case):
    _, model, fitted, whole = case
    edf = fitted.edf
    twice = 2 * np.diag(whole.kept) - np.diag(whole.kept @ whole.kept)
    # Where a contained smooth ties, the last digits are the processor's.
    assert edf.total == pytest.approx(np.trace(whole.kept), rel=1e-6)
    assert np.allclose(edf.dense, np.diag(whole.kept)[: whole.dense], atol=1e-6)
    assert np.allclose(edf.dense_edf1, twice[: whole.dense], atol=1e-6)
    if model.blocks:
        shape = (model.level_count, -1)
        assert np.allclose(edf.block, np.diag(whole.kept)[whole.dense :].reshape(shape).sum(0), atol=1e-7)
        assert np.allclose(edf.block_edf1, twice[whole.dense :].reshape(shape).sum(0), atol=1e-7)


def test_covariances(case):
    _, _, fitted, whole = case
    edf = fitted.edf
    corner = np.ix_(np.arange(whole.dense), np.arange(whole.dense))
    assert np.allclose(edf.bayesian, edf.scale * whole.inverse[corner], atol=1e-7)
    assert np.allclose(edf.frequentist, edf.scale * (whole.kept @ whole.inverse)[corner], atol=1e-7)
    smoothing = fitted.optimum.solution.smoothing
    sensitivity = np.stack(
        [
            -whole.inverse @ (weight * penalty) @ whole.coefficients
            for weight, penalty in zip(smoothing, whole.penalties, strict=True)
        ],
        1,
    )
    correction = sensitivity @ edf.smoothing_covariance @ sensitivity.T
    assert np.allclose(edf.corrected, edf.bayesian + correction[corner], atol=1e-7)
    extra = np.sum(correction * (whole.matrix.T @ whole.matrix)) / edf.scale
    assert edf.total_edf2 == pytest.approx(
        min(edf.total + extra, np.trace(2 * whole.kept - whole.kept @ whole.kept)), rel=1e-7
    )


@pytest.mark.parametrize("balanced", [True, False])
def test_second_order_term_by_differences_of_the_root(formula, balanced, make_request, make_tokens):
    """A draw is b + U^-1 z with U of Cholesky in mgcv's coefficients; U moves with the smoothing parameters."""
    data = make_tokens(balanced=balanced)
    request = make_request(formula, data, method="REML", ordered=ORDERED if "word_o" in formula else {})
    model = build_model(request)
    criterion, whole = criterion_of(request, model, 0.0), Whole(request, model)
    generator = np.random.default_rng(8)
    point = generator.normal(0, 1, criterion.penalties.count)
    half = generator.normal(size=(len(point) + 1,) * 2)
    hessian = half @ half.T
    size = whole.matrix.shape[1]
    ours_to_mgcv, place = np.eye(size), list(range(len(model.parametric.coefficients)))
    width = model.block_columns(request.frame).shape[1]
    for label in model.labels:
        if label in model.block_spans:
            functions = range(width)[model.block_spans[label]]
            place += [whole.dense + level * width + one for level in range(model.level_count) for one in functions]
        else:
            place += range(size)[model.dense_spans[label]]
    for term in model.dense:
        span = model.dense_spans[term.label]
        ours_to_mgcv[span, span] = np.eye(term.size) if term.transform is None else term.transform
    back = np.linalg.inv(ours_to_mgcv)

    def inverse_root(at):
        information = back.T @ whole.at(np.exp(at)).information @ back
        root = np.zeros((size, size))
        root[place] = np.linalg.inv(cholesky(information[np.ix_(place, place)]))
        return back @ root

    step = 1e-4 * np.eye(len(point))
    slopes = np.stack([(inverse_root(point + one) - inverse_root(point - one)) / 2e-4 for one in step])
    weights = np.linalg.inv(hessian + 0.1 * np.eye(len(hessian)))[:-1, :-1]
    expected = np.einsum("kab,kl,lcb->ac", slopes, weights, slopes)
    solution = criterion.solve(point)
    edf = EffectiveDf(model, Optimum(solution, 0.0, 0.0, Derivatives(np.zeros(0), hessian), 0, True), "REML")
    found = edf.second_order
    corner = np.ix_(np.arange(whole.dense), np.arange(whole.dense))
    assert np.allclose(found.covariance, expected[corner], rtol=1e-5, atol=1e-7 * np.abs(expected).max())
    assert found.edf == pytest.approx(np.sum(expected * (whole.matrix.T @ whole.matrix)), rel=1e-5)


def test_random_terms_by_whole_matrices(case):
    """The test of Wood (2013) as mgcv has it: other random levels are noise."""
    request, model, fitted, whole = case
    scale = fitted.edf.scale
    table = smooth_table(fitted, fitted.edf).set_index("term")
    tested = [term.label for term in model.blocks]
    tested += [term.label for term in model.dense if term.null_dimension == 0]
    residual = len(request.frame) - fitted.edf.total
    for label in tested:
        noise = np.concatenate(
            [np.zeros(0, int), *(whole.columns[other] for other in whole.random if other != label)]
        ).astype(int)
        fixed = np.setdiff1d(np.arange(whole.matrix.shape[1]), noise)
        own = np.searchsorted(fixed, whole.columns[label])
        total = np.diag(whole.penalty)
        variance = np.eye(len(whole.matrix)) + (whole.matrix[:, noise] / total[noise]) @ whole.matrix[:, noise].T
        weights = whole.matrix[:, fixed].T @ variance @ whole.matrix[:, fixed]
        weights = weights + whole.penalty[np.ix_(fixed, fixed)]
        weights = np.linalg.inv(np.linalg.inv(weights)[np.ix_(own, own)])
        projection = whole.inverse[whole.columns[label]] @ whole.matrix.T
        covariance = projection @ variance @ projection.T
        values = np.linalg.eigvals(covariance @ weights).real
        values = values[values > values.max() * 1e-9]
        coefficients = whole.coefficients[whole.columns[label]]
        statistic = coefficients @ weights @ coefficients / scale
        tail = f_like_form(statistic, QuadraticForm.of(values, np.ones(len(values))), residual).tail(0.0)
        assert table.loc[label, "p_value"] == pytest.approx(tail, rel=2e-4, abs=1e-12)


@pytest.mark.parametrize("speakers", ["s(speaker, bs = 're')", "s(x, speaker, bs = 'fs', m = 1, k = 4)"])
@pytest.mark.parametrize("noise", [0.3, 3.0])
@pytest.mark.parametrize("balanced", [True, False])
def test_large_random_terms_give_the_same_p_value(speakers, noise, balanced, make_request, make_tokens, monkeypatch):
    """The routes that never form the matrix of all levels, where they are few enough for both."""
    data = make_tokens(40, 8, balanced=balanced, noise=noise)
    request = make_request(f"y ~ word + s(x, k = 5) + s(x, token, bs = 'fs', m = 1, k = 4) + {speakers}", data)
    fitted = fit_structured(request, build_model(request))
    small = smooth_table(fitted, fitted.edf).set_index("term").loc["s(x,token)"]
    for limit in ("LARGEST_DENSE", "LARGEST_COMPUTED"):
        monkeypatch.setattr(block_spectrum, limit, 0)
    large = smooth_table(fitted, fitted.edf).set_index("term").loc["s(x,token)"]
    assert large["p_value"] == pytest.approx(small["p_value"], rel=2e-6)
    # The two count eigenvalues above 2e-12 and 3e-13 of the largest; of a variance near zero one can lie between.
    assert large["ref_df"] == pytest.approx(small["ref_df"], abs=1)


@pytest.mark.parametrize("method", ["fREML", "ML"])
def test_derivatives_are_those_of_the_criterion(formula, method, make_request, make_tokens):
    request = make_request(
        formula, make_tokens(balanced=False), method=method, ordered=ORDERED if "word_o" in formula else {}
    )
    criterion = criterion_of(request, build_model(request), 0.0)
    generator = np.random.default_rng(3)
    point = generator.normal(0, 1, criterion.penalties.count + 1)

    def value(at):
        return criterion.value(criterion.solve(at[:-1]), at[-1])

    def gradient(at):
        return criterion.derivatives(criterion.solve(at[:-1]), at[-1]).gradient

    derivatives = criterion.derivatives(criterion.solve(point[:-1]), point[-1])
    step = 1e-4
    for i in range(len(point)):
        shift = step * np.eye(len(point))[i]
        slope = (value(point + shift) - value(point - shift)) / (2 * step)
        assert derivatives.gradient[i] == pytest.approx(slope, rel=1e-6, abs=1e-6)
        bend = (gradient(point + shift) - gradient(point - shift)) / (2 * step)
        assert np.allclose(derivatives.hessian[i], bend, rtol=1e-5, atol=1e-5)


def test_design_predicts_with_the_whole_covariance(case):
    request, model, fitted, whole = case
    rows = request.frame.iloc[::5]
    predicted = design(fitted, rows, ())
    dense, block = model.dense_columns(rows), model.block_columns(rows)
    spread = np.zeros((len(rows), max(model.level_count, 1), block.shape[1]))
    spread[np.arange(len(rows)), model.level[::5]] = block
    matrix = np.hstack([dense, spread.reshape(len(rows), -1)])[:, : len(whole.coefficients)]
    assert np.allclose(predicted.matrix @ predicted.coefficients, matrix @ whole.coefficients, atol=1e-7)
    covariance = fitted.edf.scale * matrix @ whole.inverse @ matrix.T
    assert np.allclose(predicted.matrix @ predicted.covariance @ predicted.matrix.T, covariance, atol=1e-9)
    assert len(predicted.term_of_column) == predicted.matrix.shape[1]


def test_the_size_of_the_system_does_not_depend_on_tokens(make_request, make_tokens):
    formula = "y ~ word + s(x, k = 5) + s(x, token, bs = 'fs', m = 1, k = 4)"
    sizes = []
    for tokens in (12, 60):
        request = make_request(formula, make_tokens(tokens))
        criterion = criterion_of(request, build_model(request), 0.0)
        sizes.append((len(criterion.system.block_gram), sum(len(c.grid) for c in criterion.system.clusters)))
    assert sizes == [(1, 3), (1, 3)]
