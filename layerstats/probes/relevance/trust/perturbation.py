"""Deletion and insertion: how the score follows when what a map calls relevant is taken away, or put back."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from layerstats.checks import check_choice, check_count
from layerstats.errors import ArgumentError, DataError
from layerstats.models import running
from layerstats.probes.inputs import Prepared, main_tensor
from layerstats.probes.layers.input_layer import INPUT
from layerstats.probes.relevance.occlusion import patches
from layerstats.probes.relevance.places import Place
from layerstats.probes.relevance.targets import Target, TargetScore

DELETION, INSERTION = "deletion", "insertion"
RELEVANCE, RANDOM, ENERGY = "relevance", "random order", "energy"
ORDERS = (RELEVANCE, RANDOM, ENERGY)


def perturbation_curves(
    network: nn.Module,
    input: Prepared,
    target: Target,
    maps: Tensor,
    replacements: Mapping[str, Tensor],
    tokens: pd.DataFrame,
    *,
    start: str | None = "probability",
    labels: Sequence[str] | None = None,
    patch: int | Sequence[int] = 8,
    steps: int = 10,
    random_orders: int = 5,
    energy: Tensor | None = None,
    seed: int = 0,
    batch_size: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Follow the score while patches of the input are replaced, those that a map calls most relevant first.

    Deletion begins with the input and replaces more and more of it; insertion begins with the replacement and puts
    the input back. Patches go by the mean of the map in each, largest first; in random order; or by the mean of the
    energy in each, what a map has to be better than that shows where sound is and nothing else. What stands in place
    of speech decides how methods rank, so that several replacements are run.

    Parameters
    ----------
    network, input, target, start, labels
        As for `attribute`; the score is a probability unless `start` says otherwise.
    maps : Tensor
        Shaped like the input.
    replacements : mapping of str to Tensor
        What is put in place of the input, shaped like it, by name: see `speech_replacements`.
    tokens : DataFrame
        A row a token: ``token, speaker`` and whatever is known, which the result repeats.
    patch : int or sequence of int
        Length of a patch along each axis after that of the tokens.
    steps : int
        Of equal numbers of patches, but for rounding.
    random_orders : int
        Orders that the random curve is a mean over. A token's depend on the seed and on its name alone.
    energy : Tensor, optional
        Shaped like the input; by default the input where it is features (levels in decibels, whatever they were
        normalised by), its square where it is a waveform.
    seed, batch_size
        Of random orders; inputs that run together.
    progress : callable, optional
        Called with (tokens done, tokens in all).

    Returns
    -------
    DataFrame
        Columns of `tokens`, then ``direction`` ("deletion", "insertion"), ``replacement, order`` ("relevance", "random
        order", "energy"), ``fraction`` of patches that are replaced (deletion) or put back, and ``score``.

    Raises
    ------
    ArgumentError
        Something has another shape than the input, or the target does not fit.
    DataError
        Maps have values that are not finite.

    References
    ----------
    Samek et al. (2017), Evaluating the visualization of what a deep neural network has learned, IEEE Trans. Neural
    Netw. Learn. Syst. 28. Petsiuk, Das & Saenko (2018), RISE, BMVC.

    Examples
    --------
    >>> network = nn.Linear(4, 2, bias=False)
    >>> _ = network.weight.data.copy_(torch.tensor([[0.0, 0, 0, 0], [4.0, 0, 0, 1]]))
    >>> speech, silence = torch.ones(1, 4), torch.zeros(1, 4)
    >>> maps = torch.tensor([[4.0, 0, 0, 1]])
    >>> tokens = pd.DataFrame({"token": ["a"], "speaker": ["s1"]})
    >>> replacements = {"silence": silence}
    >>> found = perturbation_curves(network, speech, "1", maps, replacements, tokens, start="logit", patch=1, steps=4)
    >>> found[(found["direction"] == "deletion") & (found["order"] == "relevance")]["score"].tolist()
    [5.0, 1.0, 0.0, 0.0, 0.0]
    """
    for name, number in (("steps", steps), ("random_orders", random_orders), ("batch_size", batch_size)):
        check_count(name, number)
    speech = main_tensor(input).detach()
    energy = (speech.square() if speech.ndim == 2 else speech) if energy is None else energy
    _check(speech, maps, replacements, energy, tokens)
    score = TargetScore(network, target, len(speech), start=start, labels=labels, table=tokens, device=speech.device)
    index = _patch_of(speech.shape, patch).to(speech.device)
    counts = _step_counts(int(index.max()) + 1, steps)
    found = []
    with running(network, speech.device), torch.no_grad():
        place = Place(network, input, INPUT, score)
        for row, name in enumerate(tokens["token"].astype(str)):
            ranked = {RELEVANCE: _ranked(maps[row], index), ENERGY: _ranked(energy[row], index)}
            ranked |= dict(_random(len(ranked[ENERGY]), random_orders, seed, name))
            one = _Exchange(place, row, speech[row], index, counts, batch_size)
            found += [one.curves(replacement, values[row], ranked) for replacement, values in replacements.items()]
            if progress is not None:
                progress(row + 1, len(tokens))
    curves = pd.concat(found, ignore_index=True)
    return tokens.iloc[curves["row"].to_numpy()].reset_index(drop=True).join(curves.drop(columns="row"))


class _Exchange:
    """One token, of which more and more patches are exchanged."""

    def __init__(
        self, place: Place, row: int, own: Tensor, index: Tensor, counts: Sequence[int], batch_size: int
    ) -> None:
        self.place, self.row, self.own, self.index, self.counts, self.batch = place, row, own, index, counts, batch_size

    def curves(self, replacement: str, values: Tensor, ranked: Mapping[str, Tensor]) -> pd.DataFrame:
        """Return the curves of one replacement: random ones as their mean."""
        rows = []
        for direction, before, after in ((DELETION, self.own, values), (INSERTION, values, self.own)):
            inputs = (
                torch.where(ranks[self.index] < count, after, before)
                for ranks in ranked.values()
                for count in self.counts
            )
            scores = self._scores(inputs).reshape(len(ranked), len(self.counts))
            orders = pd.Series([name.partition("#")[0] for name in ranked])
            for order in ORDERS:
                mean = scores[(orders == order).to_numpy()].mean(axis=0)
                rows += [
                    (self.row, direction, replacement, order, *pair) for pair in zip(self._fractions, mean, strict=True)
                ]
        columns = ["row", "direction", "replacement", "order", "fraction", "score"]
        return pd.DataFrame(rows, columns=pd.Index(columns))

    @property
    def _fractions(self) -> np.ndarray:
        return np.array(self.counts) / self.counts[-1]

    def _scores(self, inputs: Iterator[Tensor]) -> np.ndarray:
        found = []
        batch: list[Tensor] = []
        for values in inputs:
            batch.append(values)
            if len(batch) == self.batch:
                found.append(self._run(batch))
                batch = []
        return np.concatenate([*found, self._run(batch)] if batch else found)

    def _run(self, batch: Sequence[Tensor]) -> np.ndarray:
        return self.place.scores(torch.stack(list(batch)), [self.row] * len(batch)).double().cpu().numpy()


def _patch_of(shape: Sequence[int], patch: int | Sequence[int]) -> Tensor:
    """Return the number of the patch that each value of a token is in."""
    index = np.empty(tuple(shape[1:]), dtype=np.int64)
    edges = patches((1, *shape[1:]), patch).drop(columns="row").to_numpy().reshape(-1, len(shape) - 1, 2)
    for number, one in enumerate(edges):
        index[tuple(slice(start, stop) for start, stop in one)] = number
    return torch.from_numpy(index)


def _step_counts(size: int, steps: int) -> list[int]:
    """Return how many patches are exchanged at each step, from none to all.

    Examples
    --------
    >>> _step_counts(10, 4)
    [0, 2, 5, 8, 10]
    """
    return sorted({round(size * step / steps) for step in range(steps + 1)})


def _ranked(values: Tensor, index: Tensor) -> Tensor:
    """Return the rank of each patch, 0 for that with the largest mean; equal ones in their order."""
    flat = index.flatten()
    size = int(flat.max()) + 1
    total = torch.zeros(size, dtype=torch.float64, device=values.device).index_add_(0, flat, values.flatten().double())
    return _rank_of(torch.argsort(total / torch.bincount(flat), descending=True, stable=True))


def _rank_of(order: Tensor) -> Tensor:
    ranks = torch.empty_like(order)
    ranks[order] = torch.arange(len(order), device=order.device)
    return ranks


def _random(size: int, orders: int, seed: int, name: str) -> Iterator[tuple[str, Tensor]]:
    generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
    for number in range(orders):
        yield f"{RANDOM}#{number}", torch.from_numpy(generator.permutation(size))


def _check(
    speech: Tensor, maps: Tensor, replacements: Mapping[str, Tensor], energy: Tensor, tokens: pd.DataFrame
) -> None:
    if not replacements:
        raise ArgumentError("Name at least one replacement: what stands in place of speech decides what is measured.")
    shaped = {
        "maps": maps,
        "energy": energy,
        **{f"the replacement {name!r}": one for name, one in replacements.items()},
    }
    for what, values in shaped.items():
        if values.shape != speech.shape:
            raise ArgumentError(f"{what} must have the input's shape {tuple(speech.shape)}, not {tuple(values.shape)}.")
        if not bool(torch.isfinite(values).all()):
            raise DataError(f"{what} has values that are not finite.")
    if len(tokens) != len(speech):
        raise ArgumentError(f"The table of tokens has {len(tokens)} rows, but the input holds {len(speech)} tokens.")
    check_choice("the column 'token' of the table of tokens", "token", list(tokens.columns))
