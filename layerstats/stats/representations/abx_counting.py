"""How often X is nearer to B than to A: every triplet is counted, by sorting similarities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from layerstats.stats.representations.abx_design import AbxDesign

Distance = Literal["angular", "euclidean"]
DISTANCES = ("angular", "euclidean")
AbxMode = Literal["within", "across"]
MODES = ("within", "across")
# Similarities that differ by less are ties: what is left of rounding. Vectors have a size of one.
TIE = 1e-10
# Similarities that are held at once.
_BLOCK = 2**20


@dataclass(frozen=True, eq=False)
class PairErrors:
    """Error rates of ordered pairs of phones, added up over cells of speakers.

    A cell is a speaker (of A, B and X), or a speaker of A and B and another of X; its error rate is the mean over
    contexts of the share of triplets in which X is nearer to B than to A.

    Attributes
    ----------
    total, cells
        (A, B) sum of the error rates of cells, and their number.
    with_speaker, cells_with
        (speaker, A, B) the same, of the cells that a speaker has a part in.
    triplets
        How many there are.
    """

    total: np.ndarray
    cells: np.ndarray
    with_speaker: np.ndarray
    cells_with: np.ndarray
    triplets: int


def comparable(values: np.ndarray, distance: Distance) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors and offsets: ``values[x] @ values[a] + offset[a]`` is the larger the nearer a is to x.

    A vector of zeros has no angle: it is as far from every other as can be, and at no distance from another of zeros.

    Parameters
    ----------
    values
        (item, channel).

    Examples
    --------
    >>> vectors, offset = comparable(np.array([[3.0, 4.0], [0.0, 0.0], [4.0, 3.0]]), "angular")
    >>> (vectors @ vectors.T + offset).round(2).tolist()
    [[1.0, -1.0, 0.96], [0.0, 1.0, 0.0], [0.96, -1.0, 1.0]]
    """
    if distance == "euclidean":
        away = values - values.mean(axis=0)
        size = np.sqrt(np.mean(np.sum(away**2, axis=1)))
        away = away / size if size > 0 else away
        # Half of the negative squared distance, but for what is the same for all a.
        return away, -np.sum(away**2, axis=1) / 2
    # Twice, so that tiny vectors do not lose their digits.
    largest = np.abs(values).max(axis=1, keepdims=True, initial=0.0)
    scaled = values / np.where(largest > 0, largest, 1.0)
    size = np.linalg.norm(scaled, axis=1, keepdims=True)
    silent = size[:, 0] == 0
    unit = scaled / np.where(size > 0, size, 1.0)
    if not silent.any():
        return unit, np.zeros(len(unit))
    # Two more columns: the product of two silent vectors is 1 + 1, of a silent and another one 0, less 1 below.
    return np.column_stack([unit, np.where(silent, np.sqrt(2), 0.0)]), np.where(silent, -1.0, 0.0)


def nearer_to_others(
    similarity: np.ndarray, own: np.ndarray, labels: np.ndarray, count: int, itself: np.ndarray | None = None
) -> np.ndarray:
    """Count for each X the pairs of an A of its label and a B of each label of which B is nearer; ties count half.

    Parameters
    ----------
    similarity
        (X, item).
    own, labels
        (X,) label of each X, as a number, and (item,) of each item.
    count
        How many labels there are.
    itself
        (X,) which item X itself is: it is no A.

    Returns
    -------
    numpy.ndarray
        (X, label) of B; what it holds at X's own label means nothing.

    Examples
    --------
    >>> similarity, labels = np.array([[0.9, 0.5, 0.7, 0.5]]), np.array([0, 0, 1, 1])
    >>> float(nearer_to_others(similarity, np.array([0]), labels, 2)[0, 1])  # of four pairs one wrong, one a tie
    1.5
    """
    order = np.argsort(-similarity, axis=1)
    ranked = np.take_along_axis(similarity, order, axis=1)
    sorted_labels = labels[order]
    is_a = sorted_labels == own[:, None]
    if itself is not None:
        is_a &= order != itself[:, None]
    # How many A are at least as near as each item.
    nearer = np.cumsum(is_a, axis=1)
    all_a = nearer[:, -1:]
    apart = ranked[:, :-1] - ranked[:, 1:] > TIE
    if apart.all():
        farther = (all_a - nearer).astype(float)
    else:
        first, last = _ends_of_ties(apart)
        before = np.take_along_axis(nearer - is_a, first, axis=1)
        farther = all_a - (before + np.take_along_axis(nearer, last, axis=1)) / 2
    place = np.arange(len(order))[:, None] * count + sorted_labels
    return np.bincount(place.ravel(), farther.ravel(), minlength=len(order) * count).reshape(len(order), count)


def _ends_of_ties(apart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last place of the ties that each place belongs to, (row, place)."""
    rows, places = apart.shape[0], np.arange(apart.shape[1] + 1)
    edge = np.ones((rows, 1), dtype=bool)
    first = np.maximum.accumulate(np.where(np.hstack([edge, apart]), places, 0), axis=1)
    last = np.where(np.hstack([apart, edge]), places, places[-1])
    return first, np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]


def count_errors(values: np.ndarray, design: AbxDesign, mode: AbxMode, distance: Distance = "angular") -> PairErrors:
    """Count the errors of all triplets of a design.

    Parameters
    ----------
    values
        (item, channel) vectors of the design's items.
    mode
        "within": one speaker says A, B and X. "across": one says A and B, another X.

    Returns
    -------
    PairErrors
        By ordered pair: A and X are of the first phone, B is of the second.
    """
    vectors, offset = comparable(values, distance)
    phones, people = len(design.labels), len(design.speakers)
    total, cells = np.zeros((2, phones * phones))
    with_speaker, cells_with = np.zeros((2, people, phones * phones))
    by_context = design.items_by_context() if mode == "across" else {}
    triplets = 0
    for speaker, groups in enumerate(design.groups()):
        keys, rates = [np.empty(0, dtype=np.int64)], [np.empty(0)]
        for items in groups:
            others = items
            if mode == "across":
                context = int(design.context[items[0]])
                others = design.others(by_context[context], speaker, context)
            key, rate, counted = _cell_rates(vectors, offset, design, items, others)
            keys.append(key)
            rates.append(rate)
            triplets += counted
        key, rate = _mean_by_key(keys, rates)
        pair = key % len(total)
        sums, counts = np.bincount(pair, rate, len(total)), np.bincount(pair, minlength=len(total))
        total += sums
        cells += counts
        with_speaker[speaker] += sums
        cells_with[speaker] += counts
        if mode == "across":
            # A key is there once.
            with_speaker.ravel()[key] += rate
            cells_with.ravel()[key] += 1
    square = (phones, phones)
    return PairErrors(
        total.reshape(square),
        cells.reshape(square),
        with_speaker.reshape(people, *square),
        cells_with.reshape(people, *square),
        triplets,
    )


def _cell_rates(
    vectors: np.ndarray, offset: np.ndarray, design: AbxDesign, items: np.ndarray, others: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the error rates of one speaker's items in one context, X being said by each speaker of `others`.

    Returns
    -------
    tuple
        ``(speaker of X * phones + A) * phones + B`` of each cell, its error rate, and the number of triplets.
    """
    present, label = np.unique(design.label[items], return_inverse=True)
    sizes = np.bincount(label)
    within = others is items
    local = np.full(len(design.labels), -1)
    local[present] = np.arange(len(present))
    own = local[design.label[others]]
    usable = own >= 0
    if within:
        usable &= sizes[own] > 1
    chosen, own = np.flatnonzero(usable), own[usable]
    people, who = np.unique(design.speaker[others[chosen]], return_inverse=True)
    cell = who * len(present) + own
    errors = np.zeros((len(people) * len(present), len(present)))
    # Cells in order, so that a block has a few neighbours of them.
    order = np.argsort(cell, kind="stable")
    chosen, own, cell = chosen[order], own[order], cell[order]
    for block in _blocks(len(chosen), len(items)):
        similarity = vectors[others[chosen[block]]] @ vectors[items].T + offset[items]
        itself = chosen[block] if within else None
        found = nearer_to_others(similarity, own[block], label, len(present), itself)
        starts = np.flatnonzero(np.r_[True, np.diff(cell[block]) != 0])
        errors[cell[block][starts]] += np.add.reduceat(found, starts, axis=0)
    speakers_x = np.bincount(cell, minlength=len(errors)).reshape(len(people), len(present), 1)
    triplets = speakers_x * (sizes - within)[:, None] * sizes
    triplets[:, np.arange(len(present)), np.arange(len(present))] = 0
    x, a, b = np.nonzero(triplets)
    counted = triplets[x, a, b]
    key = (people[x] * len(design.labels) + present[a]) * len(design.labels) + present[b]
    return key, errors.reshape(triplets.shape)[x, a, b] / counted, int(counted.sum())


def _blocks(rows: int, columns: int) -> Iterator[slice]:
    size = max(1, _BLOCK // columns)
    return (slice(first, first + size) for first in range(0, rows, size))


def _mean_by_key(keys: list[np.ndarray], rates: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return each key once, with the mean of its rates."""
    key, rate = np.concatenate(keys), np.concatenate(rates)
    if len(keys) <= 2:  # one context: every key is there once
        return key, rate
    names, place = np.unique(key, return_inverse=True)
    return names, np.bincount(place, rate) / np.bincount(place)
