"""Where windows are aligned under every letter: against relevance for each, sums, and the same bytes after kills."""

import os
import runpy
import subprocess
import sys
import time
from pathlib import Path
from string import ascii_lowercase

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from layerstats.errors import ArgumentError, StoreError
from layerstats.probes.relevance import attribute, record_relevance, window_recording
from layerstats.probes.relevance.window_quantity import WindowRelevance
from layerstats.probes.relevance.window_speech import WindowSpeech
from layerstats.resources import bundled
from layerstats.store import check_store, open_store

SMALL = Path(__file__).with_name("letter_windows.py")
_small = runpy.run_path(str(SMALL))
reader, sentences, windows_of, write = (_small[name] for name in ("reader", "sentences", "windows_of", "write"))
record = _small["write_aligned"]
METHODS = ["adapted", "epsilon", "gradient"]


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    """What `write` changes is changed back."""
    monkeypatch.setattr(window_recording, "tokens_in_shard", window_recording.tokens_in_shard)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


@pytest.fixture(scope="module")
def network():
    return reader()


@pytest.fixture(scope="module")
def corpus():
    return sentences()


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Alignments by several methods, in small shards."""
    path = tmp_path_factory.mktemp("windows") / "s.zarr"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_recording, "tokens_in_shard", window_recording.tokens_in_shard)
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        for method in METHODS:
            record(path, method)
    return path


def content(path):
    return {file.relative_to(path): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def own_samples(found, alignment):
    """Where each window is aligned under the letter that was read in it."""
    samples = found.layer("input")["aligned_sample"].sel(alignment=alignment).to_numpy()
    letters = [ascii_lowercase.index(letter) for letter in found.tokens["letter"]]
    return samples[np.arange(len(letters)), letters]


@pytest.mark.parametrize("method", METHODS)
def test_each_is_where_the_relevance_for_its_letter_is_greatest(stored, network, corpus, method):
    found = open_store(stored, recording=method)
    samples, tokens = found.layer("input")["aligned_sample"], found.tokens
    speech = WindowSpeech(network, corpus, tokens.rename(columns={"centre_s": "time_s"}), torch.device("cpu"))
    assert samples.dims == ("token", "letter", "alignment")
    assert samples["letter"].to_numpy().tolist() == list(ascii_lowercase)
    network.padding = "valid"
    try:
        for row in (0, len(tokens) - 1):
            for letter in "aez" + tokens["letter"].iloc[row]:
                heard = speech.heard(np.array([row]))
                alone = attribute(network, heard, letter, method, labels=network.alphabet.letters).values[0].numpy()
                size, by_time = np.abs(alone).max(), alone.sum(axis=1)
                places = {
                    one: int(samples.sel(letter=letter, alignment=one)[row]) for one in samples["alignment"].values
                }
                # Two places may be equally great but for rounding.
                assert alone[places["max_relevance"]].max() >= alone.max() - 1e-4 * size
                assert by_time[places["max_relevance_by_time"]] >= by_time.max() - 1e-3 * size
                if method == "gradient":
                    assert alone[places["min_relevance"]].min() <= alone.min() + 1e-4 * size
                    assert by_time[places["min_relevance_by_time"]] <= by_time.min() + 1e-3 * size
                else:
                    assert set(places) == {"max_relevance", "max_relevance_by_time"}
    finally:
        network.padding = "same"


@pytest.mark.parametrize("method", METHODS)
def test_under_its_own_letter_a_window_is_aligned_as_in_the_recorded_maps_and_sums(stored, method):
    found = open_store(stored, recording=method)
    maps, sums = found.layer("input")["maps"].to_numpy(), found.window_sums(method)
    expected = {
        "max_relevance": maps.max(axis=1).argmax(axis=1),
        "max_relevance_by_time": maps.sum(axis=1).argmax(axis=1),
        "min_relevance": maps.min(axis=1).argmin(axis=1),
        "min_relevance_by_time": maps.sum(axis=1).argmin(axis=1),
    }
    stored_here = found.layer("input")["alignment"].to_numpy().tolist()
    assert sums["alignment"].to_numpy().tolist() == ["none", *stored_here]
    assert found.recording_attrs["alignments"] == stored_here
    for alignment in stored_here:
        samples = own_samples(found, alignment)
        assert np.array_equal(samples, expected[alignment])
        covered = np.zeros(206, dtype=int)
        for sample in samples:
            inside = (sample + np.arange(206) - 103 >= 0) & (sample + np.arange(206) - 103 < 206)
            covered += inside
        assert np.array_equal(sums["coverage"].sel(alignment=alignment).sum(["speaker", "letter"]), covered)
    assert check_store(stored) == []


def test_letters_differ_in_where_a_window_is_aligned(stored):
    samples = open_store(stored, recording="adapted").layer("input")["aligned_sample"].to_numpy()
    assert (samples.max(axis=1) > samples.min(axis=1)).mean() > 0.5


def test_interrupted_it_ends_with_the_same_bytes(stored, tmp_path):
    path = tmp_path / "s.zarr"

    def stopped(done, _total):
        if done > 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(path, "adapted", progress=stopped)
    record(path, "adapted")
    there = content(stored)
    assert all(there[name] == values for name, values in content(path).items() if "adapted" in name.parts)


@pytest.mark.slow
def test_who_is_killed_goes_on_to_the_same_bytes(stored, tmp_path):
    path = tmp_path / "s.zarr"
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    process = subprocess.Popen([sys.executable, str(SMALL), str(path), METHODS[0], "aligned"], env=environment)
    first = path / "recordings" / METHODS[0] / "input" / "aligned_sample" / "c" / "0" / "0" / "0"
    until = time.monotonic() + 300
    while not first.exists() and time.monotonic() < until:
        assert process.poll() is None, "it ended before anything was written"
        time.sleep(0.01)
    process.kill()
    process.wait()
    with pytest.raises(StoreError, match="half-written"):
        open_store(path, recording=METHODS[0])
    for method in METHODS:
        record(path, method)
    assert content(path) == content(stored)


def test_what_was_begun_goes_on_only_where_letters_are_aligned_as_before(tmp_path, monkeypatch):
    path = tmp_path / "s.zarr"

    def stopped(done, _total):
        if done > 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(path, "epsilon", progress=stopped)
    there = content(path / "recordings")
    measured = WindowRelevance.measure_aligned

    def changed(self, rows):
        found, heard, samples = measured(self, rows)
        return found, heard, samples[:, ::-1]

    with monkeypatch.context() as patch:
        patch.setattr(WindowRelevance, "measure_aligned", changed)
        with pytest.raises(StoreError, match="% of its aligned_sample are others"):
            record(path, "epsilon")
    assert content(path / "recordings") == there
    assert record(path, "epsilon").layer("input")["aligned_sample"].max() < 206


def test_without_them_the_recording_is_as_it_ever_was(stored, tmp_path):
    plain = record(tmp_path / "s.zarr", "adapted", alignments=False)
    found = open_store(stored, recording="adapted")
    assert "aligned_sample" not in plain.layer("input")
    assert "alignments" not in plain.recording_attrs
    assert plain.window_sums()["alignment"].to_numpy().tolist() == ["none", "max_relevance"]
    assert np.array_equal(plain.layer("input")["maps"], found.layer("input")["maps"])
    sums = found.window_sums("adapted").sel(alignment=["none", "max_relevance"])
    assert np.array_equal(plain.window_sums()["input_sum"], sums["input_sum"])


def test_untrained_twins_have_their_own(network, corpus, tmp_path):
    options = {"windows": windows_of(network, corpus).iloc[:4], "method": "gradient", "alignments": True}
    path = tmp_path / "s.zarr"
    trained = record_relevance(network, corpus, path, **options)
    about = {"trained": False, "seed": 3}
    twin = record_relevance(reader(3), corpus, path, recording="gradient_untrained_03", attrs=about, **options)
    ours, theirs = (one.layer("input")["aligned_sample"].to_numpy() for one in (trained, twin))
    assert ours.shape == theirs.shape == (4, 26, 4)
    assert not np.array_equal(ours, theirs)


def test_they_are_of_the_letter_that_was_read(network, corpus, tmp_path):
    with pytest.raises(ArgumentError, match="'emitted', but it is 'a'"):
        record_relevance(network, corpus, tmp_path / "s.zarr", "a", "gradient", alignments=True)
    assert not (tmp_path / "s.zarr").exists()


def test_queries_and_exports_take_them_along(stored, tmp_path):
    found = open_store(stored, recording="adapted")
    letter = found.tokens["letter"].iloc[0]
    chosen = found.select(letter=letter)
    samples = chosen.layer("input")["aligned_sample"]
    assert np.array_equal(
        samples, found.layer("input")["aligned_sample"][(found.tokens["letter"] == letter).to_numpy()]
    )
    assert len(chosen.to_frame(values="sum")) == 206 * len(samples)
    chosen.export(tmp_path / "s.nc", to="netcdf")
    with xr.open_dataset(tmp_path / "s.nc", group="recordings/adapted/input") as theirs:
        assert np.array_equal(theirs["aligned_sample"], samples)
        assert theirs["letter"].to_numpy().tolist() == list(ascii_lowercase)


@pytest.mark.r
def test_r_reads_them(stored, tmp_path):
    code = (
        f'source("{bundled("R", "layerstats.R")}"); '
        f'samples <- read_variable("{stored}", "adapted", "input", "aligned_sample"); '
        f'write.csv(samples[, 5, 2], "{tmp_path / "r.csv"}", row.names = FALSE); cat(names(dimnames(samples)))'
    )
    said = subprocess.run(["Rscript", "--vanilla", "-e", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["token", "letter", "alignment"]
    samples = open_store(stored, recording="adapted").layer("input")["aligned_sample"]
    ours = samples.sel(letter="e", alignment="max_relevance_by_time")
    assert np.array_equal(pd.read_csv(tmp_path / "r.csv")["x"], ours)
