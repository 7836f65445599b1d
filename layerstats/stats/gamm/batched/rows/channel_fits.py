"""Fit one model to every channel and tabulate what `fit(engine="structured")` would for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import partial

import numpy as np
from scipy import special
from scipy.linalg import block_diag

from layerstats.checks import check_count
from layerstats.errors import DataError
from layerstats.parallel import RunOptions
from layerstats.stats.gamm.batched.batched_smooth_tests import SmoothTests, smooth_tests
from layerstats.stats.gamm.batched.rows.channel_design import ChannelDesign
from layerstats.stats.gamm.batched.rows.channel_edf import ChannelEdf, channel_edf
from layerstats.stats.gamm.batched.rows.channel_optima import minimise_channels
from layerstats.stats.gamm.batched.rows.channel_responses import cross_products
from layerstats.stats.gamm.batched.rows.channel_solution import Shared, Solutions, share, solve
from layerstats.stats.gamm.smoothing_selection import Minima
from layerstats.stats.one_thread import run_on_one_thread_each

# By name, the columns of what is tested.
Tested = Mapping[str, np.ndarray]
JOINT = "joint"
FITTED, DEAD, NOT_FINITE, NOT_CONVERGED = "fitted", "dead", "not finite", "not converged"
# Working memory of a batch, in numbers: a batch that stays in the processor's cache is several times faster.
_BATCH_NUMBERS = 1_000_000


@dataclass(frozen=True, eq=False)
class ChannelFits:
    """Fits of one model to some channels. Dead channels have NaN everywhere.

    Attributes
    ----------
    parametric_terms, smooth_terms
        Names, as in the tables of `fit`. Random terms are not tested.
    status
        (channel,) "fitted", "dead" (the response never varies), "not finite" (it holds NaN or infinite values), or "not
        converged" (the numbers are those of the last step).
    estimate, std_error, statistic, p_value
        (channel, parametric term)
    edf, ref_df, smooth_statistic, smooth_p_value
        (channel, smooth term)
    coefficients, covariance
        (channel, column) and (channel, column, column) of the dense corner, columns as in the design's model.
    scale, score, df_residual, gradient_norm, iterations
        (channel,)
    """

    parametric_terms: tuple[str, ...]
    smooth_terms: tuple[str, ...]
    status: np.ndarray
    estimate: np.ndarray
    std_error: np.ndarray
    statistic: np.ndarray
    p_value: np.ndarray
    edf: np.ndarray
    ref_df: np.ndarray
    smooth_statistic: np.ndarray
    smooth_p_value: np.ndarray
    coefficients: np.ndarray
    covariance: np.ndarray
    scale: np.ndarray
    score: np.ndarray
    df_residual: np.ndarray
    gradient_norm: np.ndarray
    iterations: np.ndarray

    @property
    def converged(self) -> np.ndarray:
        """(channel,) whether the gradient vanished."""
        return self.status == FITTED


def fit_channels(
    design: ChannelDesign,
    values: np.ndarray,
    *,
    joint: tuple[str, str] | None = None,
    run: RunOptions | None = None,
    batch: int | None = None,
) -> ChannelFits:
    """Fit the model of `design` to every channel, each with smoothing parameters of its own.

    Parameters
    ----------
    design
        From `channel_design`.
    values
        (channel, row), rows as in the data that the design was made of.
    joint
        A parametric coefficient and a smooth that are also tested together, under the name "joint" among the smooths;
        see `layerstats.stats.gamm.joint_test`.
    run
        Where batches are fitted; by default here. It changes nothing in the numbers.
    batch
        Channels that are fitted side by side; by default as many as the processor's cache holds.

    Raises
    ------
    DataError
        There are not as many values as rows.
    """
    if values.ndim != 2 or values.shape[1] != len(design.positions):
        raise DataError(
            f"The values of channels must have shape (channel, row) with {len(design.positions)} rows, but have shape "
            f"{values.shape}."
        )
    size = _batch_size(design) if batch is None else batch
    check_count("batch", size)
    shared, tested = share(design), _tested(design, joint)
    pieces = [values[begin : begin + size] for begin in range(0, len(values), size)]
    return stack_fits(run_on_one_thread_each(partial(_fit_batch, shared, tested), pieces, run or RunOptions()))


def stack_fits(parts: Iterable[ChannelFits]) -> ChannelFits:
    """Put the fits of several blocks of channels under each other."""
    parts = list(parts)
    if not parts:
        raise DataError("There are no channels to fit.")
    names = {"parametric_terms", "smooth_terms"}
    arrays = {
        one.name: np.concatenate([getattr(part, one.name) for part in parts])
        for one in fields(ChannelFits)
        if one.name not in names
    }
    return ChannelFits(parts[0].parametric_terms, parts[0].smooth_terms, **arrays)


def _batch_size(design: ChannelDesign) -> int:
    system = design.system
    patterns = sum(cluster.mixed.size for cluster in system.clusters)
    each = 3 * patterns + 6 * system.dense_gram.size + 4 * system.block_gram.size
    return int(np.clip(_BATCH_NUMBERS // each, 1, 64))


@dataclass(frozen=True, eq=False)
class ChannelBatch:
    """Channels at the minimum of their criterion.

    Attributes
    ----------
    offset
        (channel,) what was subtracted from the responses.
    minima, solutions
        Where the minimum is, and the estimates there, of the centred responses.
    """

    offset: np.ndarray
    minima: Minima
    solutions: Solutions


def minimise_batch(shared: Shared, values: np.ndarray) -> ChannelBatch:
    """Fit channels whose values vary, (channel, row) in the order of the design."""
    offset = values.mean(axis=1)
    responses = cross_products(shared.design, values - offset[:, None])
    minima = minimise_channels(shared, responses)
    return ChannelBatch(offset, minima, solve(shared, responses, minima.log_smoothing))


def _fit_batch(shared: Shared, tested: Tested, values: np.ndarray) -> ChannelFits:
    design = shared.design
    values = np.ascontiguousarray(values[:, design.positions], dtype=np.float64)
    status = response_status(values)
    alive = np.flatnonzero(status == FITTED)
    names = tuple(coefficient.name for coefficient in design.model.parametric.coefficients)
    result = empty_fits(names, tuple(tested), design.penalties.columns, status)
    if not len(alive):
        return result
    batch = minimise_batch(shared, values[alive])
    status[alive[~batch.minima.converged]] = NOT_CONVERGED
    solutions = batch.solutions
    coefficients = solutions.coefficients.copy()
    coefficients[:, 0] += batch.offset
    scale = solutions.penalised_square / shared.rows_less_unpenalised
    covariance = scale[:, None, None] * solutions.inverse
    edf = channel_edf(solutions)
    gram = design.system.dense_gram
    written = np.asarray(block_diag(np.eye(len(names)), *(term.written for term in design.model.dense)))
    tables = tables_of(
        coefficients,
        covariance,
        len(names),
        {name: (own, gram[np.ix_(own, own)], written[np.ix_(own, own)]) for name, own in tested.items()},
        edf,
        design.system.observations - edf.total,
    )
    tables |= {"coefficients": coefficients, "covariance": covariance, "scale": scale, "score": batch.minima.value}
    tables |= {"gradient_norm": batch.minima.gradient_norm, "iterations": batch.minima.iterations}
    for name, numbers in tables.items():
        getattr(result, name)[alive] = numbers
    return result


def response_status(values: np.ndarray) -> np.ndarray:
    """Return the status of each channel as far as its values tell, (channel,)."""
    status = np.full(len(values), FITTED, dtype=f"<U{len(NOT_CONVERGED)}")
    status[values.max(axis=1) == values.min(axis=1)] = DEAD
    status[~np.isfinite(values).all(axis=1)] = NOT_FINITE
    return status


def empty_fits(parametric: tuple[str, ...], smooths: tuple[str, ...], columns: int, status: np.ndarray) -> ChannelFits:
    """Return fits full of NaN, for channels with this status."""
    shapes = {name: (len(parametric),) for name in ("estimate", "std_error", "statistic", "p_value")}
    shapes |= {name: (len(smooths),) for name in ("edf", "ref_df", "smooth_statistic", "smooth_p_value")}
    shapes |= {"coefficients": (columns,), "covariance": (columns, columns)}
    shapes |= dict.fromkeys(("scale", "score", "df_residual", "gradient_norm"), ())
    arrays = {name: np.full((len(status), *shape), np.nan) for name, shape in shapes.items()}
    return ChannelFits(parametric, smooths, status, **arrays, iterations=np.zeros(len(status), dtype=np.int64))


def _tested(design: ChannelDesign, joint: tuple[str, str] | None) -> Tested:
    """Return the smooths that are no random effects, and the joint test, with their columns."""
    spans = {
        term.label: np.arange(design.penalties.columns)[design.model.dense_spans[term.label]]
        for term in design.model.dense
        if term.null_dimension > 0
    }
    if joint is None:
        return spans
    names = [coefficient.name for coefficient in design.model.parametric.coefficients]
    return spans | {JOINT: np.append(names.index(joint[0]), spans[joint[1]])}


def tables_of(
    coefficients: np.ndarray,
    covariance: np.ndarray,
    parametric: int,
    tested: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
    edf: ChannelEdf,
    residual: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return what `ChannelFits` tabulates.

    Parameters
    ----------
    coefficients, covariance
        See `ChannelFits`.
    parametric
        How many coefficients, from the first, are parametric.
    tested
        By smooth, its columns, their cross-product, and what takes mgcv's coefficients to theirs.
    edf, residual
        Effective degrees of freedom, and those of the residuals, (channel,).
    """
    estimate = coefficients[:, :parametric]
    error = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2)[:, :parametric])
    statistic = estimate / error
    tests: list[SmoothTests] = [
        smooth_tests(
            coefficients[:, columns],
            gram,
            covariance[:, columns[:, None], columns],
            edf.dense_edf1[:, columns].sum(axis=1),
            residual,
            written,
        )
        for columns, gram, written in tested.values()
    ]
    return {
        "estimate": estimate,
        "std_error": error,
        "statistic": statistic,
        "p_value": 2 * special.stdtr(residual[:, None], -np.abs(statistic)),
        "edf": np.column_stack([edf.dense[:, columns].sum(axis=1) for columns, *_ in tested.values()]),
        "ref_df": np.column_stack([test.reference_df for test in tests]),
        "smooth_statistic": np.column_stack([test.statistic for test in tests]),
        "smooth_p_value": np.column_stack([test.p_value for test in tests]),
        "df_residual": residual,
    }
