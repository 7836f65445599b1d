"""How long after a phone a network tells its letter: one delay for all letters."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_count, check_seed, check_share
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.averages.reading.told_phones import hop_of, middle_s, window_times
from layerstats.stats.lexical.cluster_intervals import cluster_interval
from layerstats.stats.lexical.information import mutual_information
from layerstats.store import Experiment, open_store
from layerstats.tables import PrintedResult, check_frame

# Delays that are looked through, in seconds: a network that hears both sides may tell a letter before it is said.
_REACH_S = (-0.3, 0.6)
_LEAST_SPEAKERS = 2
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class LetterDelay(PrintedResult):
    """How long after a phone its letter is told.

    Attributes
    ----------
    delay_s
        Seconds from the phone to the middle of the window in which the letter is read; below 0 where it is told before.
    conf_low, conf_high
        Of the delay, by bootstrap of speakers; NaN of one speaker.
    curve
        A row a delay: ``delay_s, information_bits``, what the letters of windows and the phones so long before their
        middles say of each other (mutual information in bits).
    windows, speakers
        How many there are.
    notes
        In sentences.
    """

    main_tables = ("curve",)
    delay_s: float
    conf_low: float
    conf_high: float
    curve: pd.DataFrame
    windows: int
    speakers: int
    notes: tuple[str, ...]


def letter_delay(
    experiment: Experiment | str | os.PathLike[str],
    *,
    reach_s: tuple[float, float] | None = None,
    draws: int = 200,
    conf_level: float = 0.95,
    seed: int = 0,
) -> LetterDelay:
    """Estimate how long after a phone a network tells its letter, from the windows in which it read letters.

    A network that is trained by connectionist temporal classification may tell a letter long after it was said, so that
    the phone under the middle of a window is not the one that the letter stands for. The delay is that at which letters
    and phones share most information. It is one for all letters: it moves all windows alike, whatever their letters
    are, so that permutations of letters stay what they are without it.

    Parameters
    ----------
    experiment
        A store of windows (`record_letter_relevance`) with phones, or the part of it that is meant.
    reach_s
        The smallest and the largest delay that is looked at; by default from -0.3 to 0.6 s, as far as windows reach.
    draws
        Of speakers, for the interval; 0 for none.
    conf_level
        Of the interval.
    seed
        Of the draws.

    Raises
    ------
    ArgumentError
        The delays are none that a window has.
    DataError
        The tokens of the store are no windows, it has no phones, or no letter and phone have anything in common.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.store import open_store, store_arrays
    >>> names = [f"u@{number}" for number in range(40)]
    >>> tokens = pd.DataFrame({"token": names, "utterance": "u", "letter": ["a", "s"] * 20, "word": "as"})
    >>> tokens = tokens.assign(speaker=["f1"] * 20 + ["m1"] * 20, split="test")
    >>> told = [(name, 0, "ae" if row % 2 == 0 else "s", 0.2, 0.3) for row, name in enumerate(names)]
    >>> phones = pd.DataFrame(told, columns=["token", "phone_index", "label", "onset_s", "offset_s"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     times = {"input": np.arange(80) / 100}
    ...     path = store_arrays(f"{folder}/s.zarr", tokens, {"input": np.eye(40, 80)}, time_s=times, phones=phones)
    ...     found = letter_delay(open_store(path), reach_s=(0, 0.3))
    >>> round(found.delay_s, 3), round(float(found.curve["information_bits"].max()), 3)
    (0.145, 1.0)
    """
    if draws != 0:
        check_count("draws", draws)
    check_share("conf_level", conf_level)
    check_seed(seed)
    experiment = experiment if isinstance(experiment, Experiment) else open_store(experiment)
    times = window_times(experiment)
    delays = _delays(reach_s, times)
    speakers = len(set(experiment.tokens["speaker"]))
    notes = []
    weights = np.ones((1, speakers))
    if speakers >= _LEAST_SPEAKERS:
        drawn = np.random.default_rng(seed).multinomial(speakers, np.full(speakers, 1 / speakers), size=draws)
        weights = np.concatenate([weights, drawn])
    elif draws:
        notes.append("One speaker only: the delay has no interval.")
    found, *others = _information(experiment, middle_s(times) - delays, weights)
    if found.max() < _ROUNDING:
        raise DataError(
            f"Letters and phones of {experiment.path.name} have nothing in common at any delay: there is one letter, "
            "or one phone, only."
        )
    low = high = np.array([np.nan])
    if others:
        limits = (float(delays[0]), float(delays[-1]))
        best = np.array([[_best(delays, one)] for one in others])
        low, high = cluster_interval(np.array([_best(delays, found)]), best, speakers, conf_level, limits)
    if found.argmax() in (0, len(delays) - 1):
        notes.append("Information is largest at the end of the delays that were looked at: it may be larger beyond.")
    return LetterDelay(
        delay_s=_best(delays, found),
        conf_low=float(low[0]),
        conf_high=float(high[0]),
        curve=check_frame(pd.DataFrame({"delay_s": delays, "information_bits": found})),
        windows=len(experiment.tokens),
        speakers=speakers,
        notes=tuple(notes),
    )


def _delays(reach_s: tuple[float, float] | None, times: np.ndarray) -> np.ndarray:
    """Return delays that are as far from each other as samples."""
    middle, hop = middle_s(times), hop_of(times)
    least, most = middle - times[-1], middle - times[0]
    low, high = (max(_REACH_S[0], least), min(_REACH_S[1], most)) if reach_s is None else reach_s
    if not least <= low < high <= most:
        raise ArgumentError(
            f"The 'reach_s' parameter must be two delays from {least:.3f} to {most:.3f} s, "
            f"what a window has, the smaller one first, but got {reach_s!r} instead."
        )
    return np.arange(np.ceil(np.round(low / hop, 6)), np.floor(np.round(high / hop, 6)) + 1) * hop


def _best(delays: np.ndarray, information: np.ndarray) -> float:
    """Return the delay of the largest information: the middle of those that have it but for rounding."""
    best = delays[information >= information.max() - _ROUNDING]
    return float((best[0] + best[-1]) / 2)


def _information(experiment: Experiment, places: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return what letters and the phones at each place say of each other in bits, (draw, place).

    Parameters
    ----------
    places
        In seconds from the first sample of a window.
    weights
        How often each speaker counts, (draw, speaker).
    """
    tokens, phones = experiment.tokens, experiment.phones
    check_columns(tokens, ["letter"], "the windows")
    letters, names = pd.factorize(tokens["letter"], sort=True)
    speakers = pd.factorize(tokens["speaker"])[0]
    labels, known = pd.factorize(phones["label"], sort=True)
    row = pd.Index(tokens["token"]).get_indexer(pd.Index(phones["token"]))
    onset, offset = (phones[name].to_numpy(dtype=float) for name in ("onset_s", "offset_s"))
    size = (len(names), len(known) + 1)
    found = np.empty((len(weights), len(places)))
    for number, place in enumerate(places):
        # Where no phone is labelled, a pause is heard.
        under = np.full(len(tokens), len(known))
        there = (onset <= place) & (offset > place)
        under[row[there]] = labels[there]
        tables = np.zeros((weights.shape[1], *size))
        np.add.at(tables, (speakers, letters, under), 1)
        counts = (weights @ tables.reshape(len(tables), -1)).reshape(-1, *size)
        # Rounding leaves less than nothing where there is none.
        found[:, number] = np.maximum(mutual_information(counts), 0.0)
    return found
