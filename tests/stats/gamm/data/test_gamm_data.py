"""Bad tables are refused with a reason; good ones are sorted and coded, and it is said how."""

import re

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError, FormulaError
from layerstats.stats.gamm import difference, fit
from layerstats.stats.gamm.data.factors import copies_of
from layerstats.stats.gamm.data.prepare import prepare_data
from layerstats.stats.gamm.formula.parser import parse_formula
from layerstats.tables import read_table


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


@pytest.mark.parametrize("column", ["y", "x", "word", "token", "w"])
def test_rows_with_missing_values_are_left_out_on_request(words, column):
    data = words.assign(w=2.0)
    data.loc[[7, 9, 300], column] = np.nan
    options = {"series": "token", "order": "x", "weights": "w"}
    with pytest.raises(DataError, match=rf"'{column}' .*na='omit' leaves out"):
        prepare("y ~ word + s(x)", data, **options)
    prepared = prepare("y ~ word + s(x)", data, na="omit", **options)
    assert f"3 of {len(data)} rows with missing values were left out (3 in {column})." in prepared.notes
    assert sorted(prepared.positions) == [row for row in range(len(data)) if row not in (7, 9, 300)]
    np.testing.assert_array_equal(prepared.response_values, data["y"].iloc[prepared.positions])
    assert len(prepared.weights) == len(prepared.frame) == len(data) - 3
    with pytest.raises(DataError, match="infinite"):
        prepare("y ~ s(x)", data.assign(y=np.where(data.index == 1, np.inf, data["y"])), na="omit")
    with pytest.raises(DataError, match="Every row"):
        prepare("y ~ s(x)", data.assign(x=np.nan), na="omit")
    with pytest.raises(ArgumentError, match="'na' parameter"):
        prepare("y ~ s(x)", data, na="drop")


def test_results_of_fewer_rows_stand_where_the_user_had_them(words):
    data = words.sample(frac=1, random_state=1).set_index(np.arange(len(words)) + 100)
    weights = np.linspace(1, 2, len(data))
    gaps = data.assign(y=data["y"].mask(data.index.isin([105, 220])))
    options = {"engine": "structured", "series": "token", "order": "x"}
    result = fit("y ~ word + s(x)", gaps, na="omit", weights=weights, **options)
    kept = gaps["y"].notna().to_numpy()
    same = fit("y ~ word + s(x)", gaps[kept], weights=weights[kept], **options)
    pd.testing.assert_series_equal(result.fitted, same.fitted)
    assert list(result.fitted.index) == list(gaps.index[kept])


@pytest.mark.parametrize(
    ("cell", "formula", "column"),
    [
        ("x", "y ~ base", "base"),
        ("x", "y ~ s(base)", "base"),
        ("1.5 ms", "y ~ s(x, by = base)", "base"),
        ("?", "base ~ s(x)", "base"),
        ("--undefined--", "y ~ te(x, base)", "base"),
    ],
)
def test_text_among_numbers_is_named_with_its_row(words, cell, formula, column, tmp_path):
    base = np.random.default_rng(0).normal(size=len(words)).round(4)
    data = words.assign(base=[str(value) if row != 40 else cell for row, value in enumerate(base)])
    with pytest.raises(
        DataError, match=rf"'{column}' holds '{re.escape(cell)}' in row 40 of the data .row 42 of a file"
    ):
        prepare(formula, data)
    if cell == "--undefined--":
        return
    data.to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(DataError, match=rf"'{column}' holds '{re.escape(cell)}' in row 42 of the file"):
        prepare(formula, read_table(tmp_path / "table.csv"))
    if formula == "y ~ base":
        assert len(prepare(formula, data, factors={"base": None}).frame["base"].cat.categories) > 100


def test_a_few_missing_marks_are_slips_too(words):
    base = [f"{row / 7}" if row % 3 else "." for row in range(len(words))]
    with pytest.raises(DataError, match=r"'base' holds '\.' in row 0 .*and so do|so do"):
        prepare("y ~ base", words.assign(base=base))
    with pytest.raises(DataError, match="decimal comma, such as '0,0'"):
        prepare("y ~ base", words.assign(base=[f"{row / 7}".replace(".", ",") for row in range(len(words))]))


def test_numbers_with_a_unit(words):
    timed = words.assign(time=[f"{value} s" for value in words["x"]])
    with pytest.raises(DataError, match=r"'time' holds numbers with a unit, such as '0.0 s': take off 's'"):
        prepare("y ~ s(time)", timed)
    assert len(prepare("y ~ time", timed, factors={"time": None}).frame["time"].cat.categories) == 21


def test_what_was_taken_as_missing_is_said_where_it_matters(words, tmp_path):
    words.assign(y=words["y"].astype(str).mask(words.index == 3, ".")).to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(DataError, match=r"first at row 5.*'\.' is taken as missing: 1 in y"):
        prepare("y ~ s(x)", read_table(tmp_path / "table.csv"))


@pytest.mark.parametrize(
    "levels",
    [
        [*map(str, range(1, 24)), "x30"],  # a speaker with a letter
        ["1", "2", "3b"],
        ["0.5", "1.5", "none"],
        ["00", "01"],
        ["ask", "7"],
    ],
)
def test_labels_of_which_some_are_digits_are_levels(words, levels):
    data = words.assign(code=[levels[row % len(levels)] for row in range(len(words))])
    assert set(prepare("y ~ code + s(x)", data).frame["code"].cat.categories) == set(levels)


def test_numbers_as_factors_stand_in_the_order_of_numbers(words):
    sizes = np.array([10, 2, 1, 100])[np.arange(len(words)) % 4]
    for values in (sizes, sizes.astype(float), pd.array(sizes, dtype="Int64")):
        data = words.assign(size=values)
        prepared = prepare("y ~ size", data, factors={"size": None})
        assert list(prepared.frame["size"].cat.categories) == ["1", "2", "10", "100"]
        assert list(prepare("y ~ size", data, factors={"size": [2, 1, 10.0, 100]}).frame["size"].cat.categories) == [
            "2",
            "1",
            "10",
            "100",
        ]
        copies = prepare("y ~ so", data, ordered={"so": ("size", "2")})
        assert list(copies.frame["so"].cat.categories) == ["2", "1", "10", "100"]
    halves = prepare("y ~ size", words.assign(size=sizes / 4), factors={"size": None})
    assert list(halves.frame["size"].cat.categories) == ["0.25", "0.5", "2.5", "25"]


def test_levels_of_numbers_are_known_again(words):
    data = words.assign(size=np.array([1.0, 2.0, 10.0])[np.arange(len(words)) % 3])
    result = fit("y ~ size + s(x)", data, factors={"size": None}, engine="structured")
    np.testing.assert_allclose(result.predict(data)["fit"], result.fitted)
    np.testing.assert_allclose(result.predict(data.astype({"size": int}))["fit"], result.fitted)


@pytest.mark.parametrize(
    ("formula", "noted"),
    [
        ("y ~ s(x) + s(group, bs = 're')", "s(group) is one random slope along group"),
        ("y ~ s(x) + s(group, x, bs = 're')", "one random slope along group times x"),
        ("y ~ s(x, by = group)", "s(x):group is one smooth times group, since that holds numbers (0, 1, 10, 11)"),
    ],
)
def test_codes_that_are_numbers_are_noted(words, formula, noted):
    data = words.assign(group=np.array([0, 1, 10, 11])[np.arange(len(words)) % 4])
    notes = prepare(formula, data).notes
    assert any(noted in note and "factors={'group': None}" in note for note in notes)
    assert not any(noted in note for note in prepare(formula, data, factors={"group": None}).notes)


def test_numbers_that_are_no_codes_are_not_noted(words):
    data = words.assign(is_b=(words["word"] == "B").astype(int), z=words["y"])
    for formula in ("y ~ s(x, by = is_b)", "y ~ s(x, by = z)", "y ~ s(x) + s(word, x, bs = 're')"):
        assert not any("holds numbers" in note for note in prepare(formula, data).notes)


def test_missing_values_elsewhere_do_not_matter(words):
    with_gaps, without = (prepare("y ~ s(x)", data).frame for data in (words.assign(other=np.nan), words))
    pd.testing.assert_frame_equal(with_gaps[["y", "x"]], without[["y", "x"]])


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


def test_numbers_that_are_objects_are_numbers(words):
    objects = words.assign(x=words["x"].astype(object), y=words["y"].astype(object))
    prepared = prepare("y ~ word + s(x, k=5)", objects)

    assert prepared.frame["x"].dtype == float
    assert prepared.response_values.tolist() == words["y"].tolist()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (lambda x: pd.to_datetime("2020-01-01") + pd.to_timedelta(x, unit="D"), "seconds since the first"),
        (lambda x: pd.to_timedelta(x, unit="D"), "seconds since the first"),
        (lambda x: x.astype(str), r"pandas\.to_numeric"),
        (lambda x: x > 0.5, "Use it as by = x"),
        (lambda x: x * 0, r"1 different value, and a smooth needs 3: take 'x' out of s\(x, k = 5\)\."),
        (lambda x: (x > 0.5) * 1.0, "write it as a term of its own"),
        (lambda x: np.floor(x * 2.9), "Write k = 3 or fewer"),
    ],
)
def test_what_is_no_covariate_of_a_smooth(words, values, message):
    with pytest.raises((DataError, FormulaError), match=message):
        prepare("y ~ word + s(x, k=5)", words.assign(x=values(words["x"])))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": "word"}, "'weights' must be numbers"),
        ({"weights": ["a"]}, "'weights' must be numbers"),
        ({"factors": "word"}, "'factors' must be like"),
        ({"factors": ["word"]}, "'factors' must be like"),
        ({"factors": {"word": "A"}}, "must be a list"),
        ({"factors": {"word": 1}}, "must be a list"),
        ({"ordered": ["word"]}, "'ordered' must be like"),
        ({"ordered": {"wo": "word"}}, r"must be \(column, reference\)"),
        ({"ordered": {"wo": ("word",)}}, r"must be \(column, reference\)"),
        ({"knots": [0, 1]}, "'knots' must be like"),
        ({"knots": {"x": ["a"]}}, "must be finite numbers"),
    ],
)
def test_options_of_another_kind(words, options, message):
    with pytest.raises(ArgumentError, match=message):
        fit("y ~ word + s(x, k=5)", words, **options)


def test_new_data_of_another_kind(words):
    result = fit("y ~ word + s(x, k=5)", words, engine="structured")

    with pytest.raises(ArgumentError, match="must be a pandas DataFrame"):
        result.predict({"word": "A", "x": 1.0})
    with pytest.raises(DataError, match="'x' of the new data must hold numbers"):
        result.predict(words.assign(x="early"))


def test_columns_whose_names_are_numbers(words):
    numbered = words[["y", "x"]].set_axis([0, 1], axis=1)
    result = fit("`0` ~ s(`1`, k=5)", numbered, engine="structured")

    assert np.allclose(result.predict(numbered)["fit"], result.fitted)


def test_a_number_names_the_same_level_whatever_stands_beside_it():
    generator = np.random.default_rng(4)
    dose = np.repeat([0.5, 1.0, 10.0], 30)
    table = pd.DataFrame({"dose": dose, "x": generator.uniform(size=90), "y": dose + generator.normal(size=90)})
    model = fit("y ~ dose + s(x)", table, factors={"dose": None})
    assert model.levels["dose"] == ("0.5", "1", "10")
    ones = table[table["dose"] == 1]
    assert model.predict(ones)["fit"].to_numpy() == pytest.approx(model.fitted[ones.index].to_numpy())
    assert difference(model, "dose", 1, 0.5, at={"x": [0.0, 1.0]}).curve["diff"].nunique() == 1


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y ~ s(x, k = c(5, 6))", "s(x, k = c(5, 6)) has one basis, and so one k"),
        ("y ~ s(x, bs = 'tps')", "has the basis 'tps', and mgcv has none of that name. Bases are ad, bs, cc,"),
        ("y ~ te(x, z, bs = c('cr', 'no'))", "has the basis 'no'"),
    ],
)
def test_bases_that_mgcv_has_not(formula, message):
    x = np.arange(20.0)
    data = pd.DataFrame({"x": x, "z": x[::-1], "y": np.sin(x)})
    with pytest.raises(FormulaError, match=re.escape(message)):
        prepare(formula, data)


@pytest.mark.parametrize(
    ("formula", "advice"),
    [
        ("y ~ s(x, by = word == 'A')", 'Write by = as.numeric(word == "A").'),
        ("y ~ s(x, by = (x > 0.5))", "Write by = as.numeric(x > 0.5)."),
        ("y ~ nchar(word) + s(x)", "Write nchar(as.character(word))."),
        ("y ~ s(x) + log(1 + nchar(word))", "Write nchar(as.character(word))."),
        ("y ~ s(x, by = as.numeric(startsWith(word, 'A')))", 'Write startsWith(as.character(word), "A").'),
    ],
)
def test_expressions_that_r_would_stumble_over(words, formula, advice):
    with pytest.raises(FormulaError, match=re.escape(advice)):
        prepare(formula, words)


def test_and_those_that_it_takes(words):
    prepare("y ~ nchar(as.character(word)) + s(x, by = as.numeric(word == 'A')) + s(x, by = (x > 0.5) * x)", words)
