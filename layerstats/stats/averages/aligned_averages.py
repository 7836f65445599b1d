"""Averages of aligned windows by label, and what sets each label apart from all (NAvAI), with standard errors."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from layerstats.checks import check_seed
from layerstats.stats.averages.averaging import Averaging, averaging_named
from layerstats.stats.averages.counted_windows import CountedWindows
from layerstats.stats.averages.reading.aligned_windows import AlignedWindows
from layerstats.stats.averages.speaker_bootstrap import SpeakerBootstrap, check_draws, spread
from layerstats.stats.averages.speaker_sums import LabelSums
from layerstats.store import Experiment
from layerstats.tables import PrintedResult, check_frame

# A pattern is looked for where at least this part of the windows is.
_COVERED = 0.5


@dataclass(frozen=True, eq=False, repr=False)
class AlignedAverages(PrintedResult):
    """Averages of aligned windows by label.

    Attributes
    ----------
    table
        Where the pattern of each label is largest, among lags that at least half of its windows have: ``label, windows,
        speakers, frequency_hz`` (or ``channel``) ``, lag_s, pattern, std_error``.
    maps
        By (label, frequency, lag), or channel: `mean`; `pattern`, the mean minus that over labels; `std_error` of the
        pattern, by bootstrap of speakers; `others`, where the alignment depends on the label, the mean over the windows
        of all other labels, aligned under this one, minus that over labels: what alignment alone makes. `coverage`
        (label, lag), how many windows have the lag; `windows` and `speakers` (label), how many there are; `overall`
        (frequency, lag), the mean over labels.
    speaker_maps
        `mean` (speaker, label, frequency, lag), NaN where there is none, `coverage` (speaker, label, lag) and `windows`
        (speaker, label).
    averaging
        How windows were averaged.
    quantity, alignment
        What was averaged, and how it was aligned.
    notes
        What was left out, or is missing, in sentences.
    """

    main_tables = ("table",)
    table: pd.DataFrame
    maps: xr.Dataset
    speaker_maps: xr.Dataset
    averaging: Averaging
    quantity: str
    alignment: str
    notes: tuple[str, ...] = ()

    @property
    def band(self) -> str:
        """The dimension of the bands: "frequency" or "channel"."""
        return str(self.maps["overall"].dims[0])

    @property
    def band_label(self) -> str:
        """What labels them: "frequency_hz" or "channel"."""
        return _label_of(self.band)

    @property
    def counted(self) -> np.ndarray:
        """By how many windows the sum of each speaker was divided, (speaker, label, lag)."""
        return self.averaging.counted(self.speaker_maps["coverage"].to_numpy(), self.speaker_maps["windows"].to_numpy())

    def to_frame(self) -> pd.DataFrame:
        """Return a row a label, band and lag.

        Returns
        -------
        DataFrame
            ``label, frequency_hz`` (or ``channel``) ``, lag_s, windows`` (that have the lag) ``, mean, overall,
            pattern, std_error`` and, where it is known, ``others``.
        """
        maps = self.maps.drop_vars(["windows", "speakers"]).rename(coverage="windows")
        frame = maps.to_dataframe(["label", self.band, "lag"]).reset_index()
        names = ["label", self.band_label, "lag_s", "windows", "mean", "overall", "pattern", "std_error", "others"]
        return check_frame(frame.loc[:, [name for name in names if name in frame.columns]], "aligned_averages")


def aligned_averages(
    source: AlignedWindows | Experiment | str | os.PathLike[str],
    *,
    averaging: str = "balanced",
    edges: str | None = None,
    overall: str | None = None,
    unit: str | None = None,
    others: bool = True,
    draws: int = 200,
    seed: int = 0,
    **reading: Any,
) -> AlignedAverages:
    """Average aligned windows by label, and subtract the mean over labels (normalized averaging of aligned inputs).

    Windows are moved so that the samples at which they are aligned lie on each other, and what lies outside a window is
    not there. They are gone through once; memory does not grow with their number, but with speakers times labels times
    the size of a map (4 bytes a value).

    Parameters
    ----------
    source
        Windows, or a store that has them. Of all its windows by letter the stored sums are enough: they are taken where
        there are no maps or alignments, or `others` is false.
    averaging : {"balanced", "krug2018"}
        Usual values of the next three: "coverage", "letters" and "speaker", so that neither frequent speakers nor
        frequent labels count more; or "zeros", "frames" and "window", as published (Krug & Stober 2018).
    edges : {"coverage", "zeros"}
        A lag is averaged over the windows that have it; or over all, those that do not have it counting as 0, by which
        averages fade towards their edges.
    overall : {"letters", "frames"}
        What is subtracted: the mean over the means of labels; or these weighted by their windows.
    unit : {"speaker", "window"}
        The mean of a label is over speakers, each of whom has one map; or over windows, whoever speaks.
    others
        Average other labels' windows aligned under each label, too, where the alignment depends on the label; of
        speakers with hundreds of windows a part of these, several times as many as a label has of its own.
    draws, seed
        Of the bootstrap of speakers.
    **reading
        How a store is read: as for `read_windows`.

    Returns
    -------
    AlignedAverages

    Raises
    ------
    ArgumentError
        There is no such way to average; or it is said how to read windows that are there already.
    DataError, StoreError
        As for `read_windows`; or a value is not a number.

    References
    ----------
    Krug & Stober (2018), section 3.5.

    Examples
    --------
    >>> values = np.zeros((4, 1, 3))
    >>> values[[0, 2], 0, 2] = 4.0  # two speakers say "a", louder at the end
    >>> windows = AlignedWindows.from_arrays(values, ["a", "b", "a", "b"], ["s1", "s1", "s2", "s2"])
    >>> found = aligned_averages(windows)
    >>> found.maps["pattern"].sel(label="a").to_numpy().tolist()
    [[0.0, 0.0, 2.0]]
    >>> found.table["lag_s"].tolist()
    [0.008, 0.008]
    """
    how = averaging_named(averaging, edges=edges, overall=overall, unit=unit)
    check_draws(draws)
    check_seed(seed)
    windows = CountedWindows.of(source, reading, others=others)
    speakers, aside = _by_speaker(windows, how)
    counted = how.counted(speakers["coverage"].to_numpy(), speakers["windows"].to_numpy())
    maps = _patterns(speakers, aside, SpeakerBootstrap(how, counted, draws, seed))
    return AlignedAverages(
        _table(maps),
        maps,
        speakers,
        how,
        windows.quantity,
        windows.alignment,
        (*windows.notes, *_few(maps)),
    )


def _by_speaker(windows: CountedWindows, averaging: Averaging) -> tuple[xr.Dataset, np.ndarray | None]:
    """Return the means of each speaker, and the mean of other labels' windows under each label, (label, band, lag)."""
    names, means, coverage, total = [], [], [], []
    aside: list[np.ndarray] | None = None
    for speaker in windows.speakers():
        names.append(speaker.speaker)
        means.append(averaging.mean(speaker.own).astype(np.float32))
        coverage.append(speaker.own.coverage)
        total.append(speaker.own.windows)
        if speaker.others is not None:
            aside = _added(aside, speaker.others, averaging)
    dims = ("speaker", "label", windows.band_name, "lag")
    found = xr.Dataset(
        {
            "mean": (dims, np.stack(means)),
            "coverage": (("speaker", "label", "lag"), np.stack(coverage)),
            "windows": (("speaker", "label"), np.stack(total)),
        },
        coords={
            "speaker": np.array(names, dtype=object),
            "label": np.array(windows.labels, dtype=object),
            _label_of(windows.band_name): (windows.band_name, windows.bands),
            "lag": windows.lags,
            "lag_s": ("lag", windows.lags * windows.hop_s),
        },
    )
    return found, None if aside is None else np.divide(*aside, out=np.full_like(aside[0], np.nan), where=aside[1] > 0)


def _added(aside: list[np.ndarray] | None, others: LabelSums, averaging: Averaging) -> list[np.ndarray]:
    """Add a speaker's mean of other labels' windows to those before, and what it weighs."""
    weights = np.broadcast_to(
        averaging.weights(averaging.counted(others.coverage, others.windows))[:, None], others.total.shape
    )
    weighted = np.nan_to_num(averaging.mean(others)) * weights
    return [weighted, weights] if aside is None else [aside[0] + weighted, aside[1] + weights]


def _patterns(speakers: xr.Dataset, aside: np.ndarray | None, bootstrap: SpeakerBootstrap) -> xr.Dataset:
    """Return maps by label, band by band."""
    band = str(speakers["mean"].dims[2])
    found: dict[str, list[np.ndarray]] = {name: [] for name in ("mean", "overall", "pattern", "std_error")}
    for number in range(speakers.sizes[band]):
        means = speakers["mean"].isel({band: number}).to_numpy()
        mean, overall = bootstrap.estimates(means)
        error = spread(bootstrap.replicates(means), bootstrap.speakers)
        for name, values in zip(found, (mean, overall, mean - overall, error), strict=True):
            found[name].append(values)
    by_label = {
        name: (("label", band, "lag"), np.stack(found[name], axis=1)) for name in ("mean", "pattern", "std_error")
    }
    overall = np.stack(found["overall"])
    if aside is not None:
        by_label["others"] = (("label", band, "lag"), aside - overall)
    return xr.Dataset(
        {
            **by_label,
            "overall": ((band, "lag"), overall),
            "coverage": speakers["coverage"].sum("speaker"),
            "windows": speakers["windows"].sum("speaker"),
            "speakers": (speakers["windows"] > 0).sum("speaker"),
        },
        coords={name: speakers.coords[name] for name in ("label", _label_of(band), "lag", "lag_s")},
    )


def _table(maps: xr.Dataset) -> pd.DataFrame:
    """Return where the pattern of each label is largest."""
    band = str(maps["overall"].dims[0])
    rows = []
    for label in maps["label"].to_numpy():
        one = maps.sel(label=label)
        pattern, windows = np.abs(one["pattern"].to_numpy()), int(one["windows"])
        pattern[:, (one["coverage"] < _COVERED * windows).to_numpy()] = np.nan
        row = {"label": label, "windows": windows, "speakers": int(one["speakers"])}
        names = (_label_of(band), "lag_s", "pattern", "std_error")
        if np.isfinite(pattern).any():
            place, lag = np.unravel_index(np.nanargmax(pattern), pattern.shape)
            at = one.isel({band: place, "lag": lag})
            row |= {name: at[name].item() for name in names}
        rows.append({**dict.fromkeys(names, np.nan), **row})
    frame = pd.DataFrame(rows)
    order = ["label", "windows", "speakers", _label_of(band), "lag_s", "pattern", "std_error"]
    return check_frame(frame.loc[:, order], "aligned_peaks")


def _few(maps: xr.Dataset) -> tuple[str, ...]:
    """Say which labels have no windows, or no standard error, and whether one is alone."""
    labels, speakers = maps["label"].to_numpy(), maps["speakers"].to_numpy()
    none, one = (", ".join(map(str, labels[speakers == count])) for count in (0, 1))
    told = (
        (none, f"There are no windows of {none}."),
        (one, f"Of one speaker only, so without standard errors: {one}."),
        (
            (speakers > 0).sum() == 1,
            "There is one label only, so that the mean over labels is its own: no pattern is left.",
        ),
    )
    return tuple(note for there, note in told if there)


def _label_of(band: str) -> str:
    """Return how the bands are labelled."""
    return "frequency_hz" if band == "frequency" else band
