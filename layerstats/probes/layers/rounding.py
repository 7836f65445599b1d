"""How much of a difference is rounding: by the type of the numbers, for comparisons between passes and machines."""

from __future__ import annotations

import torch
from torch import Tensor

# Share of its size by which a layer may differ between two passes on the same input, and between two machines.
_SAME_PASS = {torch.float16: 1e-2, torch.bfloat16: 5e-2}
_OTHER_MACHINE = {torch.float16: 2e-2, torch.bfloat16: 1e-1}


def same_pass(dtype: torch.dtype) -> float:
    """Return the relative difference that rounding makes at most between two passes on one machine."""
    return _SAME_PASS.get(dtype, 1e-5)


def other_machine(dtype: torch.dtype) -> float:
    """Return the relative difference that rounding makes at most between processors, threads and batch sizes."""
    return _OTHER_MACHINE.get(dtype, 1e-4)


def difference(one: Tensor, other: Tensor) -> float:
    """Return the root mean square of a difference over that of `one`; 0 where values are not finite or both are zero.

    Examples
    --------
    >>> difference(torch.tensor([3.0, 4.0]), torch.tensor([3.0, 4.5]))
    0.1
    """
    one, other = one.double(), other.double()
    apart, size = float((one - other).norm()), float(one.norm())
    if not (apart > 0 and apart < float("inf")):  # NaN too: whoever reads the values will say so
        return 0.0
    return apart / size if size > 0 else float("inf")


def largest_difference(one: Tensor, other: Tensor) -> float:
    """Return the largest difference at any sample, root mean square over channels, relative to all of `one`.

    Parameters
    ----------
    one, other : Tensor
        (channel, sample).

    Examples
    --------
    >>> largest_difference(torch.tensor([[2.0, -2.0, 2.0, 2.0]]), torch.tensor([[2.0, -2.0, 2.0, 1.0]]))
    0.5
    """
    one, other = one.double(), other.double()
    apart, size = float((one - other).square().mean(dim=0).max().sqrt()), float(one.square().mean().sqrt())
    if not (apart > 0 and apart < float("inf")):  # NaN too: whoever reads the values will say so
        return 0.0
    return apart / size if size > 0 else float("inf")


def channel_rms(output: Tensor) -> float:
    """Return the root mean square of a layer's output over tokens, channels and samples."""
    return float(output.detach().double().square().mean().sqrt())


def is_fixed(series: Tensor, output: Tensor, channels: int) -> bool:
    """Whether a series over tokens and samples is one number but for rounding, while the layer itself is not zero.

    Parameters
    ----------
    series : Tensor
        The summary over channels, (token, sample).
    output : Tensor
        The layer's output that it was made of.
    channels : int
        How many there are.

    Examples
    --------
    >>> output = torch.nn.LayerNorm(8)(torch.randn(2, 5, 8))
    >>> is_fixed(output.mean(2), output, 8), is_fixed(output[..., 0], output, 8)
    (True, False)
    """
    series, size = series.detach().double(), channel_rms(output)
    if series.numel() < 2 or not 0 < size < float("inf"):
        return False
    exact = torch.finfo(output.dtype).eps if output.is_floating_point() else 0.0
    spread = float((series - series.mean()).square().mean().sqrt())
    return spread <= max(1e-5, 4 * exact / channels**0.5) * size
