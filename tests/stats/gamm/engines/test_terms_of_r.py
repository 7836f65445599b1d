"""Terms that only R can evaluate, or that R labels in its own way: everything after the fit is R's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError, FitError, FormulaError
from layerstats.rbridge import RSession
from layerstats.stats.gamm import curves, derivatives, difference, fit

pytestmark = pytest.mark.r

# mgcv itself, without any of our R code.
DIRECT = """
library(splines)
direct <- function(formula, data, family) {
  model <- bam(as.formula(formula), data = data, family = family)
  # Of a tensor product of expressions it fails.
  k_index <- tryCatch(I(as.numeric(k.check(model)[, 3])), error = function(condition) NULL)
  random <- c("random.effect", "fs.interaction")
  labels <- vapply(model$smooth, function(smooth) smooth$label, "")
  list(fitted = as.numeric(predict(model)), k_index = k_index, labels = I(labels),
       random = I(labels[vapply(model$smooth, function(smooth) inherits(smooth, random), TRUE)]),
       score = as.numeric(model$gcv.ubre))
}
NULL
"""

FORMULAS = [
    "y ~ factor(word) + s(t, by = factor(word), k = 6)",
    "y ~ word + s(t, by = as.factor(word), k = 6)",
    "y ~ ordered(word) + s(t, k = 5) + s(t, by = ordered(word), k = 5)",
    "y ~ word * dose + s(t, by = interaction(word, dose), k = 5)",
    "y ~ word + s(t, by = as.numeric(word == 'ask'), k = 6)",
    "y ~ word + s(t, by = I(base * 2), k = 6)",
    "y ~ word + s(log(t+.01), k = 5) + I(base/1e3) + I(base * 0.50)",
    "y ~ word + s(sqrt(t), by = word, k = 5L) + log(size,base=2)",
    "y ~ cut(base, 3) + s(t, k = 5) + I(t > mean(t))",
    "y ~ factor(size) + s(t, by = factor(size), k = 4)",
    "y ~ word + s(scale(t), by = word, k = 6)",
    "y ~ word + s(I(t / sd(t)), k = 6) + scale(base)",
    "y ~ I((base - mean(base)) / sd(base)) + s(t, k = 5)",
    "y ~ poly(base, 2) + ns(t, 3) + word",
    "y ~ poly(base, 2, raw = T) + splines::bs(t, df = 4) + s(base, k = 4)",
    "y ~ C(word, contr.sum) + s(t, k = 5)",
    "y ~ word + dose %in% word + s(t, k = 5)",
    "y ~ word + s(t, k = 6) + s(I(t * .5), tok, bs = 'fs', m = 1, k = 4)",
    "y ~ s(t, k = 5) + s(t, word, bs = 'sz', k = 5)",
    "y ~ te(log(t + 1), base, k = 4) + word",
    "y ~ te(scale(t), base, k = 4, by = factor(word))",
    "y ~ s(t, base, k = 10) + s(tok, bs = 're') + s(tok, base, bs = 're')",
    "y ~ te(t, tok, bs = c('cr', 're'), k = c(5, 16))",
    "y ~ offset(base / 2) + word + s(t, k = 5.6)",
    "y ~ 0 + s(t, k = 6)",
    "y ~ `the word` + s(`the time (s)`, by = `the word`, k = 5) + s(`the time (s)`, tok, bs = 'fs', m = 1, k = 4)",
    "log(y + 5, 2) ~ word + s(t, k = 5)",
    "I(y - base) ~ word + base + s(t, by = word, k = 6)",
    "scale(y) ~ s(t, k = 5) + word",
    "y / max(y) ~ s(t, k = 5)",
    "I(base + 2 * pi) ~ s(t, k = 5) + y",
]


def table() -> pd.DataFrame:
    """16 tokens of two words at two doses, eight samples each."""
    generator = np.random.default_rng(5)
    tok = np.repeat(np.arange(16), 8)
    word, dose = np.array(["ask", "dark"])[tok % 2], np.array(["lo", "hi"])[tok // 8]
    t = np.tile(np.round(np.linspace(0, 1, 8), 4), 16)
    base = np.round(generator.normal(size=128), 3)
    y = np.sin(3 * t) + (tok % 2) * t + 0.4 * base + generator.normal(0, 0.3, 16)[tok] + generator.normal(0, 0.3, 128)
    size = np.array([2, 10, 33])[tok % 3]
    data = pd.DataFrame({"word": word, "dose": dose, "t": t, "base": base, "y": np.round(y, 3), "size": size})
    data["tok"] = [f"k{number:02d}" for number in tok]
    return data.assign(**{"the word": word, "the time (s)": t, "n": generator.poisson(np.exp(t))})


@pytest.fixture(scope="module")
def data():
    return table()


@pytest.fixture(scope="module")
def direct(data, tmp_path_factory):
    """Return a function that asks mgcv, whose formulas hold no names with spaces."""
    script = tmp_path_factory.mktemp("direct") / "direct.R"
    script.write_text(DIRECT)
    plain = data.rename(columns={"the word": "word2", "the time (s)": "time2"})
    coded = plain.assign(**{name: pd.Categorical(plain[name]) for name in ("word", "dose", "tok", "word2")})
    with RSession() as session:
        session.call("source", file=str(script))

        def ask(formula: str, family: str = "gaussian"):
            text = formula.replace("`the word`", "word2").replace("`the time (s)`", "time2")
            return session.call("direct", formula=text, data=coded, family=family).value

        yield ask


@pytest.mark.parametrize("formula", FORMULAS)
def test_everything_after_the_fit_is_r(formula, data, direct):
    known = direct(formula)
    result = fit(formula, data, engine="mgcv")
    assert result.glance["score"][0] == pytest.approx(known["score"], rel=1e-9)
    assert result.fitted.to_numpy() == pytest.approx(known["fitted"], abs=1e-9)
    # Few rows, in another order: what depends on all rows is as at the fit.
    some = [77, 3, 40, 9, 126, 18]
    new = data.iloc[some].drop(columns=list(result.request.formula.response_only))
    assert result.predict(new)["fit"].to_numpy() == pytest.approx(known["fitted"][some], abs=1e-8)
    labels = [label.replace("word2", "`the word`").replace("time2", "`the time (s)`") for label in known["labels"]]
    assert list(result.smooth_labels) == labels
    assert (
        list(result.random_terms) == [label.replace("time2", "`the time (s)`") for label in known["random"]]
        or "te(" in formula
    )
    checked = result.k_check()["k_index"].to_numpy()
    if labels and known["k_index"] is not None:
        assert checked == pytest.approx(known["k_index"], rel=1e-6, nan_ok=True)


@pytest.mark.parametrize(
    "formula", [formula for formula in FORMULAS if "word" in formula and "the word" not in formula]
)
def test_differences_are_those_of_predictions(formula, data):
    result = fit(formula, data, engine="mgcv")
    held = {name: float(data[name].median()) for name in ("base", "size")} | {"dose": "hi", "tok": "k00"}
    grid = np.array([0.0, 0.5, 1.0])
    predicted = [
        result.predict(pd.DataFrame({"t": grid, "word": word, **held}), exclude=result.random_terms)["fit"].to_numpy()
        for word in ("ask", "dark")
    ]
    found = difference(result, "word", "ask", "dark", at={"t": grid}).curve
    assert found["diff"].to_numpy() == pytest.approx(predicted[0] - predicted[1], abs=1e-9)
    # Not flat, and its slope neither.
    along = curves(result, "word", at={"t": np.linspace(0, 1, 101)})
    slope = derivatives(result, "word", at={"t": np.linspace(0, 1, 101)}).curve
    for word in ("ask", "dark"):
        rises = np.gradient(along.loc[along["word"] == word, "fit"], 0.01)[10:-10]
        assert slope.loc[slope["word"] == word, "derivative"].to_numpy()[10:-10] == pytest.approx(rises, abs=0.1)


def test_the_spelling_of_a_term_to_exclude_does_not_matter(data):
    result = fit("y ~ factor(word) + s(log(t+.01), by=factor(word), k=5)", data)
    without = [
        result.predict(data, exclude=[name])["fit"].to_numpy()
        for name in (
            "s(log(t+.01), by=factor(word), k=5)",
            "s(log(t + 0.01)):factor(word)",
            "s(log(t+0.01)):factor(word)",
        )
    ]
    assert np.ptp(without[0]) > 0.1
    for other in without[1:]:
        assert np.array_equal(without[0], other)


def test_codes_as_factors_are_compared(data):
    result = fit("y ~ factor(size) + s(t, by = factor(size), k = 4)", data)
    grid = np.array([0.0, 0.5, 1.0])
    new = pd.DataFrame({"t": np.tile(grid, 2), "size": np.repeat([2, 10], 3)})
    predicted = result.predict(new)["fit"].to_numpy()
    found = difference(result, "size", "2", "10", at={"t": grid}).curve
    assert found["diff"].to_numpy() == pytest.approx(predicted[:3] - predicted[3:], abs=1e-12)
    assert result.levels["size"] == ("2", "10", "33")


@pytest.mark.parametrize(
    "formula", ["y ~ `the word` + s(t, by = `the word`, k = 5)", "y ~ 0 + s(`the time (s)`, k = 6)"]
)
def test_names_with_spaces_are_verified(formula, data):
    result = fit(formula, data, engine="structured", verify=True)
    assert result.verification["agrees"].all()
    assert result.predict(data)["fit"].to_numpy() == pytest.approx(result.fitted.to_numpy(), abs=1e-9)


def test_auto_goes_on_to_mgcv_and_says_why(data):
    result = fit("y ~ word + s(t, by = as.numeric(word == 'ask'), k = 6)", data)
    assert result.engine == "mgcv"
    assert any("Fitted by mgcv, since" in note and 'as.numeric(word == "ask")' in note for note in result.notes)
    assert not any("Fitted by" in note for note in fit("y ~ word + s(t, k = 5)", data).notes)


def test_names_with_code_in_them_are_names(data, tmp_path):
    file = tmp_path / "made"
    name = f"system('touch {file}')"
    renamed = data.rename(columns={"t": name})
    for engine in ("structured", "mgcv"):
        result = fit(f"y ~ word + s(`{name}`, k = 5)", renamed, engine=engine)
        assert list(result.smooth_labels) == [f"s(`{name}`)"]
        assert result.predict(renamed)["fit"].to_numpy() == pytest.approx(result.fitted.to_numpy(), abs=1e-9)
    assert not file.exists()


@pytest.mark.parametrize(
    "formula", ["y ~ s(t, k = 5) + system('ls')", "y ~ s(t, k = eval(5))", "y ~ rank(base)", "y ~ cumsum(base)"]
)
def test_other_functions_are_refused(formula, data):
    with pytest.raises(FormulaError, match="not a function that a formula may call"):
        fit(formula, data)


@pytest.mark.parametrize("variable", ["seq_len(length(t))", "scale(seq_len(length(t)))"])
def test_what_cannot_be_frozen_is_refused_before_the_fit(variable, data):
    with pytest.raises(FitError, match="depend on the other rows"):
        fit(f"y ~ s({variable}, k = 5)", data, engine="mgcv")


def test_levels_that_the_fit_had_not(data):
    result = fit("y ~ s(t, by = factor(size), k = 4)", data)
    with pytest.raises((DataError, FitError), match="level"):
        result.predict(pd.DataFrame({"t": [0.5], "size": [3]}))


@pytest.mark.parametrize(
    ("family", "response"),
    [("nb", "n"), ("poisson(sqrt)", "n"), ("binomial(probit)", "hit"), ("Gamma(link = 'log')", "n1"), ("tw", "n")],
)
def test_families_and_links_reach_r(family, response, data, direct):
    more = data.assign(hit=(data["n"] > 1).astype(int), n1=data["n"] + 1.0)
    result = fit(f"{response} ~ word + s(t, k = 5)", more, family=family)
    assert result.engine == "mgcv"
    predicted = result.predict(more, scale="response")["fit"].to_numpy()
    assert predicted == pytest.approx(result.fitted.to_numpy(), rel=1e-6)


def test_knots_and_weights_of_zero_reach_r(data):
    cyclic = fit("y ~ s(t, bs = 'cc', k = 5)", data, knots={"t": [-0.25, 1.25]})
    ends = cyclic.predict(pd.DataFrame({"t": [-0.25, 1.25, 0.5]}))["fit"]
    assert ends[0] == pytest.approx(ends[1], abs=1e-9)
    assert abs(ends[0] - ends[2]) > 0.01
    weights = np.where(np.arange(len(data)) % 4 == 0, 0.0, 1.0)
    weighted = fit("y ~ s(t, k = 5, bs = 'ps')", data, weights=weights)
    assert weighted.engine == "mgcv"
    assert any("weight zero" in note for note in weighted.notes)
