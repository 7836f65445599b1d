"""What contexts take back where there is a GPU: devices, precision, random numbers."""

import pytest
import torch
from torch import nn

from layerstats.models import device_for, full_precision, on_device, running, seeded_everywhere

pytestmark = pytest.mark.gpu
GPU = torch.device("cuda")


def tensors_of(model):
    return [tensor for owner in (model.parameters(), model.buffers()) for tensor in owner]


def test_weights_buffers_and_gradients_come_back_as_the_tensors_they_were():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.LSTM(3, 2))
    model[0].weight.grad = torch.ones(3, 3)
    kept = model[0].weight.grad
    before = [(id(tensor), tensor.data_ptr(), tensor.tolist()) for tensor in (*tensors_of(model), kept)]
    with on_device(model, GPU):
        assert {tensor.device.type for tensor in tensors_of(model)} == {"cuda"}
        model[0](torch.ones(2, 3, device=GPU))
    assert model[0].weight.grad is kept
    assert [(id(tensor), tensor.data_ptr(), tensor.tolist()) for tensor in (*tensors_of(model), kept)] == before
    # The recurrent layer's own list of its weights too.
    model[2](torch.ones(4, 2, 3))


def test_a_network_on_the_gpu_stays_there():
    model = nn.Linear(3, 3).to(GPU)
    assert device_for(model, "auto").type == "cuda"
    with running(model, torch.device("cpu")):
        assert model.weight.device.type == "cpu"
    assert model.weight.device.type == "cuda"


@pytest.mark.parametrize("operation", ["products", "convolutions", "recurrent"])
def test_float32_is_not_rounded_to_tf32(operation):
    """The caller allows it, and has it again afterwards."""
    with seeded_everywhere(0):
        modules = {"products": nn.Linear(512, 64), "convolutions": nn.Conv1d(64, 64, 9), "recurrent": nn.LSTM(64, 64)}
        model = modules[operation]
        inputs = torch.randn(256, 512) if operation == "products" else torch.randn(32, 64, 64)

    with torch.no_grad():
        expected = _first(model.double()(inputs.double()))
        model.float().to(GPU)
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = True, True
        try:
            rounded = _first(model(inputs.to(GPU))).cpu().double()
            with full_precision():
                found = _first(model(inputs.to(GPU))).cpu().double()
            again = _first(model(inputs.to(GPU))).cpu().double()
            assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == (True, True)
        finally:
            torch.backends.cuda.matmul.allow_tf32 = False
    # cuDNN's recurrent layers approximate their functions a little.
    assert float((found - expected).norm() / expected.norm()) < 2e-5
    # Otherwise there would be nothing to test here.
    if torch.cuda.get_device_capability()[0] >= 8:
        for other in (rounded, again):
            assert float((other - expected).norm() / expected.norm()) > 1e-4


def _first(output):
    return output if isinstance(output, torch.Tensor) else output[0]


def test_random_numbers_of_the_gpu_are_left_as_they_were():
    before = torch.cuda.get_rng_state()
    with seeded_everywhere(1, GPU):
        first = torch.rand(3, device=GPU)
    assert torch.equal(torch.cuda.get_rng_state(), before)
    with seeded_everywhere(1, GPU):
        torch.testing.assert_close(torch.rand(3, device=GPU), first, rtol=0, atol=0)
