import json

import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError, FileError, LayerstatsError
from layerstats.plots import autocorrelation
from layerstats.report import Output


def frame():
    return pd.DataFrame({"term": ["s(x)"], "edf": [7.3]})


def figure():
    return autocorrelation(pd.DataFrame({"lag": [0, 1], "autocorrelation": [1.0, 0.2]}))


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def names(folder):
    return [entry["name"] for entry in manifest(folder)["entries"]]


def test_tables_figures_and_notes_are_written_and_listed_in_order(tmp_path):
    output = Output(tmp_path / "words", title="Words", provenance={"seed": 0})
    output.text("about", "About", "A note.")
    output.table(frame(), "smooths", "Smooth terms", "A caption.")
    output.figure(figure(), "acf", "Autocorrelation", "Of residuals.", width=3, height=2)
    folder = tmp_path / "words"
    assert sorted(path.name for path in folder.iterdir()) == [
        "acf.png", "acf.svg", "manifest.json", "smooths.csv", "smooths.html", "smooths.tex",
    ]  # fmt: skip
    listed = manifest(folder)
    assert listed["title"] == "Words"
    assert listed["provenance"] == {"seed": "0"}
    assert names(folder) == ["about", "smooths", "acf"]
    acf = listed["entries"][2]
    assert acf["files"] == {"png": "acf.png", "svg": "acf.svg"}
    said = "Points: Autocorrelation of residuals by Lag (samples). Falls from 1 at 0 to 0.2 at 1."
    assert acf["alt"] == f"Autocorrelation. {said}"
    assert acf["width"] == 3


def test_a_script_that_runs_again_replaces_its_results_by_name(tmp_path):
    for title in ("Old", "New"):
        output = Output(tmp_path, title="Words", provenance={"run": title})
        output.table(frame(), "first", f"{title} first")
        output.text("second", f"{title} second", "Text.")
    assert names(tmp_path) == ["first", "second"]
    assert [entry["title"] for entry in manifest(tmp_path)["entries"]] == ["New first", "New second"]
    assert manifest(tmp_path)["provenance"] == {"run": "New"}


@pytest.mark.parametrize("other", [{"title": "Phones"}, {"title": "Words", "provenance": {"store": "b.zarr"}}])
def test_results_of_another_analysis_leave_the_page(tmp_path, other):
    """What only the first made would be read as results of the second."""
    first = Output(tmp_path, title="Words", provenance={"store": "a.zarr"})
    first.text("only_a", "Of the first", "Text.")
    first.table(frame(), "both", "First")
    second = Output(tmp_path, **other)
    second.table(frame(), "both", "Second")
    assert names(tmp_path) == ["both"]
    assert (tmp_path / "both.csv").exists()


def test_a_second_output_adds_to_what_the_first_made(tmp_path):
    first, second = Output(tmp_path, title="Words"), Output(tmp_path)
    first.text("a", "A", "Text.")
    second.text("b", "B", "Text.")
    first.text("c", "C", "Text.")
    assert names(tmp_path) == ["a", "b", "c"]
    assert manifest(tmp_path)["title"] == "Words"


def test_a_regression_table_is_listed_like_another_table(tmp_path):
    parametric = pd.DataFrame(
        {"term": ["(Intercept)"], "estimate": [1.0], "std_error": [0.1], "statistic": [10.0], "p_value": [0.0]}
    )
    smooths = pd.DataFrame({"term": ["s(x)"], "edf": [7.3], "ref_df": [8.0], "statistic": [3.0], "p_value": [0.0]})
    Output(tmp_path).regression(parametric, smooths, "model", "The model")
    entry = manifest(tmp_path)["entries"][0]
    assert (entry["kind"], entry["rows"], entry["files"]["latex"]) == ("table", 2, "model.tex")


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "two words"])
def test_names_that_cannot_be_files(tmp_path, name):
    with pytest.raises(ArgumentError, match="'name'"):
        Output(tmp_path).table(frame(), name, "Title")


def test_a_refused_table_is_not_listed(tmp_path):
    output = Output(tmp_path)
    with pytest.raises(DataError, match="not in the glossary"):
        output.table(frame().rename(columns={"edf": "EDF"}), "smooths", "Title")
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ('{"schema": 1, "title": "x"}', "is damaged"),
        ('{"schema": 99, "title": "x", "entries": [], "provenance": {}}', "schema version 99"),
    ],
)
def test_a_damaged_manifest_is_named(tmp_path, text, message):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(LayerstatsError, match=rf"manifest\.json .*{message}|manifest\.json {message}"):
        Output(tmp_path)


def test_an_output_says_what_it_wrote(tmp_path):
    output = Output(tmp_path)
    assert str(output) == f"{tmp_path}: nothing was written"
    for name in ("a", "b", "b"):
        output.table(frame(), name, "A table")
    output.figure(figure(), "c", "A figure")
    assert str(output) == f"{tmp_path}: 2 tables, 1 figure"
    output.text("d", "A note", "Text.")
    assert str(output) == f"{tmp_path}: 2 tables, 1 figure, 1 note"
    assert str(Output(tmp_path)) == f"{tmp_path}: nothing was written"


def test_a_figure_does_not_take_the_place_of_a_table(tmp_path):
    output = Output(tmp_path)
    output.table(frame(), "channels", "A table")
    with pytest.raises(ArgumentError, match="'channels' is that of a table already"):
        output.figure(figure(), "channels", "A figure")
    assert names(tmp_path) == ["channels"]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(FileError, match=r"cannot be written \(Not a directory\)"):
        Output(tmp_path / "file" / "out")
