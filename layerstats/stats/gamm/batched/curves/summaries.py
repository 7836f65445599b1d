"""Data under many assignments of labels, as the sums that refits read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from layerstats.stats.gamm.batched.curves.curve_design import CurveDesign
from layerstats.stats.gamm.batched.curves.row_refits import RowData


@dataclass(frozen=True, eq=False)
class UnitMeans:
    """Units (speakers; without speakers in the model, labels) that have tokens of the same labels, and as many of each.

    Attributes
    ----------
    labels
        (cell,) codes of the labels.
    units
        (replicate,) how many units there are.
    counts
        (replicate, cell) tokens in each cell of a unit.
    total
        (replicate, cell * time) the sum over units of their cells' mean curves.
    square
        (replicate, cell * time, cell * time) the sum over units of the products of these means.
    """

    labels: tuple[int, ...]
    units: np.ndarray
    counts: np.ndarray
    total: np.ndarray
    square: np.ndarray


@dataclass(frozen=True, eq=False)
class Rest:
    """What was left out of means and deviations, since no random term reaches it; see `reduction`.

    Attributes
    ----------
    information, response
        (replicate, column, column) and (replicate, column) what it adds to the equations of the fixed columns.
    square, log_determinant
        (replicate,) its weighted sum of squares, and the log determinant of its covariance.
    """

    information: np.ndarray
    response: np.ndarray
    square: np.ndarray
    log_determinant: np.ndarray

    def take(self, rows: np.ndarray) -> Rest:
        """Return some replicates."""
        return Rest(self.information[rows], self.response[rows], self.square[rows], self.log_determinant[rows])


@dataclass(frozen=True, eq=False)
class Summaries:
    """Sufficient statistics of replicates.

    Attributes
    ----------
    unit_means
        The units' means.
    within
        (replicate, time, time) products of deviations of tokens from the mean of their cell.
    within_df
        (replicate,) their number: tokens less cells.
    observations
        (replicate,) rows.
    rest
        What the others leave out.
    """

    unit_means: tuple[UnitMeans, ...]
    within: np.ndarray
    within_df: np.ndarray
    observations: np.ndarray
    rest: Rest | None = None

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return len(self.observations)

    def take(self, rows: np.ndarray) -> Summaries:
        """Return some replicates."""
        return Summaries(
            unit_means=tuple(
                UnitMeans(one.labels, one.units[rows], one.counts[rows], one.total[rows], one.square[rows])
                for one in self.unit_means
            ),
            within=self.within[rows],
            within_df=self.within_df[rows],
            observations=self.observations[rows],
            rest=None if self.rest is None else self.rest.take(rows),
        )


def stacked(parts: Sequence[Summaries]) -> Summaries:
    """Put replicates with the same labels under each other."""

    def of(name: str, those: Sequence[Summaries | UnitMeans]) -> np.ndarray:
        return np.concatenate([getattr(one, name) for one in those])

    unit_means = tuple(
        UnitMeans(those[0].labels, *(of(name, those) for name in ("units", "counts", "total", "square")))
        for those in zip(*(part.unit_means for part in parts), strict=True)
    )
    return Summaries(unit_means, of("within", parts), of("within_df", parts), of("observations", parts))


def replicates_of(
    design: CurveDesign, label_of: np.ndarray, values: np.ndarray | None = None, multiplicity: np.ndarray | None = None
) -> Summaries | RowData:
    """Return what refits read: sums, or where tokens differ in their times the rows, `values` then (replicate, row)."""
    if design.rows is not None:
        return RowData(design, design.rows, label_of, values, multiplicity)
    return summarise(design, label_of, values, multiplicity)


def summarise(
    design: CurveDesign, label_of: np.ndarray, values: np.ndarray | None = None, multiplicity: np.ndarray | None = None
) -> Summaries:
    """Sum up replicates.

    Parameters
    ----------
    design
        The model.
    label_of
        (replicate, token) the label of each token.
    values
        (replicate, token, time) responses, less the offset; by default those of the design.
    multiplicity
        (replicate, speaker) how often a speaker was drawn; by default once. Repeated speakers are different speakers
        to the model.
    """
    replicates, tokens = label_of.shape
    labels = len(design.labels)
    unit = design.speaker_of if design.has_speakers else np.zeros(tokens, dtype=np.int64)
    units = int(unit.max()) + 1
    weight = np.ones((replicates, tokens)) if multiplicity is None else multiplicity[:, design.speaker_of].astype(float)
    # Where the model knows speakers, a unit that was drawn twice is two units; otherwise its tokens just count twice.
    inner = np.ones_like(weight) if design.has_speakers else weight
    cell = unit * labels + label_of
    row = (np.arange(replicates)[:, None] * units * labels + cell).ravel()
    counts = np.bincount(row, weights=inner.ravel(), minlength=replicates * units * labels)
    shared = values is None
    column = np.tile(np.arange(tokens), replicates) if shared else np.arange(replicates * tokens)
    every = design.values if values is None else values.reshape(replicates * tokens, -1)
    sums = sparse.csr_array((inner.ravel(), (row, column)), shape=(len(counts), len(every))) @ every
    counts = counts.reshape(replicates, units, labels)
    sums = sums.reshape(replicates, units, labels, -1)
    means = sums / np.maximum(counts, 1e-300)[..., None]
    if shared and multiplicity is None:
        square = np.broadcast_to(design.values.T @ design.values, (replicates, design.points, design.points))
    else:
        curves = np.broadcast_to(design.values, (replicates, *design.values.shape)) if values is None else values
        weighted = curves if multiplicity is None else curves * weight[:, :, None]
        square = weighted.swapaxes(1, 2) @ curves
    times = np.ones((replicates, units))
    if multiplicity is not None and design.has_speakers:
        times = multiplicity.astype(float)
    flat = (replicates, units * labels, design.points)
    scaled = (sums * times[:, :, None, None]).reshape(flat)
    within = square - scaled.swapaxes(1, 2) @ means.reshape(flat)
    cells = (counts > 0).sum(axis=2)
    return Summaries(
        unit_means=_by_speaker(counts, means, times) if design.has_speakers else _by_label(counts, means),
        within=within,
        within_df=weight.sum(axis=1) - (cells * times).sum(axis=1),
        observations=weight.sum(axis=1) * design.points,
    )


def _by_label(counts: np.ndarray, means: np.ndarray) -> tuple[UnitMeans, ...]:
    """Without speakers, every label is a unit with one cell."""
    return tuple(
        UnitMeans(
            labels=(label,),
            units=(counts[:, 0, label] > 0).astype(float),
            counts=np.maximum(counts[:, :, label], 1.0),
            total=means[:, 0, label],
            square=means[:, 0, label, :, None] * means[:, 0, label, None, :],
        )
        for label in range(counts.shape[2])
    )


def _by_speaker(counts: np.ndarray, means: np.ndarray, times: np.ndarray) -> tuple[UnitMeans, ...]:
    replicates, units, labels = counts.shape
    # In order of their counts, and not of appearance: sums come out the same whatever else is in a block.
    kinds, kind = np.unique(counts.reshape(-1, labels), axis=0, return_inverse=True)
    kind = kind.reshape(replicates, units)
    unit_means = []
    for number, count in enumerate(kinds):
        # Cells by their size, so that units of as many tokens, whatever their labels, are alike.
        used = np.argsort(count, kind="stable")
        used = used[count[used] > 0]
        own = (kind == number) * times
        stacked = means[:, :, used].reshape(replicates, units, -1)
        weighted = stacked * own[:, :, None]
        unit_means.append(
            UnitMeans(
                labels=tuple(map(int, used)),
                units=own.sum(axis=1),
                counts=np.broadcast_to(count[used], (replicates, len(used))),
                total=weighted.sum(axis=1),
                square=weighted.swapaxes(1, 2) @ stacked,
            )
        )
    return tuple(unit_means)
