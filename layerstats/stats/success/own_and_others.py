"""What is idiosyncratic to one network: what it hears in its own maximizations beyond what other networks hear."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.success.judged_starts import JudgedStarts
from layerstats.stats.success.rate_estimates import mean_rate, mean_table
from layerstats.stats.success.rate_intervals import Inference

# As many are counted one by one rather than drawn: all orders of seven networks.
_MOST_ORDERS = 5040


def own_minus_others(starts: JudgedStarts, inference: Inference, draws: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the diagonal of the matrix of networks minus the rest, where the target networks judge each other.

    The permutation deals the judges out to the targets anew, as whole columns: how much each network is heard, and how
    much each hears, stays as it is, and only what a network hears in its own starts beyond that can differ.
    """
    names = [name for name in starts.networks if name in starts.judges]
    if len(names) < 2 or len(names) < len(starts.networks):
        return
    values = starts.right[:, [starts.column(name) for name in names]]
    own = np.eye(len(names), dtype=bool)
    diagonal = mean_rate(starts, values, names, own, drawn=True)
    rest = mean_rate(starts, values, names, ~own, drawn=True)
    shared = [name for name in diagonal.by_class if name in rest.by_class]
    if not shared:
        return
    diagonal, rest = (mean_rate(starts, values, names, keep, drawn=True, classes=shared) for keep in (own, ~own))
    null = _dealt_out(mean_table(starts, values, shared), draws, seed)
    tail = (1 - inference.conf_level) / 2
    difference = inference.difference(diagonal.minus(rest))
    yield {
        "set_up": starts.set_up,
        "null": starts.null,
        "networks": len(names),
        "classes": len(shared),
        "rate_1": diagonal.value,
        "rate_2": rest.value,
        **difference,
        "null_low": float(np.quantile(null, tail)),
        "null_high": float(np.quantile(null, 1 - tail)),
        "permutation_p_value": float(np.mean(np.abs(null) >= abs(null[0]) - 1e-12)),
    }


def _dealt_out(table: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Return the diagonal minus the rest of a table (network, judge), as it is and with its columns in other orders."""
    size = len(table)
    if math.factorial(size) <= _MOST_ORDERS:
        orders = np.array(list(itertools.permutations(range(size))))
    else:
        generator = replicate_generator(seed, 0)
        orders = np.stack([np.arange(size), *(generator.permutation(size) for _ in range(draws))])
    diagonal = table[np.arange(size), orders].sum(axis=1)
    return diagonal / size - (table.sum() - diagonal) / (size * (size - 1))
