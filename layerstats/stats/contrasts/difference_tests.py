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
    result: GammResult, group: str, reference: str, other: str, units: Units, sign: float = 1.0
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

    Returns
    -------
    dict
        ``joint_statistic, joint_df, joint_p_value`` (see `layerstats.stats.gamm.joint_test`); ``level_difference,
        level_std_error, level_df, level_statistic, level_p_value`` (t); ``shape_edf, shape_ref_df, shape_statistic,
        shape_p_value`` (F of the difference smooth).
    """
    from layerstats.stats.gamm.inference.joint_test import joint_test

    level = result.parametric.set_index("term").loc[f"{group}{other}"]
    smooth = next(label for label in result.smooth_labels if label.endswith(f":{group}_ordered{other}"))
    shape = result.smooths.set_index("term").loc[smooth]
    both = joint_test(result, f"{group}{other}", smooth)[1]
    freedom = float(units.freedom)
    tested = not np.isnan(level["p_value"])
    return {
        "joint_statistic": both.statistic,
        "joint_df": both.reference_freedom,
        "joint_p_value": both.p_value,
        "level_difference": sign * level["estimate"],
        "level_std_error": level["std_error"],
        "level_df": freedom,
        "level_statistic": sign * level["statistic"],
        "level_p_value": float(2 * stats.t.sf(np.abs(level["statistic"]), freedom)) if tested else np.nan,
        "shape_edf": shape["edf"],
        "shape_ref_df": shape["ref_df"],
        "shape_statistic": shape["statistic"],
        "shape_p_value": shape["p_value"],
    }
