"""Blocks nested in groups: the second arrow level against the same model with the groups in the dense corner."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from layerstats.stats.gamm import fit
from layerstats.stats.gamm.structured import model_building
from layerstats.stats.gamm.structured.fitting import criterion_of, fit_structured
from layerstats.stats.gamm.structured.model_building import build_model
from layerstats.stats.gamm.structured.results.lpmatrix import design
from layerstats.stats.gamm.structured.results.nested_lpmatrix import nested_design
from layerstats.stats.gamm.structured.results.tables import smooth_parts, smooth_table

FORMULA = (
    "y ~ word + s(x, k = 5) + s(x, by = word_o, k = 4) + s(x, speaker, bs = 'fs', m = 1, k = 4) "
    "+ s(x, speaker, by = word, bs = 'fs', m = 1, k = 4) + s(x, token, bs = 'fs', m = 1, k = 5)"
)
ORDERED = {"word_o": ("word", "w0")}
# Balanced, with repeated kinds of speakers; and unbalanced with weights, rho, ML, a product that holds a curve, and a
# crossed factor.
CASES = {
    "balanced": (FORMULA, {}, {"rho": 0.3}),
    "unbalanced": (FORMULA, {"missing": 0.2}, {"rho": 0.3, "weights": "w"}),
    "full likelihood": (FORMULA, {"missing": 0.2}, {"method": "ML"}),
    "contained": (f"{FORMULA} + te(x, w, k = c(4, 3))", {}, {"method": "REML"}),
    "crossed": (f"{FORMULA} + s(x, item, bs = 'fs', m = 1, k = 3)", {"missing": 0.1}, {}),
}


def speakers(count=7, tokens=6, samples=10, words=3, *, missing=0.0, seed=0) -> pd.DataFrame:
    """Return series of tokens that are nested in speakers, with curves of speakers, of their words, and of tokens."""
    generator = np.random.default_rng([seed, count])
    total, x = count * tokens, np.arange(samples, dtype=float)
    speaker = np.repeat(np.arange(count), tokens)
    word = np.tile(np.arange(tokens) % words, count)
    word[-2:] = 0
    waves = np.cos(np.pi * np.outer(np.arange(3), x / samples))
    curves = np.sin(4 * x / samples + word[:, None])
    curves = curves + 0.4 * (generator.standard_normal((count, 3)) @ waves)[speaker]
    curves += 0.3 * (generator.standard_normal((count * words, 3)) @ waves)[speaker * words + word]
    curves += 0.3 * generator.standard_normal((total, 3)) @ waves + 0.3 * generator.standard_normal((total, samples))
    frame = pd.DataFrame(
        {
            "token": np.repeat([f"t{i:04d}" for i in range(total)], samples),
            "speaker": np.repeat([f"s{i:03d}" for i in speaker], samples),
            "word": np.repeat([f"w{i}" for i in word], samples),
            "item": np.repeat([f"i{i}" for i in generator.integers(0, 4, total)], samples),
            "x": np.tile(x, total),
            "w": generator.uniform(0.5, 2, total * samples),
            "y": curves.ravel(),
        }
    )
    return frame[generator.random(len(frame)) >= missing].reset_index(drop=True)


@pytest.fixture(params=list(CASES), scope="module")
def case(request, make_request):
    """The same model with the speakers in the dense corner, and as a second level."""
    formula, data, options = CASES[request.param]
    asked = make_request(formula, speakers(**data), ordered=ORDERED, **options)
    fits = []
    for fewest in (10**9, 0):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(model_building, "FEWEST_OUTER_COEFFICIENTS", fewest)
            fits.append(fit_structured(asked, build_model(asked)))
    assert not fits[0].model.outer
    assert len(fits[1].model.outer) == 4
    return asked, *fits


def test_answers_are_those_of_the_dense_corner(case):
    _, dense, nested = case
    assert nested.optimum.value == pytest.approx(dense.optimum.value, abs=1e-8)
    assert np.allclose(nested.fitted(), dense.fitted(), atol=1e-7)
    for name in ("scale", "total", "total_edf1", "total_edf2"):
        assert getattr(nested.edf, name) == pytest.approx(getattr(dense.edf, name), rel=1e-6)
    parts = zip(smooth_parts(nested, nested.edf), smooth_parts(dense, dense.edf), strict=True)
    for own, other in parts:
        assert own.label == other.label
        assert own.edf == pytest.approx(other.edf, abs=2e-5)
    # The columns that both have in their dense corners come first.
    common = slice(0, len(nested.model.parametric.coefficients))
    for name in ("bayesian", "frequentist", "corrected"):
        assert np.allclose(
            getattr(nested.edf, name)[common, common], getattr(dense.edf, name)[common, common], rtol=1e-6
        )


def test_tests_are_those_of_the_dense_corner(case):
    _, dense, nested = case
    expected = smooth_table(dense, dense.edf)
    found = smooth_table(nested, nested.edf)
    assert found["term"].tolist() == expected["term"].tolist()
    assert np.allclose(found["p_value"], expected["p_value"], rtol=1e-4, atol=1e-300)
    # Where a variance is estimated as zero the rank is a matter of rounding.
    clear = expected["edf"] > 0.01
    assert np.allclose(found.loc[clear, "ref_df"], expected.loc[clear, "ref_df"], rtol=1e-6)
    assert np.allclose(found.loc[clear, "statistic"], expected.loc[clear, "statistic"], rtol=1e-5)


@pytest.mark.parametrize("exclude", [(), ("s(x,token)",), ("s(x,speaker)", "s(x,token)")])
def test_predictions_are_those_of_the_dense_corner(case, exclude):
    request, dense, nested = case
    rows = request.frame.iloc[::17]
    expected, found = design(dense, rows, exclude), nested_design(nested, rows, exclude)
    assert np.allclose(found.matrix @ found.coefficients, expected.matrix @ expected.coefficients, atol=1e-7)
    spread = expected.matrix @ expected.covariance @ expected.matrix.T
    assert np.allclose(found.matrix @ found.covariance @ found.matrix.T, spread, atol=1e-9)
    assert len(found.term_of_column) == found.matrix.shape[1]


@pytest.mark.parametrize("method", ["fREML", "ML"])
def test_derivatives_are_those_of_the_criterion(method, make_request, monkeypatch):
    monkeypatch.setattr(model_building, "FEWEST_OUTER_COEFFICIENTS", 0)
    request = make_request(FORMULA, speakers(4, missing=0.2), ordered=ORDERED, method=method)
    criterion = criterion_of(request, build_model(request), 0.0)
    point = np.random.default_rng(3).normal(0, 1, criterion.penalties.count + 1)

    def value(at):
        return criterion.value(criterion.solve(at[:-1]), at[-1])

    def gradient(at):
        return criterion.derivatives(criterion.solve(at[:-1]), at[-1]).gradient

    derivatives = criterion.derivatives(criterion.solve(point[:-1]), point[-1])
    for i, shift in enumerate(1e-4 * np.eye(len(point))):
        slope = (value(point + shift) - value(point - shift)) / 2e-4
        assert derivatives.gradient[i] == pytest.approx(slope, rel=1e-6, abs=1e-6)
        bend = (gradient(point + shift) - gradient(point - shift)) / 2e-4
        assert np.allclose(derivatives.hessian[i], bend, rtol=1e-5, atol=1e-5)


def test_speakers_of_one_kind_cost_nothing_more(make_request):
    """With more coefficients than their tokens have, speakers are the groups all the same."""
    sizes = []
    for count in (20, 60):
        request = make_request(FORMULA, speakers(count, 3), ordered=ORDERED)
        system = criterion_of(request, build_model(request), 0.0).system
        sizes.append((system.kind_count.tolist(), [len(cluster.grid) for cluster in system.clusters]))
    # All say each word once, but for the last one.
    assert sizes == [([19, 1], [1, 1, 1]), ([59, 1], [1, 1, 1])]


def test_few_or_noisy_groups_stay_in_the_dense_corner(make_request):
    data = speakers(20, 3)
    tokens = "s(x, token, bs = 'fs', m = 1, k = 4)"
    few = make_request(f"y ~ word + s(x, k = 4) + s(x, speaker, bs = 'fs', m = 1, k = 4) + {tokens}", data)
    noise = make_request(f"y ~ word + s(x, speaker, bs = 'fs', m = 1, k = 8) + s(speaker, bs = 're') + {tokens}", data)
    crossed = make_request(f"y ~ s(x, speaker, bs = 'fs', m = 1, k = 8) + {tokens}", data.assign(speaker=data["item"]))
    for request in (few, noise, crossed):
        assert not build_model(request).outer


@pytest.mark.r
def test_equals_mgcv():
    data = speakers(16, 3, 14, 2, missing=0.1)
    formula = (
        "y ~ word + s(x, k = 5) + s(x, speaker, bs = 'fs', m = 1, k = 5) + s(x, speaker, by = word, bs = 'fs', m = 1, "
        "k = 5) + s(x, token, bs = 'fs', m = 1, k = 4)"
    )
    options = {"rho": 0.2, "series": "token", "order": "x"}
    found = fit(formula, data, engine="structured", verify=True, **options)
    assert found.verification is not None
    assert found.verification["agrees"].all(), found.verification.to_string()
