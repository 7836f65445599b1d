"""How far a fit is from the same model fitted by mgcv, and whether that is near enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from layerstats.stats.gamm.engine_interface import EngineFit
from layerstats.tables import check_frame

# Estimates and standard errors, relative; degrees of freedom and p-values, absolute; the score, which may be lower.
RELATIVE = 1e-5
FREEDOM = 1e-3
PROBABILITY = 2e-5
SCORE = 1e-6
# A smooth with fewer effective degrees of freedom in both fits is shrunk to nothing: its test has no reference.
NOTHING = 1e-2
# A score this much lower than the reference is another optimum or another criterion, not an optimiser that went on.
BETTER_SCORE = 1e-2

_COLUMNS = ["quantity", "term", "estimate", "reference", "difference", "tolerance", "agrees"]


class _Compared(NamedTuple):
    quantity: str
    terms: list[str]
    ours: np.ndarray
    theirs: np.ndarray
    tolerance: np.ndarray


def verification_table(fit: EngineFit, reference: EngineFit) -> pd.DataFrame:
    """Compare two fits of one model.

    Estimates, their t values, standard errors and fitted values agree within 1e-5 of the reference, degrees of freedom
    within 1e-3 and p-values within 2e-5. An estimate counts relative to its standard error where that is larger, a
    fitted value relative to the spread of them all. The score may exceed that of the reference by 1e-6.

    A reference whose own optimiser stopped early, at a score higher by g, lies about sqrt(2g) standard deviations of
    the (log) smoothing parameters from the optimum, and what depends on them is known no better: where the score of
    `fit` is lower, tolerances widen by sqrt(2g), in standard errors, relative, or absolute as above. A score that is
    lower by more than 0.01 does not agree. Of a smooth that both fits shrink to an edf below 0.01 the reference degrees
    of freedom do not count: rounding errors decide how many there are of nothing.

    Returns
    -------
    pandas.DataFrame
        ``quantity, term, estimate, reference, difference, tolerance, agrees``: for each quantity the term where the two
        differ most for its tolerance, both values, and `estimate` minus `reference`. For ``fitted`` the term is the
        number of the row, from 0.
    """
    rows = [_largest(compared) for compared in _compared(fit, reference)]
    return check_frame(pd.DataFrame(rows, columns=_COLUMNS))


def _compared(fit: EngineFit, reference: EngineFit) -> Iterator[_Compared]:
    ours, theirs = fit.glance.iloc[0], reference.glance.iloc[0]
    gained = max(float(theirs["score"] - ours["score"]), 0.0)
    loose = float(np.sqrt(2 * gained))
    parametric, known = _aligned(fit.parametric, reference.parametric)
    terms, error = list(parametric.index), np.abs(known["std_error"].to_numpy(dtype=float))
    scales = {
        "estimate": RELATIVE * np.maximum(np.abs(known["estimate"].to_numpy(dtype=float)), error) + loose * error,
        "std_error": (RELATIVE + loose) * error,
        "statistic": (RELATIVE + loose) * np.maximum(np.abs(known["statistic"].to_numpy(dtype=float)), 1),
        "p_value": np.full(len(terms), PROBABILITY + loose),
    }
    for name, tolerance in scales.items():
        yield _Compared(f"parametric {name}", terms, _numbers(parametric[name]), _numbers(known[name]), tolerance)
    smooths, known = _aligned(fit.smooths, reference.smooths)
    for name, tolerance in (("edf", FREEDOM), ("ref_df", FREEDOM), ("p_value", PROBABILITY)):
        wide = np.full(len(smooths), tolerance + loose)
        if name == "ref_df":
            wide[np.maximum(_numbers(smooths["edf"]), _numbers(known["edf"])) < NOTHING] = np.inf
        yield _Compared(f"smooth {name}", list(smooths.index), _numbers(smooths[name]), _numbers(known[name]), wide)
    spread = max(float(np.std(reference.fitted)), float(np.sqrt(theirs["scale"])))
    rows = [str(row) for row in range(len(fit.fitted))]
    wide = np.full(len(rows), (RELATIVE + loose) * spread)
    yield _Compared("fitted", rows, _numbers(fit.fitted), _numbers(reference.fitted), wide)
    allowed = SCORE if gained == 0 else BETTER_SCORE
    yield _Compared("score", [""], _numbers([ours["score"]]), _numbers([theirs["score"]]), np.array([allowed]))
    for name, scale in (("scale", abs(float(theirs["scale"]))), ("deviance_explained", 1.0)):
        wide = np.array([(RELATIVE + loose) * scale])
        yield _Compared(name, [""], _numbers([ours[name]]), _numbers([theirs[name]]), wide)


def _aligned(ours: pd.DataFrame, theirs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both tables by term; a term that only one of them has is missing in the other.

    Of as many terms under other labels the order decides, which is R's in both: labels are no difference.
    """
    first, second = (table.set_index(_numbered(table["term"].tolist())) for table in (ours, theirs))
    if len(first) == len(second) and set(first.index) != set(second.index):
        return first, second.set_axis(first.index)
    terms = first.index.union(second.index, sort=False)
    return first.reindex(terms), second.reindex(terms)


def _numbered(labels: list[str]) -> pd.Index:
    """Return labels as an index, the second of two equal ones as ``"s(x) (2)"``."""
    counts = [labels[:place].count(label) for place, label in enumerate(labels)]
    return pd.Index([f"{label} ({count + 1})" if count else label for label, count in zip(labels, counts, strict=True)])


def _numbers(values: ArrayLike) -> np.ndarray:
    return np.asarray(values, dtype=float)


def _largest(compared: _Compared) -> tuple[str, str, float, float, float, float, bool]:
    ours, theirs, tolerance = compared.ours, compared.theirs, compared.tolerance
    if not len(ours):
        return compared.quantity, "", np.nan, np.nan, np.nan, np.nan, True
    difference = ours - theirs
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    share = np.where(same, 0.0, np.abs(difference) / np.where(tolerance > 0, tolerance, np.finfo(float).tiny))
    # What only one of the two has is as far off as can be.
    share = np.where(np.isnan(share), np.inf, share)
    worst = int(np.argmax(share))
    return (
        compared.quantity,
        compared.terms[worst],
        float(ours[worst]),
        float(theirs[worst]),
        0.0 if same[worst] else float(difference[worst]),
        float(tolerance[worst]),
        bool(share[worst] <= 1),
    )
