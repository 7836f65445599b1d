"""Sums over windows: by hand, in any order, after kills, by several processes, and as every reader gives them."""

import multiprocessing
import subprocess

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError, StoreError
from layerstats.resources import bundled
from layerstats.store import SumWriter, check_store, create_or_resume, describe, open_store, store_arrays

LETTERS, ALIGNMENTS = ("a", "b", "c"), ("none", "peak")
FREQUENCIES, LAGS = [100.0, 200.0], [-0.1, 0.0, 0.1]
SPEAKERS = ["s1"] * 5 + ["s2"] * 2 + ["s3"] * 4
WINDOWS = pd.DataFrame(
    {
        "token": [f"w{number:02d}" for number in range(11)],
        "word": "ask",
        "speaker": SPEAKERS,
        "split": "test",
        "letter": list("abacabbbcab"),
    }
)


def values():
    """Values of every window (window, alignment, frequency, lag), and which lags it covers (window, alignment, lag)."""
    random = np.random.default_rng(0)
    covered = random.random((11, 2, 3)) < 0.7
    return random.normal(size=(11, 2, 2, 3)) * covered[:, :, None], covered


def sums_of(rows):
    """What the windows of some rows come to, as `SumWriter.write` takes it."""
    measured, covered = values()
    found = {}
    for speaker, letter in {(SPEAKERS[row], WINDOWS["letter"][row]) for row in range(rows.start, rows.stop)}:
        of_it = [
            row for row in range(rows.start, rows.stop) if (SPEAKERS[row], WINDOWS["letter"][row]) == (speaker, letter)
        ]
        arrays = {
            "relevance_sum": measured[of_it].sum(0),
            "relevance_sum_of_squares": (measured[of_it] ** 2).sum(0),
            "coverage": covered[of_it].sum(0),
        }
        found.setdefault(speaker, {})[LETTERS.index(letter)] = arrays
    return found


def writer_of(path, key="k", **changed):
    options = {
        "letters": LETTERS,
        "alignments": ALIGNMENTS,
        "frequency_hz": FREQUENCIES,
        "lag_s": LAGS,
        "quantities": ["relevance"],
        "shard_tokens": 3,
        "attrs": {"recording": "epsilon", "method": "epsilon"},
        "created_at": "2026-01-01T00:00:00Z",
        **changed,
    }
    create_or_resume(path, WINDOWS, None, created_at="2026-01-01T00:00:00Z")
    return SumWriter(path, "epsilon", options.pop("windows", WINDOWS), key=key, **options)


def write(path):
    with writer_of(path) as writer:
        for rows in writer.missing():
            writer.write(rows, sums_of(rows))
        writer.finish()


def content(path):
    return {file.relative_to(path): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


@pytest.fixture
def stored(tmp_path):
    write(tmp_path / "s.zarr")
    return tmp_path / "s.zarr"


def test_sums_are_those_of_the_definition(stored):
    found = open_store(stored).window_sums()
    measured, covered = values()
    for speaker in ("s1", "s2", "s3"):
        for letter in LETTERS:
            chosen = (WINDOWS["speaker"] == speaker).to_numpy() & (WINDOWS["letter"] == letter).to_numpy()
            here = found.sel(speaker=speaker, letter=letter)
            assert np.allclose(here["relevance_sum"], measured[chosen].sum(0))
            assert np.allclose(here["relevance_sum_of_squares"], (measured[chosen] ** 2).sum(0))
            assert np.array_equal(here["coverage"], covered[chosen].sum(0))
    assert found["windows"].to_numpy().tolist() == [5, 2, 4]
    assert found["lag_s"].to_numpy().tolist() == LAGS
    assert check_store(stored) == []


def test_any_order_of_work_gives_the_same_bytes(stored, tmp_path):
    other = tmp_path / "other.zarr"
    with writer_of(other) as writer:
        for rows in sorted(writer.missing(), key=lambda rows: -rows.start):
            writer.write(rows, sums_of(rows))
        writer.finish()
    assert content(other) == content(stored)


@pytest.mark.parametrize("before", [1, 2, 3])
def test_who_goes_on_ends_with_the_same_bytes(stored, tmp_path, before):
    other = tmp_path / "other.zarr"
    with writer_of(other) as writer:
        for rows, _ in zip(writer.missing(), range(before), strict=False):
            writer.write(rows, sums_of(rows))
    with writer_of(other) as writer:
        assert len(writer.written) == before
    write(other)
    assert content(other) == content(stored)


def test_what_was_left_before_it_was_added_up_is_added_up(stored, tmp_path, monkeypatch):
    other = tmp_path / "other.zarr"
    with monkeypatch.context() as patch, writer_of(other) as writer:
        # As if each process had been killed between a shard and its sums.
        patch.setattr(SumWriter, "_settle", lambda self, speaker: None)
        for rows in writer.missing():
            writer.write(rows, sums_of(rows))
    with writer_of(other) as writer:
        assert list(writer.missing()) == []
        writer.finish()
    assert content(other) == content(stored)


def test_several_processes_give_the_same_bytes(stored, tmp_path):
    other = tmp_path / "other.zarr"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=write, args=(other,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert content(other) == content(stored)


def test_half_written_sums_are_refused(tmp_path):
    path = tmp_path / "s.zarr"
    with writer_of(path) as writer:
        for rows, _ in zip(writer.missing(), range(2), strict=False):
            writer.write(rows, sums_of(rows))
        with pytest.raises(StoreError, match="6 of 11 windows"):
            writer.finish()
    with pytest.raises(StoreError, match="half-written"):
        open_store(path).window_sums()
    assert open_store(path, incomplete="allow").window_sums()["speaker"].to_numpy().tolist() == ["s1"]
    assert open_store(path).sums["written"].tolist() == [1]


def test_wrong_sums_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match="in the order of their speakers"):
        writer_of(tmp_path / "s.zarr", windows=WINDOWS.iloc[[0, 5, 1]])
    with pytest.raises(ArgumentError, match="'c' of the windows of 'epsilon' is none of 'a', 'b'"):
        writer_of(tmp_path / "s.zarr", letters=("a", "b"))
    with pytest.raises(DataError, match="'letter'"):
        writer_of(tmp_path / "s.zarr", windows=WINDOWS.drop(columns="letter"))
    with writer_of(tmp_path / "s.zarr") as writer:
        rows = next(iter(writer.missing()))
        with pytest.raises(ArgumentError, match="are of s1, but got s2"):
            writer.write(rows, {"s2": {}})
    write(tmp_path / "s.zarr")
    with pytest.raises(StoreError, match="already holds another set of sums 'epsilon'"):
        writer_of(tmp_path / "s.zarr", key="other")


def test_a_lost_speaker_is_damage(stored):
    next((stored / "sums" / "epsilon" / "coverage" / "c").rglob("0")).joinpath("0", "0", "0").unlink()
    assert any("is missing" in sentence for sentence in check_store(stored))


def test_exports_of_recordings_have_them_where_they_are_asked_for(stored, tmp_path):
    store_arrays(stored, WINDOWS, {"input": np.ones((11, 2))}, time_s={"input": [0.0, 0.1]}, name="epsilon")
    experiment = open_store(stored, recording="epsilon")
    usual = [file.name for file in experiment.export(tmp_path / "usual")]
    assert [file.name for file in experiment.export(tmp_path / "all", sums=True)] == [*usual, "sums_epsilon.csv"]


def test_info_and_exports_have_them(stored, tmp_path):
    shown = describe(stored)["Sums"]
    assert shown["speakers"].tolist() == [3]
    assert shown["windows"].tolist() == [11]
    experiment = open_store(stored)
    files = experiment.export(tmp_path / "csv", "csv")
    table = pd.read_csv(next(file for file in files if file.name == "sums_epsilon.csv"))
    found = experiment.window_sums()
    assert len(table) == int((found["coverage"] > 0).sum()) * len(FREQUENCIES)
    row = table.iloc[-1]
    place = {"speaker": row["speaker"], "letter": row["letter"], "alignment": row["alignment"]}
    there = found.sel(place).isel(frequency=FREQUENCIES.index(row["frequency_hz"]), lag=LAGS.index(row["lag_s"]))
    assert np.isclose(row["relevance_sum"], float(there["relevance_sum"]))
    assert row["coverage"] == int(there["coverage"])
    (file,) = experiment.export(tmp_path / "out.nc", "netcdf")
    import xarray as xr

    with xr.open_datatree(file, engine="h5netcdf") as tree:
        assert np.array_equal(tree["sums/epsilon"]["relevance_sum"], found["relevance_sum"])


@pytest.mark.r
def test_r_reads_them(stored):
    code = (
        f'source("{bundled("R", "layerstats.R")}"); sums <- read_sums("{stored}"); '
        'cat(sprintf("%.17g ", sums["s3", "b", "peak", , ]), dim(read_sums("'
        + str(stored)
        + '", variable = "coverage")))'
    )
    said = subprocess.run(
        ["Rscript", "--vanilla", "-e", code], capture_output=True, text=True, check=True
    ).stdout.split()
    there = open_store(stored).window_sums()
    expected = there["relevance_sum"].sel(speaker="s3", letter="b", alignment="peak").to_numpy().T.ravel()
    assert np.array_equal(np.array(said[:6], dtype=float), expected)
    assert said[6:] == ["3", "3", "2", "3"]
