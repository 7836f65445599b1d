"""`layerstats gamm --plot`: figures and a page beside the tables, whatever the engine and the family."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from layerstats.cli.main import app

TABLES = {"parametric.csv", "smooths.csv", "glance.csv", "model.json"}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    generator = np.random.default_rng(0)
    x = np.tile(np.linspace(0, 1, 15), 20)
    word = np.repeat(["dark", "wash"], 150)
    frame = pd.DataFrame({"token": np.repeat(np.arange(20), 15), "word": word, "x": x})
    frame["z"] = generator.normal(size=300)
    frame["y"] = np.cos(x) + (word == "wash") * (0.5 + np.sin(5 * x)) + generator.normal(0, 0.2, 300)
    frame["right"] = (generator.uniform(size=300) < 0.3 + 0.4 * x).astype(int)
    path = tmp_path_factory.mktemp("plot") / "table.csv"
    frame.to_csv(path, index=False)
    return path


def run(table, out, formula, *options):
    result = CliRunner().invoke(app, ["gamm", str(table), "--formula", formula, "--out", str(out), *options])
    assert result.exit_code == 0, result.output
    return result.output


def entries(out):
    """Return the figures and texts of the page, by name; every file of a figure is there."""
    found = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["entries"]
    for entry in found:
        assert all((out / name).stat().st_size > 0 for name in entry["files"].values())
    return {entry["name"]: entry for entry in found}


def test_without_it_nothing_else_is_written(table, tmp_path):
    run(table, tmp_path, "y ~ s(x)")
    assert {path.name for path in tmp_path.iterdir()} == TABLES


@pytest.mark.parametrize("engine", ["structured", "pygam", pytest.param("mgcv", marks=pytest.mark.r)])
def test_every_engine(table, tmp_path, engine):
    said = run(table, tmp_path, "y ~ word + s(x, by = word)", "--engine", engine, "--plot")
    assert "Parametric coefficients" in said  # as R's summary
    assert said.splitlines()[-1] == str(tmp_path / "index.html")
    found = entries(tmp_path)
    assert {"smooth_x", "curves_x", "residuals", "k_check", "residual_checks"} <= found.keys()
    curves = pd.read_csv(tmp_path / "curves_x.csv")
    assert set(curves["word"]) == {"dark", "wash"}
    # What was simulated: the two differ by half at the beginning.
    begin = curves.loc[curves["x"] == 0].set_index("word")["fit"]
    assert begin["wash"] - begin["dark"] == pytest.approx(0.5, abs=0.25)
    assert {path.name for path in tmp_path.iterdir()} >= {*TABLES, "smooth_x.png", "smooth_x.svg"}
    assert "smooth_x.svg" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_differences_and_series(table, tmp_path):
    options = ["--ordered", "o=word:dark", "--difference", "word:wash,dark", "--rho", "auto", "--series", "token"]
    run(table, tmp_path, "y ~ word + s(x) + s(x, by = o)", *options, "--order", "x", "--plot")
    assert {"difference_curves", "difference", "regions", "autocorrelation", "smooth_x"} <= entries(tmp_path).keys()
    # The ordered copy is no factor of its own beside the word.
    assert "o" not in pd.read_csv(tmp_path / "curves_x.csv").columns


def test_a_response_of_two_values(table, tmp_path):
    run(table, tmp_path, "right ~ s(x)", "--family", "binomial", "--plot")
    assert {"smooth_x", "residuals"} <= entries(tmp_path).keys()


def test_surfaces_are_drawn_along_each_covariate_or_said_not_to_be(table, tmp_path):
    run(table, tmp_path, "y ~ te(x, z, k = 4)", "--plot")
    found = entries(tmp_path)
    drawn = {name for name in found if name.startswith("smooth_")}
    told = [note for note in ("The smooth of x", "The smooth of z") if note in (tmp_path / "index.html").read_text()]
    assert len(drawn) + len(told) == 2


def test_columns_that_are_called_as_ours_are_drawn_as_they_are(table, tmp_path):
    ours = pd.read_csv(table).rename(columns={"word": "layer", "x": "time_s", "y": "Höhe (Hz)"})
    ours.to_csv(tmp_path / "ours.csv", index=False)
    out = tmp_path / "out"
    options = ["--difference", "layer:wash,dark", "--plot"]
    run(tmp_path / "ours.csv", out, "`Höhe (Hz)` ~ layer + s(time_s, by = layer)", *options)
    assert {"smooth_time_s", "difference_curves"} <= entries(out).keys()
    # As they are: neither in ms, nor in the quotes of the formula.
    for name in ("smooth_time_s", "difference_curves"):
        drawn = (out / f"{name}.svg").read_text(encoding="utf-8")
        assert "time_s" in drawn
        assert "Time (ms)" not in drawn
        assert "`" not in drawn
    assert json.loads((out / "manifest.json").read_text(encoding="utf-8"))["title"] == "Höhe (Hz): ours.csv"


@pytest.mark.parametrize("engine", ["structured", pytest.param("mgcv", marks=pytest.mark.r)])
def test_levels_of_a_factor_in_backticks_have_a_curve_each(table, tmp_path, engine):
    pd.read_csv(table).rename(columns={"word": "my word"}).to_csv(tmp_path / "own.csv", index=False)
    run(tmp_path / "own.csv", tmp_path / "out", "y ~ `my word` + s(x, by = `my word`)", "--engine", engine, "--plot")
    assert set(pd.read_csv(tmp_path / "out" / "curves_x.csv")["my word"]) == {"dark", "wash"}


def test_a_curve_says_where_other_columns_are_held(table, tmp_path):
    run(table, tmp_path, "y ~ word + s(x)", "--plot")
    assert entries(tmp_path)["smooth_x"]["caption"].endswith("word is held at dark.")


def test_residuals_of_two_values_are_not_said_to_be_normal(table, tmp_path):
    run(table, tmp_path, "right ~ s(x)", "--family", "binomial", "--plot")
    assert "need not be normal" in entries(tmp_path)["residuals"]["caption"]


def test_help_names_what_is_written(table, tmp_path):
    said = CliRunner().invoke(app, ["gamm", "--help"]).output
    for name in ("smooth_COLUMN", "difference_curves", "autocorrelation", "residuals", "k_check"):
        assert name in said
