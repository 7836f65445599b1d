"""Averages over the samples of each phone, made where the network runs, so that full maps need not leave it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from layerstats.errors import ArgumentError


def phone_samples(
    onset_s: np.ndarray, offset_s: np.ndarray, time_s: np.ndarray, last: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first sample of every phone and the one after its last: those whose times lie in [onset, offset).

    Where none does, since the layer has fewer samples than there are phones, it is the sample nearest to the middle of
    the phone, and of two that are as near the earlier one.

    Parameters
    ----------
    onset_s, offset_s : ndarray
        (phone,), seconds on the clip's axis.
    time_s : ndarray
        Centres of the samples, (sample,).
    last : ndarray, optional
        (phone,), how many samples the clip of its token has, where those behind hold no speech of it.

    Examples
    --------
    >>> phone_samples(np.array([0.0, 0.15, 0.2]), np.array([0.15, 0.18, 0.4]), np.array([0.0, 0.1, 0.2, 0.3]))
    (array([0, 2, 2]), array([2, 3, 4]))
    """
    samples = np.full(len(onset_s), len(time_s)) if last is None else np.minimum(last, len(time_s))
    first = np.minimum(np.searchsorted(time_s, onset_s, side="left"), samples)
    end = np.minimum(np.searchsorted(time_s, offset_s, side="left"), samples)
    middle = (onset_s + offset_s) / 2
    after = np.clip(np.searchsorted(time_s, middle, side="left"), 0, samples - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(middle - time_s[before] <= time_s[after] - middle, before, after)
    # A sample before the clip's first one is never nearer than that.
    nearest = np.where(middle <= time_s[0], 0, nearest)
    empty = end <= first
    return np.where(empty, nearest, first), np.where(empty, nearest + 1, end)


class PhonePooling:
    """The phones of the tokens of a batch, and averages over the samples of each.

    Parameters
    ----------
    token : ndarray
        Row in the batch of the token of every phone, (phone,).
    onset_s, offset_s : ndarray
        (phone,), seconds on the clip's axis.
    times : mapping of str to ndarray
        By layer, the centres of its samples, (sample,), seconds.
    tokens : int
        Number of tokens of the batch.
    samples : mapping of str to ndarray, optional
        By layer, how many samples are of the clip of each token, (token,), where zeros fill it up to a longer one;
        of layers that are not there all are. None where the clips have one length.

    Examples
    --------
    >>> pooling = PhonePooling(np.array([0, 0]), np.array([0.0, 0.2]), np.array([0.2, 0.4]), {"conv1": [0.1, 0.3]}, 1)
    >>> pooling.average("conv1", torch.tensor([[[1.0, 2.0], [5.0, 7.0]]]))
    tensor([[1., 5.],
            [2., 7.]])
    """

    def __init__(
        self,
        token: np.ndarray,
        onset_s: np.ndarray,
        offset_s: np.ndarray,
        times: Mapping[str, Sequence[float] | np.ndarray],
        tokens: int,
        samples: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self.token, self._onset_s, self._offset_s, self._tokens = token, onset_s, offset_s, tokens
        self._times = {layer: np.asarray(time_s, dtype=np.float64) for layer, time_s in times.items()}
        # Which of the phones of its token each is.
        order = np.argsort(token, kind="stable")
        counts = np.bincount(token, minlength=tokens)
        self._place = np.empty(len(token), dtype=np.int64)
        self._place[order] = np.arange(len(token)) - np.repeat(np.cumsum(counts) - counts, counts)
        self._most = int(counts.max(initial=0))
        self._samples = samples
        self._weights: dict[tuple[bytes, bytes], Tensor] = {}
        self._places: dict[torch.device, Tensor] = {}

    def __len__(self) -> int:
        return len(self.token)

    def average(self, layer: str, values: Tensor) -> Tensor:
        """Return the mean of a layer's values (token, ..., sample) over the samples of each phone, (phone, ...).

        Raises
        ------
        ArgumentError
            The values have not the tokens of the batch and the samples of the layer.
        """
        time_s = self._times[layer]
        own = None if self._samples is None else self._samples.get(layer)
        # Clips of their own length have as many samples as the longest of the batch.
        most = len(time_s) if own is None else int(own.max())
        least = 1 if own is None and self._samples is not None else most
        if len(values) != self._tokens or not least <= values.shape[-1] <= most:
            raise ArgumentError(
                f"What is averaged over the samples of phones must be (token, ..., sample) with the {self._tokens} "
                f"tokens of the batch and the {len(time_s)} samples of layer {layer!r}, but got shape "
                f"{tuple(values.shape)}."
            )
        if not len(self):
            return values.new_zeros((0, *values.shape[1:-1]))
        flat = values.reshape(len(values), -1, values.shape[-1]).transpose(1, 2)
        last = np.full(self._tokens, values.shape[-1]) if own is None else own
        means = torch.bmm(self._weights_of(time_s[: values.shape[-1]], last, flat), flat)
        token, place = self._places_on(values.device)
        return means[token, place].reshape(len(self), *values.shape[1:-1])

    def _places_on(self, device: torch.device) -> Tensor:
        """Return where each phone is in the products, (2, phone); once a batch, since a GPU waits for every copy."""
        if device not in self._places:
            self._places[device] = torch.from_numpy(np.stack([self.token, self._place])).to(device)
        return self._places[device]

    def _weights_of(self, time_s: np.ndarray, last: np.ndarray, like: Tensor) -> Tensor:
        """Return what each sample counts in each phone of its token, (token, phone of the token, sample).

        Layers of the same times share them: a transformer has a dozen.
        """
        key = time_s.tobytes(), last.tobytes()
        if key not in self._weights:
            first, end = phone_samples(self._onset_s, self._offset_s, time_s, last[self.token])
            spans = np.zeros((2, self._tokens, self._most, 1), dtype=np.int64)
            spans[0, self.token, self._place, 0], spans[1, self.token, self._place, 0] = first, end
            begins, ends = torch.from_numpy(spans).to(like.device)
            sample = torch.arange(len(time_s), device=like.device)
            inside = (sample >= begins) & (sample < ends)
            self._weights[key] = inside.to(like.dtype) / (ends - begins).clamp(min=1)
        return self._weights[key]


class PhonesOfTokens:
    """The phones of a table by their tokens, in whatever order the table has them.

    Parameters
    ----------
    tokens : DataFrame
        Column `token`.
    phones : DataFrame
        Columns `token, onset_s, offset_s`.

    Examples
    --------
    >>> tokens = pd.DataFrame({"token": ["a", "b"]})
    >>> phones = pd.DataFrame({"token": ["b", "a", "b"], "onset_s": [0.0, 0.0, 0.1], "offset_s": [0.1, 0.1, 0.2]})
    >>> PhonesOfTokens(tokens, phones).rows(np.array([1]))
    array([0, 2])
    """

    def __init__(self, tokens: pd.DataFrame, phones: pd.DataFrame) -> None:
        token = pd.Index(tokens["token"]).get_indexer(pd.Index(phones["token"]))
        self._rows = np.argsort(token, kind="stable")
        self._token = token[self._rows]
        self._onset_s, self._offset_s = (phones[name].to_numpy()[self._rows] for name in ("onset_s", "offset_s"))

    def rows(self, tokens: np.ndarray) -> np.ndarray:
        """Return the rows of the table that belong to some tokens, token by token."""
        return self._rows[self._found(tokens)[1]]

    def pooling(
        self, tokens: np.ndarray, times: Mapping[str, np.ndarray], samples: Mapping[str, np.ndarray] | None = None
    ) -> PhonePooling:
        """Return averages over the phones of a batch, in the order of `rows`, at layers of these times."""
        place, found = self._found(tokens)
        return PhonePooling(place, self._onset_s[found], self._offset_s[found], times, len(tokens), samples)

    def _found(self, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return of every phone of some tokens which of these has it, and where it is among the sorted ones."""
        first, end = (np.searchsorted(self._token, tokens, side=side) for side in ("left", "right"))
        counts = end - first
        # Counts up from `first` within every token, without a loop over them.
        return np.repeat(np.arange(len(tokens)), counts), np.arange(counts.sum()) - np.repeat(
            np.cumsum(counts) - counts - first, counts
        )
