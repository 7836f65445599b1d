"""Where in the input every output sample of a layer looks: centre, hop and receptive field, from the layers' geometry.

A `Grid` says it for the samples of one tensor; a module with a kernel makes a new grid from the grid of its input.
The arithmetic is that of Araujo, Norris & Sim (2019), Computing receptive fields of convolutional neural networks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from torch import nn

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)
_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d, nn.LPPool1d, nn.LPPool2d)
_PADS = (
    *(nn.ConstantPad1d, nn.ZeroPad1d, nn.ReflectionPad1d, nn.ReplicationPad1d, nn.CircularPad1d),
    *(nn.ConstantPad2d, nn.ZeroPad2d, nn.ReflectionPad2d, nn.ReplicationPad2d, nn.CircularPad2d),
)
WINDOWED = (*_CONVOLUTIONS, *_POOLS, *_PADS)


@dataclass(frozen=True)
class Grid:
    """Position in the input of the samples of a tensor, in units of input samples.

    Parameters
    ----------
    count : int
        Number of samples along time.
    start : float
        Centre of the receptive field of sample 0; negative where padding precedes the input.
    hop : float
        Distance between the centres of neighbouring samples.
    field : int
        Number of input samples in the receptive field, those in the padding included.

    Examples
    --------
    >>> grid = Grid(count=3, start=0.5, hop=2.0)
    >>> grid
    Grid(count=3, start=0.5, hop=2.0, field=1.0)
    """

    count: int
    start: float = 0.0
    hop: float = 1.0
    field: float = 1.0

    def bounds(self, index: int) -> tuple[float, float]:
        """Return the first and the last input sample that output `index` can depend on."""
        centre = self.start + self.hop * index
        return centre - (self.field - 1) / 2, centre + (self.field - 1) / 2

    def centres(self) -> np.ndarray:
        """Return the centre of the receptive field of each sample (sample,), in input samples."""
        return self.start + self.hop * np.arange(self.count)

    def through(self, window: Window, count: int) -> Grid:
        """Return the grid of what a kernel makes of a tensor on this grid, `count` samples long.

        Examples
        --------
        >>> Grid(16384).through(Window(kernel=25, stride=4, left=10), count=4096)
        Grid(count=4096, start=2.0, hop=4.0, field=25.0)
        """
        reach = (window.kernel - 1) * window.dilation
        return Grid(
            count=count,
            start=self.start + self.hop * (reach / 2 - window.left),
            hop=self.hop * window.stride,
            field=self.field + self.hop * reach,
        )


@dataclass(frozen=True)
class Window:
    """A kernel along time: its length, stride and dilation, and the padding on its left, in its input's samples."""

    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    left: int = 0


def window_of(module: nn.Module, time_axis: int = -1) -> Window | None:
    """Read a module's kernel along time; None where the module has no kernel.

    Parameters
    ----------
    module : torch.nn.Module
        A convolution, a pooling or a padding module in one or two dimensions; anything else gives None.
    time_axis : {-1, -2}
        Which of the last two axes is time, for modules in two dimensions.

    Examples
    --------
    >>> window_of(nn.Conv1d(1, 8, 25, stride=4, padding=11))
    Window(kernel=25, stride=4, dilation=1, left=11)
    """
    if not isinstance(module, WINDOWED):
        return None
    if isinstance(module, _PADS):
        # Pads are listed from the last axis backwards, left before right.
        return Window(left=int(module.padding[0 if time_axis == -1 else 2]))
    kernel = _along(module.kernel_size, time_axis)
    stride = _along(module.stride if module.stride is not None else module.kernel_size, time_axis)
    dilation = _along(getattr(module, "dilation", 1), time_axis)
    padding = getattr(module, "padding", 0)
    if padding == "same":
        left = (kernel - 1) * dilation // 2
    else:
        left = 0 if padding == "valid" else _along(padding, time_axis)
    return Window(kernel, stride, dilation, left)


def _along(value: object, time_axis: int) -> int:
    if isinstance(value, tuple):
        return int(value[time_axis if len(value) > 1 else 0])
    return int(value)  # pyright: ignore[reportArgumentType]


def union(grids: Iterable[Grid]) -> Grid:
    """Return the grid whose receptive fields cover those of several grids of the same count and hop.

    Examples
    --------
    >>> union([Grid(10, start=0, hop=2, field=1), Grid(10, start=0.5, hop=2, field=4)])
    Grid(count=10, start=0.5, hop=2, field=4.0)
    """
    grids = list(grids)
    first = min(grid.bounds(0)[0] for grid in grids)
    last = max(grid.bounds(0)[1] for grid in grids)
    return replace(grids[0], start=(first + last) / 2, field=last - first + 1)


def by_length(count: int, samples: int) -> Grid:
    """Return the grid that divides the input evenly; its receptive field is the whole input.

    Examples
    --------
    >>> by_length(4, 16)
    Grid(count=4, start=1.5, hop=4.0, field=16)
    """
    hop = samples / count
    return Grid(count, start=(hop - 1) / 2, hop=hop, field=samples)
