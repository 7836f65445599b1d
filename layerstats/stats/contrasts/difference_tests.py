"""The tests of a difference between two groups, all from one fitted model: any difference, level, shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from layerstats.stats.units import Units

if TYPE_CHECKING:
    from layerstats.stats.gamm.inference.result import GammResult

TESTS = ("joint", "level", "shape")


def difference_tests(
    result: GammResult,
    group: str,
    reference: str,
    other: str,
    units: Units,
    sign: float = 1.0,
    added: np.ndarray | None = None,
) -> dict[str, float]:
    """Test the difference of a group from the reference.

    Parameters
    ----------
    result
        The fitted model of `level_and_shape_model`.
    group, reference, other
        The column, its first level, and another.
    units
        What the test of the level counts.
    sign
        -1 where the difference is the reference's from the other.
    added
        (column, column), of the level's coefficient and then the difference smooth's: what is added to their
        covariance, see `joint_test`.

    Returns
    -------
    dict
        ``joint_statistic, joint_df, joint_p_value`` (see `layerstats.stats.gamm.joint_test`); ``level_difference,
        level_std_error, level_df, level_statistic, level_p_value`` (t); ``shape_edf, shape_ref_df, shape_statistic,
        shape_p_value`` (F of the difference smooth).
    """
    from layerstats.stats.gamm.inference.joint_test import joint_test

    coefficient, smooth = difference_terms(result, group, other)
    level = result.parametric.set_index("term").loc[coefficient]
    shape = result.smooths.set_index("term").loc[smooth]
    both = joint_test(result, coefficient, smooth, added=added)[1]
    error, ratio = level["std_error"], level["statistic"]
    statistic, ref_df, shape_p_value = shape["statistic"], shape["ref_df"], shape["p_value"]
    if added is not None:
        error = float(np.hypot(error, np.sqrt(added[0, 0])))
        ratio = level["estimate"] / error
        alone = joint_test(result, None, smooth, added=added[1:, 1:])[1]
        statistic, ref_df, shape_p_value = alone.statistic, alone.reference_df, alone.p_value
    freedom = float(units.freedom)
    tested = not np.isnan(level["p_value"])
    return {
        "joint_statistic": both.statistic,
        "joint_df": both.reference_df,
        "joint_p_value": both.p_value,
        "level_difference": sign * level["estimate"],
        "level_std_error": error,
        "level_df": freedom,
        "level_statistic": sign * ratio,
        "level_p_value": float(2 * stats.t.sf(np.abs(ratio), freedom)) if tested else np.nan,
        "shape_edf": shape["edf"],
        "shape_ref_df": ref_df,
        "shape_statistic": statistic,
        "shape_p_value": shape_p_value,
    }


def difference_terms(result: GammResult, group: str, other: str) -> tuple[str, str]:
    """Return the coefficient and the difference smooth of a group against the reference, as tables name them."""
    smooth = next(label for label in result.smooth_labels if label.endswith(f":{group}_ordered{other}"))
    return f"{group}{other}", smooth
