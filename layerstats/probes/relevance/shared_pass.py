"""One forward pass over the windows of each utterance: each window gets its part of what every operation gave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from layerstats.errors import NetworkError
from layerstats.probes.relevance.propagate import WatchedOperation, watch_operations
from layerstats.probes.relevance.tracing import Values


class SharedPass:
    """Values of a network's operations for windows of utterances.

    Neighbouring windows share most of their frames. Where each value depends on nothing but frames around it, as in
    convolutions without padding, those of a window are a part of those of the utterance.

    Parameters
    ----------
    network : torch.nn.Module
        In eval mode; hears features (token, time, mel), without padding.
    window : Tensor
        (1, time, mel), one window, by which the number of values of each operation is known.
    dtype : torch.dtype, optional
        Type in which the network runs; by default that of its weights.

    Raises
    ------
    NetworkError
        The network does something else the longer its input is.

    Examples
    --------
    >>> network = nn.Conv1d(3, 2, 4, stride=2)
    >>> frames = torch.randn(1, 3, 20)
    >>> shared = SharedPass(network, frames[:, :, 0:8], time_axis=2).of([(frames, [0, 2, 12])])
    >>> torch.allclose(shared(0, "conv1d", ""), torch.cat([network(frames[:, :, at : at + 8]) for at in (0, 2, 12)]))
    True
    """

    def __init__(
        self, network: nn.Module, window: Tensor, dtype: torch.dtype | None = None, *, time_axis: int = 1
    ) -> None:
        self.network, self.frames, self.dtype, self.time_axis = network, window.shape[time_axis], dtype, time_axis
        self.window = watch_operations(network, window, dtype)

    def of(self, utterances: Iterable[tuple[Tensor, Sequence[int]]]) -> Values:
        """Run the network once over each utterance, and return what gives its operations' values for all windows.

        Parameters
        ----------
        utterances : iterable of (Tensor, sequence of int)
            Features of each, (1, time, mel), and the first frame of each of its windows.
        """
        found = [self._of_utterance(features, starts) for features, starts in utterances]
        parts = [torch.cat(some) for some in zip(*found, strict=True)]
        # What the score is made of after the network ran is computed as ever.
        return lambda number, _name, _layer: parts[number] if number < len(parts) else None

    def _of_utterance(self, features: Tensor, starts: Sequence[int]) -> list[Tensor]:
        first, last = min(starts), max(starts)
        heard = features.narrow(self.time_axis, first, last - first + self.frames)
        seen = watch_operations(self.network, heard, self.dtype)
        if [(one.name, one.layer) for one in seen] != [(one.name, one.layer) for one in self.window]:
            raise NetworkError(self._why("runs other operations"))
        offsets = [start - first for start in starts]
        return [self._parts(one, window, offsets) for one, window in zip(seen, self.window, strict=True)]

    def _parts(self, seen: WatchedOperation, window: WatchedOperation, offsets: Sequence[int]) -> Tensor:
        """Return the values of an operation for each window, stacked as a batch."""
        whole, part = seen.output, window.output
        if not isinstance(whole, Tensor) or whole.ndim != part.ndim:
            raise NetworkError(self._why(f"has values of another kind after {seen.name!r} in {seen.layer!r}"))
        longer = [axis for axis in range(1, whole.ndim) if whole.shape[axis] != part.shape[axis]]
        if not longer and max(offsets) == 0:
            return whole.expand(len(offsets), *whole.shape[1:]).clone()
        if len(longer) != 1:
            raise NetworkError(self._why(f"has values without time after {seen.name!r} in {seen.layer!r}"))
        (axis,) = longer
        hop, rest = divmod(max(offsets), whole.shape[axis] - part.shape[axis])
        if rest or any(offset % hop for offset in offsets):
            raise NetworkError(self._why(f"takes steps of {hop} frames in {seen.layer!r}, but windows do not"))
        places = [whole.narrow(axis, offset // hop, part.shape[axis]) for offset in offsets]
        return torch.cat(places)

    def _why(self, what: str) -> str:
        return (
            f"One pass over an utterance does not give what windows of it give: of longer input this "
            f"{type(self.network).__name__} {what}. Record windows one by one: shared=False."
        )
