"""From a store or a tidy table to the series that a model is fitted to: padded words, words, phones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_columns, check_complete
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.gamm.data.factors import level_names
from layerstats.stats.one_length import check_one_length
from layerstats.stats.score_shares import are_shares

if TYPE_CHECKING:
    from layerstats.store import Experiment

# Conv1 has 4,096 outputs a second, of which a smooth of ten basis functions can use about thirty: more only
# repeat their neighbours and make the fit slow. Bins of a 1.024 s clip are 32 ms long, about a phone's half.
SAMPLES = 32
# A smooth needs three basis functions at least, and a point to spare.
MIN_SAMPLES = 4
WORD_COLUMNS = ("token", "word", "speaker", "sample", "time_s", "value")
NAMES = ("token", "word", "speaker", "phone")
VARIANTS = ("padded", "word", "duration")
Variant = Literal["padded", "word", "duration"]


@dataclass(frozen=True, eq=False)
class Series:
    """Series of one layer, ready for a model.

    Attributes
    ----------
    frame
        One row a point: `identifier`, ``token, word, speaker``, the covariate, ``time_s`` and ``value``; sorted.
    covariate
        What the series runs along: ``"sample"`` of the layer, or normalised ``"time"`` from 0 to 1.
    identifier
        The column that tells series apart: ``"token"``, or ``"phone_token"`` (token and number of the phone).
    dropped
        Series that are too short to be used, and why: ``token, samples, note`` (and ``phone, phone_index``).
    summed
        Whether values are multiplied by the number of samples in the interval, so that their mean over normalised time
        is the sum under the interval: where a recording holds shares of a score (see `are_shares`).
    """

    frame: pd.DataFrame
    covariate: str
    identifier: str
    dropped: pd.DataFrame
    summed: bool = False

    @property
    def points(self) -> int:
        """The median number of points of a series; 0 where there is none."""
        sizes = self.frame.groupby(self.identifier, sort=False).size().to_numpy()
        return int(np.median(sizes)) if len(sizes) else 0


def word_series(
    source: Experiment | pd.DataFrame,
    layer: str | None = None,
    *,
    variant: Variant = "padded",
    words: Collection[str] | None = None,
    samples: int | None = SAMPLES,
    min_samples: int = MIN_SAMPLES,
) -> Series:
    """Return one series a token.

    Parameters
    ----------
    source
        An experiment, or its tidy table with ``token, word, speaker, sample, time_s, value`` (for one layer, or with a
        column ``layer``); ``onset_s`` and ``duration_s`` too where the variant is not "padded".
    layer
        Name of the layer; may be left out where the table holds one.
    variant
        "padded": all samples of the clip, silence included, against ``sample``, as published (Begus & Zhou 2022,
        section 3.2). "word": only the samples whose ``time_s`` lies in the word, against ``time``, normalised from 0 to
        1, so that zero padding and duration do not make levels; shares of a score as in `phone_series`. "duration": as
        padded, for a model that has ``duration_s`` as a covariate.
    words
        Words to keep; all by default.
    samples
        Points that a longer series is averaged into, see `bin_series`; None keeps them all.
    min_samples
        Series with fewer points are dropped and listed.

    Raises
    ------
    DataError
        Columns are missing, values are NaN, rows are duplicated or missing within a series.
    ArgumentError
        A word or a layer does not exist; or clips are as long as their tokens, and the variant is not "word".

    Examples
    --------
    >>> frame = pd.DataFrame({
    ...     "token": "ask_1", "word": "ask", "speaker": "f1", "sample": range(8), "value": range(8),
    ...     "time_s": [0.05 * i for i in range(8)], "onset_s": 0.1, "duration_s": 0.2,
    ... })
    >>> word_series(frame, variant="word", samples=None).frame[["sample", "time"]].round(2).values.tolist()
    [[2.0, 0.0], [3.0, 0.25], [4.0, 0.5], [5.0, 0.75]]
    """
    check_choice("variant", variant, VARIANTS)
    if variant != "word" and not isinstance(source, pd.DataFrame):
        instead = (
            "Compare what lies in the word: variant='word', Contrast.of_words(..., variant='word'); in the shell "
            "--variant word, which words, contrast and networks have."
        )
        check_one_length(source, f"Series of whole clips (variant={variant!r})", instead)
    if words is not None and not isinstance(source, pd.DataFrame):
        _check_present("words", words, source.tokens, "word")
        source = source.select(word=list(words))
    frame = _tidy(source, layer, WORD_COLUMNS)
    if words is not None:
        _check_present("words", words, frame, "word")
        frame = frame.loc[frame["word"].isin(list(words))]
    if variant != "padded":
        frame = _with_word_interval(frame, source)
    frame = _sorted_series(frame, "token")
    expected = frame.loc[:, ["token"]].drop_duplicates()
    covariate, summed = "sample", variant == "word" and _holds_shares(source)
    if variant == "word":
        frame = _inside(frame, frame["onset_s"].to_numpy(), (frame["onset_s"] + frame["duration_s"]).to_numpy())
        covariate = "time"
    kept, dropped = _without_short(frame, expected, "token", min_samples)
    kept = _summed(kept, "token") if summed else kept
    return Series(bin_series(kept, samples, identifier="token"), covariate, "token", dropped, summed)


def phone_series(
    source: Experiment | pd.DataFrame,
    layer: str | None = None,
    *,
    phones: Collection[str] | None = None,
    samples: int | None = SAMPLES,
    min_samples: int = MIN_SAMPLES,
) -> Series:
    """Return one series an interval of a phone: the samples under the interval, against normalised time.

    Parameters
    ----------
    source
        An experiment whose corpus has phones, or a tidy table as of a phone query: the columns of `word_series` and
        ``phone, phone_index, phone_onset_s, phone_offset_s``.
    layer
        Name of the layer; may be left out where the table holds one.
    phones
        Labels of phones, as the corpus writes them; all that are selected by default.
    samples, min_samples
        As in `word_series`. Deep layers have few samples under a short phone: those intervals are listed in `dropped`.

    Returns
    -------
    Series
        Its identifier is ``phone_token``: the token and the number of the phone in it, since a token may hold several.
        Shares of a score (relevance) are multiplied by the number of samples under the phone: the mean of a series is
        then the sum under the phone, which is what the score owes to it, long or short. Of a table nothing is known
        but its values, which stay.

    Raises
    ------
    ArgumentError
        A phone does not exist; the message lists those that do.
    DataError
        As in `word_series`.

    Examples
    --------
    >>> from layerstats.store import open_store
    >>> series = phone_series(open_store("results/demo/store.zarr"), "conv3", phones=["s", "sh"])
    >>> series.frame[["phone_token", "phone", "time"]].head(2).round(2).values.tolist()
    [['t00/1', 's', 0.06], ['t00/1', 's', 0.22]]
    """
    frame, intervals = _phone_frame(source, layer, phones)
    expected = intervals.assign(phone_token=_phone_token(intervals))
    if len(frame):
        frame = _sorted_series(frame.assign(phone_token=_phone_token(frame)), "phone_token")
        frame = _inside(frame, frame["phone_onset_s"].to_numpy(), frame["phone_offset_s"].to_numpy())
    else:
        frame = frame.assign(phone_token="", time=0.0)
    kept, dropped = _without_short(frame, expected, "phone_token", min_samples)
    summed = _holds_shares(source)
    kept = _summed(kept, "phone_token") if summed else kept
    return Series(bin_series(kept, samples, identifier="phone_token"), "time", "phone_token", dropped, summed)


def _holds_shares(source: Experiment | pd.DataFrame) -> bool:
    return not isinstance(source, pd.DataFrame) and are_shares(source)


def _summed(frame: pd.DataFrame, identifier: str) -> pd.DataFrame:
    """Multiply values by the number of points of their series, so that its mean is their sum."""
    points = frame.groupby(identifier, sort=False)["value"].transform("size").to_numpy()
    return frame.assign(value=frame["value"].to_numpy() * points)


def _phone_frame(
    source: Experiment | pd.DataFrame, layer: str | None, phones: Collection[str] | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tidy rows of the phones, and their intervals, also those without any sample."""
    columns = [*WORD_COLUMNS, "phone", "phone_index", "phone_onset_s", "phone_offset_s"]
    if isinstance(source, pd.DataFrame):
        frame = _tidy(source, layer, columns)
        if phones is not None:
            _check_present("phones", phones, frame, "phone")
            frame = frame.loc[frame["phone"].isin(list(phones))]
        return frame, frame.loc[:, ["token", "phone", "phone_index"]].drop_duplicates()
    if phones is not None:
        _check_present("phones", phones, source.phones, "label")
    elif not source.has_phone_query:
        phones = pd.unique(source.phones.loc[:, "label"])
    chosen = source if phones is None else source.select(phone=list(phones))
    intervals = chosen.phones.rename(columns={"label": "phone"})
    layers = chosen.layers if layer is None else (layer,)
    inside = [_samples_inside(chosen.times(name), intervals) for name in layers]
    # A store has no frame of nothing; here it only means that all intervals are too short.
    frame = _tidy(chosen, layer, columns) if max(inside) else pd.DataFrame({name: [] for name in columns})
    return frame, intervals.loc[:, ["token", "phone", "phone_index"]]


def _samples_inside(times: np.ndarray, intervals: pd.DataFrame) -> int:
    """Count the samples of a layer under all intervals."""
    onset, offset = (np.searchsorted(times, intervals[name].to_numpy(dtype=float)) for name in ("onset_s", "offset_s"))
    return int(np.sum(offset - onset))


def bin_series(frame: pd.DataFrame, samples: int | None, *, identifier: str = "token") -> pd.DataFrame:
    """Average series that have more than `samples` points into that many equal time bins.

    Parameters
    ----------
    frame
        Rows in the order of time within each series, at equal distances.
    samples
        Number of bins; shorter series stay as they are, so nothing is interpolated. None changes nothing.
    identifier
        The column that tells series apart.

    Returns
    -------
    pandas.DataFrame
        ``value`` and whatever else varies within a series are means over the bin, so a bin stands at the mean time of
        its points.

    Examples
    --------
    >>> frame = pd.DataFrame({"token": "a", "sample": range(6), "value": [0.0, 2.0, 1.0, 1.0, 5.0, 7.0]})
    >>> bin_series(frame, 3)[["sample", "value"]].values.tolist()
    [[0.5, 1.0], [2.5, 1.0], [4.5, 6.0]]
    """
    if samples is None or frame.empty:
        return frame.reset_index(drop=True)
    if samples < MIN_SAMPLES - 1:
        raise ArgumentError(f"The 'samples' parameter must be at least {MIN_SAMPLES - 1}, but got {samples!r} instead.")
    group = frame.groupby(identifier, sort=False)
    points = group["value"].transform("size").to_numpy()
    if points.max() <= samples:
        return frame.reset_index(drop=True)
    rank = group.cumcount().to_numpy()
    position = np.where(points > samples, rank * samples // points, rank)
    along = [name for name in ("sample", "time_s", "time", "value") if name in frame.columns]
    binned = frame.assign(_bin=position).groupby([identifier, "_bin"], sort=False)
    rules = {name: "mean" if name in along else "first" for name in frame.columns if name != identifier}
    return pd.DataFrame(binned.agg(rules).reset_index().loc[:, list(frame.columns)])


def _tidy(source: Experiment | pd.DataFrame, layer: str | None, columns: Sequence[str]) -> pd.DataFrame:
    frame = source if isinstance(source, pd.DataFrame) else source.to_frame(layer)
    check_columns(frame, columns, "the series")
    if "layer" in frame.columns and layer is not None:
        _check_present("layer", [layer], frame, "layer")
        frame = frame.loc[frame["layer"] == layer]
    layers = pd.unique(frame.loc[:, "layer"]) if "layer" in frame.columns else []
    if len(layers) > 1:
        listed = ", ".join(map(repr, layers))
        raise ArgumentError(f"The table holds several layers; choose one with the 'layer' parameter: {listed}.")
    check_complete(frame, columns, "the series")
    # Tables of one's own often number tokens and speakers, who are no quantities.
    numbered = [name for name in NAMES if name in columns and not pd.api.types.is_string_dtype(frame[name])]
    return frame.assign(**{name: level_names(frame.loc[:, name]) for name in numbered})


def _check_present(name: str, wanted: Collection[str], frame: pd.DataFrame, column: str) -> None:
    present = sorted(map(str, pd.unique(frame.loc[:, column])))
    missing = [value for value in wanted if value not in present]
    if missing:
        raise ArgumentError(
            f"Invalid value for the {name!r} parameter: {', '.join(map(repr, missing))} is not in the data. "
            f"There are: {', '.join(present) or 'none at all'}."
        )


def _with_word_interval(frame: pd.DataFrame, source: Experiment | pd.DataFrame) -> pd.DataFrame:
    if not isinstance(source, pd.DataFrame):
        missing = [name for name in ("onset_s", "duration_s") if name not in frame.columns]
        check_columns(source.tokens, ["token", *missing], "the tokens table")
        frame = frame.merge(source.tokens.loc[:, ["token", *missing]], on="token", how="left")
    check_columns(frame, ["onset_s", "duration_s"], "the series")
    check_complete(frame, ["onset_s", "duration_s"], "the series")
    return frame


def _phone_token(frame: pd.DataFrame) -> list[str]:
    return [f"{token}/{index}" for token, index in zip(frame["token"], frame["phone_index"], strict=True)]


def _sorted_series(frame: pd.DataFrame, identifier: str) -> pd.DataFrame:
    """Sort rows by series and sample; refuse duplicated rows and gaps."""
    duplicated = frame.duplicated([identifier, "sample"])
    if duplicated.any():
        first = frame.loc[duplicated.to_numpy(), [identifier, "sample"]].iloc[0]
        raise DataError(
            f"{int(duplicated.sum())} rows are duplicated: for instance series {first[identifier]!r} has sample "
            f"{first['sample']} more than once. Remove them, or choose one layer and one recording."
        )
    frame = frame.sort_values([identifier, "sample"], kind="stable").reset_index(drop=True)
    step = frame.groupby(identifier, sort=False)["sample"].diff().to_numpy(dtype=float)
    # NaN where a series begins; all outputs of a layer stand at equal distances.
    gaps = step > np.nanmin(step, initial=np.inf)
    if gaps.any():
        row = frame.loc[gaps].iloc[0]
        raise DataError(
            f"Rows are missing within {len(set(frame.loc[gaps, identifier]))} series: for instance "
            f"{row[identifier]!r} lacks the sample before {row['sample']}. Residual autocorrelation and time bins need "
            "series without gaps: restore the rows or drop these series."
        )
    return frame


def _inside(frame: pd.DataFrame, onset: np.ndarray, offset: np.ndarray) -> pd.DataFrame:
    """Keep the samples inside the interval and give them normalised time."""
    if (offset <= onset).any():
        row = frame.loc[offset <= onset].iloc[0]
        raise DataError(f"An interval of token {row['token']!r} ends before it begins. Correct its boundaries.")
    seconds = frame["time_s"].to_numpy(dtype=float)
    # Half-open, as in the store: a sample on the boundary of two phones belongs to one of them.
    inside = (seconds >= onset) & (seconds < offset)
    return frame.assign(time=(seconds - onset) / (offset - onset)).loc[inside]


def _without_short(
    frame: pd.DataFrame, expected: pd.DataFrame, identifier: str, min_samples: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split off the series that have fewer than `min_samples` points; those without any are listed too."""
    # One pass over codes: names one by one take seconds where a series has a thousand points.
    codes, names = pd.factorize(frame[identifier])
    counts = np.bincount(codes, minlength=len(names))
    points = pd.Series(counts, index=names).reindex(expected[identifier]).fillna(0).to_numpy(dtype=int)
    notes = [f"{count} sample{'' if count == 1 else 's'} in the interval, {min_samples} are needed" for count in points]
    short = expected.assign(samples=points, note=notes).loc[points < min_samples].reset_index(drop=True)
    if identifier != "token":
        short = short.drop(columns=identifier)
    return frame.loc[counts[codes] >= min_samples], short
