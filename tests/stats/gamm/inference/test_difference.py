"""Differences of levels: which columns follow, what is held, where the interval excludes zero."""

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.gamm import curves, derivatives, difference, fit
from layerstats.stats.gamm.inference.difference import difference_grid
from layerstats.stats.gamm.request.builder import build_request
from layerstats.stats.gamm.request.task import FitTask

GRID = np.linspace(0, 1, 41)


@pytest.fixture(scope="module")
def ordered_model(words):
    formula = "y ~ wo + s(x) + s(x, by = wo)"
    return fit(formula, words, engine="pygam", ordered={"wo": ("word", "A")})


@pytest.fixture(scope="module")
def two_factors(words):
    data = words.assign(sex=np.where(words["token"].str[1:].astype(int) % 2 == 0, "f", "m"))
    data["y"] += np.where(data["sex"] == "m", 2.0, 0.0)
    return fit("y ~ word + sex + s(x, by = word)", data, engine="pygam")


def test_by_definition(ordered_model):
    found = difference(ordered_model, "word", "B", "A", at={"x": GRID}, interval="pointwise").curve
    rows = {word: ordered_model.design(found[["x"]].assign(word=word)) for word in "AB"}
    contrast = rows["B"].matrix - rows["A"].matrix
    np.testing.assert_allclose(found["diff"], contrast @ rows["A"].coefficients, rtol=1e-10)
    spread = contrast @ rows["A"].covariance @ contrast.T
    np.testing.assert_allclose(found["std_error"], np.sqrt(np.diag(spread)), rtol=1e-10)
    np.testing.assert_allclose(found["conf_high"], found["diff"] + 1.959963984540054 * found["std_error"])


def test_the_ordered_copy_follows_its_factor(ordered_model):
    by_factor = difference(ordered_model, "word", "B", "A", at={"x": GRID})
    by_copy = difference(ordered_model, "wo", "B", "A", at={"x": GRID})
    by_both = difference(ordered_model, ["word", "wo"], "B", "A", at={"x": GRID})
    assert by_factor.curve["diff"].abs().max() > 1
    assert by_factor.curve.equals(by_copy.curve)
    assert by_factor.curve.equals(by_both.curve)


def test_copies_that_the_user_made_follow_too(words):
    data = words.assign(word2=words["word"])
    result = fit("y ~ word + s(x, by = word2)", data, engine="pygam")
    found = difference(result, "word", "B", "A", at={"x": GRID})
    np.testing.assert_allclose(found.curve["diff"], 0.5 + np.sin(2 * np.pi * GRID), atol=0.25)


@pytest.fixture(scope="module")
def crossed(words):
    """Two words in two doses that each change the curve, and columns that are made of them."""
    number = words["token"].str[1:].astype(int)
    data = words.assign(dose=np.where(number % 2 == 0, "hi", "lo"), is_b=(words["word"] == "B").astype(int))
    data["y"] += np.where(data["dose"] == "lo", 1 + data["x"] * (1 + data["is_b"]), 0.0)
    data["cell"] = data["word"] + "." + data["dose"]
    data["is_lo"] = (data["dose"] == "lo").astype(float)
    return data.assign(
        is_a=1.0 - data["is_b"],
        b_lo=data["is_b"] * data["is_lo"],
        frequency=np.where(data["word"] == "B", 2.3, 4.1),
        b_x=data["is_b"] * data["x"],
        x2=data["x"] ** 2,
        late=np.where(data["x"] > 0.5, "late", "early"),
        z=np.random.default_rng(3).normal(size=len(data)),
    )


def by_rows(result, rows, grid):
    """Return the difference between two kinds of rows as predictions say it."""
    one, two = (result.predict(pd.DataFrame({"x": grid, **row}))["fit"] for row in rows)
    return one - two


B, A = {"word": "B"}, {"word": "A"}


@pytest.mark.parametrize(
    ("formula", "at", "rows"),
    [
        ("y ~ word + s(x, k=6) + s(x, by=is_b, k=6)", {}, ({**B, "is_b": 1}, {**A, "is_b": 0})),
        (
            "y ~ word + s(x, by=is_a, k=6) + s(x, by=is_b, k=6)",
            {},
            ({**B, "is_b": 1, "is_a": 0}, {**A, "is_b": 0, "is_a": 1}),
        ),
        ("y ~ word + frequency + s(x, k=6)", {}, ({**B, "frequency": 2.3}, {**A, "frequency": 4.1})),
        (
            "y ~ word * dose + s(x, by=cell, k=6)",
            {},
            ({**B, "dose": "hi", "cell": "B.hi"}, {**A, "dose": "hi", "cell": "A.hi"}),
        ),
        (
            "y ~ word * dose + s(x, by=cell, k=6)",
            {"dose": "lo"},
            ({**B, "dose": "lo", "cell": "B.lo"}, {**A, "dose": "lo", "cell": "A.lo"}),
        ),
        (
            "y ~ word + is_lo + s(x, k=6) + s(x, by=b_lo, k=6) + s(x, by=is_b, k=6)",
            {"is_lo": 1},
            ({**B, "is_lo": 1, "b_lo": 1, "is_b": 1}, {**A, "is_lo": 1, "b_lo": 0, "is_b": 0}),
        ),
        (
            "y ~ word * dose + is_lo + s(x, k=6) + s(x, by=is_lo, k=6) + s(x, by=b_lo, k=6)",
            {"dose": "lo"},
            ({**B, "dose": "lo", "is_lo": 1, "b_lo": 1}, {**A, "dose": "lo", "is_lo": 1, "b_lo": 0}),
        ),
        ("y ~ word * z + s(x, k=6)", {"z": 0.5}, ({**B, "z": 0.5}, {**A, "z": 0.5})),
    ],
)
def test_columns_made_of_the_compared_factor_follow_it(crossed, formula, at, rows):
    """Held at one value for both levels they made a difference of zero, with a standard error of zero."""
    result = fit(formula, crossed, engine="structured")
    found = difference(result, "word", "B", "A", at={"x": GRID, **at})
    np.testing.assert_allclose(found.curve["diff"], by_rows(result, rows, GRID), atol=1e-9)
    assert found.curve["std_error"].min() > 0
    each = curves(result, "word", at={"x": GRID, **at}).pivot(index="x", columns="word", values="fit")
    np.testing.assert_allclose(each["B"] - each["A"], found.curve["diff"], atol=1e-9)


def test_what_follows_is_said(crossed):
    result = fit("y ~ word * dose + s(x, by=cell, k=6) + s(x, by=is_b, k=6)", crossed, engine="structured")
    assert difference(result, "word", "B", "A", at={"x": GRID}).notes == (
        "dose is held at hi.",
        "cell follows word, dose: B.hi at B, A.hi at A.",
        "is_b follows word: 1 at B, 0 at A.",
    )
    held = {"x": GRID, "is_b": 0, "cell": "A.lo"}
    assert difference_grid(result.request, "word", "B", "A", at=held)[0].notes == ("dose is held at hi.",)


def test_the_interaction_that_is_a_column_takes_its_factors_along(crossed):
    result = fit("y ~ word * dose + s(x, by=cell, k=6)", crossed, engine="structured")
    found = difference(result, "cell", "B.lo", "A.hi", at={"x": GRID})
    rows = ({**B, "dose": "lo", "cell": "B.lo"}, {**A, "dose": "hi", "cell": "A.hi"})
    np.testing.assert_allclose(found.curve["diff"], by_rows(result, rows, GRID), atol=1e-9)


@pytest.mark.parametrize(
    ("formula", "column", "reason"),
    [
        ("y ~ word + x + b_x", "b_x", "function of 'x' and 'word'"),
        ("y ~ word + s(x, k=6) + s(b_x, k=6)", "b_x", "function of 'x' and 'word'"),
        ("y ~ word * x + word * x2", "x2", "function of 'x' in the data"),
        ("y ~ word * late + s(x, k=6)", "late", "function of 'x' in the data"),
    ],
)
def test_columns_that_change_along_the_curve_are_refused(crossed, formula, column, reason):
    result = fit(formula, crossed, engine="structured")
    with pytest.raises(ArgumentError, match=f"'{column}' is a {reason}"):
        difference(result, "word", "B", "A", at={"x": GRID})
    value = "early" if column == "late" else 0.5
    assert len(difference(result, "word", "B", "A", at={"x": GRID, column: value}).curve) == len(GRID)


def test_columns_that_change_along_the_curve_alike_for_both_do_not_matter(crossed):
    result = fit("y ~ word * x + x2", crossed, engine="structured")
    found = difference(result, "word", "B", "A", at={"x": GRID})
    np.testing.assert_allclose(found.curve["diff"], by_rows(result, ({**B, "x2": 1}, {**A, "x2": 1}), GRID), atol=1e-9)


def test_a_cell_that_is_not_there(crossed):
    data = crossed[crossed["cell"] != "B.hi"]
    result = fit("y ~ word + dose + s(x, by=cell, k=6)", data, engine="structured")
    with pytest.raises(ArgumentError, match="no row has word = B and dose = hi"):
        difference(result, "word", "B", "A", at={"x": GRID})
    found = difference(result, "word", "B", "A", at={"x": GRID, "dose": "lo"})
    assert "cell follows word, dose: B.lo at B, A.lo at A." in found.notes


def test_levels_that_are_numbers(words):
    data = words.assign(size=np.where(words["word"] == "B", 10, 2))
    result = fit("y ~ size + s(x, by=size, k=6)", data, factors={"size": None}, engine="structured")
    by_number = difference(result, "size", 10, 2.0, at={"x": GRID})
    assert by_number.curve.equals(difference(result, "size", "10", "2", at={"x": GRID}).curve)


@pytest.mark.parametrize("interval", ["pointwise", "simultaneous"])
def test_reversing_the_levels_mirrors_everything_exactly(ordered_model, interval):
    one = difference(ordered_model, "word", "B", "A", at={"x": GRID}, interval=interval)
    two = difference(ordered_model, "word", "A", "B", at={"x": GRID}, interval=interval)
    assert np.array_equal(one.curve["diff"], -two.curve["diff"])
    assert np.array_equal(one.curve["conf_low"], -two.curve["conf_high"])
    assert np.array_equal(one.curve["conf_high"], -two.curve["conf_low"])
    assert np.array_equal(one.regions[["start", "end"]], two.regions[["start", "end"]])
    assert list(one.regions["sign"]) == ["positive", "negative", "positive"]
    assert list(two.regions["sign"]) == ["negative", "positive", "negative"]


def test_seeded(ordered_model):
    one, same, other = (difference(ordered_model, "word", "B", "A", seed=seed) for seed in (1, 1, 2))
    assert one.critical_value == same.critical_value != other.critical_value
    assert one.critical_value > 1.96


def test_regions_end_where_the_bound_crosses_zero(ordered_model):
    found = difference(ordered_model, "word", "B", "A", at={"x": GRID})
    bounds = {"positive": found.curve["conf_low"], "negative": found.curve["conf_high"]}
    assert len(found.regions) == 3
    assert list(found.regions["start"]) == sorted(found.regions["start"])
    for row in found.regions.itertuples():
        for end in (row.start, row.end):
            if 0 < end < 1:
                assert np.interp(end, GRID, bounds[row.sign]) == pytest.approx(0, abs=1e-9)


def test_no_difference_has_no_regions(words):
    alike = words.assign(y=np.random.default_rng(0).normal(size=len(words)))
    result = fit("y ~ word + s(x, by = word)", alike, engine="pygam")
    found = difference(result, "word", "B", "A")
    assert len(found.regions) == 0
    assert list(found.regions.columns) == ["level_1", "level_2", "start", "end", "sign", "interval", "conf_level"]
    assert len(found.curve) == 100


def test_shape_without_level(ordered_model):
    whole = difference(ordered_model, "word", "B", "A", at={"x": GRID}).curve
    shape = difference(ordered_model, "word", "B", "A", at={"x": GRID}, include_parametric=False).curve
    level = ordered_model.parametric.set_index("term").loc["woB", "estimate"]
    np.testing.assert_allclose(whole["diff"] - shape["diff"], level)


def test_several_factors_at_once(two_factors):
    found = difference(two_factors, ["word", "sex"], ("B", "m"), ("A", "f"), at={"x": GRID})
    np.testing.assert_allclose(found.curve["diff"], 2.5 + np.sin(2 * np.pi * GRID), atol=0.25)
    assert found.curve["level_1"].iloc[0] == "B:m"
    assert found.notes == ()
    only = difference(two_factors, "word", "B", "A", at={"x": GRID})
    assert only.notes == ("sex is held at f.",)


def test_other_values_can_be_said(two_factors):
    men, women = (curves(two_factors, "word", at={"x": GRID, "sex": sex})["fit"] for sex in "mf")
    np.testing.assert_allclose(men - women, 2, atol=0.1)
    assert set(curves(two_factors, ["word", "sex"]).groupby(["word", "sex"]).groups) == {
        (word, sex) for word in "AB" for sex in "fm"
    }


@pytest.mark.parametrize(
    ("arguments", "options", "problem"),
    [
        (("word", "B", "C"), {}, "level of word"),
        (("wrod", "B", "A"), {}, "factor_columns"),
        (("word", "A", "A"), {}, "must differ"),
        ((["word", "sex"], ("A",), ("B",)), {}, "one level for each"),
        (([], "A", "B"), {}, "at least one column"),
        (("word", "B", "A"), {"at": {"x": [1.0, 0.5]}}, "ascending"),
        (("word", "B", "A"), {"at": {"z": [0.0, 0.5]}}, "'at'"),
        (("word", "B", "A"), {"at": {"sex": ["f", "m"]}}, "is a factor"),
        (("word", "B", "A"), {"interval": "neither"}, "interval"),
    ],
)
def test_arguments(two_factors, arguments, options, problem):
    with pytest.raises(ArgumentError, match=problem):
        difference(two_factors, *arguments, **options)


def test_the_covariate_must_be_clear(words):
    data = words.assign(z=np.random.default_rng(0).uniform(size=len(words)))
    result = fit("y ~ word + s(x, by = word) + s(z)", data, engine="pygam")
    with pytest.raises(ArgumentError, match="'x', 'z'"):
        difference(result, "word", "B", "A")
    assert difference(result, "word", "B", "A", at={"x": GRID}).notes[0].startswith("z is held at 0.")


def test_prediction(ordered_model, words):
    predicted = ordered_model.predict(words)
    np.testing.assert_allclose(predicted["fit"], ordered_model.fitted)
    wider = ordered_model.predict(words, interval="simultaneous")
    assert np.all(wider["conf_high"] > predicted["conf_high"])
    with pytest.raises(DataError, match="'C', which the model has not seen"):
        ordered_model.predict(words.assign(word="C"))
    with pytest.raises(DataError, match="'x' is needed"):
        ordered_model.predict(words[["word"]])
    with pytest.raises(ArgumentError, match=r"'exclude'.*'s\(z\)'"):
        ordered_model.predict(words, exclude=["s(z)"])


def test_excluded_terms_need_no_columns(two_factors):
    level = two_factors.predict(curves(two_factors, "word")[["word"]].assign(sex="f"), exclude="s(x, by = word)")
    assert level["fit"].nunique() == 2


@pytest.mark.slow
def test_coverage_of_the_fitted_difference(simulate):
    """Fitted with smoothing estimated, the band holds the true difference about as often as it says."""
    grid = np.linspace(0.0, 1, 30)
    truth = 0.5 + np.sin(2 * np.pi * grid)
    reached = []
    for seed in range(80):
        result = fit("y ~ word + s(x, by = word)", simulate(seed, tokens=8), engine="pygam")
        curve = difference(result, "word", "B", "A", at={"x": grid}, draws=2000).curve
        reached.append(np.max(np.abs(truth - curve["diff"]) / (curve["conf_high"] - curve["diff"])))
    assert np.mean(np.array(reached) < 1) >= 0.86
    # A band that is far too wide would hold it at six tenths of its width, too.
    assert np.mean(np.array(reached) < 0.6) <= 0.75


@pytest.mark.r
def test_random_terms_are_left_out(words):
    """A model with a smooth for each token and AR(1): the difference needs no token, and is the fixed curves' own."""
    formula = "y ~ word + s(x, by = word) + s(x, token, bs = 'fs', m = 1, k = 5)"
    result = fit(formula, words, engine="mgcv", rho=0.1, series="token", order="x", discrete=True)
    assert result.random_terms == ("s(x,token)",)
    found = difference(result, "word", "B", "A", at={"x": GRID})
    truth = 0.5 + np.sin(2 * np.pi * GRID)
    assert np.all((found.curve["conf_low"] < truth) & (truth < found.curve["conf_high"]))
    rows = [result.predict(found.curve[["x"]].assign(word=word), exclude=["s(x,token)"])["fit"] for word in "BA"]
    np.testing.assert_allclose(found.curve["diff"], rows[0] - rows[1], atol=1e-10)
    design = result.design(found.curve[["x"]].assign(word="A"), exclude=["s(x,token)"])
    assert set(design.term_of_column) == {"(Intercept)", "word", "s(x):wordA", "s(x):wordB"}


@pytest.fixture(scope="module")
def two_words():
    generator = np.random.default_rng(4)
    time = np.tile(np.linspace(0, 1, 8), 12)
    token = np.repeat(np.arange(12), 8)
    word = np.where(token % 2, "ask", "dark")
    value = np.sin(5 * time) * (word == "ask") + generator.normal(size=96) + generator.normal(size=12)[token]
    return pd.DataFrame(
        {"y": value, "t": time, "t2": time**2, "word": word, "token": [f"k{one}" for one in token], "code": token % 2}
    )


@pytest.mark.parametrize(
    ("formula", "column", "levels", "options", "message"),
    [
        ("y ~ s(t, k=5) + s(token, bs='re')", "token", ("k1", "k2"), {}, "random terms alone"),
        ("y ~ s(t, k=5) + s(t, word, bs='fs', m=1, k=4)", "word", ("ask", "dark"), {}, "random terms alone"),
        ("y ~ word + s(t, k=5)", "word", ("ask", "dark"), {"include_parametric": False}, "but in level"),
        ("y ~ code + s(t, k=5)", "code", ("0", "1"), {}, r"factors=\{.code.: None\} makes a factor"),
        ("y ~ code + s(t, k=5)", "word", ("ask", "dark"), {}, "has no factor"),
        ("y ~ word", "word", ("ask", "dark"), {}, "table of its coefficients"),
        ("y ~ word + s(t, k=5)", "word", ("ask", "dark"), {"at": {"t": ["early", "late"]}}, "finite numbers"),
        ("y ~ word + s(t, k=5)", "word", ("ask", "dark"), {"at": {"word": "ask"}}, "not compared"),
    ],
)
def test_levels_that_nothing_tells_apart_are_refused(two_words, formula, column, levels, options, message):
    result = fit(formula, two_words, engine="structured")

    with pytest.raises(ArgumentError, match=message):
        difference(result, column, *levels, **options)


@pytest.mark.parametrize("estimate", [curves, derivatives])
def test_no_curve_holds_what_moves_with_its_covariate(two_words, estimate):
    result = fit("y ~ word + t + t2", two_words, engine="structured")

    with pytest.raises(ArgumentError, match="'t2' is a function of 't'"):
        estimate(result, "word", at={"t": [0.0, 0.5, 1.0]})
    # Levels share what t2 does.
    contrast = difference(result, "word", "ask", "dark", at={"t": [0.0, 0.5, 1.0]}).curve["diff"]
    assert np.allclose(contrast, -result.parametric["estimate"].iloc[1])


@pytest.mark.parametrize(("place", "message"), [("c", "level of cell"), (2.5, "level of cell"), (1, None)])
def test_columns_are_held_at_a_level_there_is_before_a_fit(two_words, place, message):
    data = two_words.assign(cell=[1, 2] * 48)
    request = build_request(FitTask("y ~ word + cell + s(t, k=5)", data, factors={"cell": None}))[0]
    at = {"t": [0.0, 1.0], "cell": place}
    if message is None:
        assert difference_grid(request, "word", "ask", "dark", at=at)[0].frame["cell"].tolist() == ["1", "1"]
        return
    with pytest.raises(ArgumentError, match=message):
        difference_grid(request, "word", "ask", "dark", at=at)
    numbers = build_request(FitTask("y ~ word + t2 + s(t, k=5)", two_words))[0]
    with pytest.raises(ArgumentError, match="held at one of them"):
        difference_grid(numbers, "word", "ask", "dark", at={"t": [0.0, 1.0], "t2": "early"})


@pytest.mark.parametrize(
    ("covariate", "refused", "allowed"), [("fit", curves, derivatives), ("derivative", derivatives, curves)]
)
def test_a_covariate_does_not_take_the_place_of_a_result(words, covariate, refused, allowed):
    model = fit(f"y ~ s({covariate})", words.rename(columns={"x": covariate}), engine="structured")
    with pytest.raises(ArgumentError, match=f"'{covariate}' of the data is called as a column of the results"):
        refused(model)
    assert allowed(model) is not None


def test_a_difference_says_so_before_the_fit(words):
    data = words.rename(columns={"x": "diff"})
    request = build_request(FitTask("y ~ word + s(diff, by = word)", data))[0]
    with pytest.raises(ArgumentError, match="'diff' of the data is called"):
        difference_grid(request, "word", "B", "A")
