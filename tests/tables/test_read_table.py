"""Tables as people have them: every way of writing the same table reads alike, and it is said what was recognised."""

import bz2
import gzip
import lzma

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.tables import read_table

ROWS = [
    ("S0", "Häuser", "00", 1, 0.5, 1543.43),
    ("S1", "ask", "01", 2, -1.5, 1558.66),
    ("S1", "ask", "10", 3, 2.0, 7.0),
]
COLUMNS = ["speaker", "wörd", "code", "n", "time", "f2"]
TABLE = pd.DataFrame(ROWS, columns=COLUMNS, index=[2, 3, 4])


def text(separator=",", decimal=".", line="\n"):
    rows = [",".join(COLUMNS), *(",".join(map(str, row)) for row in ROWS)]
    return line.join([row.replace(",", separator).replace(".", decimal) for row in rows] + [""])


def write(folder, content, name="table.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def notes(frame):
    return " ".join(frame.attrs["notes"])


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (text().encode(), "table.csv", ""),
        (text(line="\r\n").encode(), "table.csv", ""),
        (text(line="\r").encode(), "table.csv", ""),
        (text().encode("utf-8-sig"), "table.csv", ""),
        (text().encode("utf-16"), "table.csv", "UTF-16"),
        (text("\t").encode("utf-16-le"), "table.txt", "UTF-16-LE"),
        (text("\t").encode("utf-16-be"), "table.txt", "UTF-16-BE"),
        (text().encode("utf-32"), "table.csv", "UTF-32"),
        (text().encode("latin-1"), "table.csv", "Windows-1252 (Latin-1)"),
        (text(";").encode(), "table.csv", "separated by semicolons"),
        (text(";", ",").encode("latin-1"), "table.csv", "decimal comma"),
        (text("\t", ",").encode(), "table.tsv", "decimal comma"),
        (text("|").encode(), "table.txt", "separated by bars"),
        (text(" ").encode(), "table.txt", "separated by blanks"),
        (("sep=;\r\n" + text(";", ",", "\r\n")).encode(), "table.csv", "decimal comma"),
        (gzip.compress(text().encode()), "table.csv.gz", ""),
        (gzip.compress(text("\t").encode()), "table.csv", "separated by tabs"),
        (bz2.compress(text().encode()), "table.csv.bz2", ""),
        (lzma.compress(text().encode()), "table.tsv.xz", ""),
        (text().encode() + b"\n\n", "table.csv", ""),
        (text().replace(",", " , ").encode(), "table.csv", "Blanks around text"),
    ],
)
def test_every_way_of_writing_the_same_table(tmp_path, content, name, said):
    frame = read_table(write(tmp_path, content, name))
    padding = 1 if content.startswith(b"sep=") else 0
    expected = TABLE.set_axis(TABLE.index + padding)
    pd.testing.assert_frame_equal(frame, expected, check_dtype=False, check_index_type=False)
    assert [frame[column].dtype.kind for column in ("n", "time", "f2")] == ["i", "f", "f"]
    assert said in notes(frame)
    assert "code holds codes that a number would lose ('00', '01', '10')" in notes(frame)


@pytest.mark.parametrize("name", ["table.xlsx", "table.sav", "table.dta", "table.parquet", "no_name.csv"])
def test_files_of_other_programs(tmp_path, name):
    path = tmp_path / name
    if name == "table.xlsx":
        pytest.importorskip("openpyxl")
        with pd.ExcelWriter(path) as book:
            TABLE.to_excel(book, sheet_name="words", index=False)
            TABLE.iloc[:1].to_excel(book, sheet_name="more", index=False)
        assert len(read_table(path, sheet="more")) == 1
        with pytest.raises(ArgumentError, match="'words', 'more'"):
            read_table(path, sheet="less")
    elif name == "table.sav":
        pyreadstat = pytest.importorskip("pyreadstat")
        # SPSS knows the word behind a number.
        coded = TABLE.assign(speaker=[2, 1, 1], n=[1.0, 2.0, 3.0])
        labels = {"speaker": {1: "S1", 2: "S0"}, "n": {1: "least"}}
        pyreadstat.write_sav(coded, path, variable_value_labels=labels)
    elif name == "table.dta":
        TABLE.assign(speaker=pd.Categorical(TABLE["speaker"], ["S1", "S0"])).rename(columns={"wörd": "word"}).to_stata(
            path, write_index=False, version=118
        )
    else:
        TABLE.to_parquet(path)
    frame = read_table(path).rename(columns={"word": "wörd"})
    first = 2 if name in ("table.xlsx",) else 1
    if name.endswith(("parquet", "csv")):
        first = 2  # a table of pandas keeps its index
    assert list(frame.index) == [first, first + 1, first + 2]
    for column in COLUMNS:
        assert (
            frame[column].astype(str).str.removesuffix(".0").to_list()
            == TABLE[column].astype(str).str.removesuffix(".0").to_list()
        )
    if name.endswith(("sav", "dta")):
        assert list(frame["speaker"].cat.categories) == ["S1", "S0"]
        assert not frame["speaker"].cat.ordered
    if name.endswith("sav"):
        assert "n keeps its values" in notes(frame)
    if name.endswith("xlsx"):
        assert "The first of 2 sheets is read: words (the others: more)" in notes(frame)


def test_excel_with_text_among_numbers(tmp_path):
    pytest.importorskip("openpyxl")
    path = tmp_path / "table.xlsx"
    cells = {"f2": [1.5, ".", 2.5], "code": ["00", "01", "10"], "word": ["a", None, "b"], "n": [1, 2, 3]}
    pd.DataFrame(cells).to_excel(path, index=False)
    frame = read_table(path)
    np.testing.assert_array_equal(frame["f2"], [1.5, np.nan, 2.5])
    assert frame["code"].to_list() == ["00", "01", "10"]
    assert frame["word"].isna().to_list() == [False, True, False]
    assert frame["n"].dtype.kind == "i"
    assert "'.' is taken as missing: 1 in f2" in notes(frame)


@pytest.mark.parametrize(
    ("cells", "missing", "kept"),
    [
        (["1.5", "NA", "2"], "NA", None),
        (["1.5", ".", "2"], ".", None),
        (["1.5", "--undefined--", "2"], "--undefined--", None),
        (["a", "--undefined--", "b"], "--undefined--", None),
        (["1.5", "nan", "2"], "nan", None),
        (["a", "NA", "b"], "NA", None),
        (["a", "nan", "b"], None, "nan"),
        (["a", ".", "b"], None, "."),
        (["a", "NULL", "b"], None, "NULL"),
        (["a", "None", "null"], None, "None"),
        (["1", "2", "-"], None, "-"),
    ],
)
def test_missing_values(tmp_path, cells, missing, kept):
    frame = read_table(write(tmp_path, "\n".join(["x,y", *(f"{cell},1" for cell in cells)])))
    assert int(frame["x"].isna().sum()) == (missing is not None)
    if missing is not None:
        assert f"{missing!r} is taken as missing: 1 in x." in notes(frame)
    else:
        assert kept in frame["x"].to_list()
        assert notes(frame) == ""


def test_a_mark_of_numbers_is_one_in_text_too(tmp_path):
    frame = read_table(write(tmp_path, "word,f2\na,1\n.,2\nb,.\n"))
    assert frame["word"].isna().to_list() == [False, True, False]
    assert "'.' is taken as missing: 1 in word, 1 in f2." in notes(frame)


def test_missing_values_can_be_said(tmp_path):
    path = write(tmp_path, "speaker,f2\nNA,1\nJB,-99\n")
    assert read_table(path, missing=[])["speaker"].to_list() == ["NA", "JB"]
    frame = read_table(path, missing=["-99"])
    assert frame["speaker"].to_list() == ["NA", "JB"]
    assert frame["f2"].isna().to_list() == [False, True]


@pytest.mark.parametrize("codes", [["00", "01", "10"], ["007", "12", "3"], ["1", "2", "12345678901234567890"]])
def test_codes_stay_text(tmp_path, codes):
    path = write(tmp_path, "\n".join(["code", *codes]))
    assert read_table(path)["code"].to_list() == codes
    assert read_table(path, numeric=["code"])["code"].dtype.kind in "if"


@pytest.mark.parametrize("cells", [["0", "1"], ["0.5", "-0.25"], ["0", "0.0"], ["+1", "1e-3"], ["Inf", "-inf"]])
def test_numbers_that_begin_with_zero(tmp_path, cells):
    frame = read_table(write(tmp_path, "\n".join(["x", *cells])))
    np.testing.assert_array_equal(frame["x"], [float(cell) for cell in cells])


@pytest.mark.parametrize(
    "content",
    [
        "a;b\n1,5;0.5\n2,5;1.5\n",  # a point and a comma: which is the decimal sign?
        'a,b\n"1,5",2\n"2,5",3\n',  # commas separate cells already
        "a;b\n1,5;2\nx;3\n",  # not a column of numbers
    ],
)
def test_no_decimal_comma_where_it_is_not_clear(tmp_path, content):
    frame = read_table(write(tmp_path, content))
    assert frame["a"].to_list()[0] == "1,5"
    assert frame["b"].dtype.kind in "if"


def test_what_the_user_says_goes(tmp_path):
    path = write(tmp_path, 'a,b\n"1,5",2\n"2,5",3\n', encoding="latin-1")
    assert read_table(path, decimal=",")["a"].to_list() == [1.5, 2.5]
    path = write(tmp_path, "a;b,c\n1;2,3\n")
    assert list(read_table(path, separator=",").columns) == ["a;b", "c"]
    mac = write(tmp_path, "Wört\nja\n".encode("mac_roman"))
    assert list(read_table(mac, encoding="mac_roman").columns) == ["Wört"]
    with pytest.raises(ArgumentError, match="decimal"):
        read_table(path, decimal=";")
    with pytest.raises(DataError, match="row 2 holds 'ja'"):
        read_table(mac, encoding="mac_roman", numeric=["Wört"])


def test_names_of_rows(tmp_path):
    written = read_table(write(tmp_path, ',x\n"1",5\n"2",6\n'))
    assert list(written.columns) == ["x"]
    assert "names of rows" in notes(written)
    by_r = read_table(write(tmp_path, '"x" "word"\n"1" 5 "a b"\n"2" 6 "c"\n', "table.txt"))
    assert list(by_r.columns) == ["x", "word"]
    assert by_r["word"].to_list() == ["a b", "c"]


def test_rows_are_counted_as_in_the_file(tmp_path):
    frame = read_table(write(tmp_path, "x,y\n1,2\n\n,\n3,4\n"))
    assert list(frame.index) == [2, 5]
    assert "2 empty rows were left out" in notes(frame)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it is empty"),
        (b"x,y\n1,2\n1,2,3\n", "row 3 has 3 cells, but the header has 2"),
        (b"x,y\n1,2\n1\n", "row 3 has 1 cells"),
        (b"x,y\n\x00\x01,1\n", "characters that no text has"),
        (b"\x1f\x8b\x08\x00broken", "cannot be read"),
        (b"PAR1 no parquet", "cannot be read"),
        (b"PK\x03\x04 no book", "cannot be read"),
    ],
)
def test_damaged_files(tmp_path, content, problem):
    with pytest.raises(DataError, match=problem):
        read_table(write(tmp_path, content))


def test_names_that_say_nothing(tmp_path):
    with pytest.raises(DataError, match="no file"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(ArgumentError, match=r"must end in \.csv"):
        read_table(write(tmp_path, "x\n1\n", "table.doc"))
    with pytest.raises(ArgumentError, match="save it as"):
        read_table(write(tmp_path, b"\xd0\xcf\x11\xe0", "table.xls"))


def test_names_of_columns_that_are_there_twice(tmp_path):
    frame = read_table(write(tmp_path, "x,x\n1,2\n"))
    assert list(frame.columns) == ["x", "x.1"]
    assert "more than once" in notes(frame)


def test_a_slip_among_numbers_is_noted(tmp_path):
    cells = [*(str(number / 7) for number in range(40)), "x"]
    frame = read_table(write(tmp_path, "\n".join(["base", *cells])))
    assert "base is text, since row 42 holds 'x' where 40 cells are numbers" in notes(frame)


@pytest.mark.parametrize(
    ("content", "columns", "first"),
    [
        ("f2\n1500\n1600\n", ["f2"], [1500]),
        ("sentence\na cat\na dog\none\n", ["sentence"], ["a cat"]),
        ("word,f2\na;b,1\nc;d,2\n", ["word", "f2"], ["a;b", 1]),
        ("word,f2\na b,1\nc d,2\n", ["word", "f2"], ["a b", 1]),
        ("word,f2\na,1,\nb,2,\n", ["word", "f2"], ["a", 1]),
        ("word,f2\na,1\n   \nb,2\n", ["word", "f2"], ["a", 1]),
        ("\n\nword,f2\na,1\nb,2\n", ["word", "f2"], ["a", 1]),
        ("word,f2\na,1\nb,2\n\x1a", ["word", "f2"], ["a", 1]),
        ("a,a.1,a\n1,2,3\n4,5,6\n", ["a", "a.1", "a.2"], [1, 2, 3]),
        ('"word","f2"\n"1","a",5\n"2","b",6\n', ["word", "f2"], ["a", 5]),
    ],
)
def test_cells_stand_under_their_own_header(tmp_path, content, columns, first):
    found = read_table(write(tmp_path, content))

    assert list(found.columns) == columns
    assert found.iloc[0].tolist() == first


@pytest.mark.parametrize(
    "content",
    [
        "f2\n1,5\n2,5\n",
        "word,f2\nask,1,5\nask,2,5\ndark,3,5\n",
        "token,f2\nt1,1,5\nt2,2,5\n",
        "word,time,f2\nask,0,1,1543\nask,0,2,1550\n",
    ],
)
def test_decimal_commas_between_commas_are_no_other_columns(tmp_path, content):
    with pytest.raises(DataError, match=r"has 1|decimal commas, separate the cells by semicolons"):
        read_table(write(tmp_path, content))


def test_long_numbers_keep_their_last_digits_beside_missing_ones(tmp_path):
    found = read_table(write(tmp_path, "id,f2\n12345678901234567,1\nNA,2\n12345678901234568,3\n"))

    assert found["id"].dropna().tolist() == ["12345678901234567", "12345678901234568"]


@pytest.mark.parametrize("missing", ["-999", ["-999"], [-999]])
def test_one_mark_may_stand_for_missing(tmp_path, missing):
    found = read_table(write(tmp_path, "word,f2\n9,-999\n8,2\n"), missing=missing)

    assert found["word"].tolist() == [9, 8]
    assert found["f2"].isna().tolist() == [True, False]


def test_a_tab_may_be_written_as_in_the_shell(tmp_path):
    assert list(read_table(write(tmp_path, "a,b\tc\n1,5\t2\n"), separator=r"\t").columns) == ["a,b", "c"]


@pytest.mark.parametrize("separator", ["", ";;", r"\s+", '"'])
def test_a_separator_is_one_character(tmp_path, separator):
    with pytest.raises(ArgumentError, match="one character"):
        read_table(write(tmp_path, "word;;f2\na;;1\n"), separator=separator)
