"""Smooth surfaces of patterns over time and frequency, for the eye only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_count, check_positive
from layerstats.errors import DataError
from layerstats.stats.averages.aligned_averages import AlignedAverages
from layerstats.stats.gamm import fit
from layerstats.tables import PrintedResult, check_frame

NOTE = (
    "Surfaces describe averages and test nothing: what is left of neighbouring places is alike in both directions, so "
    "that standard errors and p-values of the smooth would be far too small. pattern_tests() says what may be claimed."
)
FREQUENCY = "frequency"
# Bands are equally far from each other on the scale of the front end.
_FORMULA = "pattern ~ te(time, band, k = c({times}, {bands}))"


@dataclass(frozen=True, eq=False, repr=False)
class PatternSurfaces(PrintedResult):
    """Smooth surfaces of patterns.

    Attributes
    ----------
    table
        A row a label: ``label, edf, deviance_explained`` (the part of the pattern's variance that the surface has),
        ``lag_s`` and ``frequency_hz``, where it is farthest from 0, and ``surface`` there.
    surfaces
        A row a label, band and lag: ``label, frequency_hz, lag_s, pattern, surface``.
    notes
        In sentences.
    """

    main_tables = ("table",)
    table: pd.DataFrame
    surfaces: pd.DataFrame
    notes: tuple[str, ...]


def pattern_surfaces(
    averages: AlignedAverages,
    labels: Sequence[str] | None = None,
    *,
    k: tuple[int, int] = (10, 10),
    reach_s: float | None = None,
) -> PatternSurfaces:
    """Estimate a smooth surface of each pattern over time and frequency: a tensor product smooth, for description.

    The model is ``pattern ~ te(time, band)`` with as much smoothing along each axis as restricted likelihood asks for;
    places count by the windows that cover them. There are no standard errors, on purpose.

    Parameters
    ----------
    averages
        What `aligned_averages` gives.
    labels
        Some of its labels; by default all that have windows.
    k
        Size of the basis along time and along the bands.
    reach_s
        How far from the alignment; by default as far as averages reach.

    Raises
    ------
    ArgumentError
        There is no such label, or `k` is no size of a basis.
    DataError
        A map has fewer samples or bands than the basis needs, or channels in place of frequencies.

    References
    ----------
    Wood (2006), Low-rank scale-invariant tensor product smooths, Biometrics 62, 1025-1036.

    Examples
    --------
    >>> from layerstats.stats.averages import AlignedWindows, aligned_averages
    >>> time, band = np.meshgrid(np.linspace(-1, 1, 25), np.linspace(-1, 1, 12))
    >>> hill = np.exp(-4 * ((time - 0.5) ** 2 + band**2))
    >>> values = np.random.default_rng(0).normal(size=(40, 12, 25)) + np.tile([hill, 0 * hill], (20, 1, 1))
    >>> windows = AlignedWindows.from_arrays(values, ["a", "b"] * 20, ["s1", "s1", "s2", "s2"] * 10, hop_s=0.01)
    >>> found = pattern_surfaces(aligned_averages(windows, draws=2), ["a"], k=(6, 6))
    >>> bool(abs(found.table["lag_s"].iloc[0] - 0.06) <= 0.02)
    True
    """
    if averages.band != FREQUENCY:
        raise DataError("Channels are in no order along which a surface could be smooth: surfaces are of frequencies.")
    for size in k:
        check_count("k", size)
    if reach_s is not None:
        check_positive("reach_s", reach_s)
    known = [str(label) for label in averages.maps["label"].to_numpy()]
    for label in labels or ():
        check_choice("labels", label, known)
    frame = averages.to_frame()
    frame = frame.loc[
        frame["pattern"].notna() & (frame["windows"] > 0), ["label", "frequency_hz", "lag_s", "windows", "pattern"]
    ]
    if reach_s is not None:
        frame = frame.loc[frame["lag_s"].abs() <= reach_s * (1 + 1e-9)]
    rows, surfaces = [], []
    for label in labels or known:
        own = frame.loc[frame["label"] == label].reset_index(drop=True)
        if own.empty and labels is None:
            continue
        surface, about = _surface(own, label, k)
        peak = int(np.abs(surface).argmax())
        place = {name: own[name].iloc[peak] for name in ("lag_s", "frequency_hz")}
        rows.append({"label": label, **about, **place, "surface": surface[peak]})
        surfaces.append(own.drop(columns="windows").assign(surface=surface))
    if not rows:
        raise DataError("No label has a pattern as near to the alignment as that.")
    table = check_frame(pd.DataFrame(rows))
    return PatternSurfaces(table, check_frame(pd.concat(surfaces, ignore_index=True)), (NOTE, *averages.notes))


def _surface(own: pd.DataFrame, label: str, k: tuple[int, int]) -> tuple[np.ndarray, dict[str, float]]:
    """Return the surface at every row, and how closely it follows the pattern."""
    places = [np.unique(own[name], return_inverse=True) for name in ("lag_s", "frequency_hz")]
    for what, size, (values, _) in zip(("samples", "bands"), k, places, strict=True):
        if len(values) < size:
            raise DataError(
                f"The pattern of {label!r} has {len(values)} {what}, but a basis of {size} is asked for: choose a "
                "smaller k, or a larger reach_s."
            )
    data = own.assign(time=places[0][1], band=places[1][1], weight=own["windows"] / own["windows"].mean())
    result = fit(_FORMULA.format(times=k[0], bands=k[1]), data, weights="weight")
    about = {"edf": result.smooths["edf"].to_numpy().sum()}
    about["deviance_explained"] = result.glance["deviance_explained"].to_numpy()[0]
    return result.predict(data)["fit"].to_numpy(), about
