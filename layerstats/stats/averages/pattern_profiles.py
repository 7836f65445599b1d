"""Patterns along time, or along frequency, with bands for whole profiles."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_seed, check_share
from layerstats.errors import ArgumentError
from layerstats.stats.averages.aligned_averages import AlignedAverages
from layerstats.stats.averages.speaker_bootstrap import SpeakerBootstrap, check_draws, simultaneous_reach
from layerstats.tables import check_frame

TIME, FREQUENCY = "time", "frequency"


def pattern_profile(
    averages: AlignedAverages,
    over: str = TIME,
    between: tuple[float, float] | None = None,
    *,
    conf_level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Average the pattern of each label over a stretch of frequency, along time, or the other way round.

    Bands hold the whole profile of a label at once, for other speakers: speakers are drawn with replacement, and the
    critical value is that of the largest deviation along the profile.

    Parameters
    ----------
    averages
        As `aligned_averages` gives them.
    over : {"time", "frequency"}
        What profiles run over.
    between
        The stretch that is averaged, both ends included: of frequency in Hz (or numbers of channels), of lag in
        seconds; by default all there is.
    conf_level
        Of a label's whole profile.
    draws, seed
        Of the bootstrap.

    Returns
    -------
    DataFrame
        A row a label and point: ``label, lag_s`` (or ``frequency_hz``, ``channel``) ``, speakers, pattern, std_error,
        conf_low, conf_high, interval, conf_level``. Where only one speaker has the point, errors are
        missing; where fewer than three have it, bands are: two speakers say little of others.

    Raises
    ------
    ArgumentError
        There is no such direction or level, or the stretch has no band or lag.

    Examples
    --------
    >>> from layerstats.stats import AlignedWindows, aligned_averages
    >>> values = np.tile([1.0, 0.0], 8)[:, None, None] * np.array([[0.0, 1.0, 2.0], [0.0, 2.0, 4.0]])
    >>> speakers = np.repeat(["s1", "s2", "s3", "s4"], 4).tolist()
    >>> found = aligned_averages(AlignedWindows.from_arrays(values, ["a", "b"] * 8, speakers))
    >>> profile = pattern_profile(found, between=(0, 1))
    >>> profile.loc[profile["label"] == "a", "pattern"].tolist()
    [0.0, 0.75, 1.5]
    """
    check_choice("over", over, (TIME, FREQUENCY))
    check_draws(draws)
    check_seed(seed)
    check_share("conf_level", conf_level)
    band, counted = averages.band, averages.counted
    label, across = ("lag_s", averages.band_label) if over == TIME else (averages.band_label, "lag_s")
    stretch = _stretch(averages.maps[across].to_numpy(), across, between)
    means = averages.speaker_maps["mean"].transpose("speaker", "label", band, "lag")
    if over == TIME:
        bootstrap = SpeakerBootstrap(averages.averaging, counted, draws, seed)
        points = [means.isel({band: stretch}).mean(band).to_numpy()]
    else:
        bootstrap = SpeakerBootstrap(averages.averaging, counted[..., stretch], draws, seed)
        points = [means.isel({band: number, "lag": stretch}).to_numpy() for number in range(means.sizes[band])]
    estimate, drawn, speakers = _profiles(bootstrap, points, over)
    frames = []
    for number, name in enumerate(means["label"].to_numpy()):
        error, reach = simultaneous_reach(drawn[:, number], speakers[number], conf_level)
        middle = estimate[number]
        about = {"label": name, label: averages.maps[label].to_numpy(), "speakers": speakers[number]}
        told = {"pattern": middle, "std_error": error, "conf_low": middle - reach, "conf_high": middle + reach}
        frames.append(pd.DataFrame({**about, **told}))
    frame = pd.concat(frames, ignore_index=True).assign(interval="simultaneous", conf_level=conf_level)
    return check_frame(frame, "pattern_profile")


def _stretch(values: np.ndarray, name: str, between: tuple[float, float] | None) -> np.ndarray:
    """Return the places whose values lie in a stretch."""
    if between is not None and np.shape(between) != (2,):
        raise ArgumentError(f"'between' must be two numbers, from where to where in {name}, but is {between!r}.")
    low, high = (-np.inf, np.inf) if between is None else between
    found = np.flatnonzero((values >= low) & (values <= high))
    if not len(found):
        raise ArgumentError(
            f"The stretch between={between!r} has no {name}: these are from {values.min():.4g} to {values.max():.4g}."
        )
    return found


def _profiles(
    bootstrap: SpeakerBootstrap, points: list[np.ndarray], over: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return profiles (label, point), those with other speakers (replicate, label, point), and how many speakers."""
    estimates = [mean - overall for mean, overall in map(bootstrap.estimates, points)]
    if over == TIME:
        return estimates[0], bootstrap.replicates(points[0]), bootstrap.speakers
    there = (bootstrap.counted > 0).any(axis=2).sum(axis=0)
    drawn = [_over_lags(bootstrap.replicates(means)) for means in points]
    profile = np.stack([_over_lags(values) for values in estimates], axis=-1)
    return profile, np.stack(drawn, axis=-1), np.repeat(there[:, None], len(points), axis=1)


def _over_lags(values: np.ndarray) -> np.ndarray:
    """Return the mean over the last axis, of the lags that are there."""
    there = np.isfinite(values).sum(axis=-1)
    return np.where(there > 0, np.nan_to_num(values).sum(axis=-1) / np.maximum(there, 1), np.nan)
