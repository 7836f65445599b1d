"""A quantity that one small file adds goes all the way: recording, store, contrast, table, figure, page."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef

from layerstats.errors import ArgumentError, DataError, StoreError
from layerstats.plots import difference
from layerstats.probes import Activation, Quantity, Variable, record, record_untrained
from layerstats.probes.quantity import Batch
from layerstats.probes.recording.reduced import measure
from layerstats.report import Output, write_page
from layerstats.stats import FitOptions, IntervalOptions, word_contrasts
from layerstats.store import open_store

Silence = runpy.run_path(str(Path(__file__).with_name("own_quantity.py")))["Silence"]


@pytest.fixture(scope="module")
def clips(small):
    return small.small_clips(tokens=16)


@pytest.fixture(scope="module")
def store(small, clips, tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "s.zarr"
    record(small.small_network(), clips, path, Silence(0.2), layers=["2", "5"], batch_size=5)
    record_untrained(small.small_network(), clips, path, seeds=[4], quantity=Silence(0.2), layers=["2", "5"])
    return path


def test_its_values_and_what_is_said_of_them(small, clips, store):
    experiment = open_store(store, quantity="silence", trained=True)
    assert experiment.attrs["threshold"] == 0.2
    network = small.small_network().eval()
    with torch.no_grad():
        expected = network(torch.from_numpy(clips.waveforms(slice(None)))).abs() <= 0.2
    layer = experiment.layer("5")
    np.testing.assert_allclose(layer["share"], expected.float().mean(1), atol=1e-6)
    np.testing.assert_allclose(layer["by_channel"], expected.float().mean(2), atol=1e-6)
    # Anybody who opens the store finds dimensions, units and names.
    plain = xr.open_datatree(store, engine="zarr")["recordings/silence/5"]
    assert plain["share"].dims == ("token", "sample")
    assert plain["by_channel"].dims == ("token", "channel")
    assert plain["by_channel"].attrs["long_name"] == "share of the clip in which a channel is silent"
    assert plain["share"].attrs["units"] == "1"


def test_another_option_is_another_recording(small, clips, store):
    options = {"layers": ["2", "5"], "batch_size": 5}
    moves = []
    record(small.small_network(), clips, store, Silence(0.2), progress=lambda *move: moves.append(move), **options)
    assert moves == []
    with pytest.raises(StoreError, match="another recording"):
        record(small.small_network(), clips, store, Silence(0.3), **options)


def test_contrast_table_figure_and_page(store, tmp_path):
    experiment = open_store(store, quantity="silence", trained=True)
    result = word_contrasts(
        experiment,
        layers=["2"],
        words=["ask", "wash"],
        samples=16,
        speakers="none",
        intervals=IntervalOptions(draws=200),
        fits=FitOptions(engine="structured", workers=1),
    )
    assert result.tests["layer"].tolist() == ["2"]
    # The series that were compared are those that were recorded, in bins of their samples.
    mean = result.series["2"].frame["value"].mean()
    assert mean == pytest.approx(float(experiment.layer("2")["share"].mean()), abs=0.01)
    output = Output(tmp_path / "words", title="Silence")
    output.table(result.tests, "tests", "Where words differ in their share of silent channels")
    output.figure(difference(result.difference, result.regions), "differences", "Differences of words")
    page = write_page(tmp_path, "Silence")
    assert "share of silent channels" in Path(page).read_text(encoding="utf-8")


def test_a_quantity_that_is_the_same_everywhere_is_not_tested(small, clips, tmp_path):
    experiment = record(small.small_network(), clips, tmp_path / "s.zarr", Silence(1e9), layers="2")
    assert experiment.layer("2").attrs["fixed_share"] == "LeakyReLU"
    with pytest.raises(DataError, match="'share' is fixed by LeakyReLU"):
        word_contrasts(experiment, words=["ask", "wash"], speakers="none")


class Wrong(Quantity):
    """Says one thing and gives another."""

    name = "wrong"
    variables = (Variable("share"),)

    def __init__(self, reduce):
        self._reduce = reduce

    def reduce(self, values, axes):
        return self._reduce(values)


@pytest.mark.parametrize(
    ("reduce", "reason"),
    [
        (lambda values: {"other": values.mean(1)}, r"its variables are \['share'\], but reduce gave \['other'\]"),
        (lambda values: {"share": values}, r"'share' is \('token', 'sample'\), but reduce gave an array of shape"),
        (lambda values: {"share": values.mean(0)}, r"rows for the 3 tokens"),
        (lambda values: {"share": values.mean(1)[:, :-1]}, r"must keep the 512 samples .* but gave 511 for 'share'"),
        (lambda values: {"share": values.mean(1).numpy()}, r"must reduce to tensors, but gave ndarray for 'share'"),
    ],
)
def test_what_reduce_gives_is_what_was_said(small, clips, tmp_path, reduce, reason):
    with pytest.raises(ArgumentError, match=reason):
        record(small.small_network(), clips, tmp_path / "s.zarr", Wrong(reduce), layers="2")
    assert not (tmp_path / "s.zarr").exists()


def test_a_class_in_place_of_a_quantity(small, clips, tmp_path):
    with pytest.raises(ArgumentError, match=r"must be an object.*but got the class Silence itself"):
        record(small.small_network(), clips, tmp_path / "s.zarr", Silence, layers="2")


class Counting(Activation):
    """Counts the outputs of layers that are in memory while each of them is reduced."""

    def __init__(self):
        super().__init__()
        self._seen, self._most = [], 0

    def reduce(self, values, axes):
        self._seen.append(StorageWeakRef(values.untyped_storage()))
        self._most = max(self._most, sum(not one.expired() for one in self._seen))
        return super().reduce(values, axes)


def test_full_maps_are_in_memory_one_at_a_time(clips):
    """Of a layer that is reduced there are its output and its input, the output of the layer before it."""
    layers = [str(number) for number in range(1, 13)]
    network = nn.Sequential(*(nn.Conv1d(1 if number == 0 else 4, 4, 3, padding=1) for number in range(13)))
    quantity = Counting()
    batch = Batch(
        network, torch.ones(8, 1, 64), clips.tokens[:8], dict.fromkeys(layers, ("token", "channel", "sample"))
    )
    with torch.no_grad():
        arrays = measure(quantity, batch)
    assert [arrays[layer]["mean"].shape for layer in layers] == [(8, 64)] * 12
    assert (len(quantity._seen), quantity._most) == (12, 2)


@pytest.mark.parametrize("dims", [("speaker", "channel"), ("sample", "token"), ("channel",), ()])
def test_the_first_axis_of_a_variable_is_the_token_or_the_phone(dims):
    with pytest.raises(ArgumentError, match="'token' or 'phone' first"):
        Variable("v", dims)
