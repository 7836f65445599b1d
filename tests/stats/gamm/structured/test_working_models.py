"""Working models: the formulas against definitions, the criterion against dense algebra and finite differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from layerstats.stats.gamm.request.builder import build_request
from layerstats.stats.gamm.request.task import FitTask
from layerstats.stats.gamm.structured import binomial
from layerstats.stats.gamm.structured.criterion import Criterion
from layerstats.stats.gamm.structured.fitting import fit_structured
from layerstats.stats.gamm.structured.inference.quadratic_form import QuadraticForm, tail_of_test
from layerstats.stats.gamm.structured.model_building import build_model
from layerstats.stats.gamm.structured.penalties import Penalties
from layerstats.stats.gamm.structured.system_building import build_system

FORMULAS = {
    "curves": "y ~ word + s(x, by = word, k = 5)",
    "token curves": "y ~ word + s(x, k = 5) + s(x, token, bs = 'fs', m = 1, k = 4)",
    "crossed": "y ~ s(x, k = 5) + s(token, bs = 're') + s(speaker, bs = 're')",
}


@pytest.fixture(scope="module")
def trials():
    """Return proportions of one to six trials, on unbalanced tokens."""
    generator = np.random.default_rng(4)
    token = np.repeat(np.arange(12), 9)
    x = np.tile(np.arange(9.0), 12)
    data = pd.DataFrame(
        {
            "token": [f"t{number:02d}" for number in token],
            "word": np.array(["a", "b"])[token % 2],
            "speaker": [f"s{number % 3}" for number in token],
            "x": x,
            "w": generator.integers(1, 7, len(x)),
        }
    )
    predictor = np.sin(x / 2) + 0.5 * (token % 2) + generator.normal(0, 0.7, 12)[token]
    data["y"] = generator.binomial(data["w"], 1 / (1 + np.exp(-predictor))) / data["w"]
    return data[generator.uniform(size=len(data)) > 0.15].reset_index(drop=True)


@pytest.fixture(params=list(FORMULAS))
def request_of(request, trials):
    return build_request(FitTask(FORMULAS[request.param], trials, weights="w", family="binomial"))[0]


def _working_criterion(request, method):
    model = build_model(request)
    predictor = np.linspace(-1.5, 2, len(request.frame))
    response, weights = binomial.working_model(predictor, request.response_values, request.weights)
    system = build_system(model, response, np.ones(len(response), dtype=bool), 0.0, weights)
    penalties = Penalties.of(model, int(system.block_count.sum()))
    return model, response, weights, Criterion(system, penalties, method, known_scale=1.0)


def _dense(model, penalties, log_smoothing):
    """Return the whole model matrix and the whole penalty, dense columns first, then the levels one after another."""
    rows = model.rows
    columns = [model.dense_columns(rows.frame)[rows.place]]
    smoothing = np.exp(log_smoothing)
    penalty = [penalties.dense_sum(smoothing)]
    for level in np.unique(model.level) if model.blocks else []:
        columns.append(model.block_columns(rows.frame)[rows.place] * (model.level == level)[:, None])
        penalty.append(penalties.block_sum(smoothing))
    return np.hstack(columns), np.concatenate(penalty)


def _some_smoothing(criterion):
    return np.linspace(-1.0, 1.5, criterion.penalties.count)


def test_reml_with_known_scale_is_that_of_dense_algebra(request_of):
    model, response, weights, criterion = _working_criterion(request_of, "fREML")
    point = _some_smoothing(criterion)
    columns, penalty = _dense(model, criterion.penalties, point)
    whole = columns.T @ (weights[:, None] * columns) + np.diag(penalty)
    estimate = np.linalg.solve(whole, columns.T @ (weights * response))
    square = weights @ (response - columns @ estimate) ** 2 + penalty @ estimate**2
    used = penalty > 0
    expected = 0.5 * (
        square
        + (len(response) - np.sum(~used)) * np.log(2 * np.pi)
        + np.linalg.slogdet(whole)[1]
        + criterion.penalties.restricted_offset
        - np.log(penalty[used]).sum()
    )
    solution = criterion.solve(point)
    assert criterion.best_log_scale(solution) == 0
    assert criterion.value(solution, 0.0) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("method", ["fREML", "ML"])
def test_derivatives_with_known_scale_are_finite_differences(request_of, method):
    *_, criterion = _working_criterion(request_of, method)
    point, step = _some_smoothing(criterion), 1e-4

    def value(at):
        return criterion.value(criterion.solve(at), 0.0)

    def gradient(at):
        return criterion.derivatives(criterion.solve(at), 0.0).gradient

    derivatives = criterion.derivatives(criterion.solve(point), 0.0)
    for number, direction in enumerate(np.eye(len(point)) * step):
        slope = (value(point + direction) - value(point - direction)) / (2 * step)
        assert derivatives.gradient[number] == pytest.approx(slope, rel=1e-6, abs=1e-6)
        bend = (gradient(point + direction) - gradient(point - direction)) / (2 * step)
        assert np.allclose(derivatives.hessian[number], bend, rtol=1e-5, atol=1e-6)
    # The scale is no parameter: nothing moves it.
    assert derivatives.gradient[-1] == 0
    assert not derivatives.hessian[-1].any()


def test_the_fit_maximises_the_penalised_likelihood_and_its_covariance_is_the_inverse_curvature(request_of):
    model = build_model(request_of)
    fit = fit_structured(request_of, model)
    columns, penalty = _dense(model, fit.optimum.solution.penalties, fit.optimum.solution.log_smoothing)
    present = np.unique(model.level) if model.blocks else []
    estimate = np.concatenate([fit.coefficients, *(fit.level_coefficients[level] for level in present)])
    success = 1 / (1 + np.exp(-columns @ estimate))
    score = columns.T @ (request_of.weights * (request_of.response_values - success)) - penalty * estimate
    assert np.abs(score).max() < 1e-4
    assert np.allclose(fit.fitted(), success, atol=1e-7)
    weights = request_of.weights * success * (1 - success)
    cross = columns.T @ (weights[:, None] * columns)
    inverse = np.linalg.inv(cross + np.diag(penalty))
    size = len(fit.coefficients)
    assert np.allclose(fit.edf.bayesian, inverse[:size, :size], rtol=1e-5, atol=1e-9)
    assert fit.edf.scale == 1
    assert fit.edf.total == pytest.approx(np.trace(inverse @ cross), rel=1e-5)
    share = inverse @ cross
    assert fit.edf.total_edf1 == pytest.approx(2 * np.trace(share) - np.trace(share @ share), rel=1e-5)
    # The smoothing parameters are a fixed point: at the working model of the fit itself their gradient is zero.
    gradient = fit.optimum.derivatives.gradient
    assert np.abs(gradient).max() < 1e-6 * abs(fit.optimum.value)


def test_corrected_freedom_is_that_of_dense_algebra(request_of):
    model = build_model(request_of)
    fit = fit_structured(request_of, model)
    solution = fit.optimum.solution
    columns, penalty = _dense(model, solution.penalties, solution.log_smoothing)
    present = np.unique(model.level) if model.blocks else []
    estimate = np.concatenate([fit.coefficients, *(fit.level_coefficients[level] for level in present)])
    success = fit.fitted()
    weights = request_of.weights * success * (1 - success)
    cross = columns.T @ (weights[:, None] * columns)
    inverse = np.linalg.inv(cross + np.diag(penalty))
    jacobian = []
    for number in range(solution.penalties.count):
        one = np.full(solution.penalties.count, -np.inf)
        one[number] = solution.log_smoothing[number]
        jacobian.append(-inverse @ (_dense(model, solution.penalties, one)[1] * estimate))
    jacobian = np.column_stack(jacobian)
    hessian = fit.optimum.derivatives.hessian[:-1, :-1]
    eigenvalues, vectors = np.linalg.eigh(hessian)
    kept = eigenvalues > 0
    covariance = (vectors[:, kept] / eigenvalues[kept]) @ vectors[:, kept].T
    extra = np.trace(jacobian @ covariance @ jacobian.T @ cross)
    share = inverse @ cross
    expected = min(np.trace(share) + extra, 2 * np.trace(share) - np.trace(share @ share))
    assert fit.edf.total_edf2 == pytest.approx(expected, rel=1e-4)


def test_working_models_have_the_gradient_and_curvature_of_the_likelihood():
    response, count, step = np.array([0.0, 0.25, 1.0, 0.5]), np.array([3.0, 4.0, 1.0, 8.0]), 1e-4
    predictor = np.array([-2.0, 0.5, 1.5, 3.0])
    working, weights = binomial.working_model(predictor, response, count)

    def likelihood(at):
        return np.array(
            [
                binomial.log_likelihood(*(np.array([number]) for number in one))
                for one in zip(at, response, count, strict=True)
            ]
        )

    slope = (likelihood(predictor + step) - likelihood(predictor - step)) / (2 * step)
    assert weights * (working - predictor) == pytest.approx(slope, rel=1e-6)
    bend = (likelihood(predictor + step) - 2 * likelihood(predictor) + likelihood(predictor - step)) / step**2
    assert weights == pytest.approx(-bend, rel=1e-4)


def test_likelihood_and_deviance_are_those_of_the_distribution():
    response, count = np.array([0.0, 0.25, 1.0, 0.5]), np.array([3.0, 4.0, 1.0, 8.0])
    predictor = np.array([-2.0, 0.5, 1.5, 30.0])
    success = binomial.probability(predictor)
    likelihood = stats.binom.logpmf(response * count, count, success).sum()
    assert binomial.log_likelihood(predictor, response, count) == pytest.approx(likelihood)
    saturated = stats.binom.logpmf(response * count, count, response).sum()
    parts = binomial.deviance_parts(predictor, response, count)
    assert parts.sum() == pytest.approx(2 * (saturated - likelihood))
    residuals = binomial.deviance_residuals(predictor, response, count)
    assert np.array_equal(np.sign(residuals), np.sign(response - success))
    assert residuals**2 == pytest.approx(parts)
    mean = count @ response / count.sum()
    null = 2 * (saturated - stats.binom.logpmf(response * count, count, mean).sum())
    assert binomial.null_deviance(response, count) == pytest.approx(null)


def test_a_known_scale_gives_chi_square_tails():
    form = QuadraticForm.of(np.ones(1), np.array([3.0]))
    assert tail_of_test(70.0, form, np.inf) == pytest.approx(stats.chi2.sf(70.0, 3), rel=1e-8)
    # The same as very many residual degrees of freedom, and not as few.
    assert tail_of_test(7.0, form, 1e7) == pytest.approx(stats.chi2.sf(7.0, 3), rel=1e-5)
    assert tail_of_test(7.0, form, 10.0) == pytest.approx(stats.f.sf(7.0 / 3, 3, 10), rel=1e-8)


def test_doubling_trials_is_doubling_rows(request_of):
    twice = replace(request_of, weights=2 * request_of.weights)
    frame = pd.concat([request_of.frame] * 2, ignore_index=True)
    rows = replace(
        request_of,
        frame=frame,
        response_values=np.tile(request_of.response_values, 2),
        weights=np.tile(request_of.weights, 2),
    )
    first = fit_structured(twice, build_model(twice))
    second = fit_structured(rows, build_model(rows))
    assert second.fitted()[: len(first.fitted())] == pytest.approx(first.fitted(), abs=1e-6)
    assert second.edf.total == pytest.approx(first.edf.total, rel=1e-5)
