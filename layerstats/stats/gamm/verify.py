"""How far a fit is from the same model fitted by mgcv."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.stats.gamm.engines.base import EngineFit
from layerstats.tables import check_frame

_PARAMETRIC = ("estimate", "std_error", "statistic", "p_value")
_SMOOTHS = ("edf", "ref_df", "p_value")
_GLANCE = ("score", "scale", "deviance_explained")


def verification_table(fit: EngineFit, reference: EngineFit) -> pd.DataFrame:
    """Compare two fits of one model.

    Returns
    -------
    pandas.DataFrame
        ``quantity, term, estimate, reference, difference``: for each quantity the term where the two differ most, both
        values, and `estimate` minus `reference`. For ``fitted`` the term is the number of the row, from 0.
    """
    rows = []
    for table, names in (("parametric", _PARAMETRIC), ("smooths", _SMOOTHS)):
        ours = getattr(fit, table).set_index("term")
        theirs = getattr(reference, table).set_index("term").reindex(ours.index)
        kind = "parametric" if table == "parametric" else "smooth"
        rows += [
            _largest(f"{kind} {name}", list(ours.index), ours[name].to_numpy(), theirs[name].to_numpy())
            for name in names
            if len(ours)
        ]
    rows.append(_largest("fitted", list(range(len(fit.fitted))), fit.fitted, reference.fitted))
    rows += [_largest(name, [""], fit.glance[name].to_numpy(), reference.glance[name].to_numpy()) for name in _GLANCE]
    frame = pd.DataFrame(rows, columns=["quantity", "term", "estimate", "reference", "difference"])
    return check_frame(frame)


def _largest(
    quantity: str, terms: list[object], ours: np.ndarray, theirs: np.ndarray
) -> tuple[str, str, float, float, float]:
    estimate, reference = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    difference = estimate - reference
    if np.all(np.isnan(difference)):
        return quantity, "", float("nan"), float("nan"), float("nan")
    worst = int(np.nanargmax(np.abs(difference)))
    return quantity, str(terms[worst]), estimate[worst], reference[worst], difference[worst]
