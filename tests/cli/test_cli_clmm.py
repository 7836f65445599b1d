"""`layerstats clmm`: a table of ratings in, tables of a mixed model out; bad input is one line and exit code 2."""

import json

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from layerstats.cli.clmm import clmm

app = typer.Typer()
app.command()(clmm)
FORMULA = "rating ~ temp + contact + (1 | judge)"
RATINGS = "23344455 12132354 23325544 32323253 23433333 32322454 11222323 22233334 12323244"


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def fails(*arguments):
    """Return the one line that a failing run writes to stderr."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    lines = result.stderr.strip().split("\n")
    assert len(lines) == 1
    return lines[0]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rows = [
        (int(rating), "warm" if place >= 4 else "cold", "yes" if place % 4 >= 2 else "no", f"judge {number}", place)
        for number, ratings in enumerate(RATINGS.split())
        for place, rating in enumerate(ratings)
    ]
    path = tmp_path_factory.mktemp("clmm") / "wine.csv"
    pd.DataFrame(rows, columns=["rating", "temp", "contact", "judge", "place"]).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def written(table, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "new" / "folder"
    arguments = ["--formula", FORMULA, "--out", out, "--means", "temp", "--contrasts", "temp,contact"]
    arguments += ["--pair", "warm, no : cold, no", "--at", "mean", "--margin", "2"]
    return run(table, *arguments), out


def test_it_writes_the_tables_of_the_model(written):
    result, out = written
    assert result.exit_code == 0, result.output
    headers = {path.name: path.read_text().split("\n")[0] for path in out.glob("*.csv")}
    wald = "term,estimate,std_error,statistic,p_value"
    contrasts = "contrast,level_1,level_2,at,estimate,std_error,statistic,conf_low,conf_high,conf_level,p_value,"
    assert headers == {
        "coefficients.csv": wald,
        "thresholds.csv": wald,
        "random.csv": "group,term,std_dev,levels",
        "glance.csv": "log_lik,aic,bic,df,nobs,link,threshold,approximation,categories,max_gradient,"
        "condition_number,iterations,engine",
        "means.csv": "temp,estimate,std_error,conf_low,conf_high,conf_level",
        "probabilities.csv": "temp,category,estimate,std_error,conf_low,conf_high,conf_level",
        "contrasts.csv": contrasts + "p_adjusted,adjust_method,family,tests,equivalence_margin,p_equivalence,"
        "p_equivalence_adjusted",
    }
    assert "Averaged over the levels of contact" in result.stdout


def test_numbers_are_those_of_ordinal(written):
    _, out = written
    coefficients = pd.read_csv(out / "coefficients.csv")
    np.testing.assert_allclose(coefficients["estimate"], [3.0630, 1.8349], atol=2e-4)
    np.testing.assert_allclose(pd.read_csv(out / "means.csv")["estimate"], [2.353, 3.484], atol=5e-4)
    assert pd.read_csv(out / "contrasts.csv")["contrast"].tolist() == ["warm, no - cold, no"]


def test_links_thresholds_levels_and_slopes(table, tmp_path):
    out = tmp_path / "out"
    arguments = ["--formula", "rating ~ temp + (1 + temp | judge)", "--out", out, "--link", "probit"]
    arguments += [
        "--threshold",
        "equidistant",
        "--levels",
        "temp=warm,cold",
        "--contrasts",
        "temp",
        "--reference",
        "warm",
    ]
    result = run(table, *arguments)
    assert result.exit_code == 0, result.output
    assert pd.read_csv(out / "coefficients.csv")["term"].tolist() == ["tempcold"]
    assert pd.read_csv(out / "thresholds.csv")["term"].tolist() == ["threshold.1", "spacing"]
    assert pd.read_csv(out / "correlations.csv").shape == (1, 4)
    assert pd.read_csv(out / "contrasts.csv")["contrast"].tolist() == ["cold - warm"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--formula", "rating ~ hot + (1 | judge)"], "'hot'"),
        (["--formula", "rating ~ __import__('os') + (1 | judge)"], "layerstats:"),
        (["--formula", FORMULA, "--link", "cauchit"], "--link"),
        (["--formula", FORMULA, "--engine", "brms"], "--engine"),
        (["--formula", "temp ~ contact + (1 | judge)"], "--levels temp=LOWEST,...,HIGHEST"),
        (["--formula", FORMULA, "--pair", "warm:cold"], "--contrasts"),
        (["--formula", FORMULA, "--contrasts", "temp", "--pair", "warm"], "--pair"),
        (["--formula", FORMULA, "--contrasts", "temp", "--margin", "1"], "--at mean"),
        (["--formula", FORMULA, "--means", "judge"], "'judge' is no part of the model"),
        (["--formula", "rating ~ contact + place + (1 | judge)", "--means", "place"], "has no levels: name factors."),
    ],
)
def test_bad_input_is_one_line(table, tmp_path, arguments, words):
    assert words in fails(table, *arguments, "--out", tmp_path)


def test_no_table_holds_a_formula(table, tmp_path):
    renamed = pd.read_csv(table).replace({"temp": {"warm": "=1+1"}})
    renamed.to_csv(tmp_path / "given.csv", index=False)
    result = run(tmp_path / "given.csv", "--formula", FORMULA, "--out", tmp_path, "--means", "temp")
    assert result.exit_code == 0, result.output
    assert pd.read_csv(tmp_path / "means.csv")["temp"].tolist() == ["'=1+1", "cold"]


def test_a_table_that_is_not_there(tmp_path):
    assert "nothing.csv" in fails(tmp_path / "nothing.csv", "--formula", FORMULA, "--out", tmp_path)


def page_of(out):
    """Return the entries of a page, by name; every file of them is there."""
    assert (out / "index.html").exists()
    found = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["entries"]
    assert all((out / file).stat().st_size > 0 for entry in found for file in entry["files"].values())
    return {entry["name"]: entry for entry in found}


def test_figures_on_a_page(table, tmp_path):
    asked = ["--means", "temp,contact", "--contrasts", "temp", "--at", "mean", "--margin", "2"]
    result = run(table, "--formula", FORMULA, "--out", tmp_path / "drawn", *asked, "--plot")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == str(tmp_path / "drawn" / "index.html")
    found = page_of(tmp_path / "drawn")
    assert {"means_figure", "probabilities_figure", "contrasts_figure", "coefficients", "random"} <= found.keys()
    # Tables are those that are written without it.
    assert run(table, "--formula", FORMULA, "--out", tmp_path / "plain", *asked).exit_code == 0
    plain = sorted(path.name for path in (tmp_path / "plain").iterdir())
    assert plain == sorted(path.name for path in (tmp_path / "drawn").glob("*.csv"))
    for name in plain:
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "drawn" / name).read_bytes()


@pytest.mark.parametrize("name", ["estimate", "category", "conf_low"])
def test_a_factor_that_is_called_as_a_result_is_refused(table, tmp_path, name):
    """Means would stand where its levels were."""
    pd.read_csv(table).rename(columns={"temp": name}).to_csv(tmp_path / "own.csv", index=False)
    options = ["--formula", f"rating ~ {name} + (1 | judge)", "--out", tmp_path / "out", "--means", name]
    assert f"The column '{name}' of the data is called as a column" in fails(tmp_path / "own.csv", *options)


def test_categories_that_are_words(table, tmp_path):
    words = pd.read_csv(table).assign(rating=lambda frame: np.where(frame["rating"] > 3, "yes", "no"))
    words.to_csv(tmp_path / "words.csv", index=False)
    options = ["--levels", "rating=no,yes", "--means", "temp", "--plot"]
    result = run(tmp_path / "words.csv", "--formula", "rating ~ temp + (1 | judge)", "--out", tmp_path, *options)
    assert result.exit_code == 0, result.output
    found = page_of(tmp_path)
    assert found["means_figure"]["title"] == "Probability of yes: temp"
    assert "probabilities_figure" not in found
    assert "drawn where these are numbers" in found["notes"]["caption"]


def test_means_of_another_model_do_not_stay_on_the_page(table, tmp_path):
    for formula, *asked in ((FORMULA, "--means", "temp"), ("rating ~ contact + (1 | judge)", "--contrasts", "contact")):
        assert run(table, "--formula", formula, "--out", tmp_path, *asked, "--plot").exit_code == 0
    assert {"contrasts", "contrasts_figure"} < page_of(tmp_path).keys()
    assert "means" not in page_of(tmp_path)


def test_figures_of_nothing_are_refused_before_the_fit(table, tmp_path):
    assert "--means or --contrasts" in fails(table, "--formula", FORMULA, "--out", tmp_path / "none", "--plot")
    assert not (tmp_path / "none").exists()
