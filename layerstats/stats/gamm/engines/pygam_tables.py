"""Estimates, edf and tables of the fallback engine, once its smoothing parameters are chosen."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import linalg, special

from layerstats.stats.gamm.engine_interface import Design, EngineFit, FitRequest, SmoothPart
from layerstats.stats.gamm.engines.pygam_basis import SplineBlock
from layerstats.stats.gamm.engines.treatment_coding import parametric_columns
from layerstats.stats.gamm.written_terms import parametric_columns_used, written_smooths

_NO_P_VALUES = (
    "pygam gives no p-values that can be trusted (they ignore that smoothing was estimated), so they are missing; "
    "read the intervals, or use mgcv."
)
_SMOOTHING = "Smoothing parameters were chosen by grid search over GCV, and all bases are P-splines: not mgcv's fREML."


def engine_fit(
    request: FitRequest,
    names: tuple[str, ...],
    terms: tuple[str, ...],
    blocks: Sequence[SplineBlock],
    smoothing: Sequence[tuple[float, ...]],
    begin: float,
) -> EngineFit:
    """Solve the penalised least squares problem and tabulate it.

    Parameters
    ----------
    names, terms
        Of the parametric columns, see `parametric_columns`.
    blocks, smoothing
        The smooths, and the smoothing parameters of each.
    begin
        ``time.perf_counter()`` at the start of the fit.
    """
    matrix = _matrix(request, blocks, request.frame)
    response = request.response_values
    weights = np.ones(len(response)) if request.weights is None else request.weights
    cross = matrix.T @ (matrix * weights[:, None])
    penalty = linalg.block_diag(
        np.zeros((len(names), len(names))),
        *(block.penalty(values) for block, values in zip(blocks, smoothing, strict=True)),
    )
    inverse = np.asarray(linalg.pinvh(cross + penalty))
    coefficients = inverse @ (matrix.T @ (weights * response))
    influence = inverse @ cross
    edf = np.diag(influence)
    ref_df = 2 * edf - np.einsum("ij,ji->i", influence, influence)
    fitted = matrix @ coefficients
    residuals = response - fitted
    scale = float(np.sum(weights * residuals**2) / (len(response) - edf.sum()))
    covariance = inverse * scale
    ends = np.cumsum([len(names), *(block.dimension for block in blocks)])
    slices = [slice(start, end) for start, end in pairwise(ends)]
    written = written_smooths(request)
    labels = [*terms, *(block.label for block in blocks for _ in range(block.dimension))]

    return EngineFit(
        parametric=_parametric(names, coefficients, covariance, len(response) - float(edf.sum())),
        smooths=_smooths(blocks, slices, edf, ref_df),
        glance=_glance(response, residuals, weights, float(edf.sum()), scale),
        smooth_parts=tuple(
            SmoothPart(block.label, block.dimension, block.null_dimension, float(edf[part].sum()), written[block.label])
            for block, part in zip(blocks, slices, strict=True)
        ),
        parametric_terms=parametric_columns_used(request),
        smoothing_parameters=np.array([value for values in smoothing for value in values]),
        fitted=fitted,
        residuals=residuals,
        whitened_residuals=residuals,
        design=partial(_design, request, blocks, coefficients, covariance, labels),
        notes=(_NO_P_VALUES, _SMOOTHING) if blocks else (_NO_P_VALUES,),
        versions={"pygam": version("pygam")},
        seconds=time.perf_counter() - begin,
    )


def _design(
    request: FitRequest,
    blocks: Sequence[SplineBlock],
    coefficients: np.ndarray,
    covariance: np.ndarray,
    labels: Sequence[str],
    new_data: pd.DataFrame,
    exclude: Sequence[str] = (),
) -> Design:
    kept = np.array([label not in exclude for label in labels], dtype=bool)
    return Design(
        matrix=_matrix(request, blocks, new_data)[:, kept],
        coefficients=coefficients[kept],
        covariance=covariance[np.ix_(kept, kept)],
        term_of_column=tuple(label for label in labels if label not in exclude),
    )


def _smooths(blocks: Sequence[SplineBlock], slices: list[slice], edf: np.ndarray, ref_df: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "term": [block.label for block in blocks],
            "edf": [float(edf[part].sum()) for part in slices],
            "ref_df": [float(ref_df[part].sum()) for part in slices],
            "statistic": np.nan,
            "p_value": np.nan,
        }
    )


def _parametric(
    names: tuple[str, ...], coefficients: np.ndarray, covariance: np.ndarray, freedom: float
) -> pd.DataFrame:
    estimate = coefficients[: len(names)]
    std_error = np.sqrt(np.diag(covariance))[: len(names)]
    margin = std_error * special.stdtrit(freedom, 0.975)
    return pd.DataFrame(
        {
            "term": list(names),
            "estimate": estimate,
            "std_error": std_error,
            "statistic": estimate / std_error,
            "p_value": np.nan,
            "conf_low": estimate - margin,
            "conf_high": estimate + margin,
        }
    )


def _matrix(request: FitRequest, blocks: Sequence[SplineBlock], frame: pd.DataFrame) -> np.ndarray:
    parametric, _, _ = parametric_columns(request.formula, frame)
    return np.hstack([parametric, *(block.columns(frame) for block in blocks)])


def _glance(response: np.ndarray, residuals: np.ndarray, weights: np.ndarray, edf: float, scale: float) -> pd.DataFrame:
    rows = len(response)
    centred = response - np.average(response, weights=weights)
    deviance = float(np.sum(weights * residuals**2))
    null_deviance = float(np.sum(weights * centred**2))
    log_lik = -0.5 * (rows * (np.log(2 * np.pi * deviance / rows) + 1) - float(np.sum(np.log(weights))))
    root = np.sqrt(weights)
    explained = np.var(root * residuals, ddof=1) / np.var(root * centred, ddof=1)
    return pd.DataFrame(
        {
            "nobs": [rows],
            "df": [edf + 1],
            "df_residual": [rows - edf],
            "log_lik": [log_lik],
            "aic": [-2 * log_lik + 2 * (edf + 1)],
            "bic": [-2 * log_lik + np.log(rows) * (edf + 1)],
            "deviance": [deviance],
            "deviance_explained": [1 - deviance / null_deviance],
            "adj_r_squared": [1 - explained * (rows - 1) / (rows - edf)],
            "scale": [scale],
            "score": [rows * deviance / (rows - edf) ** 2],
            "method": ["GCV"],
            "rho": [0.0],
        }
    )
