"""Is a letter's pattern in speech, or in what the network chooses of it? One test at two alignments."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_columns
from layerstats.errors import ArgumentError
from layerstats.stats.averages.aligned_averages import aligned_averages
from layerstats.stats.averages.reading.aligned_windows import AlignedWindows
from layerstats.stats.averages.reading.letter_delay import letter_delay
from layerstats.stats.averages.reading.stored_windows import ALIGNED_SAMPLE, aligning_recording, read_windows
from layerstats.stats.averages.reading.told_phones import PHONE_ALIGNMENTS, PHONE_ONSET
from layerstats.stats.averages.testing.pattern_tests import PatternTests, pattern_tests
from layerstats.stats.averages.testing.untrained_patterns import UntrainedPatterns, untrained_patterns
from layerstats.stats.contrasts.untrained import untrained_twins
from layerstats.store import Experiment, open_store
from layerstats.tables import PrintedResult, check_frame

NETWORK, SPEECH = "network", "speech"
FOUND_IN = {
    (True, True): "speech and network",
    (True, False): SPEECH,
    (False, True): NETWORK,
    (False, False): "neither",
}
NOT_TESTED = "not tested"
# Of each test, what stands in the table of both.
_OF_TESTS = ("lag_s", "frequency_hz", "estimate", "conf_low", "conf_high", "p_value", "p_adjusted")
_NULL = ("null_p_value", "null_p_adjusted", "null_recordings")


@dataclass(frozen=True, eq=False, repr=False)
class SpeechAndNetwork(PrintedResult):
    """Patterns of letters at the phone's own time and where the network's relevance is.

    Attributes
    ----------
    table
        A row a letter: ``letter, windows, speakers``; of the input aligned by the network ``network_lag_s,
        network_frequency_hz, network_estimate, network_conf_low, network_conf_high, network_p_value,
        network_p_adjusted`` (where the letter minus the mean over letters has its largest statistic, how large it is
        there, and the test), ``network_others``, what other letters' windows come to there when they are aligned under
        this letter; where the store has untrained networks, ``null_p_value, null_p_adjusted, null_recordings``, the
        rank of the network's largest statistic among theirs (see `untrained_patterns`); the same of the input aligned
        by phones, ``speech_lag_s, ...``; ``phone_lag_s``, when the phone begins (or has its centre) from the network's
        alignment, the median over the letter's windows; ``speech_there`` and ``speech_there_p_adjusted``, the
        difference at the network's place, at the phone's own time, and its p-value, adjusted over the map and the
        letters (missing of statistics that claim no place); and ``found_in``: "speech and network", "speech",
        "network", "neither", or "not tested" where too few speakers have the letter.
    speech, network
        Both tests, with their maps.
    untrained
        The network's among untrained ones; None where the store has none.
    delay_s
        How long before the middle of a window its phone lies.
    notes
        In sentences.
    """

    main_tables = ("table",)
    table: pd.DataFrame
    speech: PatternTests
    network: PatternTests
    untrained: UntrainedPatterns | None
    delay_s: float
    notes: tuple[str, ...]


def speech_and_network(
    experiment: Experiment | str | os.PathLike[str],
    alignment: str = "max_relevance",
    *,
    phone_alignment: str = PHONE_ONSET,
    relevance: str | None = None,
    delay_s: float | None = None,
    conf_level: float = 0.95,
    **testing: Any,
) -> SpeechAndNetwork:
    """Test what letters sound like, aligned by the network's relevance and by their phones.

    The input is averaged over the same windows twice. Aligned by the phone that a letter stands for, a pattern is what
    speech is like when the letter is said, whatever network reads it. Aligned where the network's relevance for the
    letter is, it is what the network chose. What both tests find is in speech, and where the network looks. What only
    the network's alignment finds is its choice: sounds that are not tied to the phone's time. What only the phone's
    finds is there, but not at a fixed time from the network's relevance. A pattern that is not found may still be
    there: "neither" is no proof of absence.

    Parameters
    ----------
    experiment
        A store of windows with maps, alignments and phones (`record_letter_relevance` with ``maps=True,
        alignments=True``), or the part of it that is meant.
    alignment
        Of the network, as for `read_windows`: "max_relevance", "min_relevance" or one of these "_by_time".
    phone_alignment
        "phone_onset" or "phone_centre".
    relevance
        The recording that aligns, as for `read_windows`.
    delay_s
        How long before the middle of a window its phone lies; by default `letter_delay` of all windows of the store.
    conf_level
        A letter's pattern is found where its adjusted p-value is at most 1 - `conf_level`; and that of intervals.
    **testing
        As for `pattern_tests`: ``permutations, resolution, reach_s, covered, statistic, adjust, seed, workers``.

    Raises
    ------
    ArgumentError
        There is no such alignment, recording or option.
    DataError, StoreError
        As for `read_windows`.

    References
    ----------
    Krug & Stober (2018), section 4, whose windows are aligned by the network only, and section 5 on phonemes.

    Examples
    --------
    >>> speech_and_network("letters.zarr", permutations=19, reach_s=0.1).table["letter"].tolist()
    ['a', 's', 't']
    """
    check_choice("phone_alignment", phone_alignment, PHONE_ALIGNMENTS)
    if alignment in PHONE_ALIGNMENTS:
        raise ArgumentError(f"The 'alignment' parameter must be one of the network's, but got {alignment!r} instead.")
    if "against" in testing:
        raise ArgumentError("Letters are tested against the mean over letters here: for pairs call pattern_tests().")
    store = experiment if isinstance(experiment, Experiment) else open_store(experiment)
    delay = letter_delay(open_store(store.path), draws=0).delay_s if delay_s is None else delay_s
    by_phone = read_windows(store, alignment=phone_alignment, relevance=relevance, delay_s=delay)
    # The same windows: those without a phone are in neither.
    if len(by_phone.table) < len(store.tokens):
        store = store.select(token=by_phone.table["token"].tolist())
    by_network = read_windows(store, alignment=alignment, relevance=relevance)
    speech, network = (pattern_tests(one, conf_level=conf_level, **testing) for one in (by_phone, by_network))
    table = _both(speech, network).assign(
        phone_lag_s=_phone_lags(by_phone, by_network), network_others=_others(by_network, network)
    )
    table = table.join(_there(table, speech))
    untrained = _untrained(store, by_network, alignment, relevance, testing)
    if untrained is not None:
        ranks = untrained.table.rename(columns={"level_1": "letter"})
        table = table.merge(ranks.loc[:, ["letter", *_NULL]], on="letter", how="left", validate="1:1")
    alpha = (1 - conf_level) * (1 + 1e-9)
    claimed = ((table[f"{one}_p_adjusted"] <= alpha).tolist() for one in (SPEECH, NETWORK))
    found = pd.Series([FOUND_IN[both] for both in zip(*claimed, strict=True)], index=table.index)
    untested = table[[f"{one}_p_adjusted" for one in (SPEECH, NETWORK)]].isna().all(axis=1)
    table = table.assign(found_in=found.mask(untested, NOT_TESTED))
    return SpeechAndNetwork(
        check_frame(table.loc[:, [name for name in _columns() if name in table]], "speech_and_network"),
        speech,
        network,
        untrained,
        delay,
        tuple(dict.fromkeys([*speech.notes, *network.notes, *(untrained.notes if untrained else ())])),
    )


def _untrained(
    store: Experiment, windows: AlignedWindows, alignment: str, relevance: str | None, testing: dict[str, Any]
) -> UntrainedPatterns | None:
    """Rank the network's patterns among those of its untrained twins, as far as these say where they are aligned."""
    aligner = aligning_recording(store, relevance, needed=windows.by_label)
    if aligner is None or not windows.by_label:
        return None
    twins = [name for name in untrained_twins(aligner) if ALIGNED_SAMPLE in store.in_recording(name).variables]
    if not twins:
        return None
    others = {name: read_windows(store, alignment=alignment, relevance=name) for name in twins}
    how = {name: testing[name] for name in ("resolution", "reach_s", "covered") if name in testing}
    return untrained_patterns(windows, others, **how)


def _both(speech: PatternTests, network: PatternTests) -> pd.DataFrame:
    table = network.table.rename(columns={"level_1": "letter"}).loc[:, ["letter", "windows", "speakers"]]
    for name, tests in ((NETWORK, network), (SPEECH, speech)):
        check_columns(tests.table, _OF_TESTS, "the tests: speech is tested by frequency, and maps must say theirs")
        table = table.join(tests.table.loc[:, list(_OF_TESTS)].add_prefix(f"{name}_"))
    return table


def _columns() -> list[str]:
    network, speech = ([f"{name}_{column}" for column in _OF_TESTS] for name in (NETWORK, SPEECH))
    there = ["speech_there", "speech_there_p_adjusted"]
    return [
        "letter",
        "windows",
        "speakers",
        *network,
        "network_others",
        *_NULL,
        "phone_lag_s",
        *speech,
        *there,
        "found_in",
    ]


def _phone_lags(by_phone: AlignedWindows, by_network: AlignedWindows) -> list[float]:
    """Return how long after the network's alignment phones are aligned, the median over the windows of each letter."""
    lags = pd.Series((by_phone.own_samples - by_network.own_samples) * by_phone.hop_s)
    medians = lags.groupby(by_phone.table["label"].to_numpy()).median()
    return medians.reindex(by_network.labels).tolist()


def _others(windows: AlignedWindows, tests: PatternTests) -> np.ndarray:
    """Return what other letters' windows, aligned under each letter, come to where its statistic is largest."""
    maps = aligned_averages(windows, draws=2).maps
    found = np.full(len(tests.table), np.nan)
    if "others" not in maps:
        return found
    others = maps["others"].to_numpy()
    bands, lags = (tests.table[name].to_numpy(dtype=float) for name in ("frequency_hz", "lag_s"))
    for number in np.flatnonzero(np.isfinite(bands)):
        band = int(np.abs(windows.bands - bands[number]).argmin())
        found[number] = others[number, band, int(np.abs(windows.lag_s - lags[number]).argmin())]
    return found


def _there(table: pd.DataFrame, speech: PatternTests) -> pd.DataFrame:
    """Return the speech's difference, and its p-value, at the network's place at the phone's own time."""
    bands, lags = (speech.maps[name].to_numpy() for name in ("frequency", "lag_s"))
    half = np.diff(lags).mean() / 2 if len(lags) > 1 else np.inf
    rows = []
    wanted = zip(table["network_frequency_hz"], table["network_lag_s"] - table["phone_lag_s"], strict=True)
    for number, (band, lag) in enumerate(wanted):
        values = (np.nan, np.nan)
        if np.isfinite(band) and lags[0] - half <= lag <= lags[-1] + half:
            place = {"label": number, "frequency": int(np.abs(bands - band).argmin())}
            at = speech.maps.isel({**place, "lag": int(np.abs(lags - lag).argmin())})
            # Statistics of clusters claim no place, and have no p-value at one.
            values = (at["estimate"].item(), at["p_adjusted"].item() if "p_adjusted" in at else np.nan)
        rows.append(values)
    return pd.DataFrame(rows, columns=["speech_there", "speech_there_p_adjusted"])
