"""`layerstats gamm`: any table in, tables with the glossary's columns out; bad input is one line and exit code 2."""

import gzip
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from layerstats.cli.gamm import gamm
from layerstats.stats.gamm import fit

FORMULA = "y ~ word_ordered + s(x) + s(x, by = word_ordered)"
app = typer.Typer()
app.command()(gamm)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    generator = np.random.default_rng(0)
    x = np.tile(np.linspace(0, 1, 15), 20)
    word = np.repeat(["null", "None"], 150)
    frame = pd.DataFrame({"token": np.repeat(np.arange(20), 15), "word": word, "x": x})
    frame["y"] = np.cos(x) + (word == "null") * (0.5 + np.sin(5 * x)) + generator.normal(0, 0.2, 300)
    path = tmp_path_factory.mktemp("gamm") / "table.csv"
    frame.to_csv(path, index=False)
    return path


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def fails(*arguments):
    """Return the one line that a failing run writes to stderr."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    lines = result.stderr.strip().split("\n")
    assert len(lines) == 1
    return lines[0]


@pytest.fixture(scope="module")
def written(table, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "new" / "folder"
    arguments = [table, "--formula", FORMULA, "--engine", "pygam", "--out", out, "--ordered", "word_ordered=word:None"]
    arguments += ["--series", "token", "--order", "x", "--difference", "word:null,None"]
    return run(*arguments), out


def test_it_writes_the_glossarys_columns(written):
    result, out = written
    assert result.exit_code == 0, result.output
    headers = {path.name: path.read_text().split("\n")[0] for path in out.glob("*.csv")}
    assert headers == {
        "parametric.csv": "term,estimate,std_error,statistic,p_value,conf_low,conf_high",
        "smooths.csv": "term,edf,ref_df,statistic,p_value",
        "glance.csv": "nobs,df,df_residual,log_lik,aic,bic,deviance,deviance_explained,adj_r_squared,scale,score,"
        "method,rho",
        "difference.csv": "smooth,level_1,level_2,x,diff,std_error,conf_low,conf_high,interval,conf_level",
        "regions.csv": "level_1,level_2,start,end,sign,interval,conf_level",
    }


def test_gaps_in_time(table, tmp_path):
    gappy = pd.read_csv(table).drop(index=range(5, 300, 15))
    path = tmp_path / "gappy.csv"
    gappy.to_csv(path, index=False)
    arguments = [path, "--formula", "y ~ s(x)", "--engine", "structured", "--rho", "0.4", "--series", "token"]
    found = run(*arguments, "--order", "x", "--gaps", "time", "--out", tmp_path / "out")
    assert found.exit_code == 0, found.output
    assert "20 gaps are longer than one step, the longest 2" in found.stdout
    assert "'gaps' parameter" in fails(*arguments, "--order", "x", "--gaps", "none", "--out", tmp_path / "no")


def test_it_says_which_columns_became_factors(written):
    assert "Note: word is a factor with levels in sorted order: None, null." in written[0].stdout


def test_numbers_are_those_of_python_in_full(written, table):
    _, out = written
    data = pd.read_csv(table, keep_default_na=False)
    result = fit(FORMULA, data, engine="pygam", ordered={"word_ordered": ("word", "None")}, series="token", order="x")
    frame = pd.read_csv(out / "parametric.csv")
    np.testing.assert_allclose(frame["estimate"], result.parametric["estimate"], rtol=1e-14)


@pytest.mark.parametrize("kind", ["csv.gz", "parquet"])
def test_other_kinds_of_tables(kind, written, table, tmp_path):
    path = tmp_path / f"table.{kind}"
    if kind == "parquet":
        pd.read_csv(table, keep_default_na=False).to_parquet(path)
    else:
        path.write_bytes(gzip.compress(table.read_bytes()))
    arguments = ["--formula", FORMULA, "--engine", "pygam", "--ordered", "word_ordered=word:None"]
    result = run(path, *arguments, "--series", "token", "--order", "x", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    for name in ("parametric.csv", "smooths.csv"):
        assert (tmp_path / "out" / name).read_text() == (written[1] / name).read_text()
    assert not (tmp_path / "out" / "difference.csv").exists()


def test_levels_and_several_differences(table, tmp_path):
    arguments = ["--formula", "y ~ word + s(x, by = word) + s(z)", "--engine", "pygam", "--factor", "word=null,None"]
    data = pd.read_csv(table, keep_default_na=False).assign(z=np.random.default_rng(0).uniform(size=300))
    data.to_csv(tmp_path / "z.csv", index=False)
    arguments += ["--difference", "word:null,None", "--difference", "word:None,null", "--along", "x"]
    result = run(tmp_path / "z.csv", *arguments, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "wordNone" in (tmp_path / "out" / "parametric.csv").read_text()
    difference = pd.read_csv(tmp_path / "out" / "difference.csv", keep_default_na=False)
    assert list(difference.groupby(["level_1", "level_2"], sort=False).size()) == [100, 100]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--formula", "y ~ s(x) word"], "Expected '+' before the next term, but found 'word': y ~ s(x) <HERE> word"),
        (["--formula", "y ~ wrd"], "Did you mean 'word'?"),
        (["--formula", "y ~ s(x, k = 40)"], "'x' has 15 unique values"),
        (["--formula", "y ~ x", "--factor", "word=null"], "not among the levels"),
        (["--formula", "y ~ x", "--factor", "word="], "--factor"),
        (["--formula", "y ~ x", "--ordered", "new=word"], "--ordered"),
        (["--formula", "y ~ x", "--difference", "word:null"], "--difference"),
        (["--formula", "y ~ word", "--difference", "word:null,maybe", "--along", "x"], "'at'"),
        (["--formula", "y ~ x", "--rho", "high"], "--rho"),
        (["--formula", "y ~ x", "--rho", "auto"], "need to know what a series is"),
        (["--formula", "y ~ x", "--engine", "stan"], "'engine'"),
        (["--formula", "y ~ x", "--method", "GCV"], "'method'"),
        (["--formula", "y ~ s(token, bs = 're')", "--factor", "token", "--engine", "pygam"], "no random effects"),
    ],
)
def test_bad_requests(table, tmp_path, options, message):
    assert message in fails(table, "--engine", "pygam", "--out", tmp_path / "out", *options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.csv", None, "There is no file"),
        ("empty.csv", b"", "cannot be read as a table"),
        ("damaged.csv.gz", b"\x1f\x8b\x08\x00broken", "cannot be read as a table"),
        ("damaged.parquet", b"no parquet", "cannot be read as a table"),
        ("binary.csv", b"x,y\n\x00\xff\xfe\xfa,1\n", "cannot be read as a table"),
        ("table.doc", b"", "must end in .csv"),
        ("table.xlsx", b"no book", "cannot be read as a table"),
        ("header.csv", b"x,y\n", "no rows"),
        ("gap.csv", b"x,y\n1,2\n2,NA\n3,4\n", "'y'"),
    ],
)
def test_bad_tables(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert message in fails(tmp_path / name, "--formula", "y ~ x", "--engine", "pygam", "--out", tmp_path / "out")


def test_a_file_where_the_folder_should_be(table, tmp_path):
    (tmp_path / "out").write_text("")
    assert "exists" in fails(table, "--formula", "y ~ x", "--engine", "pygam", "--out", tmp_path / "out")


def test_import_is_light():
    code = (
        "import sys, layerstats.cli.gamm; "
        "print([name for name in ('numpy', 'pandas', 'torch', 'rpy2', 'pygam') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


def test_it_needs_no_torch(table, tmp_path):
    code = (
        "import sys; sys.modules['torch'] = None; from layerstats.cli.gamm import gamm; import pathlib; "
        f"gamm(pathlib.Path({str(table)!r}), 'y ~ s(x)', pathlib.Path({str(tmp_path / 'out')!r}), engine='pygam')"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert (tmp_path / "out" / "smooths.csv").exists()


@pytest.mark.r
@pytest.mark.realdata
def test_published_table(real_data, tmp_path):
    """Sóskuthy (2017), the model with a difference smooth."""
    formula = 'f2 ~ word.ord + s(measurement.no, bs="cr") + s(measurement.no, by=word.ord, bs="cr")'
    path = real_data("gamm", "soskuthy2017", "words_50.csv")
    arguments = ["--formula", formula, "--method", "ML", "--engine", "mgcv", "--ordered", "word.ord=word:A"]
    result = run(path, *arguments, "--out", tmp_path, "--difference", "word:B,A")
    assert result.exit_code == 0, result.output
    parametric, smooths = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("parametric", "smooths"))
    assert list(parametric["term"]) == ["(Intercept)", "word.ordB"]
    np.testing.assert_allclose(parametric["estimate"], [1885.149, -67.372], atol=6e-4)
    np.testing.assert_allclose(parametric["std_error"], [5.735, 8.110], atol=6e-4)
    assert parametric["p_value"].iloc[1] == pytest.approx(7.99e-16, rel=1e-3)
    np.testing.assert_allclose(smooths["edf"], [7.805, 1.040], atol=6e-4)
    assert smooths["p_value"].iloc[1] == pytest.approx(0.00098, abs=6e-6)
    assert (pd.read_csv(tmp_path / "regions.csv")["sign"] == "negative").all()
