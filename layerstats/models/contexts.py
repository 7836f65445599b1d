"""Contexts in which a network is run: each changes one thing, and takes back all it touched, whatever happens.

`running` is what most code needs: all of them, in their order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn

from layerstats.errors import NetworkError
from layerstats.models.device import device_of


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a network in eval mode; afterwards every submodule has its own training flag again.

    Examples
    --------
    >>> network = nn.Sequential(nn.Linear(2, 2), nn.Dropout().eval())
    >>> with evaluating(network):
    ...     network.training
    False
    >>> network.training, network[1].training
    (True, False)
    """
    flags = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        yield
    finally:
        for module, flag in flags:
            module.training = flag


@contextmanager
def on_device(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Move a network to a device; afterwards its weights, gradients and buffers are the tensors that they were.

    A network whose weights lie on several devices stays where it is.

    Examples
    --------
    >>> import torch
    >>> network = torch.nn.Linear(2, 1)
    >>> with on_device(network, torch.device("cpu")):
    ...     print(network.weight.device)
    cpu
    """
    home = device_of(model)
    if home is None or home == device:
        yield
        return
    tensors = [(module, dict(module._parameters), dict(module._buffers)) for module in _plain(model)]
    gradients = [(weight, weight.grad) for weight in model.parameters()]
    # Mostly torch keeps weights and gradients, and puts other contents into them.
    contents = [(tensor, tensor.data) for pair in gradients for tensor in pair if tensor is not None]
    try:
        model.to(device)
        yield
    finally:
        try:
            # For modules that hold tensors torch does not know of, and move them themselves.
            model.to(home)
        finally:
            for module, weights, buffers in tensors:
                module._parameters.update(weights)
                module._buffers.update(buffers)
            for tensor, content in contents:
                tensor.data = content
            for weight, gradient in gradients:
                weight.grad = gradient


@contextmanager
def preserved(model: nn.Module) -> Iterator[None]:
    """Take back what a network changes of itself when it runs: its buffers, and the attributes of its modules.

    Examples
    --------
    >>> norm = nn.BatchNorm1d(2)
    >>> with preserved(norm):
    ...     _ = norm(torch.ones(4, 2))
    >>> norm.running_mean.tolist(), int(norm.num_batches_tracked)
    ([0.0, 0.0], 0)
    """
    buffers = [
        (module, name, buffer, buffer.detach().clone())
        for module in model.modules()
        for name, buffer in module._buffers.items()
        if buffer is not None
    ]
    attributes = [(module, dict(vars(module))) for module in _plain(model)]
    try:
        yield
    finally:
        for module, name, buffer, value in buffers:
            module._buffers[name] = buffer
            if not torch.equal(buffer, value):
                with torch.no_grad():
                    buffer.copy_(value)
        for module, before in attributes:
            now = vars(module)
            if now.keys() != before.keys() or any(now[name] is not before[name] for name in before):
                now.clear()
                now.update(before)


@contextmanager
def repeatable() -> Iterator[None]:
    """Let GPUs sum in the same order each time, as the same seed should; afterwards as the caller had it.

    Examples
    --------
    >>> with repeatable():
    ...     torch.backends.cudnn.deterministic
    True
    """
    cudnn = torch.backends.cudnn
    with _settings([(cudnn, "deterministic", True), (cudnn, "benchmark", False)]):
        yield


@contextmanager
def full_precision() -> Iterator[None]:
    """Let GPUs compute float32 in float32; afterwards as the caller had it.

    TF32 would round the factors of convolutions and matrix products to ten bits.

    Examples
    --------
    >>> import torch
    >>> with full_precision():
    ...     print(torch.backends.cuda.matmul.allow_tf32)
    False
    """
    cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
    if hasattr(products, "fp32_precision"):
        # Where this setting was used, torch refuses to read those of its earlier versions.
        wanted = [(part, "fp32_precision", "ieee") for part in (products, cudnn.conv, cudnn.rnn)]
    else:
        wanted = [(part, "allow_tf32", False) for part in (products, cudnn)]
    with _settings(wanted):
        yield


@contextmanager
def gradients(model: nn.Module) -> Iterator[None]:
    """Let torch follow how outputs come about, with the weights as constants; afterwards these are as they were.

    What is to be differentiated by must require gradients itself: an input, or a layer's output.

    Examples
    --------
    >>> network, inputs = nn.Linear(2, 1), torch.ones(2, requires_grad=True)
    >>> with gradients(network):
    ...     network(inputs).backward()
    >>> bool((inputs.grad == network.weight[0]).all()), network.weight.grad, network.weight.requires_grad
    (True, None, True)
    """
    weights = [(weight, weight.requires_grad, weight.grad) for weight in model.parameters()]
    if any(tensor.is_inference() for tensor in (*model.parameters(), *model.buffers())):
        raise NetworkError(
            f"The weights of this {type(model).__name__} were made in torch.inference_mode(), so that torch can take "
            "no gradient through them. Build or load the network outside of it."
        )
    # cuDNN's recurrent layers have no backward pass in eval mode.
    recurrent = any(isinstance(module, nn.RNNBase) for module in model.modules())
    try:
        for weight, _, _ in weights:
            weight.requires_grad_(False)
        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.enable_grad())
            if recurrent:
                stack.enter_context(_settings([(torch.backends.cudnn, "enabled", False)]))
            yield
    finally:
        for weight, flag, gradient in weights:
            weight.requires_grad_(flag)
            weight.grad = gradient


@contextmanager
def running(model: nn.Module, device: torch.device, *, differentiate: bool = False) -> Iterator[None]:
    """Put a network in eval mode on a device, in full precision, with or without gradients, and leave it as it was.

    Parameters
    ----------
    model : torch.nn.Module
        Any network.
    device : torch.device
        Where it is to run.
    differentiate : bool
        Whether gradients will be taken; see `gradients`.

    Examples
    --------
    >>> network = nn.Dropout(0.5)
    >>> with running(network, torch.device("cpu")):
    ...     network(torch.ones(3))
    tensor([1., 1., 1.])
    """
    with (
        preserved(model),
        evaluating(model),
        on_device(model, device),
        repeatable(),
        full_precision(),
        torch.autocast(device.type, enabled=False),
        gradients(model) if differentiate else torch.no_grad(),
    ):
        yield


@contextmanager
def _settings(wanted: Sequence[tuple[Any, str, Any]]) -> Iterator[None]:
    """Set attributes of torch's back ends, given as (object, name, value); afterwards they are what they were."""
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in wanted]
    try:
        for owner, name, value in wanted:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def _plain(model: nn.Module) -> list[nn.Module]:
    # What scripted modules hold lives elsewhere.
    return [module for module in model.modules() if not isinstance(module, torch.jit.ScriptModule)]
