"""What other programs get: the same numbers and the same words."""

import errno
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from small_store import CREATED, TIMES, layer_values, make_store, tidy_phones, tidy_tokens
from typer.testing import CliRunner

from layerstats import files as files_module
from layerstats.cli.main import app
from layerstats.errors import ArgumentError, DataError, StoreError
from layerstats.resources import bundled
from layerstats.store import (
    LayerSpec,
    RecordingWriter,
    VariableSpec,
    netcdf_process,
    open_store,
    phone_vectors,
    store_arrays,
    store_table,
)
from layerstats.store import export as export_module
from layerstats.store import frames as frames_module

READERS = {"csv": lambda file: pd.read_csv(file, keep_default_na=False, na_values=[""]), "parquet": pd.read_parquet}


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_tables_are_those_of_the_experiment(experiment, tmp_path, to):
    files = experiment.export(tmp_path / "out", to=to)
    assert [file.name for file in files] == [f"{name}.{to}" for name in ("tokens", "phones", "activations")]
    tokens, phones, activations = (READERS[to](file) for file in files)
    for read, given in [(tokens, experiment.tokens), (phones, experiment.phones), (activations, experiment.to_frame())]:
        pd.testing.assert_frame_equal(read, given, check_dtype=False, check_exact=True)
    assert sorted(os.listdir(tmp_path / "out")) == sorted(file.name for file in files)


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_blocks_leave_no_seam(experiment, tmp_path, monkeypatch, to):
    monkeypatch.setattr(export_module, "BLOCK_TOKENS", 5)
    chosen = experiment.select(phone=["s", "ʃ"])
    files = chosen.export(tmp_path / "out", to=to)
    pd.testing.assert_frame_equal(READERS[to](files[2]), chosen.to_frame(), check_dtype=False, check_exact=True)


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_tables_are_read_a_block_at_a_time(experiment, tmp_path, monkeypatch, to):
    read = []
    original = frames_module._read
    monkeypatch.setattr(export_module, "BLOCK_TOKENS", 5)
    monkeypatch.setattr(
        frames_module, "_read", lambda array, rows, *rest: read.append(len(rows)) or original(array, rows, *rest)
    )
    experiment.export(tmp_path / "out", to=to)
    assert read == [5, 5, 2] * 2


def test_netcdf_is_the_tree(experiment, tmp_path):
    chosen = experiment.select(speaker=["s1", "s3"], time_s=(0.1, 0.6))
    (file,) = chosen.export(tmp_path / "out", to="netcdf")
    assert file.name == "out.nc"
    with xr.open_datatree(file, engine="h5netcdf") as tree:
        for layer in ("conv1", "conv2"):
            ours = chosen.layer(layer)
            node = tree[f"recordings/activations/{layer}"]
            for name in ("mean", "maps", "time_s", "sample", "token"):
                np.testing.assert_array_equal(node[name], ours[name])
            assert node["mean"].attrs["slope"] == 0.2
            assert node["mean"].attrs["units"] == "1"
        assert tree["tokens"]["word"].to_numpy().tolist() == chosen.tokens["word"].tolist()
        assert tree["tokens"]["trimmed"].to_numpy().tolist() == chosen.tokens["trimmed"].tolist()
        assert tree["phones"]["label"].to_numpy().tolist() == chosen.phones["label"].tolist()
        assert tree["phones"]["phone_token"].to_numpy().tolist() == chosen.phones["token"].tolist()
        assert tree.attrs["created_at"] == CREATED


def test_netcdf_of_an_untrained_recording_without_phones(tmp_path):
    values = layer_values(12, 0)
    times = {name: np.arange(array.shape[-1]) / 10 for name, array in values.items()}
    path = store_arrays(tmp_path / "s.zarr", tidy_tokens(), values, time_s=times, name="untrained_00")
    (file,) = open_store(path).recording("untrained_00").export(tmp_path / "u.nc", to="netcdf")
    with xr.open_datatree(file, engine="h5netcdf") as tree:
        assert "phones" not in tree.children
        np.testing.assert_array_equal(tree["recordings/untrained_00/conv2/maps"], values["conv2"])


def test_files_are_not_replaced_unasked(experiment, tmp_path):
    chosen = experiment.select(layer="conv2")
    chosen.export(tmp_path / "out")
    chosen.export(tmp_path / "out.nc", to="netcdf")
    for path, to in [("out", "csv"), ("out.nc", "netcdf")]:
        with pytest.raises(StoreError, match=r"exists already.*overwrite=True"):
            chosen.export(tmp_path / path, to=to)
    experiment.select(layer="conv1").export(tmp_path / "out", overwrite=True)
    assert pd.read_csv(tmp_path / "out/activations.csv")["layer"].unique().tolist() == ["conv1"]
    with pytest.raises(ArgumentError, match="'csv', 'parquet', 'netcdf', but got 'xlsx'"):
        experiment.export(tmp_path / "out2", to="xlsx")


@pytest.mark.parametrize("to", ["csv", "parquet", "netcdf"])
def test_full_disk_leaves_the_old_file(experiment, tmp_path, monkeypatch, to):
    written = experiment.export(tmp_path / "out", to=to)[-1]
    before = written.read_bytes()

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files_module.os, "replace", full)
    with pytest.raises(StoreError, match=r"No space is left .* the store is as it was"):
        experiment.export(tmp_path / "out", to=to, overwrite=True)
    assert written.read_bytes() == before
    assert not list(tmp_path.rglob("*.partial"))


def with_speech(tokens):
    """Clips of a second whose speech is in the middle; one of them does not say where."""
    onset = np.where(np.arange(len(tokens)) == 2, np.nan, 0.25 + np.arange(len(tokens)) / 100)
    return tokens.assign(onset_s=onset, duration_s=0.25)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    path = tmp_path_factory.mktemp("spoken") / "s.zarr"
    for seed, (name, about) in enumerate([("activations", {}), ("untrained_00", {"seed": 0}), ("twin", {"seed": 7})]):
        attrs = {**about, "trained": not about}
        store_arrays(path, with_speech(tidy_tokens()), layer_values(12, seed), time_s=TIMES, name=name, attrs=attrs)
    return open_store(path)


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_tables_have_the_samples_of_the_speech(spoken, tmp_path, to):
    whole = spoken.to_frame().merge(with_speech(tidy_tokens())[["token", "onset_s", "duration_s"]], on="token")
    inside = (whole["time_s"] >= whole["onset_s"]) & (whole["time_s"] < whole["onset_s"] + whole["duration_s"])
    expected = whole[inside | whole["onset_s"].isna()].drop(columns=["onset_s", "duration_s"]).reset_index(drop=True)
    assert 0 < len(expected) < 0.4 * len(whole)
    (*_, file) = spoken.export(tmp_path / "out", to=to)
    pd.testing.assert_frame_equal(READERS[to](file), expected, check_dtype=False, check_exact=True)
    (*_, file) = spoken.export(tmp_path / "all", to=to, padding=True)
    pd.testing.assert_frame_equal(READERS[to](file), spoken.to_frame(), check_dtype=False, check_exact=True)
    window = spoken.select(time_s=(0.3, 0.4), speaker="s1", layer="conv1")
    (*_, file) = window.export(tmp_path / "window", to=to)
    assert READERS[to](file)["time_s"].between(0.3, 0.4, inclusive="left").all()


def test_untrained_networks_are_exported_by_their_seed(spoken, tmp_path):
    files = spoken.select(layer="conv2").export(tmp_path / "out", untrained=True, padding=True)
    assert [file.name for file in files][-1] == "untrained.csv"
    read = READERS["csv"](files[-1])
    for seed in (0, 7):
        given = spoken.recording(seed=seed, trained=False).select(layer="conv2").to_frame()
        found = read[read["seed"] == seed].drop(columns="seed").reset_index(drop=True)
        pd.testing.assert_frame_equal(found, given, check_dtype=False, check_exact=True)
    (file,) = spoken.export(tmp_path / "out.nc", to="netcdf", untrained=True)
    with xr.open_datatree(file, engine="h5netcdf") as tree:
        for name, seed in (("activations", 0), ("untrained_00", 1), ("twin", 2)):
            np.testing.assert_array_equal(tree[f"recordings/{name}/conv1/maps"], layer_values(12, seed)["conv1"])
        assert tree.attrs["recording"] == "activations"


def test_no_untrained_networks(tmp_path):
    path = store_arrays(tmp_path / "s.zarr", tidy_tokens(), layer_values(12, 0), time_s=TIMES)
    with pytest.raises(DataError, match=r"no untrained networks.*--untrained 10"):
        open_store(path).export(tmp_path / "out", untrained=True)


def test_text_is_made_safe_for_spreadsheets_on_request(tmp_path):
    tokens = tidy_tokens().assign(word="@", note="=1+1", gain=-1.5)
    path = store_arrays(tmp_path / "s.zarr", tokens, {"c": np.full((12, 2), -0.5)}, time_s={"c": [0.0, 0.5]})
    for spreadsheet, sign in ((False, ""), (True, "'")):
        files = open_store(path).export(tmp_path / f"out{sign}", spreadsheet=spreadsheet)
        table, values = READERS["csv"](files[0]), READERS["csv"](files[2])
        assert table.loc[0, ["word", "note", "gain"]].tolist() == [f"{sign}@", f"{sign}=1+1", -1.5]
        assert values.loc[0, ["word", "value"]].tolist() == [f"{sign}@", -0.5]


def test_the_shell_exports_what_it_says(spoken, tmp_path):
    command = ["export", str(spoken.path), "--out", str(tmp_path / "out"), "--untrained"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out/untrained.csv").exists()
    refused = CliRunner().invoke(app, command)
    assert "--overwrite" in str(refused.exception)
    assert CliRunner().invoke(app, [*command, "--overwrite", "--padding", "--spreadsheet"]).exit_code == 0
    assert len(READERS["csv"](tmp_path / "out/activations.csv")) == len(spoken.to_frame())


@pytest.mark.r
@pytest.mark.parametrize("to", ["csv", "netcdf", "store"])
def test_r_reads_untrained_networks(spoken, tmp_path, to):
    if to == "netcdf" and not has_ncdf4():
        pytest.skip("R has no ncdf4 here (Debian: apt install r-cran-ncdf4)")
    source = spoken.path
    if to != "store":
        spoken.export(tmp_path / "out", to=to, untrained=True, padding=True)
        source = tmp_path / ("out" if to == "csv" else "out.nc")
    script = (
        f'source("{bundled("R", "layerstats.R")}"); '
        f'u <- read_store("{source}", "conv2", untrained = TRUE)$untrained; '
        "cat(nrow(u), unique(u$layer), unique(u$seed), sprintf('%.9f', sum(u$value[u$seed == 7])))"
    )
    done = subprocess.run(["Rscript", "-e", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows, layer, *seeds, total = done.stdout.split()
    values = spoken.recording("twin").to_frame("conv2")["value"]
    assert (int(rows), layer, seeds) == (2 * len(values), "conv2", ["0", "7"])
    assert float(total) == pytest.approx(values.sum(), abs=1e-6)


@pytest.mark.parametrize("to", ["csv", "parquet", "netcdf"])
def test_a_disk_that_fills_up_leaves_no_half_file(tmp_path, to):
    """With the system's own error, in the middle of a file or at its end: HDF5 ends its process there."""
    noise = {"conv1": np.random.default_rng(0).normal(size=(12, 4000))}
    path = store_arrays(tmp_path / "s.zarr", tidy_tokens(), noise, time_s={"conv1": np.arange(4000.0)})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in (500, 20_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
        try:
            with pytest.raises(StoreError, match=r"No space is left .* the store is as it was"):
                open_store(path).export(tmp_path / "out" / to, to=to)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert not [file for file in (tmp_path / "out").rglob("*") if file.is_file()]


def test_a_process_that_breaks_down_is_an_error(experiment, tmp_path, monkeypatch):
    program = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    monkeypatch.setattr(netcdf_process, "_COMMAND", [sys.executable, "-c", program])
    with pytest.raises(StoreError, match=r"The process that writes .* ended \(Segmentation fault\)"):
        experiment.export(tmp_path / "out", to="netcdf")
    assert os.listdir(tmp_path) == []


def test_damage_is_named_through_the_child_process(store_path, tmp_path):
    copy = Path(shutil.copytree(store_path, tmp_path / "s.zarr"))
    (copy / "recordings/activations/conv2/maps/c/1/0/0").unlink()
    with pytest.raises(StoreError, match=r"recordings/activations/conv2/maps/c/1/0/0 is missing. Remove the folder"):
        open_store(copy).export(tmp_path / "out", to="netcdf")


READ_IN_R = """
options(warn = 2)
source(commandArgs(TRUE)[1])
store <- read_store(commandArgs(TRUE)[2])
for (name in names(store)) {
  connection <- file(file.path(commandArgs(TRUE)[3], paste0(name, ".csv")), encoding = "UTF-8")
  numeric <- vapply(store[[name]], is.double, logical(1))
  store[[name]][numeric] <- lapply(store[[name]][numeric], function(x) ifelse(is.na(x), NA, sprintf("%.17g", x)))
  write.csv(store[[name]], connection, row.names = FALSE, na = "", quote = FALSE)
}
one <- read_store(commandArgs(TRUE)[2], layers = "conv2")
stopifnot(identical(unique(one$activations$layer), "conv2"), nrow(one$activations) < nrow(store$activations))
message <- tryCatch(read_store(commandArgs(TRUE)[2], layers = "conv9"), error = conditionMessage)
stopifnot(identical(message, "The store has no layer 'conv9'. There are: conv1, conv2."))
"""


def has_ncdf4():
    answer = subprocess.run(["Rscript", "-e", "stopifnot(requireNamespace('ncdf4', quietly = TRUE))"], check=False)
    return answer.returncode == 0


@pytest.mark.r
@pytest.mark.parametrize("to", ["csv", "netcdf", "store"])
def test_r_reads_the_same(experiment, tmp_path, to):
    if to == "netcdf" and not has_ncdf4():
        pytest.skip("R has no ncdf4 here (Debian: apt install r-cran-ncdf4)")
    source = experiment.path
    if to != "store":
        experiment.export(tmp_path / "out", to=to)
        source = tmp_path / ("out" if to == "csv" else "out.nc")
    (tmp_path / "from_r").mkdir()
    (tmp_path / "read.R").write_text(READ_IN_R)
    arguments = [tmp_path / "read.R", bundled("R", "layerstats.R"), source, tmp_path / "from_r"]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["Rscript", *map(str, arguments)], check=False, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    expected = {"tokens": tidy_tokens(), "phones": tidy_phones(tidy_tokens()), "activations": experiment.to_frame()}
    for name, given in expected.items():
        read = READERS["csv"](tmp_path / "from_r" / f"{name}.csv")[list(given.columns)]
        given = given.astype({"age": float}) if name == "tokens" else given
        pd.testing.assert_frame_equal(read, given, check_dtype=False, check_exact=True)


@pytest.mark.r
def test_r_says_what_is_missing(tmp_path):
    script = f'source("{bundled("R", "layerstats.R")}"); read_store(commandArgs(TRUE))'
    for path, message in [(tmp_path / "absent.nc", "There is nothing at"), (tmp_path, "has no tokens.csv")]:
        done = subprocess.run(["Rscript", "-e", script, str(path)], check=False, capture_output=True, text=True)
        assert done.returncode != 0
        assert message in done.stderr


def test_a_copied_store_is_the_same_store(experiment, store_path, tmp_path):
    copy = Path(shutil.copytree(store_path, tmp_path / "elsewhere.zarr"))
    pd.testing.assert_frame_equal(open_store(copy).to_frame(), experiment.to_frame())


HEARD = pd.DataFrame({"token": ["tok00", "tok04"], "judge": "J", "response": ["ask", None], "score": [0.5, np.nan]})


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A store with judgements, and a recording by phone only."""
    path = make_store(tmp_path_factory.mktemp("judged") / "s.zarr")
    store_table(path, "judgements", "words", HEARD, attrs={"recording": "activations"})
    phones = tidy_phones(tidy_tokens())
    layer = LayerSpec("conv1", None, [VariableSpec("phones", sizes={"channel": 3})])
    values = np.arange(3.0 * len(phones)).reshape(-1, 3)
    with RecordingWriter(path, "pooled", tidy_tokens(), phones, [layer], key="k", shard_tokens=5) as writer:
        for rows in writer.missing():
            writer.write(rows, {"conv1": {"phones": values[writer.phone_rows(rows)]}})
        writer.finish()
    return open_store(path)


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_tables_of_results_are_exported_as_far_as_their_tokens_are(judged, tmp_path, to):
    files = judged.export(tmp_path / "out", to=to)
    assert [file.stem for file in files] == ["tokens", "phones", "activations", "judgements_words"]
    pd.testing.assert_frame_equal(READERS[to](files[-1]), HEARD, check_dtype=False)
    (*_, file) = judged.select(word="ask").export(tmp_path / "ask", to=to)
    assert READERS[to](file)["token"].tolist() == ["tok00"]
    assert len(judged.select(token="tok05").export(tmp_path / "none", to=to)) == 3


def test_netcdf_has_every_kind_of_variable_and_table(judged, tmp_path):
    chosen = judged.recording("pooled").select(phone="s")
    (file,) = chosen.export(tmp_path / "out", to="netcdf")
    with xr.open_datatree(file, engine="h5netcdf") as tree:
        np.testing.assert_array_equal(tree["recordings/pooled/conv1/phones"], chosen.layer("conv1")["phones"])
        table = tree["judgements/words"]
        assert table["judgements_token"].to_numpy().tolist() == ["tok00"]
        assert table["score"].to_numpy().tolist() == [0.5]
    with pytest.raises(StoreError, match=r"'pooled' .* has no series \(token, sample\). Its variables are phones"):
        chosen.export(tmp_path / "csv")


@pytest.mark.r
def test_r_reads_recordings_variables_and_tables_of_a_store(judged, tmp_path):
    judged.export(tmp_path / "csv")
    judged.export(tmp_path / "out.nc", to="netcdf")
    script = f"""
    source("{bundled("R", "layerstats.R")}")
    path <- "{judged.path}"
    maps <- read_variable(path, "untrained_00", "conv1", "maps")
    pooled <- read_variable(path, "pooled", "conv1", "phones")
    about <- read_recordings(path)
    heard <- lapply(c(path, "{tmp_path}/csv", "{tmp_path}/out.nc"), function(from) read_store(from)$judgements_words)
    same <- vapply(heard, function(one) isTRUE(all.equal(one[names(heard[[1]])], heard[[1]])), TRUE)
    message <- tryCatch(read_store(path, recording = "x"), error = conditionMessage)
    cat(dim(maps), sprintf("%.9f", c(maps[4, 2, 5], sum(maps), pooled[36, 3])), same, heard[[1]]$token,
        is.na(heard[[1]]$response), paste0(about$recording, about$trained, about$variables), message, sep = "\\n")
    """
    done = subprocess.run(["Rscript", "-e", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    values = layer_values(12, 1)["conv1"].astype(float)
    assert lines[:3] == ["12", "3", "64"]
    assert [float(line) for line in lines[3:6]] == pytest.approx([values[3, 1, 4], values.sum(), 107.0], abs=1e-5)
    assert lines[6:13] == ["TRUE", "TRUE", "TRUE", "tok00", "tok04", "FALSE", "TRUE"]
    assert lines[13:16] == ["activationsTRUEmean, maps", "pooledTRUEphones", "untrained_00FALSEmean, maps"]
    assert lines[16] == "The store has no recording 'x'. There are: 'activations', 'pooled', 'untrained_00'."


@pytest.mark.r
def test_r_reads_vectors_of_phones_with_their_labels(judged, tmp_path):
    script = f"""
    source("{bundled("R", "layerstats.R")}")
    vectors <- read_phone_vectors("{judged.path}", "conv1", recording = "pooled")
    vectors <- vectors[vectors$label == "s", ]
    message <- tryCatch(read_phone_vectors("{judged.path}", "conv1"), error = conditionMessage)
    unknown <- tryCatch(read_phone_vectors("{judged.path}", "conv9", "pooled"), error = conditionMessage)
    numbers <- data.frame(vectors[c("token", "word", "onset_s", "duration_s")], vectors$vector)
    write.csv(numbers, "{tmp_path}/vectors.csv", row.names = FALSE)
    cat(class(vectors$vector)[1], message, unknown, sep = "\\n")
    """
    done = subprocess.run(["Rscript", "-e", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    kind, message, unknown = done.stdout.splitlines()
    assert kind == "matrix"
    assert "'activations' has no vectors of phones" in message
    assert "no layer 'conv9'" in unknown
    from_r = pd.read_csv(tmp_path / "vectors.csv")
    vectors = phone_vectors(judged, "conv1", "s", recording="pooled")
    for name in ("token", "word"):
        assert from_r[name].tolist() == vectors[name].to_numpy().tolist()
    for name in ("onset_s", "duration_s"):
        np.testing.assert_allclose(from_r[name], vectors[name], rtol=1e-12)
    np.testing.assert_allclose(from_r.iloc[:, 4:], vectors, rtol=1e-12)
