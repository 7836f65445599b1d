"""Relevance of whole tokens in the store: as `attribute` gives it, read as activations are, and none after an error."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from layerstats.errors import ArgumentError, DataError, NetworkError, OtherRecordingError, StoreError
from layerstats.probes import Relevance, record, record_activations, record_relevance, record_untrained
from layerstats.probes.relevance import attribute
from layerstats.stats.contrasts.untrained import untrained_twins
from layerstats.store import check_store, open_store

WORDS = ["ask", "wash"]
LAYERS = ["input", "0.1", "0.3"]


@pytest.fixture
def network(small):
    return nn.Sequential(small.small_network(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(6, 2)).eval()


@pytest.mark.parametrize("method", ["epsilon", "gamma", "adapted", "integrated_gradients", "input_x_gradient"])
def test_recorded_relevance_is_that_of_attribute(small, network, method, tmp_path):
    clips = small.small_clips()
    found = record_relevance(
        network, clips, tmp_path / "s.zarr", "wash", method, labels=WORDS, layers=LAYERS, maps=True
    )
    assert found.layers == tuple(LAYERS)
    waveforms = torch.from_numpy(clips.waveforms(slice(None)))
    expected = attribute(network, waveforms, "wash", method, to=LAYERS, labels=WORDS)
    for layer, values in expected.values.items():
        there = found.layer(layer)
        values = values.reshape(10, -1, values.shape[-1]).detach()
        size = float(values.abs().max())
        assert np.allclose(there["maps"], values, atol=1e-4 * size)
        assert np.allclose(there["mean"], values.mean(1), atol=1e-4 * size)
        assert np.allclose(there["time_s"], record_times(network, clips, layer, tmp_path))
    about = found.recording_attrs
    assert about["method"] == method
    assert about["quantity"] == ("relevance" if method in ("epsilon", "gamma", "adapted") else method)
    if method == "adapted":
        assert (about["epsilon"], about["dtype"]) == (1e-21, "float64")
        assert about["rules"].startswith("adapted")
    assert check_store(tmp_path / "s.zarr") == []


def record_times(network, clips, layer, folder):
    return record_activations(network, clips, folder / "times.zarr", layers=[layer], group=layer).layer(layer)["time_s"]


def test_the_conservation_error_is_what_the_layer_lacks(small, network, tmp_path):
    clips = small.small_clips()
    found = record_relevance(network, clips, tmp_path / "s.zarr", "wash", labels=WORDS, layers=LAYERS, maps=True)
    scores = network(torch.from_numpy(clips.waveforms(slice(None))))[:, 1].detach().numpy()
    for layer in LAYERS:
        there = found.layer(layer)
        sums = there["maps"].sum(("channel", "sample")).to_numpy()
        assert np.allclose(there["conservation_error"], (scores - sums) / scores, atol=1e-3)
    error = found.to_frame(layer="input", values="mean")
    assert len(error) == 10 * clips.samples


def test_rules_and_numbers_go_into_attributes_and_key(small, network, tmp_path):
    clips, store = small.small_clips(), tmp_path / "s.zarr"
    options = {"labels": WORDS, "layers": "input", "recording": "r"}
    found = record_relevance(network, clips, store, rules={"0.1": "flat"}, epsilon=0.01, **options)
    about = found.recording_attrs
    assert about["rules"] == "epsilon(epsilon=0.01); 0.1: flat"
    assert (about["epsilon"], about["target"], about["start"]) == (0.01, "own_word", "logit")
    with pytest.raises(StoreError, match="already holds another recording"):
        record_relevance(network, clips, store, epsilon=0.01, **options)
    assert record_relevance(network, clips, store, rules={"0.1": "flat"}, epsilon=0.01, **options).name == "r"


def test_untrained_twins_have_the_same_rule(small, network, tmp_path):
    clips, store = small.small_clips(), tmp_path / "s.zarr"
    for method in ("epsilon", "z_plus"):
        record_relevance(network, clips, store, labels=WORDS, method=method, layers="0.1")
        quantity = Relevance(labels=WORDS, method=method)
        record_untrained(network, clips, store, range(2), quantity=quantity, layers="0.1")
    twins = untrained_twins(open_store(store, recording="z_plus"))
    assert twins == ["z_plus_untrained_00", "z_plus_untrained_01"]
    assert open_store(store, quantity="relevance", method="epsilon", trained=True).name == "epsilon"


class Odd(nn.Module):
    """One operation of it has no rule."""

    def __init__(self, network):
        super().__init__()
        self.inner = network

    def forward(self, waveforms):
        return torch.special.i0(self.inner(waveforms))


def test_nothing_is_written_where_relevance_cannot_be_had(small, network, tmp_path):
    clips, store = small.small_clips(), tmp_path / "s.zarr"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        scripted = torch.jit.script(network)
    cases = [
        (ArgumentError, "There is no target 'cash'", network, {"target": "cash"}),
        (ArgumentError, "has no option 'steps'", network, {"steps": 3}),
        (ArgumentError, "which is no layer of this Sequential", network, {"rules": {"conv9": "flat"}}),
        (ArgumentError, "'method'", network, {"method": "lrp"}),
        (NetworkError, "no rule for the operation", Odd(network), {"layers": "input"}),
        (NetworkError, "scripted", scripted, {"layers": "input"}),
    ]
    for kind, message, model, options in cases:
        with pytest.raises(kind, match=message):
            record_relevance(model, clips, store, **{"target": "wash", "labels": WORDS, "layers": "input", **options})
        assert not store.exists()


def test_values_that_are_not_numbers_leave_no_finished_recording(small, network, tmp_path):
    class Late(Relevance):
        """The last batch is not a number."""

        def measure(self, batch, use):
            late = batch.tokens["token"].iloc[-1] == "t009"

            def spoiled(layer, values, more=None):
                use(layer, values * float("nan") if late else values, more)

            super().measure(batch, spoiled)

    clips, store = small.small_clips(), tmp_path / "s.zarr"
    with pytest.raises(DataError, match="NaN or infinite"):
        record(network, clips, store, Late("wash", WORDS), layers="input", batch_size=4)
    with pytest.raises(StoreError, match="half-written"):
        open_store(store, recording="epsilon")


def test_networks_and_methods_share_what_was_heard(small, network, tmp_path):
    clips, store = small.small_clips(), tmp_path / "s.zarr"
    other = nn.Sequential(small.small_network(1), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(6, 2)).eval()
    made = [(network, "epsilon", False), (other, "epsilon", False), (other, "gradient", True), (network, "flat", True)]
    options = {"labels": WORDS, "layers": "input"}
    for number, (model, method, maps) in enumerate(made):
        record_relevance(model, clips, store, method=method, recording=f"r{number}", maps=maps, **options)
    louder = {
        "prepare_input": lambda waveforms: 2 * waveforms.unsqueeze(1),
        "input_axes": ("token", "channel", "sample"),
    }
    record_relevance(nn.Sequential(nn.Flatten(), network), clips, store, recording="r4", **louder, **options)
    record_relevance(network, clips, store, recording="r0", **options)
    found = open_store(store).recordings
    assert set(found["recording"]) == {"input", "input_maps", "input_series", "r0", "r1", "r2", "r3", "r4"}
    heard = {name: open_store(store, recording=name).layer("input")["mean"].to_numpy() for name in found["recording"]}
    assert np.array_equal(heard["input"], heard["input_maps"])
    assert np.allclose(heard["input_series"], 2 * heard["input"])
    assert check_store(store) == []


def test_another_recording_of_the_name_leaves_all_as_it_was(small, network, tmp_path):
    clips, store = small.small_clips(), tmp_path / "s.zarr"
    record_activations(network, clips, store, layers="0.1", group="epsilon")
    with pytest.raises(OtherRecordingError, match="quantity: 'activation' there, 'relevance' now"):
        record_relevance(network, clips, store, labels=WORDS)
    assert open_store(store).recordings["recording"].tolist() == ["epsilon"]
