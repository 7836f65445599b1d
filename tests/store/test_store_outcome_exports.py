"""Outcomes and judgements of them for other programs: tables, netCDF, base R."""

import subprocess

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from outcome_recorder import CLASSES, STARTS, all_values, record
from recorder import record as record_layers
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.errors import DataError
from layerstats.resources import bundled
from layerstats.store import JudgementWriter, create_or_resume, open_store

RESPONSES = ["ö", "no", "ja"]
SCORES = np.random.default_rng(1).random((12, 3)).astype("float32")
SCORES[3] = np.nan
SAID = np.array(["no", "", "wä", *"abcdefghi"], dtype=object)
READERS = {"csv": lambda file: pd.read_csv(file, keep_default_na=False, na_values=[""]), "parquet": pd.read_parquet}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("exports") / "s.zarr"
    record(path)
    for judge, responses in (("n1", RESPONSES), ("people", None)):
        with JudgementWriter(path, "autoencoder.n0", judge, responses, key="k") as writer:
            for rows in writer.missing():
                writer.write(rows, {"score": SCORES[rows]} if responses else {"response": SAID[rows]})
            writer.finish()
    return path


def outcomes_frame():
    values = all_values()
    columns = {name: values[name] for name in ("steps", "stalled", "displacement", "displacement_heard")}
    columns |= {name: values[name] for name in ("objective_before", "objective_after")}
    for when in ("before", "after"):
        columns |= {f"scores_{when}_{word}": values[f"scores_{when}"][:, i] for i, word in enumerate(CLASSES)}
    return STARTS.assign(**columns, noted=values["noted"])


def scored_frame():
    heard = {"start": np.repeat(STARTS["start"], 3).to_numpy(), "judge": "n1", "response": np.tile(RESPONSES, 12)}
    return pd.DataFrame({"outcomes": "autoencoder.n0", **heard, "score": SCORES.ravel()})


def said_frame():
    heard = {"start": STARTS["start"], "judge": "people", "response": np.where(SAID == "", None, SAID)}
    return pd.DataFrame({"outcomes": "autoencoder.n0", **heard, "score": np.nan})


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_tables_have_a_row_a_start_and_a_row_a_response(path, tmp_path, to):
    files = open_store(path).export(tmp_path / "out", to=to)
    names = [
        "tokens",
        "phones",
        "outcomes_autoencoder.n0",
        *(f"judgements_autoencoder.n0.{j}" for j in ("n1", "people")),
    ]
    assert [file.name for file in files] == [f"{name}.{to}" for name in names]
    wanted = [outcomes_frame(), scored_frame(), said_frame()]
    for file, frame in zip(files[2:], wanted, strict=True):
        read = READERS[to](file)
        # CSV has one word for empty and missing text.
        text = [name for name in ("token", "noted", "response") if name in read]
        read, frame = (table.assign(**table[text].astype(object).fillna("")) for table in (read, frame))
        pd.testing.assert_frame_equal(read, frame, check_dtype=False, check_exact=to == "parquet")


def test_the_command_exports_a_store_of_outcomes_alone(path, tmp_path):
    result = CliRunner().invoke(app, ["export", str(path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "outcomes_autoencoder.n0.csv" in result.output
    told = CliRunner().invoke(app, ["info", str(path)]).output
    assert "autoencoder.n0 people" in " ".join(told.split())
    assert "log_probability" in told
    assert "nothing is damaged" in CliRunner().invoke(app, ["info", str(path), "--check"]).output
    create_or_resume(tmp_path / "empty.zarr", pd.DataFrame({"token": ["a"], "word": "b", "speaker": "c", "split": "d"}))
    with pytest.raises(DataError, match="nothing to export"):
        open_store(tmp_path / "empty.zarr").export(tmp_path / "none")


def test_netcdf_has_all_arrays(path, tmp_path):
    (file,) = open_store(path).export(tmp_path / "out", to="netcdf")
    with xr.open_datatree(file, engine="h5netcdf") as tree:
        node = tree["outcomes/autoencoder.n0"]
        for name, values in all_values().items():
            np.testing.assert_array_equal(
                node[name], np.where(pd.isna(values), "", values) if name == "noted" else values
            )
            assert node[name].dims[0] == "start"
        assert node["seed"].to_numpy().tolist() == STARTS["seed"].tolist()
        assert node["class"].to_numpy().tolist() == CLASSES
        assert node.attrs["objective"] == "log_probability"
        np.testing.assert_array_equal(tree["judgements/autoencoder.n0.n1/score"], SCORES)
        assert tree["judgements/autoencoder.n0.people/response"].to_numpy().tolist() == SAID.tolist()


def test_netcdf_has_them_beside_recordings(path, tmp_path):
    record(tmp_path / "both.zarr")
    record_layers(tmp_path / "both.zarr")
    (file,) = open_store(tmp_path / "both.zarr").export(tmp_path / "out", to="netcdf")
    with xr.open_datatree(file, engine="h5netcdf") as tree:
        assert tree["recordings/activations/conv1/mean"].shape == (10, 8)
        np.testing.assert_array_equal(tree["outcomes/autoencoder.n0/codes_after"], all_values()["codes_after"])


READ = """
source("{source}")
path <- "{path}"
wide <- read_outcomes(path)
codes <- read_outcomes(path, "autoencoder.n0", "codes_after")
stopifnot(identical(dim(codes), c(12L, 6L)), identical(rownames(codes)[6], "ja_00001"))
cat(sprintf("%.9g", codes["ja_00001", 3]), wide$start[6], sprintf("%.0f", wide$seed[6]), wide$steps[6], "\\n")
cat(sprintf("%.9g", wide[["scores_after_ö"]][6]), "\\n")
scored <- read_judgements(path, "autoencoder.n0.n1")
stopifnot(nrow(scored) == 36, identical(names(scored), c("outcomes", "start", "judge", "response", "score")))
stopifnot(all(is.na(scored$score[10:12])), !anyNA(scored$score[-(10:12)]))
cat(scored$start[5], scored$response[5], sprintf("%.9g", scored$score[5]), "\\n")
said <- read_judgements(path, "autoencoder.n0.people")
stopifnot(is.na(said$response[2]), identical(said$response[3], "wä"), all(is.na(said$score)))
store <- read_store(path)
stopifnot(identical(names(store), c("tokens", "phones")), nrow(store$tokens) == 0)
told <- tryCatch(read_judgements(path), error = conditionMessage)
stopifnot(grepl("There are: 'autoencoder.n0.n1', 'autoencoder.n0.people'.", told, fixed = TRUE))
"""


@pytest.mark.r
def test_r_reads_them_without_packages(path):
    script = READ.format(source=bundled("R", "layerstats.R"), path=path)
    done = subprocess.run(["Rscript", "-e", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    codes, score, heard = done.stdout.splitlines()
    values = all_values()
    wanted = [f"{values['codes_after'][5, 2]:.9g}", "ja_00001", str(STARTS["seed"][5]), str(values["steps"][5])]
    assert codes.split() == wanted
    assert score.split() == [f"{values['scores_after'][5, 2]:.9g}"]
    assert heard.split() == ["no_00001", "no", f"{SCORES[1, 1]:.9g}"]
