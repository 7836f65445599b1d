"""The fallback engine: known curves, penalised least squares by definition, mgcv on the same data."""

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, FitError
from layerstats.stats.gamm import curves, difference, fit
from layerstats.stats.gamm.engines.treatment_coding import parametric_columns
from layerstats.stats.gamm.formula.parser import parse_formula

GRID = np.linspace(0, 1, 11)


@pytest.fixture(scope="module")
def by_word(words):
    return fit("y ~ word + s(x, by = word)", words, engine="pygam")


@pytest.fixture(scope="module")
def by_difference(words):
    formula = "y ~ wo + s(x) + s(x, by = wo)"
    return fit(formula, words, engine="pygam", ordered={"wo": ("word", "A")}, series="token", order="x")


def test_known_curves(by_word):
    found = curves(by_word, "word", at={"x": GRID})
    truth = {"A": 1 + np.cos(np.pi * GRID), "B": 1.5 + np.cos(np.pi * GRID) + np.sin(2 * np.pi * GRID)}
    for word, curve in found.groupby("word"):
        np.testing.assert_allclose(curve["fit"], truth[word], atol=0.15)
        assert np.all(curve["std_error"].between(0.03, 0.15))
    assert list(found["smooth"].unique()) == ["s(x)"]


@pytest.mark.parametrize("fixture", ["by_word", "by_difference"])
def test_known_difference(fixture, request):
    found = difference(request.getfixturevalue(fixture), "word", "B", "A", at={"x": GRID})
    truth = 0.5 + np.sin(2 * np.pi * GRID)
    assert np.all((found.curve["conf_low"] < truth) & (truth < found.curve["conf_high"]))
    np.testing.assert_allclose(found.curve["diff"], truth, atol=0.2)


def test_labels_and_tables(by_word, by_difference):
    assert list(by_word.parametric["term"]) == ["(Intercept)", "wordB"]
    assert list(by_word.smooths["term"]) == ["s(x):wordA", "s(x):wordB"]
    assert list(by_difference.smooths["term"]) == ["s(x)", "s(x):woB"]
    assert by_word.smooths["p_value"].isna().all()
    assert any("no p-values" in note for note in by_word.notes)
    assert by_word.glance["method"].iloc[0] == "GCV"


def test_solution_by_definition(by_word):
    """The coefficients minimise |y - Xb|^2 + b'Sb, found here as least squares of an augmented problem."""
    request, design = by_word.request, by_word.design(by_word.request.frame)
    from layerstats.stats.gamm.engines.pygam_basis import spline_blocks

    blocks = spline_blocks(request)
    roots = [np.zeros((2, 2))]
    for block, value in zip(blocks, by_word.engine_fit.smoothing_parameters, strict=True):
        second = np.diff(np.eye(10), 2, axis=0) @ block.constraint
        roots.append(np.sqrt(value) * second)
    from scipy.linalg import block_diag

    augmented = np.vstack([design.matrix, block_diag(*roots)])
    target = np.concatenate([request.response_values, np.zeros(len(augmented) - len(design.matrix))])
    coefficients, *_ = np.linalg.lstsq(augmented, target, rcond=None)
    np.testing.assert_allclose(design.matrix @ coefficients, by_word.engine_fit.fitted, atol=1e-7)
    influence = design.matrix @ np.linalg.pinv(augmented.T @ augmented) @ design.matrix.T
    edf = np.trace(influence)
    assert by_word.smooths["edf"].sum() + 2 == pytest.approx(edf, abs=1e-6)
    residuals = request.response_values - design.matrix @ coefficients
    assert by_word.glance["scale"].iloc[0] == pytest.approx(residuals @ residuals / (len(residuals) - edf))
    expected = np.diag(np.linalg.inv(augmented.T @ augmented)) * by_word.glance["scale"].iloc[0]
    np.testing.assert_allclose(np.diag(design.covariance), expected, rtol=1e-6)


def test_smoothing_is_chosen_and_not_the_default(by_word, by_difference, words):
    """A straight line is smoothed to one, a wave is not."""
    straight = words.assign(y=words["x"] + np.random.default_rng(1).normal(0, 0.3, len(words)))
    line = fit("y ~ s(x)", straight, engine="pygam")
    assert line.smooths["edf"].iloc[0] < 1.6
    assert by_word.smooths["edf"].min() > 2
    assert 0.6 not in by_difference.engine_fit.smoothing_parameters


def test_smooths_are_centred(by_difference, words):
    shape = by_difference.predict(words[["x"]].assign(word="A"), exclude=["(Intercept)", "wo", "s(x, by = wo)"])
    assert shape["fit"].mean() == pytest.approx(0, abs=1e-9)


def test_tensor_product():
    generator = np.random.default_rng(0)
    data = pd.DataFrame(generator.uniform(size=(500, 2)), columns=["x", "z"])
    truth = np.sin(3 * data["x"]) * data["z"]
    data["y"] = truth + generator.normal(0, 0.05, 500)
    result = fit("y ~ te(x, z)", data, engine="pygam")
    np.testing.assert_allclose(result.fitted, truth, atol=0.1)
    assert result.engine_fit.smooth_parts[0].coefficients == 24
    k_check = result.k_check()
    assert k_check["k_index"].iloc[0] == pytest.approx(1, abs=0.12)


def test_numeric_by(words):
    slope = words.assign(w=np.tile([0.0, 1.0, 2.0], len(words) // 3))
    slope["y"] = slope["w"] * np.sin(3 * slope["x"]) + np.random.default_rng(0).normal(0, 0.1, len(slope))
    result = fit("y ~ s(x, by = w)", slope, engine="pygam")
    found = curves(result, at={"x": GRID, "w": 2.0})
    np.testing.assert_allclose(found["fit"], 2 * np.sin(3 * GRID), atol=0.1)


def test_weights_count_rows(words):
    doubled = pd.concat([words, words[words["word"] == "A"]])
    once = fit("y ~ word", words, engine="pygam", weights=np.where(words["word"] == "A", 2.0, 1.0))
    twice = fit("y ~ word", doubled, engine="pygam")
    np.testing.assert_allclose(once.parametric["estimate"], twice.parametric["estimate"])


@pytest.mark.parametrize(
    ("formula", "options", "reason"),
    [
        ("y ~ s(x, token, bs = 'fs', m = 1)", {}, "no random effects"),
        ("y ~ s(token, bs = 're')", {}, "no random effects"),
        ("y ~ ti(x, z)", {}, r"no ti\(\)"),
        ("y ~ s(x, z)", {}, r"te\(\) it has"),
        ("y ~ s(x, bs = 'cc')", {}, "no basis cc"),
        ("y ~ s(x, m = 1)", {}, "no option m"),
        ("y ~ s(x, by = word)", {}, "'word' among the parametric terms"),
        ("y ~ poly(x, 2)", {}, "cannot evaluate"),
        ("y ~ word:x", {}, "main effects"),
        ("y ~ 0 + word", {}, "beside an intercept"),
        ("y ~ s(x) + offset(z)", {}, "no offset"),
        ("y ~ s(x)", {"method": "ML"}, "no ML score"),
        ("y ~ s(x)", {"rho": 0.5, "series": "token", "order": "x"}, r"no AR\(1\)"),
        ("y ~ s(x)", {"rho": "auto", "series": "token", "order": "x"}, r"no AR\(1\)"),
        ("y ~ s(x)", {"family": "scat"}, "Gaussian"),
        ("y ~ s(x)", {"discrete": True}, "discretise"),
    ],
)
def test_what_it_cannot(words, formula, options, reason):
    data = words.assign(z=np.random.default_rng(0).uniform(size=len(words)))
    with pytest.raises(ArgumentError, match=reason):
        fit(formula, data, engine="pygam", **options)


def test_more_coefficients_than_rows(words):
    few = words[words["token"].isin(["A0", "B0"])].iloc[::3].reset_index(drop=True)
    with pytest.raises(FitError, match="20 coefficients and the data have 14 rows"):
        fit("y ~ word + s(x, by = word)", few.assign(x=np.arange(14.0)), engine="pygam")


def test_dependent_columns(words):
    with pytest.raises(FitError, match="depend on each other"):
        fit("y ~ word + copy", words.assign(copy=words["word"]), engine="pygam")


@pytest.mark.r
def test_coding_agrees_with_r(words, tmp_path):
    import subprocess

    generator = np.random.default_rng(0)
    data = pd.DataFrame(
        {"y": 0.0, "a": generator.choice(list("uvw"), 40), "b": generator.choice(list("mn"), 40), "z": np.arange(40.0)}
    )
    data.to_csv(tmp_path / "data.csv", index=False)
    code = (
        f"d <- read.csv('{tmp_path}/data.csv', stringsAsFactors = TRUE); "
        "m <- model.matrix(~ a * b + log(z + 1) + a:z + z, d); "
        f"write.csv(m, '{tmp_path}/matrix.csv', row.names = FALSE)"
    )
    subprocess.run(["Rscript", "-e", code], check=True, capture_output=True)
    expected = pd.read_csv(tmp_path / "matrix.csv")
    coded = data.assign(a=pd.Categorical(data["a"]), b=pd.Categorical(data["b"]))
    matrix, names, _ = parametric_columns(parse_formula("y ~ a * b + log(z + 1) + a:z + z"), coded)
    assert list(names) == list(expected.columns)
    np.testing.assert_allclose(matrix, expected.to_numpy())


@pytest.mark.r
def test_curves_agree_with_mgcv(by_word, words):
    reference = fit("y ~ word + s(x, by = word)", words, engine="mgcv")
    ours, theirs = (curves(result, "word", at={"x": GRID}) for result in (by_word, reference))
    assert np.all(np.abs(ours["fit"] - theirs["fit"]) < theirs["std_error"])
    np.testing.assert_allclose(ours["std_error"], theirs["std_error"], rtol=0.3)
    np.testing.assert_allclose(by_word.parametric["estimate"], reference.parametric["estimate"], atol=1e-3)
    np.testing.assert_allclose(by_word.parametric["std_error"], reference.parametric["std_error"], rtol=0.01)
