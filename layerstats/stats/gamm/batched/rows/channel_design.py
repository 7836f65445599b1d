"""What all channels of a layer share: the model, its penalties, and the cross-products of its columns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from layerstats.errors import ArgumentError
from layerstats.stats.gamm.engine_interface import ModelRequest
from layerstats.stats.gamm.request.builder import build_model_request
from layerstats.stats.gamm.request.task import FitTask
from layerstats.stats.gamm.structured.fitting import series_start
from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.model_building import build_model
from layerstats.stats.gamm.structured.offsets import response_of
from layerstats.stats.gamm.structured.penalties import Penalties
from layerstats.stats.gamm.structured.system import System
from layerstats.stats.gamm.structured.system_building import build_system
from layerstats.stats.gamm.structured.unsupported import Unsupported
from layerstats.stats.gamm.structured.whitening import log_determinant, whiten


@dataclass(frozen=True, eq=False)
class Pattern:
    """Levels (tokens) that have the same rows, so that their responses only enter by sums.

    Attributes
    ----------
    rows
        (level, sample) positions in the rows of the data.
    dense
        (sample, column) whitened columns of the dense corner, those of the cluster.
    block
        (sample, function) whitened columns of a random block.
    starts
        (sample,) True where a series begins.
    """

    rows: np.ndarray
    dense: np.ndarray
    block: np.ndarray
    starts: np.ndarray


@dataclass(frozen=True, eq=False)
class ChannelDesign:
    """A model without its response.

    Attributes
    ----------
    request
        The model as the structured engine is asked for it.
    model, penalties, system
        The engine's own; of the system nothing counts that has a response in it.
    patterns
        For each cluster of the system, its patterns.
    positions
        (row,) where each row stood in the data.
    constant
        What whitening adds to the criterion.
    """

    request: ModelRequest
    model: Model
    penalties: Penalties
    system: System
    patterns: tuple[tuple[Pattern, ...], ...]
    positions: np.ndarray
    constant: float

    @property
    def rho(self) -> float:
        """AR(1) parameter of the residuals."""
        return self.request.rho

    def with_rho(self, rho: float) -> ChannelDesign:
        """Return the same model with another AR(1) parameter."""
        return _design(replace(self.request, rho=rho), self.model, self.positions)


def channel_design(task: FitTask) -> ChannelDesign:
    """Build the design that all channels share.

    Parameters
    ----------
    task
        The model, as `layerstats.stats.gamm.fit` takes it; its response is not read and need not be a column. With
        ``rho="auto"`` residuals are independent, until channels were seen; see `mean_autocorrelation`.

    Raises
    ------
    ArgumentError
        The structured engine does not express the model, or channels do not; the message says why.
    FormulaError, DataError
        As for `fit`.
    """
    _check(task)
    request, prepared = build_model_request(task)
    if task.rho == "auto":
        request = replace(request, rho=0.0)
    formula, parsed = task.formula, request.formula
    if any(term.is_offset for term in parsed.parametric):
        raise ArgumentError(
            f"Channels have one design, without an offset, but {formula} has offset(): subtract it from the values."
        )
    try:
        model = build_model(request, nesting=False)
    except Unsupported as error:
        raise ArgumentError(
            f"The structured engine, which fits channels, does not express {error}. Choose a simpler model: fewer "
            "speakers, or speakers='none'."
        ) from error
    if model.aliased.names:
        raise ArgumentError(
            f"The data cannot tell {', '.join(model.aliased.names)} of {formula} from other terms, as channels need. "
            "Leave out a term."
        )
    if any(term.roots is not None for term in model.dense):
        raise ArgumentError(
            f"{formula} has smooths that contain each other, whose penalties channels cannot have: write ti() for the "
            "larger one."
        )
    if not model.blocks:
        raise ArgumentError(
            f"Channels are fitted with a random part for each series, for instance s(time, token, bs='fs', m=1), but "
            f"{formula} has none."
        )
    if not model.parametric.has_intercept:
        raise ArgumentError(f"Channels are fitted with an intercept, but {formula} has none.")
    return _design(request, model, prepared.positions)


def _check(task: FitTask) -> None:
    """Refuse what channels do not express and `fit` does."""
    if task.series is None or task.order is None:
        raise ArgumentError("Channels need to know what a series is: give 'series' and 'order' in the FitTask.")
    if task.rho == "reml":
        raise ArgumentError("Channels share one AR(1) parameter: give a number as 'rho', or 'auto'.")
    if task.function != "bam" or task.discrete or task.family != "gaussian" or task.knots or task.weights is not None:
        raise ArgumentError(
            "Channels are fitted as bam() fits Gaussian models, without weights, knots and discretised covariates."
        )
    if task.gaps != "adjacent":
        raise ArgumentError("Channels take neighbouring rows of a series as one step apart: gaps='adjacent'.")


def _design(request: ModelRequest, model: Model, positions: np.ndarray) -> ChannelDesign:
    start = series_start(request)
    system = build_system(model, response_of(request), start, request.rho)
    return ChannelDesign(
        request=request,
        model=model,
        penalties=Penalties.of(model, int(system.block_count.sum())),
        system=system,
        patterns=_patterns(model, system, start, request.rho),
        positions=positions,
        constant=-log_determinant(request.rho, start),
    )


def _patterns(model: Model, system: System, start: np.ndarray, rho: float) -> tuple[tuple[Pattern, ...], ...]:
    dense, block = model.dense_columns(model.rows.frame), model.block_columns(model.rows.frame)
    order = np.argsort(model.level, kind="stable")
    ends = np.cumsum(np.bincount(model.level, minlength=model.level_count))
    cluster_of, position = system.level_pattern.T
    found = []
    for number, cluster in enumerate(system.clusters):
        of_cluster = []
        for pattern in range(len(cluster.grid)):
            levels = np.flatnonzero((cluster_of == number) & (position == pattern))
            rows = np.stack([order[ends[level - 1] if level else 0 : ends[level]] for level in levels])
            place, starts = model.rows.place[rows[0]], start[rows[0]]
            of_cluster.append(
                Pattern(
                    rows=rows,
                    dense=whiten(dense[place][:, cluster.columns], rho, starts),
                    block=whiten(block[place], rho, starts),
                    starts=starts,
                )
            )
        found.append(tuple(of_cluster))
    return tuple(found)
