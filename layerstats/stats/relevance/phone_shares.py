"""On which phones does a decision rest, and on which more than in untrained networks?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_columns
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.contrasts.untrained import untrained_twins
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.null import compare_with_untrained
from layerstats.stats.relevance.speaker_means import LEAST_SPEAKERS, speaker_mean
from layerstats.stats.score_shares import ROOT_MEAN_SQUARE, are_shares
from layerstats.tables import PrintedResult, check_frame

if TYPE_CHECKING:
    from layerstats.store import Experiment

Sign = Literal["signed", "absolute"]
INPUT = "input"
ELSEWHERE = "elsewhere"
TRAINED, UNTRAINED = "trained", "untrained"


@dataclass(frozen=True, eq=False, repr=False)
class PhoneShares(PrintedResult):
    """What a network's score owes to the phones of each group.

    Attributes
    ----------
    shares
        The trained network, a row a group: ``layer, group, phones, tokens, speakers, score_share, std_error, df,
        conf_low, conf_high, conf_level, duration_share, note``. The last group is "elsewhere".
    comparisons
        Trained minus the mean of its untrained twins, on the same tokens: ``layer, group, level_1, level_2, diff,
        std_error, df, statistic, p_value, conf_low, conf_high, conf_level, p_adjusted, ...``, which count speakers, and
        ``null_share_median, null_p_value, null_p_adjusted, null_recordings``, which count networks: the trained one's
        share is larger than that of random weights. No rows where the store has no twins.
    networks
        Every network: ``layer, group, recording, trained, score_share``.
    tokens
        Every token of the trained network: ``token, word, speaker, group, score_share, duration_share`` and, where
        there are twins, ``untrained_share``, their mean; a frame for one's own models.
    notes
        In sentences, what was left out.
    """

    main_tables = ("shares", "comparisons")
    shares: pd.DataFrame
    comparisons: pd.DataFrame
    networks: pd.DataFrame
    tokens: pd.DataFrame
    notes: tuple[str, ...]


def phone_shares(
    experiment: Experiment,
    by: str = "phone_class",
    *,
    layer: str | None = None,
    sign: Sign = "signed",
    adjust: AdjustMethod = "holm",
    conf_level: float = 0.95,
) -> PhoneShares:
    """Measure how much of a score comes from the phones of each group, in a network and its untrained twins.

    What a token's score owes to a phone is the sum of its relevance over the samples under the phone; the rest of the
    clip, silence included, counts as one more stretch ("elsewhere"). Divided by the sum of the absolute values of
    these sums, they are shares between -1 and 1: which way the score is moved, and how much of all that moves it.
    A group's share in a token is the sum over its phones, its mean is over the tokens that have such a phone. Phones
    that no sample of the layer lies under are left out.

    Speakers are the units of intervals and tests: standard errors are those of a mean of clusters, with as many degrees
    of freedom as speakers, less one. Networks are those of the second test: among untrained twins on the same tokens
    the trained network's share ranks as in `compare_with_untrained`, adjusted over groups by the largest deviation.

    Parameters
    ----------
    experiment
        A recording of shares of a score: relevance, or a gradient times what it is the gradient by. Its untrained twins
        are the other recordings of the store. Its selection counts: phones that were not asked for are elsewhere.
    by
        Column of phones whose values are the groups: ``phone_class``, ``label``, ``position``, ...
    layer
        Where the score is traced back to; by default the input, or where that was not recorded the first layer.
    sign
        "signed", or "absolute": how much moves the score at all, whichever way.
    adjust
        How p-values of speakers' tests are adjusted over groups.
    conf_level
        Of the intervals.

    Raises
    ------
    DataError
        The recording holds no shares of a score, there are no phones, or a token has no relevance at all.
    ArgumentError
        A column or a layer does not exist.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.store import open_store, store_arrays
    >>> names = [f"t{n}" for n in range(6)]
    >>> tokens = pd.DataFrame({"token": names, "word": "ask", "speaker": list("aabbcc"), "split": "test"})
    >>> phones = pd.DataFrame({"token": names, "phone_index": 0, "label": "s", "onset_s": 0.0, "offset_s": 0.5})
    >>> values = np.tile([3.0, 0.0, -1.0, 0.0], (6, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     options = {"time_s": {"input": np.arange(4) / 4}, "phones": phones, "attrs": {"quantity": "relevance"}}
    ...     path = store_arrays(f"{folder}/s.zarr", tokens, {"input": values}, **options)
    ...     result = phone_shares(open_store(path), by="label")
    >>> result.shares[["group", "score_share", "duration_share"]].values.tolist()
    [['s', 0.75, 0.5], ['elsewhere', -0.25, 0.5]]
    """
    check_choice("sign", sign, ("signed", "absolute"))
    if not 0 < conf_level < 1:
        raise ArgumentError(f"The 'conf_level' parameter must lie between 0 and 1, but got {conf_level!r} instead.")
    places = _Places.of(experiment, by, _layer(experiment, layer))
    views = {name: experiment.recording(name) for name in untrained_twins(experiment)}
    trained = places.shares(experiment, sign)
    others = {name: places.shares(view, sign) for name, view in views.items()}
    mean = np.mean(list(others.values()), axis=0) if others else None
    rows = [_mean_row(places, number, trained, conf_level) for number in range(len(places.groups))]
    about = pd.DataFrame(rows).drop(columns=["statistic", "p_value"])
    shares = about.rename(columns={"estimate": "score_share"})
    return PhoneShares(
        shares=check_frame(shares.assign(duration_share=places.duration_means())),
        comparisons=_comparisons(places, trained, others, conf_level, adjust),
        networks=_networks(places, {experiment.name: trained, **others}, experiment.name),
        tokens=_tokens(places, trained, mean),
        notes=_notes(about, len(others), places.without_samples),
    )


def _layer(experiment: Experiment, layer: str | None) -> str:
    if layer is not None:
        check_choice("layers", layer, experiment.layers)
    if not are_shares(experiment):
        about = {name: experiment.recording_attrs.get(name) for name in ("method", "times_activation")}
        about["summary"] = experiment.summary if experiment.summary == ROOT_MEAN_SQUARE else None
        told = ", ".join(f"{name} {value!r}" for name, value in about.items() if value is not None)
        raise DataError(
            f"The recording {experiment.name!r} holds {experiment.quantity!r}{f' ({told})' if told else ''}, which is "
            "no share of a score and does not add up over phones. Record relevance, or a gradient with "
            "times_activation=True, by its mean over channels."
        )
    if layer is not None:
        return layer
    return INPUT if INPUT in experiment.layers else experiment.layers[0]


@dataclass(frozen=True, eq=False)
class _Places:
    """Where the phones of each group lie in the arrays of a layer; the last group is what no phone covers."""

    layer: str
    groups: list[str]
    table: pd.DataFrame
    token: np.ndarray
    group: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    elsewhere: np.ndarray
    without_samples: int

    @classmethod
    def of(cls, experiment: Experiment, by: str, layer: str) -> _Places:
        phones, table = experiment.phones, experiment.tokens
        if phones.empty:
            raise DataError("The store has no phones: align its corpus before recording, or record one that has them.")
        check_columns(phones, [by], "the table of phones")
        phones = phones.loc[phones[by].notna().to_numpy()]
        if (phones[by].astype(str) == ELSEWHERE).any():
            raise DataError(
                f"The column {by!r} of phones has the value {ELSEWHERE!r}, which is what the rest of the clip is "
                "called here. Call it otherwise."
            )
        times = experiment.layer(layer)["time_s"].to_numpy()
        # Half-open, as in the store: a sample on the boundary of two phones belongs to one of them.
        ends = [np.searchsorted(times, phones[name].to_numpy(dtype=float)) for name in ("onset_s", "offset_s")]
        heard = ends[1] > ends[0]
        if not heard.any():
            raise DataError(
                f"No phone that has a value of {by!r} has a sample of the layer {layer!r}: choose another column, or a "
                "layer of more samples."
            )
        phones, (start, stop) = phones.loc[heard], (end[heard] for end in ends)
        codes, names = pd.factorize(phones[by].astype(str), sort=True)
        token = pd.Index(table["token"]).get_indexer(pd.Index(phones["token"]))
        # How many phones a sample lies under: they may overlap.
        edges = np.zeros((len(table), len(times) + 1))
        np.add.at(edges, (token, start), 1)
        np.add.at(edges, (token, stop), -1)
        elsewhere = np.cumsum(edges, axis=1)[:, :-1] == 0
        groups = [*map(str, names), ELSEWHERE]
        return cls(layer, groups, table, token, codes, start, stop, elsewhere, int((~heard).sum()))

    def shares(self, view: Experiment, sign: Sign) -> np.ndarray:
        """Return each group's share in each token, (token, group); missing where the token has no such phone."""
        values = view.layer(self.layer)[view.summary].to_numpy().astype(np.float64)
        if view.ragged:
            values[np.isnan(values)] = 0.0  # there is none behind a clip, nor a phone
        # Each stretch by itself: differences of running sums would leave rounding where there is no relevance.
        flat = np.pad(values, ((0, 0), (0, 1))).ravel()
        row = self.token * (values.shape[1] + 1)
        each = np.add.reduceat(flat, np.column_stack([row + self.start, row + self.stop]).ravel())[::2]
        rest = np.sum(values, axis=1, where=self.elsewhere)
        moved = np.abs(rest) + np.bincount(self.token, weights=np.abs(each), minlength=len(values))
        if not (moved > 0).all():
            dead = self.table["token"].iloc[int(np.flatnonzero(~(moved > 0))[0])]
            raise DataError(
                f"Token {dead!r} has no relevance at layer {self.layer!r} of {view.name!r}, or relevance that is no "
                "number: nothing moves its score. Leave the token, or the network, out."
            )
        if sign == "absolute":
            each, rest = np.abs(each), np.abs(rest)
        found = self._by_group(each)
        found[:, -1] = rest
        return np.where(self.present, found / moved[:, None], np.nan)

    @property
    def present(self) -> np.ndarray:
        """Whether each token has a phone of each group, (token, group)."""
        return self.counts > 0

    @property
    def counts(self) -> np.ndarray:
        """How many phones of each group each token has, (token, group)."""
        counts = self._by_group(np.ones(len(self.token)))
        counts[:, -1] = 1
        return counts

    @property
    def durations(self) -> np.ndarray:
        """Each group's part of the samples of each clip, (token, group); missing where the token has no such phone."""
        found = self._by_group((self.stop - self.start).astype(float))
        found[:, -1] = self.elsewhere.sum(axis=1)
        return np.where(self.present, found / self.elsewhere.shape[1], np.nan)

    def duration_means(self) -> np.ndarray:
        """Return the mean part of the clip that each group takes, over the tokens that have it, (group,)."""
        return np.nanmean(self.durations, axis=0)

    def _by_group(self, weights: np.ndarray) -> np.ndarray:
        found = np.zeros((len(self.table), len(self.groups)))
        np.add.at(found, (self.token, self.group), weights)
        return found


def _mean_row(places: _Places, number: int, values: np.ndarray, conf_level: float) -> dict[str, object]:
    """Return the mean of a group's values over the tokens that have it, with speakers as clusters."""
    own = places.present[:, number]
    speakers = pd.factorize(places.table["speaker"].to_numpy()[own])[0]
    found = speaker_mean(values[own, number], speakers)
    people = len(set(speakers))
    low, high = found.interval(conf_level)
    note = "one speaker only: no interval" if people < LEAST_SPEAKERS else ""
    return {
        "layer": places.layer,
        "group": places.groups[number],
        "phones": int(places.counts[own, number].sum()) if places.groups[number] != ELSEWHERE else 0,
        "tokens": int(own.sum()),
        "speakers": people,
        "estimate": found.mean,
        "std_error": found.std_error,
        "df": found.df,
        "statistic": found.statistic,
        "p_value": found.p_value,
        "conf_low": low,
        "conf_high": high,
        "conf_level": conf_level,
        "note": note or ("speakers do not differ" if found.std_error == 0 else ""),
    }


def _comparisons(
    places: _Places, trained: np.ndarray, others: Mapping[str, np.ndarray], conf_level: float, adjust: AdjustMethod
) -> pd.DataFrame:
    columns = ["layer", "group", "level_1", "level_2", "diff", "std_error", "df", "statistic", "p_value"]
    columns += ["conf_low", "conf_high", "conf_level", "note"]
    if not others:
        return check_frame(pd.DataFrame([], columns=columns))
    difference = trained - np.mean(list(others.values()), axis=0)
    rows = [_mean_row(places, number, difference, conf_level) for number in range(len(places.groups))]
    table = pd.DataFrame(rows).rename(columns={"estimate": "diff"})
    table = table.assign(level_1=TRAINED, level_2=UNTRAINED).loc[:, columns]
    table = adjust_p_values(table, f"shares of a score over groups of phones, {places.layer}", method=adjust)
    ranked = {"": trained, **others}
    effects = pd.concat(
        pd.DataFrame({"layer": places.groups, "recording": name, "trained": not name, "effect_size": _means(values)})
        for name, values in ranked.items()
    )
    null = compare_with_untrained(effects).drop(columns=["null_effect_low", "null_effect_high"])
    null = null.rename(columns={"layer": "group", "null_effect_median": "null_share_median"})
    return check_frame(table.merge(null, on="group"))


def _means(shares: np.ndarray) -> np.ndarray:
    return np.nanmean(shares, axis=0)


def _networks(places: _Places, shares: Mapping[str, np.ndarray], trained: str) -> pd.DataFrame:
    about = {"layer": places.layer, "group": places.groups}
    frames = [
        pd.DataFrame({**about, "recording": name, "trained": name == trained, "score_share": _means(values)})
        for name, values in shares.items()
    ]
    return check_frame(pd.concat(frames, ignore_index=True))


def _tokens(places: _Places, trained: np.ndarray, mean: np.ndarray | None) -> pd.DataFrame:
    row, group = np.nonzero(places.present)
    about = places.table.iloc[row].loc[:, ["token", "word", "speaker"]].reset_index(drop=True)
    table = about.assign(
        group=np.array(places.groups, dtype=object)[group],
        score_share=trained[row, group],
        duration_share=places.durations[row, group],
    )
    return check_frame(table if mean is None else table.assign(untrained_share=mean[row, group]))


def _notes(shares: pd.DataFrame, networks: int, without_samples: int) -> tuple[str, ...]:
    alone = shares.loc[shares["speakers"] < LEAST_SPEAKERS, "group"].tolist()
    notes = [f"Said by one speaker only, without an interval: {', '.join(alone)}."] if alone else []
    if without_samples:
        notes.append(f"Left out: {without_samples} phones too short for a sample of the layer, or past the clip.")
    if not networks:
        notes.append(
            "The store has no recordings of untrained networks by the same rule: where the score rests cannot be told "
            "from where the sounds have their energy."
        )
    return tuple(notes)
