"""Every context changes one thing and takes it back, also where the block fails."""

import random
from contextlib import ExitStack

import numpy as np
import pytest
import torch
from torch import nn

from layerstats.models import (
    evaluating,
    full_precision,
    gradients,
    on_device,
    preserved,
    repeatable,
    running,
    seeded_everywhere,
)


class Broken(Exception):
    """What the blocks raise."""


class Restless(nn.Module):
    """Changes its buffers, in place and by others, and its attributes; some of it is frozen, some in eval mode."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("last", torch.zeros(2))
        self.linear = nn.Linear(2, 2)
        self.frozen = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)).requires_grad_(False).eval()
        self.linear.weight.grad = torch.ones(2, 2)
        self.seen = []

    def forward(self, inputs):
        self.calls += 1
        self.last = inputs.detach()
        self.seen = [*self.seen, len(inputs)]
        self.mood = "restless"
        return self.frozen(self.linear(inputs))


def state_of(model):
    """Everything that could be left behind: which tensors they are, where their numbers lie, what they are."""
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return {
        "tensors": {name: (id(tensor), tensor.data_ptr(), tensor.tolist()) for name, tensor in tensors.items()},
        "requires": [weight.requires_grad for weight in model.parameters()],
        "gradients": [
            (id(weight.grad), weight.grad is not None and weight.grad.tolist()) for weight in tensors.values()
        ],
        "training": [module.training for module in model.modules()],
        "attributes": [{name: id(value) for name, value in vars(module).items()} for module in model.modules()],
    }


def settings():
    cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
    return cudnn.enabled, cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32, products.allow_tf32


CPU = torch.device("cpu")
CONTEXTS = {
    "evaluating": evaluating,
    "on_device": lambda model: on_device(model, CPU),
    "preserved": preserved,
    "gradients": gradients,
    "running": lambda model: running(model, CPU),
    "differentiating": lambda model: running(model, CPU, differentiate=True),
}


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS.keys())
def test_networks_are_left_as_they_were(context, fails):
    model = Restless().train()
    model.frozen.eval()
    before, modes, backends = state_of(model), torch.is_grad_enabled(), settings()
    try:
        with preserved(model), context(model):
            model(torch.ones(3, 2, requires_grad=True))
            if fails:
                raise Broken
    except Broken:
        assert fails
    assert state_of(model) == before
    assert (torch.is_grad_enabled(), settings()) == (modes, backends)


def test_a_network_that_cannot_come_back_is_as_it_was():
    """Nothing can be moved from the device "meta", so that the way back fails."""
    model = Restless()
    before = state_of(model)
    with pytest.raises(NotImplementedError, match="meta"), on_device(model, torch.device("meta")):
        assert all(tensor.is_meta for tensor in (*model.parameters(), *model.buffers(), model.linear.weight.grad))
    assert state_of(model) == before


def test_a_network_on_several_devices_stays_there():
    model = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2, device="meta")])
    with on_device(model, CPU):
        assert model[1].weight.is_meta


def test_weights_are_constants_where_gradients_are_taken():
    model, inputs = Restless(), torch.ones(1, 2, requires_grad=True)
    kept = model.linear.weight.grad
    # Whatever the caller had switched off.
    with torch.no_grad(), gradients(model):
        output = model.linear(inputs)
        output.sum().backward()
        # Of itself a weight that is trained could not change in place.
        model.linear.weight.mul_(1.0)
    torch.testing.assert_close(inputs.grad, model.linear.weight.detach().sum(0, keepdim=True))
    assert model.linear.weight.grad is kept
    assert kept.tolist() == [[1, 1], [1, 1]]
    with torch.inference_mode(), gradients(model):
        assert model.linear(torch.ones(1, 2, requires_grad=True)).requires_grad


@pytest.mark.parametrize("of_the_caller", [True, False])
def test_full_precision_gives_back_what_the_caller_chose(of_the_caller):
    cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
    with ExitStack() as stack:
        for owner, name in ((cudnn, "allow_tf32"), (products, "allow_tf32"), (cudnn, "benchmark")):
            stack.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, of_the_caller)
        before = settings()
        with repeatable(), full_precision():
            assert (cudnn.deterministic, cudnn.benchmark) == (True, False)
            if hasattr(products, "fp32_precision"):
                assert {part.fp32_precision for part in (products, cudnn.conv, cudnn.rnn)} == {"ieee"}
            else:
                assert (cudnn.allow_tf32, products.allow_tf32) == (False, False)
        assert settings() == before


def test_all_random_numbers_come_from_the_seed():
    def draw():
        return random.random(), float(np.random.random()), float(torch.rand(()))  # noqa: NPY002

    with seeded_everywhere(3):
        first = draw()
        with seeded_everywhere(4):
            assert draw() != first
        after = draw()
    with seeded_everywhere(3):
        assert draw() == first
        assert draw() == after
