"""Decoders computed in fewer steps: the same values and gradients, with the weights as constants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from layerstats.models import MelAutoencoder


class UpsampledConvolution(nn.Module):
    """A convolution after nearest-neighbour upsampling, computed before it: (start, channel, row, column).

    Of `up` neighbouring outputs each is a convolution of its own over the inputs that were not repeated, with the
    weights that fall on one input added up. These stand side by side as channels, and are then put in their places. No
    repeated input is ever in memory; where the convolution has few outputs that is most of its cost.

    Parameters
    ----------
    convolution : torch.nn.Conv2d
        With a stride of 1, zeros around, and no groups or dilation.
    up : pair of int
        How often rows and columns are repeated.

    Examples
    --------
    >>> convolution, up = nn.Conv2d(4, 1, 3, padding=1), nn.Upsample(scale_factor=(3, 2))
    >>> maps = torch.randn(2, 4, 5, 6)
    >>> quick = UpsampledConvolution(convolution, (3, 2))(maps)
    >>> bool(torch.allclose(quick, convolution(up(maps)), atol=1e-6))
    True
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, convolution: nn.Conv2d, up: tuple[int, int]) -> None:
        super().__init__()
        weight = convolution.weight.detach()
        outputs, inputs, *taps = weight.shape
        padding = [int(one) for one in convolution.padding]
        # For each place among the repeated ones, and each tap: how far the input lies from the place's own.
        offsets = [
            [[(place + tap - before) // repeats for tap in range(count)] for place in range(repeats)]
            for repeats, count, before in zip(up, taps, padding, strict=True)
        ]
        self.up, self.outputs = up, outputs
        self.before = [-min(map(min, axis)) for axis in offsets]
        self.after = [max(map(max, axis)) for axis in offsets]
        sizes = [before + 1 + after for before, after in zip(self.before, self.after, strict=True)]
        together = weight.new_zeros((*up, outputs, inputs, *sizes))
        for row, column in torch.cartesian_prod(torch.arange(up[0]), torch.arange(up[1])).tolist():
            for down in range(taps[0]):
                for right in range(taps[1]):
                    i = offsets[0][row][down] + self.before[0]
                    j = offsets[1][column][right] + self.before[1]
                    together[row, column, :, :, i, j] += weight[:, :, down, right]
        bias = weight.new_zeros(outputs) if convolution.bias is None else convolution.bias.detach()
        self.register_buffer("weight", together.flatten(0, 2), persistent=False)
        self.register_buffer("bias", bias.repeat(up[0] * up[1]), persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (start, channel, row, column) with `up` times the rows and columns of `maps`."""
        padding = (self.before[1], self.after[1], self.before[0], self.after[0])
        places = F.conv2d(F.pad(maps, padding), self.weight, self.bias)
        rows, columns = places.shape[2:]
        places = places.unflatten(1, (*self.up, self.outputs)).permute(0, 3, 4, 1, 5, 2)
        return places.reshape(len(maps), self.outputs, rows * self.up[0], columns * self.up[1])


class QuickDecoder(nn.Module):
    """The decoder of a `MelAutoencoder`, its last convolution computed before the upsampling: (start, time, mel)."""

    def __init__(self, decoder: nn.Sequential) -> None:
        super().__init__()
        *first, repeat, last = decoder
        self.first = nn.Sequential(*first)
        rows, columns = repeat.scale_factor  # pyright: ignore[reportGeneralTypeIssues]
        self.last = UpsampledConvolution(last, (int(rows), int(columns)))  # pyright: ignore[reportArgumentType]

    def forward(self, codes: Tensor) -> Tensor:
        """Return features between 0 and 1 of codes (start, code)."""
        return self.last(self.first(codes)).squeeze(1).sigmoid()


def quick_decoder(autoencoder: Any) -> tuple[nn.Module, Callable[[Tensor], Tensor]]:
    """Return a network that holds an autoencoder, and its decoder in the quickest form that is known."""
    if not isinstance(autoencoder, MelAutoencoder):
        return autoencoder, autoencoder.decode
    quick = QuickDecoder(autoencoder.decoder)
    # One network, for both share weights.
    return nn.ModuleList([autoencoder, quick]), quick
