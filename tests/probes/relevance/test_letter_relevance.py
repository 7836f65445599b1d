"""Relevance of the windows of emitted letters: values, tables, sums, and the same bytes after kills."""

import os
import runpy
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from layerstats.corpora import utterance
from layerstats.errors import ArgumentError, DataError, NetworkError, StoreError
from layerstats.probes.relevance import attribute, record_relevance, window_recording
from layerstats.probes.relevance.shared_pass import SharedPass
from layerstats.resources import bundled
from layerstats.store import check_store, open_store

SMALL = Path(__file__).with_name("letter_windows.py")
_small = runpy.run_path(str(SMALL))
reader, sentences, windows_of, write = (_small[name] for name in ("reader", "sentences", "windows_of", "write"))


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
def windows(network, corpus):
    return windows_of(network, corpus)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Relevance by two methods, in small shards."""
    path = tmp_path_factory.mktemp("windows") / "s.zarr"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_recording, "tokens_in_shard", window_recording.tokens_in_shard)
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        write(path, "adapted", maps=True)
        write(path, "gradient", maps=True)
    return path


def content(path):
    return {file.relative_to(path): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def heard_alone(network, corpus, tokens, row):
    """A window cut out of the features of its utterance, (1, time, mel)."""
    samples = torch.from_numpy(utterance(corpus, tokens["utterance"].iloc[row]))
    features = network.features(samples[None])
    start = int(tokens["start_frame"].iloc[row])
    return features[:, start : start + 206]


@pytest.mark.parametrize("method", ["adapted", "gradient"])
def test_each_window_has_the_relevance_that_it_has_alone(stored, network, corpus, method):
    found = open_store(stored, recording=method)
    layer, tokens = found.layer("input"), found.tokens
    network.padding = "valid"
    try:
        for row in (0, 17, len(tokens) - 1):
            heard = heard_alone(network, corpus, tokens, row)
            labels = network.alphabet.letters
            alone = attribute(network, heard, tokens["letter"].iloc[row], method, labels=labels)
            values = alone.values[0].T
            size = float(values.abs().max())
            assert np.allclose(layer["maps"][row], values, atol=1e-4 * size)
            assert np.allclose(layer["sum"][row], values.sum(0), atol=1e-3 * size)
            assert np.allclose(layer["by_frequency"][row], values.sum(1), atol=1e-3 * size)
            there = open_store(stored, recording="input").layer("input")["maps"][row]
            assert np.allclose(there, heard[0].T, atol=1e-5)
    finally:
        network.padding = "same"


def test_the_store_says_what_it_holds(stored, windows):
    found = open_store(stored, quantity="relevance")
    assert found.recording_attrs["rules"] == "adapted(epsilon=1e-21, back='float32')"
    assert found.recording_attrs["dtype"] == "float64"
    assert found.recording_attrs["start"] == "one"
    tokens = found.tokens
    assert set(tokens["token"]) == set(windows["token"])
    assert tokens["speaker"].is_monotonic_increasing or tokens["speaker"].drop_duplicates().size == 2
    letter = tokens["letter"].iloc[0]
    assert (found.select(letter=letter).tokens["letter"] == letter).all()
    frame = found.select(letter=letter).to_frame(values="sum")
    assert len(frame) == 206 * (tokens["letter"] == letter).sum()
    time_s = found.layer("input")["time_s"].to_numpy()
    assert np.allclose(time_s, 0.008 * np.arange(206))
    peaks = found.layer("input")["maps"].max("channel").argmax("sample").to_numpy()
    assert np.allclose(found.layer("input")["peak_s"], time_s[peaks])
    assert check_store(stored) == []


def test_phones_lie_where_they_are_said_in_the_window(stored, corpus):
    found = open_store(stored, recording="adapted")
    tokens, phones = found.tokens, found.phones
    for row in (0, len(tokens) - 1):
        token = tokens.iloc[row]
        begins = token["start_frame"] * 0.008
        own = phones[phones["token"] == token["token"]]
        said = corpus.phones[corpus.phones["token"] == token["utterance"]]
        said = said[(said["offset_s"] > begins) & (said["onset_s"] <= begins + 205 * 0.008)]
        assert own["label"].tolist() == said["label"].tolist()
        assert np.allclose(own["onset_s"] + begins, said["onset_s"])
        centre = 102.5 * 0.008
        under = own[(own["onset_s"] <= centre) & (own["offset_s"] > centre)]["label"].tolist()
        assert under == ([token["phone"]] if token["phone"] else [])
        assert np.isclose(token["centre_s"], begins + centre)


@pytest.mark.parametrize("method", ["adapted", "gradient"])
def test_sums_are_those_of_the_maps(stored, method):
    found = open_store(stored, recording=method)
    tokens, sums = found.tokens, found.window_sums(method)
    relevance = found.layer("input")["maps"].to_numpy().astype(float)
    heard = open_store(stored, recording="input").layer("input")["maps"].to_numpy().astype(float)
    for alignment in sums["alignment"].to_numpy():
        expected = {name: np.zeros((2, 26, 128, 206)) for name in ("relevance", "input", "squares")}
        coverage = np.zeros((2, 26, 206), dtype=int)
        for row, token in tokens.iterrows():
            place = (
                list(sums["speaker"].to_numpy()).index(token["speaker"]),
                "abcdefghijklmnopqrstuvwxyz".index(token["letter"]),
            )
            at = {
                "none": 103,
                "max_relevance": relevance[row].max(0).argmax(),
                "min_relevance": relevance[row].min(0).argmin(),
            }[str(alignment)]
            for lag in range(206):
                sample = at + lag - 103
                if 0 <= sample < 206:
                    coverage[(*place, lag)] += 1
                    expected["relevance"][(*place, slice(None), lag)] += relevance[row, :, sample]
                    expected["input"][(*place, slice(None), lag)] += heard[row, :, sample]
                    expected["squares"][(*place, slice(None), lag)] += heard[row, :, sample] ** 2
        here = sums.sel(alignment=alignment)
        assert np.array_equal(here["coverage"], coverage)
        assert np.allclose(here["input_sum"], expected["input"], atol=1e-5)
        assert np.allclose(here["input_sum_of_squares"], expected["squares"], atol=1e-4)
        size = np.abs(expected["relevance"]).max()
        assert np.allclose(here["relevance_sum"], expected["relevance"], atol=1e-5 * size)


@pytest.mark.slow
def test_who_is_killed_goes_on_to_the_same_bytes(stored, tmp_path):
    path = tmp_path / "s.zarr"
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    command = [sys.executable, str(SMALL), str(path), "adapted"]
    process = subprocess.Popen(command, env=environment)
    first = path / "recordings" / "adapted" / "input" / "sum" / "c" / "0" / "0"
    until = time.monotonic() + 300
    while not first.exists() and time.monotonic() < until:
        assert process.poll() is None, "it ended before anything was written"
        time.sleep(0.01)
    process.kill()
    process.wait()
    with pytest.raises(StoreError, match="half-written"):
        open_store(path, recording="adapted")
    write(path, "adapted", maps=True)
    write(path, "gradient", maps=True)
    assert content(path) == content(stored)


@pytest.mark.slow
def test_interrupted_between_any_two_batches_it_ends_with_the_same_bytes(stored, tmp_path):
    path = tmp_path / "s.zarr"
    for stop in (9, 30, 60):

        def stopped(done, _total, stop=stop):
            if done > stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write(path, "adapted", maps=True, progress=stopped)
    write(path, "adapted", maps=True)
    write(path, "gradient", maps=True)
    assert content(path) == content(stored)


def test_without_maps_the_same_is_recorded(stored, tmp_path):
    found = write(tmp_path / "s.zarr", "adapted", shared=False)
    there = open_store(stored, recording="adapted")
    assert "maps" not in found.layer("input")
    assert np.allclose(found.layer("input")["sum"], there.layer("input")["sum"], atol=1e-4)
    assert np.allclose(found.window_sums()["input_sum"], there.window_sums("adapted")["input_sum"], atol=1e-4)
    assert found.recordings["recording"].tolist() == ["adapted", "input"]


def test_untrained_twins_hear_the_same_windows(network, corpus, windows, tmp_path):
    store, options = tmp_path / "s.zarr", {"windows": windows.iloc[:5], "method": "gradient"}
    record_relevance(network, corpus, store, **options)
    about = {"trained": False, "seed": 3}
    record_relevance(reader(3), corpus, store, recording="gradient_untrained_03", attrs=about, **options)
    names = open_store(store).recordings.set_index("recording")["trained"].to_dict()
    assert names == {"gradient": True, "gradient_untrained_03": False, "input": True}


def test_networks_and_methods_share_what_was_heard(network, corpus, windows, tmp_path):
    store, few = tmp_path / "s.zarr", windows.iloc[:5]
    made = [
        (network, "flat", False),
        (reader(1), "flat", False),
        (reader(1), "gradient", True),
        (network, "lrp_0", True),
    ]
    for number, (model, method, maps) in enumerate(made):
        options = {"method": method, "maps": maps, "recording": f"r{number}", "windows": few}
        record_relevance(model, corpus, store, **options)
    found = open_store(store)
    assert set(found.recordings["recording"]) == {"input", "input_maps", "r0", "r1", "r2", "r3"}
    first, second = found.window_sums("r0"), found.window_sums("r1")
    assert np.array_equal(first["input_sum"].sel(alignment="none"), second["input_sum"].sel(alignment="none"))
    assert not np.array_equal(first["relevance_sum"], second["relevance_sum"])
    assert check_store(store) == []


def test_bad_input_is_refused_and_nothing_is_left(network, corpus, windows, tmp_path):
    store = tmp_path / "s.zarr"
    options = {"windows": windows}
    silent = reader()
    with torch.no_grad():
        silent.conv12.weight.fill_(float("nan"))
    cases = [
        (ArgumentError, "There is no target 'yes'", network, {"target": "yes"}),
        (ArgumentError, "has no option 'steps'", network, {"steps": 4}),
        (ArgumentError, "'conv1'", network, {"layers": "conv1"}),
        (ArgumentError, "is there twice", network, {"windows": pd.concat([windows, windows])}),
        (ArgumentError, "is not of 'demo'", network, {"windows": windows.assign(utterance="other")}),
        (ArgumentError, "context='inside'", network, {"windows": windows.assign(start_frame=-2)}),
        (ArgumentError, "ends after its utterance", network, {"windows": windows.assign(start_frame=10**6)}),
        (DataError, "no windows", network, {"windows": windows.iloc[:0]}),
        ((DataError, NetworkError), "NaN", silent, {}),
    ]
    for kind, message, model, changed in cases:
        with pytest.raises(kind, match=message):
            record_relevance(model, corpus, store, **{**options, **changed})
        assert not store.exists(), message


def test_an_error_on_the_way_takes_back_what_was_begun(network, corpus, windows, tmp_path):
    store, late = tmp_path / "s.zarr", windows.copy()
    record_relevance(network, corpus, store, method="gradient", windows=late, batch_size=4)
    before = content(store)
    measured = window_recording.check_numbers

    def spoiled(arrays, tokens):
        values = (
            {name: array * np.nan for name, array in arrays.items()} if late["token"].iloc[-1] in tokens else arrays
        )
        measured(values, tokens)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_recording, "check_numbers", spoiled)
        with pytest.raises(DataError, match="NaN or infinite"):
            record_relevance(network, corpus, store, windows=late, batch_size=4)
        with pytest.raises(DataError, match="NaN or infinite"):
            record_relevance(network, corpus, tmp_path / "other.zarr", windows=late, batch_size=4)
    assert content(store) == before
    assert not (tmp_path / "other.zarr").exists()


def test_other_weights_or_windows_are_another_recording(network, corpus, windows, tmp_path):
    store = tmp_path / "s.zarr"
    record_relevance(network, corpus, store, method="gradient", windows=windows.iloc[:4])
    with pytest.raises(StoreError, match="model_hash"):
        record_relevance(reader(1), corpus, store, method="gradient", windows=windows.iloc[:4])
    with pytest.raises(StoreError):
        record_relevance(network, corpus, store, method="gradient", windows=windows.iloc[:5])


def test_a_network_that_takes_its_whole_input_together_shares_no_pass():
    class Whole(torch.nn.Module):
        def forward(self, heard):
            return heard.cumsum(1).mean(1)

    frames = torch.randn(1, 30, 4)
    with pytest.raises(NetworkError, match="shared=False"):
        SharedPass(Whole(), frames[:, :10]).of([(frames, [0, 3])])


@pytest.mark.r
def test_r_reads_relevance_as_it_reads_activations(stored, tmp_path):
    code = (
        f'source("{bundled("R", "layerstats.R")}"); store <- read_store("{stored}", recording = "adapted"); '
        f'write.csv(store$relevance, "{tmp_path / "r.csv"}", row.names = FALSE); cat(names(store))'
    )
    said = subprocess.run(["Rscript", "--vanilla", "-e", code], capture_output=True, text=True, check=True).stdout
    assert "relevance" in said.split()
    theirs = pd.read_csv(tmp_path / "r.csv")
    ours = open_store(stored, recording="adapted").to_frame(values="sum")
    assert np.allclose(theirs["value"], ours["value"])
    assert theirs["token"].tolist() == ours["token"].tolist()
