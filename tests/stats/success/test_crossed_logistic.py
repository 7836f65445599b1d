import numpy as np
import pytest
from scipy import special, stats

from layerstats.errors import FitError
from layerstats.rbridge import default_pool
from layerstats.stats.success.crossed_logistic import CrossedLogistic
from layerstats.stats.success.variance_engines import levels_frame
from layerstats.stats.success.variance_profile import fit_variances, share_interval


def crossed(trials=40, seed=0, several_rows=False):
    """Counts of 4 x 3 x 6 levels with effects of each, of pairs, and of cells (or of groups of two cells)."""
    rng = np.random.default_rng(seed)
    a, b, c = (codes.ravel() for codes in np.meshgrid(range(4), range(3), range(6), indexing="ij"))
    cells = np.arange(len(a))
    levels = [a, b, c, a * 6 + c, cells // 2 if several_rows else cells]
    logit = -0.3 + sum(rng.normal(0, 0.8, codes.max() + 1)[codes] for codes in levels)
    counts = np.full(len(a), trials)
    return CrossedLogistic(rng.binomial(counts, special.expit(logit)), counts, levels), levels


def test_one_level_effects_are_integrated_as_quadrature_does():
    # With many trials a level Laplace's method is exact to what is compared here.
    successes, trials = np.array([130, 90, 170, 111]), np.array([200, 180, 260, 240])
    variance = 0.4

    effects, intercepts = np.linspace(-4, 4, 2001), np.linspace(-3, 3, 601)
    logit = intercepts[:, None, None] + effects
    each = stats.binom.pmf(successes[:, None], trials[:, None], special.expit(logit))
    levels = np.trapezoid(each * stats.norm.pdf(effects, 0, np.sqrt(variance)), effects, axis=2)
    exact = -2 * np.log(np.trapezoid(levels.prod(axis=1), intercepts))
    found = CrossedLogistic(successes, trials, [np.arange(4)]).evaluate(np.array([variance]))
    assert found.value == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("several_rows", [False, True])
@pytest.mark.parametrize("small", [0, 10**9])
def test_the_gradient_is_that_of_finite_differences(several_rows, small, monkeypatch):
    monkeypatch.setattr("layerstats.stats.success.crossed_logistic._SMALL", small)
    model, _ = crossed(several_rows=several_rows)
    at, step = np.array([0.3, 0.7, 0.5, 0.2, 0.4]), 1e-4
    gradient = model.evaluate(at).gradient
    for place in range(5):
        ahead, behind = (at + sign * step * (np.arange(5) == place) for sign in (1, -1))
        difference = (model.evaluate(ahead).value - model.evaluate(behind).value) / (2 * step)
        assert gradient[place] == pytest.approx(difference, rel=1e-4, abs=1e-4)


def test_the_gradient_at_no_variance_is_the_slope_from_there():
    model, _ = crossed()
    at, step = np.array([0.3, 0.0, 0.5, 0.2, 0.0]), 1e-6
    found = model.evaluate(at)
    for place in (1, 4):
        slope = (model.evaluate(at + step * (np.arange(5) == place)).value - found.value) / step
        assert found.gradient[place] == pytest.approx(slope, rel=1e-3)


def test_the_order_of_components_does_not_matter():
    model, levels = crossed()
    backwards = CrossedLogistic(model.successes, model.trials, levels[::-1])
    at = np.array([0.3, 0.7, 0.5, 0.2, 0.4])
    assert model.evaluate(at).value == pytest.approx(backwards.evaluate(at[::-1]).value, abs=1e-7)


def test_without_successes_there_is_no_model():
    model = CrossedLogistic(np.zeros(6), np.full(6, 50), [np.arange(6) // 2, np.arange(6)])
    with pytest.raises(FitError, match=r"success nearly certain, or nearly impossible"):
        fit_variances(model)


@pytest.mark.r
@pytest.mark.parametrize("several_rows", [False, True])
def test_lme4_has_the_same_likelihood_and_the_same_optimum(several_rows, lme4):
    model, levels = crossed(several_rows=several_rows)
    counts = {"successes": model.successes, "failures": model.trials - model.successes, "levels": levels_frame(levels)}
    at = np.array([[0.3, 0.7, 0.5, 0.2, 0.4], [0.0, 1.0, 0.5, 0.0, 0.1], [3.0, 0.01, 1.0, 2.0, 0.05]])
    theirs = default_pool().call("mixed_logistic_values", variances=at, **counts).value
    np.testing.assert_allclose([model.evaluate(row).value for row in at], theirs, atol=2e-4)
    reply = default_pool().call("mixed_logistic", **counts).value
    own = fit_variances(model)
    assert own.value == pytest.approx(reply["deviance"], abs=1e-4)
    np.testing.assert_allclose(own.variances, reply["variances"], atol=5e-3)
    assert own.intercept == pytest.approx(reply["intercept"], abs=1e-3)


@pytest.mark.r
def test_mgcv_has_the_same_restricted_likelihood_optimum(tmp_path):
    # gam(method = "REML") is Laplace's method too, about the mode of effects and intercept.
    import subprocess

    model, levels = crossed(seed=3)
    frame = levels_frame(levels[:3]).assign(s=model.successes, f=model.trials - model.successes)
    frame.to_csv(tmp_path / "counts.csv", index=False)
    terms = " + ".join(f's(term{number}, bs = "re")' for number in range(3))
    code = f"""
        library(mgcv); d <- read.csv("{tmp_path}/counts.csv"); for (n in 1:3) d[[n]] <- factor(d[[n]])
        m <- gam(cbind(s, f) ~ {terms}, data = d, family = binomial, method = "REML")
        cat(1 / m$sp, coef(m)[1], sep = "\\n")
    """
    answer = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True, check=True).stdout.split()
    theirs = np.array(answer, dtype=float)
    own = fit_variances(CrossedLogistic(model.successes, model.trials, levels[:3]))
    np.testing.assert_allclose(own.variances, theirs[:3], rtol=2e-3)
    assert own.intercept == pytest.approx(theirs[3], abs=1e-3)


def test_ends_of_an_interval_are_where_the_profile_is_the_quantile():
    """The best of a plain grid over the other variance stands at the quantile of chi-square above the optimum."""
    rng = np.random.default_rng(5)
    a, b = (codes.ravel() for codes in np.meshgrid(range(6), range(8), indexing="ij"))
    logit = rng.normal(0, 1, 6)[a] + rng.normal(0, 0.7, 8)[b]
    model = CrossedLogistic(rng.binomial(60, special.expit(logit)), np.full(48, 60), [a, b])
    fit = fit_variances(model)
    low, high = share_interval(model, fit, 0, 0.95)
    assert 0 < low < fit.shares[0] < high < 1
    for share in (low, high):
        others = np.exp(np.linspace(np.log(0.05), np.log(8), 200))
        first = share / (1 - share) * (others + np.pi**2 / 3)
        best = min(model.evaluate(np.array(pair)).value for pair in zip(first, others, strict=True))
        assert best - fit.value == pytest.approx(stats.chi2.ppf(0.95, 1), abs=0.01)
    narrow = share_interval(model, fit, 0, 0.5)
    assert low < narrow[0] < narrow[1] < high
