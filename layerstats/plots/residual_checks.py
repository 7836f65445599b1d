"""Are residuals normal, and do they spread alike at every fitted value?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from plotnine import aes, facet_wrap, geom_abline, geom_hline, geom_point, ggplot, labs
from scipy.stats import norm

from layerstats.checks import check_positive
from layerstats.errors import DataError
from layerstats.plots.frames import checked
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("fitted", "residual")

QUANTILES = "against normal quantiles"
FITTED = "against fitted values"


def residual_checks(frame: pd.DataFrame, *, most_points: int = 3000, title: str = "") -> ggplot:
    """Draw residuals against normal quantiles and against fitted values.

    Parameters
    ----------
    frame : columns `fitted, residual`
        One row an observation; rows with missing values (the first of a series under AR) are left out.
    most_points
        Of more observations only so many are drawn, evenly by rank, extremes included; the figure says so.
    title
        For instance the layer.

    Raises
    ------
    DataError
        If a column is missing, or there are fewer than three residuals or they are all the same.
    """
    check_positive("most_points", most_points)
    frame = checked(frame, REQUIRED_COLUMNS, "residual_checks")
    pairs = pd.DataFrame(frame[["fitted", "residual"]]).dropna().sort_values("residual").reset_index(drop=True)
    spread = float(np.std(pairs["residual"].to_numpy(dtype=float), ddof=1)) if len(pairs) > 2 else 0.0
    if len(pairs) < 3 or not spread > 0:
        raise DataError(f"Residuals cannot be checked: there are {len(pairs)}, with standard deviation {spread:.3g}.")
    positions = (np.arange(len(pairs)) + 0.5) / len(pairs)
    kept = np.unique(np.linspace(0, len(pairs) - 1, min(most_points, len(pairs))).astype(int))
    drawn = pairs.iloc[kept]
    panels = [QUANTILES, FITTED]
    data = pd.concat(
        [
            pd.DataFrame({"x": norm.ppf(positions[kept]), "y": drawn["residual"].to_numpy(), "panel": QUANTILES}),
            pd.DataFrame({"x": drawn["fitted"].to_numpy(), "y": drawn["residual"].to_numpy(), "panel": FITTED}),
        ],
        ignore_index=True,
    )
    data["panel"] = pd.Categorical(data["panel"], categories=panels, ordered=True)
    line = pd.DataFrame({"slope": [spread], "intercept": [pairs["residual"].mean()]})
    line["panel"] = pd.Categorical([QUANTILES], categories=panels, ordered=True)
    level = pd.DataFrame({"at": [0.0], "panel": pd.Categorical([FITTED], categories=panels, ordered=True)})
    note = "" if len(kept) == len(pairs) else f"{len(kept)} of {len(pairs)} residuals, evenly by rank."
    return (
        ggplot(data, aes("x", "y"))
        + geom_point(size=0.9, alpha=float(np.clip(600 / len(kept), 0.15, 0.8)), stroke=0)
        + geom_abline(aes(slope="slope", intercept="intercept"), data=line, linetype="dashed", size=0.6)
        + geom_hline(aes(yintercept="at"), data=level, linetype="dashed", size=0.6)
        + facet_wrap("panel", scales="free_x", ncol=2)
        + labs(x="Normal quantile (left), fitted value (right)", y="Residual", caption=note, title=title)
        + paper_theme(PAGE_WIDTH, 3.0)
    )
