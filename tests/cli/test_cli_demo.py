"""The main job, whole: on the built-in corpus and on real speech."""

from __future__ import annotations

import json
import runpy
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from layerstats.cli.main import app

# Seven minutes of one processor, of which another test may take half.
pytestmark = [pytest.mark.slow, pytest.mark.r, pytest.mark.timeout(1800)]

_DRIVEN = runpy.run_path(str(Path(__file__).parent.parent / "browser.py"))
# Of every table that is unfolded: how high its rows are, where adjusted p-values end, and what reads as an identifier.
READ_TABLES = """(() => {
  document.querySelectorAll("details:not(.choices)").forEach((each) => { each.open = true; });
  return JSON.stringify([...document.querySelectorAll(".content .scroll")].map((box) => {
    const edge = box.getBoundingClientRect().right + 1;
    const right = (cell) => cell.getBoundingClientRect().right;
    const named = [...box.querySelectorAll("thead th")].filter((cell) => /adjusted p/.test(cell.textContent));
    return {
      name: box.ariaLabel,
      highest: Math.max(0, ...[...box.querySelectorAll("tbody tr")].map((row) => row.offsetHeight)),
      hidden: named.filter((cell) => right(cell) > edge).map((cell) => cell.textContent.trim()),
      raw: [...box.querySelectorAll("td, th")].map((cell) => cell.textContent.trim()).filter((text) =>
        /\\b(random_direction|zero_steps|catch_missed|q_network|phone_class|[a-z]+_(fricative|stop)|phone_set\\w*)/.test(text)),
    };
  }));
})()"""

TABLES = (
    "words/parametric",
    "words/smooths",
    "words/difference",
    "phones/contrast",
    "interactions/column",
    "interactions/training",
    "relevance_contrasts/signed",
    "relevance_contrasts/absolute_untrained",
)


def run_demo(out, *arguments):
    result = CliRunner().invoke(app, ["demo", "--out", str(out), "--untrained", "2", *arguments])
    assert result.exit_code == 0, result.output
    return (out / "index.html").read_text()


def check_results(out, page):
    for name in TABLES:
        for suffix in ("csv", "tex", "html"):
            assert (out / f"{name}.{suffix}").stat().st_size > 0
    figures = list(out.glob("*/*.png"))
    assert len(figures) >= 10
    for figure in figures:
        assert figure.with_suffix(".svg").exists()
        assert f"{figure.parent.name}/{figure.name}" in page
    contrast = pd.read_csv(out / "phones" / "contrast.csv")
    assert list(contrast["layer"]) == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    assert contrast["joint_p_value"].between(0, 1).sum() >= 4
    sides = pd.read_csv(out / "interactions" / "column.csv")
    assert sides[["layer", "level_1", "level_2"]].to_numpy().tolist() == [["conv3", "F", "M"]]


def check_phone_layers(out, page):
    folder = out / "phone_layers"
    for name in ("abx", "abx_comparisons", "probe", "probe_comparisons", "similarity", "similarity_comparisons"):
        for suffix in ("csv", "tex", "html"):
            assert f"phone_layers/{name}.{suffix}" in page
            assert (folder / f"{name}.{suffix}").stat().st_size > 0
    # Each caption says whose phones they are; what stands beside it in words is what the figure draws.
    assert page.count("synthetic voices), 12 labels, beside 3 untrained networks") == 3
    assert "ABX error rate by Layer. 2 panels: within speakers, across speakers" in page
    gained = pd.read_csv(folder / "abx_comparisons.csv").set_index(["level_2", "abx_mode", "layer"]).sort_index()
    # Every layer tells phones apart better than random weights do, and what is learned goes from voice to voice.
    assert (gained.loc["untrained", "conf_high"] < 0).all()
    assert (gained.loc[("acoustics", "across"), "conf_high"] < 0).all()


def check_tables_as_read(out, folder):
    with _DRIVEN["Browser"](_DRIVEN["find_browser"](), folder) as browser:
        browser.open(out / "index.html")
        tables = json.loads(browser.evaluate(READ_TABLES))
    assert len(tables) > 80
    assert [table["name"] for table in tables if table["highest"] > 100] == []
    # A test against the direction named is the other side of the one that is adjusted.
    hidden = {table["name"]: [name for name in table["hidden"] if "Reduced" not in name] for table in tables}
    assert {name: columns for name, columns in hidden.items() if columns} == {}
    assert {table["name"]: table["raw"] for table in tables if table["raw"]} == {}


def test_demo_on_the_built_in_corpus(tmp_path, request):
    page = run_demo(tmp_path)
    check_results(tmp_path, page)
    check_phone_layers(tmp_path, page)
    if _DRIVEN["find_browser"]():
        check_tables_as_read(tmp_path, request.getfixturevalue("tmp_path_factory").mktemp("browser"))
    if shutil.which("pdflatex"):
        assert request.getfixturevalue("compile_latex")(sorted(tmp_path.glob("*/*.tex"))) == []
    parametric = pd.read_csv(tmp_path / "words" / "parametric.csv")
    assert set(parametric["layer"]) == {"conv1", "conv2", "conv3", "conv4", "conv5"}


@pytest.mark.realdata
def test_demo_on_timit(tmp_path, real_data):
    page = run_demo(tmp_path, "--corpus", f"timit:{real_data('timit')}")
    check_results(tmp_path, page)
