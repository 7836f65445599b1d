"""Clips of their own length in a store: NaN behind their ends is nobody's value."""

import runpy
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats import Contrast, channel_contrasts, word_contrasts
from layerstats.stats.series import phone_series, word_series
from layerstats.store import describe, open_store, store_arrays

COUNTS = [8, 5, 10, 4]
HOP_S = 0.1


@pytest.fixture
def path(tmp_path):
    """Four tokens of 4 to 10 samples, with two phones each."""
    names = [f"t{row}" for row in range(len(COUNTS))]
    tokens = pd.DataFrame(
        {
            "token": names,
            "word": ["ask", "wash"] * 2,
            "speaker": ["s1", "s1", "s2", "s2"],
            "split": "test",
            "onset_s": 0.0,
            "duration_s": [count * HOP_S for count in COUNTS],
        }
    )
    rows = [
        (name, index, label, onset * count * HOP_S, offset * count * HOP_S)
        for name, count in zip(names, COUNTS, strict=True)
        for index, (label, onset, offset) in enumerate([("s", 0.0, 0.5), ("ae", 0.5, 1.5)])
    ]
    phones = pd.DataFrame(rows, columns=["token", "phone_index", "label", "onset_s", "offset_s"])
    maps = np.random.default_rng(0).normal(size=(len(COUNTS), 3, max(COUNTS))).astype(np.float32)
    for row, count in enumerate(COUNTS):
        maps[row, :, count:] = np.nan
    return store_arrays(
        tmp_path / "s.zarr",
        tokens,
        {"conv1": maps},
        phones=phones,
        time_s={"conv1": np.arange(max(COUNTS)) * HOP_S},
        attrs={"ragged": True},
    )


def test_tables_have_the_samples_of_each_clip(path):
    experiment = open_store(path)
    assert experiment.ragged
    frame = experiment.to_frame()
    assert frame.groupby("token").size().tolist() == COUNTS
    assert frame["value"].notna().all()
    means = experiment.layer("conv1")["mean"].to_numpy()
    for row, (_, own) in enumerate(frame.groupby("token")):
        np.testing.assert_array_equal(own["value"], means[row, : COUNTS[row]])
        assert own["sample"].tolist() == list(range(COUNTS[row]))
    assert len(experiment.to_frame(values="maps")) == 3 * sum(COUNTS)
    assert experiment.to_frame(values="maps")["value"].notna().all()


def test_windows_and_phones_end_where_the_clip_does(path):
    experiment = open_store(path)
    late = experiment.select(time_s=(0.45, 2.0)).to_frame()
    assert late.groupby("token").size().to_dict() == {"t0": 3, "t2": 5}
    # The last phone of each token reaches beyond its clip.
    frame = experiment.select(phone="ae").to_frame()
    assert frame.groupby("token").size().tolist() == [4, 2, 5, 2]


@pytest.mark.parametrize("padding", [True, False])
def test_exports_have_no_values_behind_clips(path, tmp_path, padding):
    files = open_store(path).export(tmp_path / "out", padding=padding)
    table = pd.read_csv(files[2])
    assert len(table) == sum(COUNTS)
    assert table["value"].notna().all()


def test_series_are_of_what_lies_in_each_clip(path):
    experiment = open_store(path)
    for variant in ("padded", "duration"):
        with pytest.raises(ArgumentError, match=r"need clips of one length.*variant='word'"):
            word_series(experiment, "conv1", variant=variant)
    series = word_series(experiment, "conv1", variant="word", samples=None)
    assert series.frame.groupby("token").size().tolist() == COUNTS
    assert series.frame["value"].notna().all()
    phones = phone_series(experiment, "conv1", phones=["ae"], min_samples=2, samples=None)
    assert phones.frame["value"].notna().all()


def test_contrasts_and_channels_are_those_of_the_same_words_between_zeros(tmp_path):
    """Where all is compared within the word, it does not matter what a store has behind it."""
    within = Contrast.of_words("ask", "wash", variant="word")
    random, samples, results = np.random.default_rng(3), 24, []
    counts = random.integers(12, samples + 1, 24)
    tokens = pd.DataFrame(
        {
            "token": [f"t{row:02d}" for row in range(24)],
            "word": ["ask", "wash"] * 12,
            "speaker": [f"s{row // 4}" for row in range(24)],
            "split": "test",
            "onset_s": 0.0,
            "duration_s": counts * HOP_S,
        }
    )
    maps = random.normal(size=(24, 2, samples)).astype(np.float32).cumsum(axis=2)
    for name, behind in (("own", np.nan), ("filled", 0.0)):
        for row, count in enumerate(counts):
            maps[row, :, count:] = behind
        times = {"conv1": np.arange(samples) * HOP_S + HOP_S / 2}
        attrs = {"ragged": True} if name == "own" else {}
        made = open_store(store_arrays(tmp_path / name, tokens, {"conv1": maps}, time_s=times, attrs=attrs))
        contrast = word_contrasts(made, layers=["conv1"], variant="word", words=["ask", "wash"])
        results.append((contrast.tests, channel_contrasts(made, "conv1", within).to_dataframe()))
    pd.testing.assert_frame_equal(results[0][0], results[1][0])
    pd.testing.assert_frame_equal(results[0][1], results[1][1])


def test_layers_say_how_their_tokens_were_batched(path):
    assert "batches" not in describe(path)["Layers"].columns


@pytest.mark.r
@pytest.mark.parametrize("to", ["zarr", "netcdf"])
def test_r_reads_the_samples_of_each_clip(path, tmp_path, to):
    exports = runpy.run_path(str(Path(__file__).with_name("test_store_export.py")))
    if to == "netcdf" and not exports["has_ncdf4"]():
        pytest.skip("R has no ncdf4 here (Debian: apt install r-cran-ncdf4)")
    source = path if to == "zarr" else open_store(path).export(tmp_path / "out.nc", to="netcdf")[0]
    script = Path(__file__).parents[2] / "R" / "layerstats.R"
    code = (
        f"source('{script}'); read <- read_store('{source}')$activations; "
        f"write.csv(read, '{tmp_path}/r.csv', row.names = FALSE)"
    )
    subprocess.run(["Rscript", "-e", code], check=True, capture_output=True, text=True)
    found, ours = pd.read_csv(tmp_path / "r.csv"), open_store(path).to_frame()
    assert found["token"].tolist() == ours["token"].tolist()
    assert found["sample"].tolist() == ours["sample"].tolist()
    np.testing.assert_allclose(found["value"], ours["value"], atol=1e-6)
