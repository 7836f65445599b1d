"""The language of formulas: read, refused with a place, printed again."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerstats.errors import ArgumentError, FormulaError
from layerstats.stats.gamm.formula.expression import Call, Constant, Name, Number, String, Unary
from layerstats.stats.gamm.formula.parser import SMOOTH_OPTIONS, parse_formula
from layerstats.stats.gamm.formula.terms import Formula, ParametricTerm, SmoothTerm


def labels(text: str) -> list[str]:
    return [term.label for term in parse_formula(text).parametric]


def test_the_published_model():
    formula = parse_formula("""
        Value ~ Word + s(Sample)          # word levels
          + s(Sample, by=Word)
          + s(Sample, UniqueWord, bs='fs', m=1)
    """)
    assert formula.columns == ("Value", "Word", "Sample", "UniqueWord")
    assert [smooth.label for smooth in formula.smooths] == ["s(Sample)", "s(Sample):Word", "s(Sample,UniqueWord)"]
    assert [smooth.random for smooth in formula.smooths] == [False, False, True]
    assert formula.smooths[2].penalty_orders == (1,)
    assert formula.intercept


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y ~ a*b", ["a", "b", "a:b"]),
        ("y ~ a*b*c", ["a", "b", "c", "a:b", "a:c", "b:c", "a:b:c"]),
        ("y ~ a*b*c - a:b:c", ["a", "b", "c", "a:b", "a:c", "b:c"]),
        ("y ~ (a + b)^2", ["a", "b", "a:b"]),
        ("y ~ (a + b)^999999999", ["a", "b", "a:b"]),
        ("y ~ a/b", ["a", "a:b"]),
        ("y ~ a:b + a + b + b:a", ["a", "b", "a:b"]),
        ("y ~ a + a", ["a"]),
        ("y ~ (a + b):c", ["a:c", "c:b"]),
        ("y ~ a %in% (b + c)", ["a:b:c"]),
        ("y ~ a + I(x^2) + log(x + 1)", ["a", "I(x^2)", "log(x + 1)"]),
        ("y ~ 1", []),
    ],
)
def test_terms_are_expanded_as_in_r(text, expected):
    assert labels(text) == expected


@pytest.mark.r
@pytest.mark.parametrize(
    "text", ["y ~ a*b*c - a:b:c", "y ~ (a + b)^2 - 1", "y ~ a/b + c", "y ~ 0 + log(x+1):a + a", "y ~ a %in% b"]
)
def test_terms_agree_with_r(text):
    import subprocess

    # mgcv makes a formula of the terms that are not smooth, which R orders once more.
    code = f'x <- terms(mgcv::interpret.gam({text})$pf); cat(attr(x, "intercept"), attr(x, "term.labels"), sep = "\\n")'
    lines = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True, check=True).stdout.split("\n")
    formula = parse_formula(text)
    assert int(lines[0]) == formula.intercept
    assert [line for line in lines[1:] if line] == [term.label for term in formula.parametric]


@pytest.mark.parametrize(
    ("text", "intercept"),
    [("y ~ a", True), ("y ~ a - 1", False), ("y ~ 0 + a", False), ("y ~ -1 + a", False), ("y ~ a + 0 + 1", True)],
)
def test_intercept(text, intercept):
    assert parse_formula(text).intercept is intercept


def test_options_of_smooths():
    te = parse_formula(
        "y ~ te(x, z, k = c(5, 8), bs = c('cr', 'ps'), by = g, fx = TRUE, id = 'one', sp = NULL)"
    ).smooths[0]
    assert te.basis_dimensions == (5, 8)
    assert te.bases == ("cr", "ps")
    assert te.by == Name("g")
    assert te.label == "te(x,z):g"
    assert te.columns == ("x", "z", "g")
    assert te.option("fx") == Constant("TRUE")
    assert parse_formula("y ~ s(x, k = -1)").smooths[0].basis_dimensions is None
    assert parse_formula("y ~ s(x, by = NA)").smooths[0].by is None
    assert parse_formula("y ~ mgcv::s(x)").smooths[0].function == "s"


def test_names_that_r_needs_in_backticks():
    formula = parse_formula("`f2 onset` ~ `my word` + s(`time (s)`)")
    assert formula.columns == ("f2 onset", "my word", "time (s)")
    assert str(formula) == "`f2 onset` ~ `my word` + s(`time (s)`)"


def test_numbers_and_functions_are_labelled_as_in_r():
    formula = parse_formula(
        "y ~ x:g + s(log(t+.01), by=as.numeric(w=='a')) + I(x/1e3) + log(x,base=2) + a %in% b + (x>0)"
    )
    assert [smooth.label for smooth in formula.smooths] == ['s(log(t + 0.01)):as.numeric(w == "a")']
    assert [term.label for term in formula.parametric] == [
        "I(x/1000)",
        "log(x, base = 2)",
        "x > 0",
        "x:g",
        "a:b",
    ]


def test_words_of_r_are_columns_where_there_are_such():
    assert parse_formula("y ~ cos(2 * pi * t)", ["y", "t"]).columns == ("y", "t")
    assert parse_formula("y ~ cos(2 * pi * t)", ["y", "t", "pi"]).columns == ("y", "pi", "t")
    assert parse_formula("y ~ poly(x, 2, raw = T) + C(w, contr.sum)", ["y", "x", "w"]).columns == ("y", "x", "w")
    assert parse_formula("y ~ s(T)", ["y", "T"]).columns == ("y", "T")


def test_what_is_not_whole_is_rounded_as_in_r():
    smooths = parse_formula("y ~ s(x, k = 5.6) + s(z, k = 2.5) + s(u, k = 2 * 5) + s(v, k = c(rep(5, 2)))").smooths
    assert [smooth.basis_dimensions for smooth in smooths] == [(6,), (2,), (10,), None]
    assert [smooth.rounded_dimensions for smooth in smooths] == [True, True, False, False]
    assert [smooth.unread is None for smooth in smooths] == [True, True, True, False]


def test_the_formula_as_it_was_written_reaches_r():
    source = parse_formula("y ~ mgcv::s(`my t`, k=5) # smooth\n + b:a + I(0.50*x)").source
    assert source == "y ~ s ( `my t` , k = 5 ) + b : a + I ( 0.50 * x )"


def test_transformed_response():
    formula = parse_formula("log(f2 / 1000) ~ s(x)")
    assert str(formula.response) == "log(f2/1000)"
    assert formula.response_columns == ("f2",)


@pytest.mark.parametrize(
    ("text", "problem", "column"),
    [
        ("y ~ s(x", "or ')' after them", 7),
        ("y ~ a +", "the formula ends", 7),
        ("y ~ a b", "Expected '+'", 6),
        ("y x", "Expected '~'", 2),
        ("~ x", "no response", 0),
        ("1 ~ x", "must name a column", 0),
        ("y ~ s(x) * z", "cannot interact", 9),
        ("y ~ s(x, kk = 3)", "Did you mean 'k'?", 4),
        ("y ~ s(x, k = n)", "written as a value", 4),
        ("y ~ s(x, k = 'a')", "k must be a number", 4),
        ("y ~ s(x, bs = 3)", "bs must be a quoted name", 4),
        ("y ~ s(x, k = 3, k = 4)", "given twice", 4),
        ("y ~ s(x, 5)", "named, as in k = 10", 4),
        ("y ~ s()", "at least one variable", 4),
        ("y ~ s(x,)", "is empty", 8),
        ("cbind(a, b) ~ x", "one model for each", 0),
        ("y ~ (1 | g)", 's(group, bs = "re")', 7),
        ("y ~ 2 * x", "must be 0", 4),
        ("y ~ 3", "must be 0", 4),
        ("y ~ .", "name the columns", 4),
        ("y ~ TRUE", "name the columns", 4),
        ("y ~ d$x", "subset", 5),
        ("y ~ 'a", "never closed", 4),
        ("y ~ a ? b", "Unexpected character '?'", 6),
        ("y ~ a - s(x)", "parametric terms only", 8),
        ("y ~ a^b", "whole number", 6),
        ("y ~ (a + b", "to close the parenthesis", 10),
        ("", "the formula ends", 0),
    ],
)
def test_syntax_errors_point_at_the_place(text, problem, column):
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    message, line, caret = str(caught.value).split("\n")
    assert problem in message
    assert line == f"  {text}"
    assert caret == " " * (column + 2) + "^"


def test_the_caret_finds_its_line():
    with pytest.raises(FormulaError) as caught:
        parse_formula("y ~ a +\n  b c")
    assert str(caught.value).split("\n")[1:] == ["    b c", "      ^"]


def test_a_formula_is_a_string():
    with pytest.raises(ArgumentError, match="must be a string"):
        parse_formula(3)  # type: ignore[arg-type]


def test_unknown_columns_list_near_matches():
    formula = parse_formula("f2 ~ wrod + s(time)")
    with pytest.raises(FormulaError, match=r"'wrod'.*Did you mean 'word'\?"):
        formula.check_columns(["f2", "word", "time"])
    with pytest.raises(FormulaError, match=r"Did you mean 'Time'\?"):
        formula.check_columns(["f2", "wrod", "Time"])
    formula.check_columns(["f2", "wrod", "time", "other"])


def test_fixed_part_leaves_out_random_smooths():
    one = parse_formula("y ~ a + s(x) + s(g, bs = 're')")
    two = parse_formula("y ~ a + s(x) + s(x, g, bs = 'fs', m = 1)")
    three = parse_formula("y ~ a + s(x, k = 5) + s(g, bs = 're')")
    assert one.fixed_part == two.fixed_part
    assert one.fixed_part != three.fixed_part


def test_fitted_labels_do_not_claim_those_of_another_factor():
    smooth = parse_formula("y ~ s(x, by = Word)").smooths[0]
    owned = smooth.fitted_labels({"Word": ("a", "b"), "WordOrd": ("a", "b")})
    assert owned == {"s(x):Word", "s(x):Worda", "s(x):Wordb"}
    spaced = parse_formula("y ~ s(x, by = `my word`)").smooths[0]
    assert "s(x):`my word`a" in spaced.fitted_labels({"my word": ("a", "b")})


names = st.one_of(
    st.from_regex(r"[a-zA-Z][a-zA-Z0-9._]{0,6}", fullmatch=True),
    st.sampled_from(["my word", "if", "TRUE", "é", "1st", "a-b", ".x", "_y"]),
).map(Name)
functions = st.sampled_from(["log", "sqrt", "I", "scale"])
variables = st.one_of(names, st.builds(lambda function, name: _call(function, name), functions, names))
numbers = st.one_of(
    st.integers(0, 99).map(lambda value: Number(str(value))),
    st.sampled_from(["1.5", "0.001", "5L"]).map(Number),
)


def _call(function, *values):
    from layerstats.stats.gamm.formula.expression import Argument

    return Call(function, tuple(Argument(None, value) for value in values))


def _options(function):
    values = {
        "k": st.one_of(numbers, st.lists(numbers, min_size=1, max_size=3).map(lambda items: _call("c", *items))),
        "bs": st.sampled_from(["tp", "cr", "fs", "re"]).map(String),
        "m": st.one_of(numbers, st.just(Unary("-", Number("1")))),
        "id": st.text("ab'\"\\ ", max_size=4).map(String),
        "xt": st.sampled_from([Constant("NULL"), _call("list", String("a"))]),
        "sp": numbers,
    }
    keys = st.lists(st.sampled_from(sorted(set(values) & set(SMOOTH_OPTIONS[function]))), unique=True, max_size=3)
    return keys.flatmap(lambda chosen: st.tuples(*(st.tuples(st.just(key), values[key]) for key in chosen)))


smooths = st.sampled_from(sorted(SMOOTH_OPTIONS)).flatmap(
    lambda function: st.builds(
        SmoothTerm,
        st.just(function),
        st.lists(variables, min_size=1, max_size=3).map(tuple),
        st.none() | names,
        _options(function),
    )
)
parametric = st.lists(
    st.lists(variables, min_size=1, max_size=3, unique_by=str).map(tuple).map(ParametricTerm),
    max_size=4,
    unique_by=lambda term: frozenset(map(str, term.factors)),
).map(lambda terms: tuple(sorted(terms, key=lambda term: len(term.factors))))
formulas = st.builds(Formula, variables, st.booleans(), parametric, st.lists(smooths, max_size=3).map(tuple))


@pytest.mark.parametrize("variable", ["t^2", "t - 0.5", "-t", "(t + 1)/2", "log(t)*2", "a*b"])
def test_arithmetic_in_a_smooth_stands_in_i(variable):
    # s(t^2) is s(t) in mgcv, where t^2 is a formula.
    with pytest.raises(FormulaError, match=re.escape("Write I(")):
        parse_formula(f"y ~ s({variable}, k = 5)")
    assert parse_formula(f"y ~ s(I({variable}), by = {variable})").smooths


def test_comparisons_and_remainders_in_a_smooth_need_no_i():
    for variable in ("t > 0", "!t", "t %% 2", "t %/% 2", "a:b", "(t)"):
        assert parse_formula(f"y ~ s({variable})").smooths


@pytest.mark.parametrize(
    ("right", "labels"),
    [
        ("x %% 2 + z", ["x%%2", "z"]),
        ("x %/% 2 * z", ["x%/%2", "z", "x%/%2:z"]),
        ("z + x %% 2", ["z", "x%%2"]),
    ],
)
def test_remainders_by_a_number_are_variables(right, labels):
    assert [term.label for term in parse_formula(f"y ~ {right}").parametric] == labels


@given(formulas)
def test_printing_and_reading_give_the_same_formula(formula):
    read = parse_formula(str(formula))
    assert (read.response, read.intercept, read.smooths) == (formula.response, formula.intercept, formula.smooths)
    # R drops a response among the terms, and has an order of its own for the variables of an interaction.
    written = [frozenset(map(str, term.factors)) for term in formula.parametric if term.factors != (formula.response,)]
    assert [frozenset(map(str, term.factors)) for term in read.parametric] == written
    assert parse_formula(str(read)) == read


@given(st.text("ys x~+-*:()=,'\"`0129.#\n", max_size=30))
def test_any_text_is_a_formula_or_a_formula_error(text):
    try:
        formula = parse_formula(text)
    except FormulaError:
        return
    assert parse_formula(str(formula)) == formula


def test_more_brackets_than_can_be_read():
    with pytest.raises(FormulaError, match="too many brackets"):
        parse_formula("y ~ " + "(" * 3000 + "x" + ")" * 3000)
