"""The fitted curve of each level of a factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from layerstats.checks import check_own_names
from layerstats.stats.gamm.inference.difference import smooth_name
from layerstats.stats.gamm.inference.intervals import check_interval, estimate_curve
from layerstats.stats.gamm.inference.reference_grid import check_factor, reference_grid
from layerstats.stats.gamm.inference.result import GammResult
from layerstats.tables import check_frame

_OWN = ("smooth", "fit", "std_error", "conf_low", "conf_high", "interval", "conf_level")


def curves(
    result: GammResult,
    factor_columns: str | Sequence[str] = (),
    at: Mapping[str, object] | None = None,
    interval: str = "pointwise",
    conf_level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Estimate the curve of each level along a covariate, without random terms.

    Parameters
    ----------
    result
        A fitted model.
    factor_columns
        The factor, or several; every combination of levels in the data gets a curve. None: one curve.
    at
        See `reference_grid`: ``{"Sample": grid}``.
    interval, conf_level, draws, seed
        See `estimate_curve`; simultaneous over each curve.

    Returns
    -------
    pandas.DataFrame
        ``smooth, <factors>, <covariate>, fit, std_error, conf_low, conf_high, interval, conf_level``;
        ``attrs["notes"]`` says where the other columns were held.

    Examples
    --------
    >>> from layerstats.stats.gamm import fit
    >>> data = pd.DataFrame({"x": np.linspace(0, 1, 60)}).assign(y=lambda frame: np.sin(6 * frame["x"]))
    >>> data["y"] += np.tile([0.05, -0.05], 30)
    >>> list(curves(fit("y ~ s(x)", data, engine="structured")).columns)
    ['smooth', 'x', 'fit', 'std_error', 'conf_low', 'conf_high', 'interval', 'conf_level']
    """
    check_interval(interval, conf_level, draws)
    columns = (factor_columns,) if isinstance(factor_columns, str) else tuple(factor_columns)
    combinations = level_combinations(result, columns)
    grid = reference_grid(result.request, at, columns, combinations)
    check_own_names((*columns, grid.covariate), _OWN)
    pieces = []
    for levels in combinations:
        design = result.design(grid.rows(levels), exclude=result.random_terms)
        estimate = estimate_curve(
            design.matrix,
            design.coefficients,
            design.covariance,
            interval=interval,
            conf_level=conf_level,
            draws=draws,
            seed=seed,
        )
        values: dict[str, object] = dict(zip(columns, levels, strict=True))
        values[grid.covariate] = grid.frame[grid.covariate]
        values |= {"fit": estimate.fit, "std_error": estimate.std_error}
        values |= {"conf_low": estimate.conf_low, "conf_high": estimate.conf_high}
        name = smooth_name(result, labels_along(result, grid.covariate), grid.covariate)
        pieces.append(pd.DataFrame({"smooth": name, **values, "interval": interval, "conf_level": conf_level}))
    table = check_frame(pd.concat(pieces, ignore_index=True), "prediction", user_columns=[*columns, grid.covariate])
    table.attrs["notes"] = grid.notes
    return table


def level_combinations(result: GammResult, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the combinations of levels of `columns` that the data hold; one empty one without columns."""
    if not columns:
        return [()]
    for column in columns:
        check_factor(result.request.frame, column)
    codes = np.column_stack([result.request.frame[column].cat.codes for column in columns])
    present = np.unique(codes, axis=0)
    return [tuple(result.levels[column][code] for column, code in zip(columns, row, strict=True)) for row in present]


def labels_along(result: GammResult, covariate: str) -> set[str]:
    """Return the labels of the fitted smooths along `covariate` that are not random."""
    return {
        part.label
        for part in result.engine_fit.smooth_parts
        if not part.written.random and covariate in part.written.columns
    }
