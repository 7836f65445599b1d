"""Recordings made on a GPU are those of the CPU but for rounding, and leave the network where it was."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from layerstats.models import seeded
from layerstats.probes import Activation, Gradient, read_codes, record, record_activations
from layerstats.store import open_store

pytestmark = pytest.mark.gpu

_SYNTHETIC = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
Classifier, LAYERS, WORDS = (_SYNTHETIC[name] for name in ("Classifier", "LAYERS", "WORDS"))
# Rounding of a layer's sums in float32, in its own size.
ROUNDING = 2e-5


@pytest.fixture(scope="module")
def clips():
    return _SYNTHETIC["clips"]()


def assert_close(ours, theirs, rounding=ROUNDING):
    """The same layers and variables, each but for `rounding` of the size of the layer's channels."""
    assert ours.layers == theirs.layers
    for layer in ours.layers:
        one, other = ours.layer(layer), theirs.layer(layer)
        assert set(one.data_vars) == set(other.data_vars)
        size = other.attrs["channel_rms"]
        assert size > 0
        assert one.attrs["channel_rms"] == pytest.approx(size, rel=10 * rounding)
        for name in one.data_vars:
            apart = np.abs(one[name].to_numpy() - other[name].to_numpy())
            assert apart.max() < 10 * rounding * size, (layer, name)
            assert np.sqrt(np.mean(apart**2)) < rounding * size, (layer, name)


@pytest.fixture(scope="module")
def on_cpu(clips, tmp_path_factory):
    path = tmp_path_factory.mktemp("cpu") / "s.zarr"
    return record(Classifier(), clips, path, Activation(maps=True, phones=True), LAYERS, batch_size=8, device="cpu")


@pytest.mark.parametrize("tf32", [False, True])
def test_activations_are_those_of_the_cpu(tmp_path, clips, on_cpu, tf32):
    model = Classifier().train()
    pointers = [weight.data_ptr() for weight in model.parameters()]
    random = torch.cuda.get_rng_state()
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = tf32
    try:
        quantity = Activation(maps=True, phones=True)
        ours = record(model, clips, tmp_path / "s.zarr", quantity, LAYERS, batch_size=8, device="cuda")
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
    assert_close(ours, on_cpu)
    assert ours.attrs["device"] == "cuda"
    assert all(module.training for module in model.modules())
    assert [weight.data_ptr() for weight in model.parameters()] == pointers
    assert torch.equal(torch.cuda.get_rng_state(), random)


def test_the_gpu_is_chosen_by_itself_and_repeats_itself(tmp_path, clips):
    stores = [tmp_path / f"{number}.zarr" for number in range(2)]
    first, second = (record_activations(Classifier(), clips, store, layers=LAYERS) for store in stores)
    assert first.attrs["device"] == "cuda"
    for layer in first.layers:
        np.testing.assert_array_equal(first.layer(layer)["mean"], second.layer(layer)["mean"])


def test_values_do_not_depend_on_the_batch(tmp_path, clips, on_cpu):
    ours = record(
        Classifier(),
        clips,
        tmp_path / "s.zarr",
        Activation(maps=True, phones=True),
        LAYERS,
        batch_size=5,
        device="cuda",
    )
    assert_close(ours, on_cpu)


class Stopped(Exception):
    """As if the run had been stopped."""


@pytest.mark.parametrize("first", ["cpu", "cuda"])
def test_a_recording_goes_on_on_the_other_device(tmp_path, on_cpu, first):
    clips = _SYNTHETIC["clips"](tokens=200)
    store, whole = tmp_path / "s.zarr", tmp_path / "whole.zarr"
    other = "cuda" if first == "cpu" else "cpu"
    moves = []

    def tell(done, total):
        moves.append(done)
        if len(moves) == 19:
            raise Stopped

    options = {"layers": LAYERS, "batch_size": 8}
    with pytest.raises(Stopped):
        record_activations(Classifier(), clips, store, device=first, progress=tell, **options)
    assert not open_store(store, incomplete="allow").recordings["complete"].any()
    moves.clear()
    ours = record_activations(
        Classifier(), clips, store, device=other, progress=lambda done, total: moves.append(done), **options
    )
    # It began where the first had stopped.
    assert 0 < len(moves) < 25
    assert_close(ours, record_activations(Classifier(), clips, whole, device="cpu", **options))
    moves.clear()
    for device in ("cpu", "cuda"):
        record_activations(
            Classifier(), clips, store, device=device, progress=lambda done, total: moves.append(done), **options
        )
    assert moves == []


# torch's own, of recurrent layers in bfloat16 on a GPU.
@pytest.mark.filterwarnings("ignore:RNN module weights are not part of single contiguous chunk:UserWarning")
@pytest.mark.parametrize(("dtype", "rounding"), [(torch.float16, 5e-3), (torch.bfloat16, 4e-2)])
def test_networks_in_half_precision(tmp_path, clips, on_cpu, dtype, rounding):
    ours = record_activations(Classifier().to(dtype), clips, tmp_path / "s.zarr", layers=LAYERS, device="cuda")
    assert ours.layer("conv1")["mean"].dtype == np.float32
    for layer in ours.layers:
        apart = ours.layer(layer)["mean"].to_numpy() - on_cpu.layer(layer)["mean"].to_numpy()
        assert np.abs(apart).max() < 10 * rounding * on_cpu.layer(layer).attrs["channel_rms"], layer


class Mixed(nn.Module):
    """The first layer in half precision, the second in float32."""

    def __init__(self):
        super().__init__()
        with seeded(0):
            self.conv1 = nn.Conv1d(1, 8, 25, stride=4).half()
            self.conv2 = nn.Conv1d(8, 8, 9, stride=4)

    def forward(self, waveforms):
        return self.conv2(self.conv1(waveforms[:, None]).float())


def test_networks_of_mixed_precision(tmp_path, clips):
    first, second = (
        record_activations(Mixed(), clips, tmp_path / f"{device}.zarr", device=device) for device in ("cuda", "cpu")
    )
    for layer in first.layers:
        apart = np.abs(first.layer(layer)["mean"].to_numpy() - second.layer(layer)["mean"].to_numpy())
        assert apart.max() < 5e-3 * second.layer(layer).attrs["channel_rms"]


class Spread(nn.Module):
    """Half of it on the GPU, as its owner put it."""

    def __init__(self):
        super().__init__()
        with seeded(0):
            self.conv1 = nn.Conv1d(1, 8, 25, stride=4).to("cuda")
            self.conv2 = nn.Conv1d(8, 8, 9, stride=4)

    def forward(self, waveforms):
        return self.conv2(self.conv1(waveforms[:, None]).cpu())


def test_a_network_on_several_devices_stays_there(tmp_path, clips):
    model = Spread()
    record_activations(model, clips, tmp_path / "s.zarr")
    assert (model.conv1.weight.device.type, model.conv2.weight.device.type) == ("cuda", "cpu")


@pytest.mark.parametrize("times_activation", [False, True])
def test_gradients_are_those_of_the_cpu(tmp_path, clips, times_activation):
    """Also through a recurrent layer, of which cuDNN has no backward pass in eval mode."""
    quantity = Gradient("own_word", WORDS, times_activation=times_activation, maps=True)
    model = Classifier().train()
    ours, theirs = (
        record(model, clips, tmp_path / f"{device}.zarr", quantity, LAYERS, batch_size=8, device=device)
        for device in ("cuda", "cpu")
    )
    assert_close(ours, theirs, 10 * ROUNDING)
    assert {weight.grad for weight in model.parameters()} == {None}
    alone = record(model, clips, tmp_path / "alone.zarr", quantity, LAYERS, batch_size=5, device="cuda")
    assert_close(alone, ours, 10 * ROUNDING)


def test_codes_are_those_of_the_cpu(clips):
    on_gpu, on_cpu = (read_codes(Classifier(), clips, labels=WORDS, device=device) for device in ("cuda", "cpu"))
    np.testing.assert_allclose(on_gpu["certainty"], on_cpu["certainty"], rtol=1e-4)
    assert on_gpu["code"].tolist() == on_cpu["code"].tolist()
