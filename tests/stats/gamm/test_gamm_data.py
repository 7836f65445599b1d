"""Bad tables are refused with a reason; good ones are sorted and coded, and it is said how."""

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError, FormulaError
from layerstats.stats.gamm.data import prepare_data
from layerstats.stats.gamm.factors import copies_of
from layerstats.stats.gamm.formula_parser import parse_formula


def prepare(formula, data, **options):
    return prepare_data(parse_formula(formula), data, **options)


def test_strings_become_factors_with_sorted_levels_and_it_is_said(words):
    prepared = prepare("y ~ word + s(x, by = word)", words.sort_values("word", ascending=False))
    assert list(prepared.frame["word"].cat.categories) == ["A", "B"]
    assert "word is a factor with levels in sorted order: A, B." in prepared.notes
    assert list(prepared.frame.columns) == ["y", "word", "x"]


def test_levels_as_given(words):
    prepared = prepare("y ~ word", words, factors={"word": ["B", "A", "C"]})
    assert list(prepared.frame["word"].cat.categories) == ["B", "A"]
    assert any("'C' of word has no rows" in note for note in prepared.notes)


def test_unlisted_and_repeated_levels(words):
    with pytest.raises(DataError, match=r"'B', which is not among the levels"):
        prepare("y ~ word", words, factors={"word": ["A"]})
    with pytest.raises(ArgumentError, match="'A' more than once"):
        prepare("y ~ word", words, factors={"word": ["A", "B", "A"]})


def test_numbers_become_factors_when_asked(words):
    data = words.assign(group=np.where(words["word"] == "A", 1.0, 2.0))
    prepared = prepare("y ~ group", data, factors={"group": None})
    assert list(prepared.frame["group"].cat.categories) == ["1", "2"]
    assert pd.api.types.is_float_dtype(prepare("y ~ group", data).frame["group"])


def test_booleans_are_factors(words):
    prepared = prepare("y ~ late", words.assign(late=words["x"] > 0.5))
    assert list(prepared.frame["late"].cat.categories) == ["False", "True"]


def test_categoricals_keep_their_order(words):
    data = words.assign(word=pd.Categorical(words["word"], categories=["B", "Z", "A"]))
    prepared = prepare("y ~ word", data)
    assert list(prepared.frame["word"].cat.categories) == ["B", "A"]
    assert any("'Z' of word has no rows" in note for note in prepared.notes)


def test_ordered_copy(words):
    prepared = prepare("y ~ wo + s(x, by = wo)", words, ordered={"wo": ("word", "B")})
    assert prepared.frame["wo"].cat.ordered
    assert list(prepared.frame["wo"].cat.categories) == ["B", "A"]
    assert copies_of(prepared.frame, "word") == ("wo",)
    with pytest.raises(ArgumentError, match="'C' is not a level of 'word'"):
        prepare("y ~ wo", words, ordered={"wo": ("word", "C")})
    with pytest.raises(ArgumentError, match="would overwrite"):
        prepare("y ~ x", words, ordered={"x": ("word", "A")})
    with pytest.raises(DataError, match="'wrod' is not in the data"):
        prepare("y ~ wo", words, ordered={"wo": ("wrod", "A")})


def test_one_level(words):
    with pytest.raises(DataError, match=r"'word' has one level \('A'\)"):
        prepare("y ~ word + s(x)", words[words["word"] == "A"])


def test_one_speaker(words):
    with pytest.raises(DataError, match="'speaker' has one level"):
        prepare("y ~ s(x) + s(speaker, bs = 're')", words.assign(speaker="s1"))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("column", ["y", "x"])
def test_missing_and_infinite_numbers(words, column, bad):
    data = words.copy()
    data.loc[[7, 9], column] = bad
    with pytest.raises(DataError, match=rf"'{column}' of the data \(2 of {len(data)} rows, first at row 7\)"):
        prepare("y ~ s(x)", data)


def test_missing_strings(words):
    data = words.copy()
    data.loc[3, "word"] = None
    with pytest.raises(DataError, match="'word'"):
        prepare("y ~ word", data)


def test_missing_values_elsewhere_do_not_matter(words):
    prepare("y ~ s(x)", words.assign(other=np.nan))


def test_domain_of_the_transformation(words):
    with pytest.raises(DataError, match=r"log\(y\) is not a finite number"):
        prepare("log(y) ~ s(x)", words.assign(y=words["y"] - words["y"].min()))
    prepared = prepare("log(y) ~ s(x)", words.assign(y=np.exp(words["y"])))
    np.testing.assert_allclose(prepared.response_values, words["y"])


def test_response_that_cannot_be_modelled(words):
    with pytest.raises(DataError, match="is 1 in every row"):
        prepare("y ~ s(x)", words.assign(y=1.0))
    with pytest.raises(DataError, match="'word' must hold numbers"):
        prepare("word ~ s(x)", words)


def test_fewer_unique_values_than_basis_functions(words):
    data = words[words["x"].isin(np.linspace(0, 1, 21)[:7])]
    with pytest.raises(DataError, match=r"s\(x\) uses k = 10 .*\(the default\), but 'x' has 7 unique.*k = 7 or fewer"):
        prepare("y ~ s(x)", data)
    with pytest.raises(DataError, match=r"k = 9 .*'x' has 7"):
        prepare("y ~ s(x, token, bs = 'fs', m = 1)", data)
    with pytest.raises(DataError, match=r"k = 8 "):
        prepare("y ~ te(x, z, k = c(8, 3))", data.assign(z=np.arange(len(data))))
    prepare("y ~ s(x, k = 7)", data)
    prepare("y ~ s(x, bs = 'ps')", data)


def test_unknown_column(words):
    with pytest.raises(FormulaError, match="Did you mean 'word'"):
        prepare("y ~ wrd", words)


def test_factors_where_numbers_belong(words):
    with pytest.raises(FormulaError, match="smooth of the factor 'word'"):
        prepare("y ~ s(word)", words)
    with pytest.raises(FormulaError, match=r"needs exactly one factor.*factors=\{'subject': None\}"):
        prepare("y ~ s(x, subject, bs = 'fs')", words.assign(subject=words["token"].str.len()))


def test_tables_that_are_no_tables(words):
    with pytest.raises(DataError, match="no rows"):
        prepare("y ~ x", words.iloc[:0])
    with pytest.raises(ArgumentError, match="pandas DataFrame"):
        prepare("y ~ x", [1, 2])
    with pytest.raises(DataError, match="'x' appears more than once"):
        prepare("y ~ x", pd.concat([words, words[["x"]]], axis=1))


def test_weights(words):
    with pytest.raises(ArgumentError, match="one value a row"):
        prepare("y ~ x", words, weights=[1.0])
    with pytest.raises(ArgumentError, match="positive"):
        prepare("y ~ x", words, weights=np.zeros(len(words)))
    shuffled = words.assign(w=np.arange(1, len(words) + 1)).sample(frac=1, random_state=1)
    prepared = prepare("y ~ x", shuffled, weights="w", series="token", order="x")
    np.testing.assert_array_equal(prepared.response_values[np.argsort(prepared.weights)], words["y"])


def test_rows_are_sorted_by_series_and_order(words):
    shuffled = words.sample(frac=1, random_state=0)
    prepared = prepare("y ~ word + s(x)", shuffled, series="token", order="x")
    again = shuffled.iloc[prepared.positions]
    np.testing.assert_array_equal(again["y"], prepared.response_values)
    assert prepared.series_start.sum() == words["token"].nunique()
    assert all(np.all(np.diff(group["x"]) > 0) for _, group in again.groupby("token"))
    starts = again["token"].ne(again["token"].shift()).to_numpy()
    np.testing.assert_array_equal(prepared.series_start, starts)


def test_the_users_table_is_not_changed(words):
    before = words.copy()
    prepare("y ~ wo", words, ordered={"wo": ("word", "A")}, series="token", order="x")
    pd.testing.assert_frame_equal(words, before)


def test_duplicated_rows(words):
    data = pd.concat([words, words.iloc[[5]]], ignore_index=True)
    with pytest.raises(
        DataError, match=r"1 rows are duplicated within their series, the first at token = A0, x = 0.25"
    ):
        prepare("y ~ s(x)", data, series="token", order="x")


def test_missing_rows_are_reported(words):
    prepared = prepare("y ~ s(x)", words.drop(index=[5, 30]), series="token", order="x")
    assert any("2 steps in x are longer than the usual 0.05" in note for note in prepared.notes)
    complete = prepare("y ~ s(x)", words, series="token", order="x")
    assert not any("longer" in note for note in complete.notes)


def test_series_of_several_columns(words):
    data = words.assign(number=words["token"].str[1:])
    assert prepare("y ~ s(x)", data, series=["word", "number"], order="x").series_start.sum() == 24
    with pytest.raises(DataError, match="duplicated"):
        prepare("y ~ s(x)", data, series=["number"], order="x")


def test_series_that_are_not_said(words):
    with pytest.raises(ArgumentError, match="need to know what a series is"):
        prepare("y ~ s(x)", words, autoregressive=True)
    with pytest.raises(ArgumentError, match="'order' is missing"):
        prepare("y ~ s(x)", words, series="token")
    with pytest.raises(ArgumentError, match="'series' is missing"):
        prepare("y ~ s(x)", words, order="x")
    with pytest.raises(DataError, match="must be numeric"):
        prepare("y ~ s(x)", words, series="token", order="word")
    with pytest.raises(DataError, match="'toke'"):
        prepare("y ~ s(x)", words, series="toke", order="x")


def test_own_tables_need_no_series(words):
    data = words.rename(columns={"x": "sample"})
    prepared = prepare("y ~ s(sample)", data, autoregressive=True)
    assert prepared.series_start.sum() == 24
    assert any("identified by 'token'" in note for note in prepared.notes)
