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
from layerstats.errors import ArgumentError
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
    assert "Invalid value for --gaps" in fails(*arguments, "--order", "x", "--gaps", "none", "--out", tmp_path / "no")


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
        (
            ["--formula", "y ~ word", "--difference", "word:null,maybe", "--along", "x"],
            "Invalid level 'maybe' of 'word'",
        ),
        (["--formula", "y ~ word + x", "--difference", "x:0,1"], "--factor x makes a factor of it"),
        (
            ["--formula", "y ~ word + x", "--difference", "word:null,None", "--along", "x", "--at", "word=null"],
            "not compared",
        ),
        (["--formula", "y ~ x", "--rho", "high"], "--rho"),
        (["--formula", "y ~ x", "--rho", "auto"], "need to know what a series is"),
        (["--formula", "y ~ x", "--engine", "stan"], "Invalid value for --engine"),
        (["--formula", "y ~ x", "--method", "GCV"], "Invalid value for --method"),
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


@pytest.fixture
def fits(monkeypatch):
    """Count the fits."""
    from layerstats.stats import gamm as models

    counted = []
    whole = models.fit_many
    monkeypatch.setattr(models, "fit_many", lambda tasks, **rest: counted.append(tasks) or whole(tasks, **rest))
    return counted


BY_WORD = "y ~ word + s(x, by = word) + s(z, k = 4)"


@pytest.fixture(scope="module")
def with_z(table):
    data = pd.read_csv(table, keep_default_na=False).assign(z=np.random.default_rng(0).uniform(size=300), n=2)
    path = table.parent / "with_z.csv"
    data.to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--difference", "wrd:null,None"],
            "Invalid column 'wrd' in --difference 'wrd:null,None'. Did you mean 'word'?",
        ),
        (["--difference", "z:1,2"], "'z' in --difference 'z:1,2' holds numbers in this model"),
        (
            ["--difference", "word:nul,None"],
            "Invalid level 'nul' of 'word' in --difference 'word:nul,None'. Did you mean",
        ),
        (["--difference", "word:None,None"], "The levels to compare must differ"),
        (["--difference", "word:null,None"], "Say which covariate to go along: --along COLUMN."),
        (["--difference", "word:null,None", "--along", "zz"], "Invalid column 'zz' for --along. Did you mean 'z'?"),
        (["--difference", "word:null,None", "--along", "word"], "'word' is a factor, and curves run along numbers"),
        (["--difference", "word:null,None", "--along", "x", "--at", "z"], "Invalid value for --at. Write COL=value"),
        (["--difference", "word:null,None", "--along", "x", "--at", "z=high"], "'z' holds numbers, but got 'high'"),
        (["--difference", "word:null,None", "--along", "x", "--at", "n=1"], "Invalid column for --along or --at."),
    ],
)
def test_differences_are_checked_before_the_fit(with_z, tmp_path, fits, options, message):
    assert message in fails(with_z, "--formula", BY_WORD, "--out", tmp_path / "out", *options)
    assert not fits
    assert not (tmp_path / "out").exists()


def test_what_was_fitted_is_written_before_differences(with_z, tmp_path, monkeypatch):
    from layerstats.stats import gamm as models

    def broken(*arguments, **options):
        raise ArgumentError("not today")

    monkeypatch.setattr(models, "difference", broken)
    result = run(
        with_z, "--formula", BY_WORD, "--out", tmp_path / "a" / "out", "--difference", "word:null,None", "--along", "x"
    )
    assert result.exit_code == 2
    assert f"not today The model is written: {tmp_path / 'a' / 'out'}." in result.stderr
    assert {path.name for path in (tmp_path / "a" / "out").iterdir()} == {
        "parametric.csv",
        "smooths.csv",
        "glance.csv",
        "model.json",
    }


def test_a_fit_that_fails_leaves_no_folder(with_z, tmp_path):
    assert "for each of the 300 rows" in fails(
        with_z, "--formula", "y ~ s(z, bs='re')", "--factor", "z", "--out", tmp_path / "a" / "b"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--formula", "y ~ s(x) + s(x, group, bs='fs')"], "--factor group"),
        (["--formula", "y ~ s(x)", "--na", "drop"], "Invalid value for --na. Allowed values are 'error', 'omit'"),
        (["--formula", "gap ~ s(x)"], "--na omit leaves out"),
        (["--formula", "y ~ s(x)", "--rho", "2"], "Invalid value for --rho"),
        (["--formula", "y ~ s(x)", "--rho", "auto"], "Give --series (the columns"),
        (
            ["--formula", "y ~ s(x)", "--series", "token"],
            "--series and --order belong together, but --order is missing",
        ),
        (
            ["--formula", "y ~ s(x)", "--series", "toke", "--order", "x"],
            "Column 'toke' is not in the data (named in --series",
        ),
        (["--formula", "y ~ s(x)", "--numeric", "word"], "Column 'word' must hold numbers, but row 2 holds"),
    ],
)
def test_messages_are_in_the_words_of_the_shell(table, tmp_path, options, message):
    data = pd.read_csv(table, keep_default_na=False)
    data["group"], data["gap"] = data["token"] % 4, data["y"].mask(data.index == 5)
    data.to_csv(tmp_path / "table.csv", index=False)
    assert message in fails(tmp_path / "table.csv", "--out", tmp_path / "out", *options)


def test_notes_are_in_the_words_of_the_shell(with_z, tmp_path):
    result = run(with_z, "--formula", "y ~ s(x) + s(token, bs='re')", "--out", tmp_path / "out")
    assert "s(token) is one random slope along token" in " ".join(result.stdout.split())
    assert "--factor token makes levels of them" in " ".join(result.stdout.split())


def test_all_notes_of_differences_are_shown(with_z, tmp_path):
    data = pd.read_csv(with_z, keep_default_na=False)
    data["is_null"] = (data["word"] == "null").astype(int)
    data.to_csv(tmp_path / "table.csv", index=False)
    formula = "y ~ word + s(x) + s(x, by = is_null) + s(z, k = 4)"
    arguments = ["--difference", "word:null,None", "--along", "x", "--at", "z=0.25"]
    result = run(tmp_path / "table.csv", "--formula", formula, "--out", tmp_path / "out", *arguments)
    assert result.exit_code == 0, result.output
    assert "Note: is_null follows word: 1 at null, 0 at None." in result.stdout
    assert pd.read_csv(tmp_path / "out" / "difference.csv")["diff"].abs().max() > 0.5
    held = run(tmp_path / "table.csv", "--formula", formula, "--out", tmp_path / "out", *arguments[:-2])
    assert "Note: z is held at" in held.stdout


def test_levels_with_commas_and_colons(table, tmp_path):
    data = pd.read_csv(table, keep_default_na=False)
    data["word"] = data["word"].map({"null": "x:y, z", "None": "ask"})
    data.to_csv(tmp_path / "table.csv", index=False)
    arguments = [tmp_path / "table.csv", "--formula", "y ~ word + s(x, by = word)", "--engine", "structured"]
    for number, text in enumerate(["word:x:y, z,ask", 'word:"x:y, z",ask', "word: ask , x:y, z"]):
        result = run(*arguments, "--difference", text, "--factor", 'word="x:y, z",ask', "--out", tmp_path / str(number))
        assert result.exit_code == 0, result.output
    found = [pd.read_csv(tmp_path / str(number) / "difference.csv")["diff"].to_numpy() for number in range(3)]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], -found[2])


def test_tables_as_people_have_them(table, tmp_path):
    """The same fit from a German spreadsheet with codes and gaps, and from verify's reading of the same file."""
    data = pd.read_csv(table, keep_default_na=False)
    data["code"] = np.where(data["word"] == "null", "01", "00")
    data["wörd"] = data["word"]
    formula = "y ~ code + s(x, by = code)"
    data.drop(index=[3, 40]).to_csv(tmp_path / "plain.csv", index=False)
    text = data.assign(
        y=data["y"].map("{:.17g}".format).str.replace(".", ","), x=data["x"].astype(str).str.replace(".", ",")
    )
    text.loc[[3, 40], "y"] = "--undefined--"
    text.to_csv(tmp_path / "german.csv", sep=";", index=False, encoding="latin-1")
    plain = run(tmp_path / "plain.csv", "--formula", formula, "--engine", "structured", "--out", tmp_path / "plain")
    assert plain.exit_code == 0, plain.output
    arguments = [tmp_path / "german.csv", "--formula", formula, "--engine", "structured"]
    assert "(2 of 300 rows, first at row 5)" in fails(*arguments, "--out", tmp_path / "german")
    german = run(*arguments, "--na", "omit", "--out", tmp_path / "german")
    assert german.exit_code == 0, german.output
    said = " ".join(german.stdout.split())
    for note in ("separated by semicolons", "decimal comma", "Latin-1", "2 in y", "2 of 300 rows with missing values"):
        assert note in said
    for name in ("parametric.csv", "smooths.csv"):
        assert (tmp_path / "german" / name).read_text() == (tmp_path / "plain" / name).read_text()


def test_what_was_said_of_the_table_is_stored(table, tmp_path):
    from layerstats.cli.stored_models import read_stored_models

    path = tmp_path / "table.csv"
    path.write_text(table.read_text().replace("null", "NA"))
    arguments = [path, "--formula", "y ~ word + s(x)", "--engine", "pygam", "--out", tmp_path / "out"]
    assert "--na omit" in fails(*arguments)
    result = run(*arguments, "--missing", "", "--separator", ",")
    assert result.exit_code == 0, result.output
    (stored,) = read_stored_models(tmp_path / "out")
    assert stored.reading == {"missing": [], "separator": ","}
    assert "na" not in stored.options


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


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--knots", "x"], "Invalid value for --knots. Write COL=number,number,..., but got 'x'."),
        (["--knots", "x=0,one"], "Invalid value for --knots. Write COL=number,number,..., but got 'x=0,one'."),
        (["--weights", "nowhere"], "'nowhere'"),
        (["--family", "normal"], "--family"),
        (["--function", "gamm4"], "--function"),
        (["--discrete", "--engine", "structured"], "it does not discretise covariates (--discrete)"),
        (["--family", "binomial"], "A binomial response must be between 0 and 1"),
    ],
)
def test_how_the_response_is_taken_is_checked_in_one_line(table, tmp_path, options, line):
    assert line in fails(table, "--formula", "y ~ s(x)", "--out", tmp_path / "out", *options)
    assert not (tmp_path / "out").exists()


def test_a_binomial_response_with_trials(table, tmp_path):
    frame = pd.read_csv(table).assign(high=lambda rows: (rows["y"] > 1).astype(float), trials=2)
    frame.to_csv(tmp_path / "table.csv", index=False)
    options = ["--family", "binomial", "--weights", "trials", "--engine", "structured"]
    result = run(tmp_path / "table.csv", "--formula", "high ~ s(x)", "--out", tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    expected = fit("high ~ s(x)", frame, family="binomial", weights="trials", engine="structured").parametric
    written = pd.read_csv(tmp_path / "out" / "parametric.csv")
    np.testing.assert_allclose(written["estimate"], expected["estimate"], rtol=1e-12)
