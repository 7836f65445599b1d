"""Which channels tell two sets of phones apart, by vectors of phones: the level of each, with speakers as units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy import sparse, stats

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values

_BLOCK_VALUES = 2**23
_ADJUSTED: dict[str, AdjustMethod] = {"p_holm": "holm", "p_fdr": "fdr_bh"}


def vector_contrasts(vectors: xr.DataArray, contrast: str | Contrast, *, conf_level: float = 0.95) -> xr.Dataset:
    """Test a contrast between two sets of phones in every channel, by vectors of phones.

    Every speaker has a mean of each set, over all of their phones; the differences of speakers, first minus second, are
    tested against zero by Student's t. Phones of one speaker are not taken for independent, and speakers count alike.

    Parameters
    ----------
    vectors
        (phone, channel), as `phone_vectors` reads them; values on disk are read in blocks, once.
    contrast
        Of two levels of any column of phones: ``"s:sh"``, ``"p,t,k:b,d,g"``, ``"phones.position=initial:final"``.
    conf_level
        Of the intervals of differences.

    Returns
    -------
    xarray.Dataset
        As `channel_contrasts` returns, for the level alone: by (channel, term) ``estimate, std_error, conf_low,
        conf_high, df, statistic, p_value`` and, over the channels that could be tested, ``p_holm`` and ``p_fdr``; by
        channel ``effect_size`` (the size of the difference over ``token_sd``), ``token_sd`` (the standard deviation of
        phones about the mean of their speaker and set), ``status``: "fitted", "dead" (never varies) or "not finite".
        `channel_table` and `carrying_channels` take it.

    Raises
    ------
    ArgumentError
        The contrast has not two levels, or a column or value does not exist.
    DataError
        Fewer than two speakers have phones of both sets.

    Examples
    --------
    >>> values = np.array([[1.0, 0.0], [2.0, 0.0], [4.0, 1.0], [2.0, 1.0]])
    >>> labels = {"label": ("phone", ["s", "sh", "s", "sh"]), "speaker": ("phone", ["a", "a", "b", "b"])}
    >>> vectors = xr.DataArray(values, dims=("phone", "channel"), coords=labels)
    >>> found = vector_contrasts(vectors, "s:sh").sel(term="level")
    >>> found["estimate"].to_numpy(), found["df"].to_numpy()
    (array([0.5, 0. ]), array([1., 1.]))
    """
    if not 0 < conf_level < 1:
        raise ArgumentError(f"The 'conf_level' parameter must lie between 0 and 1, but got {conf_level!r} instead.")
    contrast = Contrast.read(contrast)
    if len(contrast.levels) != 2:
        raise ArgumentError(f"Channels take contrasts of two levels, but got {contrast.text!r}.")
    cells = _cells(vectors, contrast)
    sums = _sums(vectors, cells)
    return _dataset(sums, cells, vectors, contrast, conf_level)


@dataclass(frozen=True)
class _Cells:
    """Which cell, speaker x set, the phones that count are in."""

    rows: np.ndarray
    cell: np.ndarray
    speakers: int
    left_out: int
    phones: tuple[int, int]


@dataclass(frozen=True)
class _Sums:
    """By cell means (cell, channel), and by channel what varies within cells, and whether anything does."""

    means: np.ndarray
    within: np.ndarray
    varies: np.ndarray


def _cells(vectors: xr.DataArray, contrast: Contrast) -> _Cells:
    names = [str(name) for name, values in vectors.coords.items() if values.dims == ("phone",)]
    for name in (contrast.column, "speaker"):
        check_choice("column", name, names)
    level = contrast.levels_of(pd.Series(vectors[contrast.column].to_numpy()))
    rows = np.flatnonzero(level.notna().to_numpy())
    speakers = vectors["speaker"].to_numpy()[rows].astype(str)
    second = level.to_numpy()[rows] == contrast.level_2
    names_of, number = np.unique(speakers, return_inverse=True)
    both = np.intersect1d(number[second], number[~second])
    if len(both) < 2:
        raise DataError(
            f"{len(both)} of {len(names_of)} speakers have phones of both {contrast.level_1} and {contrast.level_2}; "
            "two or more are needed, for their differences are the units. Choose sets that the same speakers say."
        )
    kept = np.isin(number, both)
    cell = np.searchsorted(both, number[kept]) * 2 + second[kept]
    counts = (int(np.sum(~second[kept])), int(np.sum(second[kept])))
    return _Cells(rows[kept], cell, len(both), len(names_of) - len(both), counts)


def _blocks(vectors: xr.DataArray, cells: _Cells) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the cells and the values of some phones, float64 (phone, channel), so that memory stays small."""
    step = max(1, _BLOCK_VALUES // vectors.sizes["channel"])
    ordered = vectors.transpose("phone", "channel")
    for start in range(0, len(cells.rows), step):
        rows = cells.rows[start : start + step]
        yield cells.cell[start : start + step], ordered[rows].to_numpy().astype(np.float64)


def _sums(vectors: xr.DataArray, cells: _Cells) -> _Sums:
    count, channels = 2 * cells.speakers, vectors.sizes["channel"]
    sums, squares, number = np.zeros((count, channels)), np.zeros(channels), np.bincount(cells.cell, minlength=count)
    first: np.ndarray | None = None
    varies = np.zeros(channels, dtype=bool)
    for cell, values in _blocks(vectors, cells):
        if first is None:
            first = values[0].copy()
        # From a value of the channel itself, so that squares of large means do not swallow what varies.
        moved = values - first
        varies |= (moved != 0).any(axis=0)
        sums += sparse.csr_array((np.ones(len(cell)), (cell, np.arange(len(cell)))), (count, len(cell))) @ moved
        squares += np.einsum("pc,pc->c", moved, moved)
    means = sums / number[:, None]
    within = np.maximum(squares - np.einsum("k,kc,kc->c", number, means, means), 0.0)
    return _Sums(means, within / max(1, len(cells.rows) - count), varies)


def _dataset(sums: _Sums, cells: _Cells, vectors: xr.DataArray, contrast: Contrast, conf_level: float) -> xr.Dataset:
    differences = sums.means[0::2] - sums.means[1::2]
    finite = np.isfinite(differences).all(axis=0)
    tested = finite & sums.varies
    estimate = np.where(finite, differences.mean(axis=0), np.nan)
    error = np.where(tested, differences.std(axis=0, ddof=1) / np.sqrt(cells.speakers), np.nan)
    freedom = cells.speakers - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = estimate / error
        effect = np.where(tested, np.abs(estimate) / np.sqrt(sums.within), np.nan)
    p_value = 2 * stats.t.sf(np.abs(ratio), freedom)
    reach = stats.t.isf((1 - conf_level) / 2, freedom) * error
    frame = pd.DataFrame({"p_value": p_value})
    by_term = {
        **{"estimate": estimate, "std_error": error, "conf_low": estimate - reach, "conf_high": estimate + reach},
        **{"df": np.where(tested, float(freedom), np.nan), "statistic": ratio, "p_value": p_value},
        **{name: adjust_p_values(frame, "level", method=how)["p_adjusted"] for name, how in _ADJUSTED.items()},
    }
    status = np.where(~finite, "not finite", np.where(sums.varies, "fitted", "dead"))
    by_channel = {"effect_size": effect, "token_sd": np.sqrt(sums.within), "status": status.astype(object)}
    layer = str(vectors.attrs.get("layer", "layer"))
    note = f"{cells.left_out} speakers without phones of both sets are left out." if cells.left_out else ""
    about = {
        **{"layer": layer, "level_1": contrast.level_1, "level_2": contrast.level_2, "note": note},
        "recording": str(vectors.attrs.get("recording", "")),
        "family": f"{contrast.name} over the channels of {layer}",
        **{"speakers": cells.speakers, "phones_1": cells.phones[0], "phones_2": cells.phones[1]},
        "level_units": f"{cells.speakers} speakers",
    }
    return xr.Dataset(
        {name: (("channel", "term"), np.asarray(values)[:, None]) for name, values in by_term.items()}
        | {name: ("channel", values) for name, values in by_channel.items()},
        coords={"channel": np.arange(vectors.sizes["channel"]), "term": ["level"]},
        attrs=about,
    )
