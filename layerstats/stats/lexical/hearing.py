"""What is heard when a generator says its codes: which words, how consistently, and do judges agree?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete
from layerstats.errors import DataError
from layerstats.stats.lexical.checked import check_resampling
from layerstats.stats.lexical.cluster_intervals import measure_rows, permutation_p_value
from layerstats.stats.lexical.counting import Labelled, block_sizes
from layerstats.stats.lexical.information import adjusted_mutual_information
from layerstats.stats.lexical.responses import likeliest_responses
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.tables import PrintedResult, check_frame

ALL = "all judges"
CONSISTENCY, AGREEMENT, CEILING = "consistency", "agreement", "accuracy on recorded words"
INFORMATION = "adjusted mutual information"
_WHAT = "the table of heard words"
_TOKEN = ["code_value", "code", "speaker", "token"]


@dataclass(frozen=True, eq=False, repr=False)
class Heard(PrintedResult):
    """What was heard in generated speech.

    Attributes
    ----------
    shares
        ``code_value, code, judge, response, tokens, share, conf_low, conf_high, conf_level, interval``: the share of a
        code's tokens in which a judge hears a word, words that are heard.
    codes
        A row a code, value and measure: ``code_value, code, judge, response, measure, estimate, conf_low, conf_high,
        conf_level, interval, chance, chance_low, chance_high, tokens``. *Consistency* is the largest share of a word,
        which is `response`; *agreement* the share of tokens in which all judges hear the same.
    summary
        The same over all codes, and the adjusted mutual information of code and heard word, with ``p_value, tokens,
        speakers``; then, where there is a reference, what each judge and all together make of recorded words.
    """

    main_tables = ("summary",)
    shares: pd.DataFrame
    codes: pd.DataFrame
    summary: pd.DataFrame


def heard(
    listening: pd.DataFrame,
    reference: pd.DataFrame | None = None,
    *,
    draws: int = 2000,
    seed: int = 0,
    conf_level: float = 0.95,
) -> Heard:
    """Summarise what judges hear in generated speech, code by code and for every value that stood for a one.

    Intervals are from a bootstrap of noise vectors, which say every code as a speaker says every word. The chance level
    is that of codes permuted within each noise vector: what is heard of the noise whatever the code. It also says how
    large a largest share is without any consistency.

    Parameters
    ----------
    listening : DataFrame
        As from `layerstats.judges.hear_words` of generated speech, or a store's judgements with its tokens' columns:
        ``token, speaker, code, code_value, judge, response``, and ``score`` where a judge scores all its responses, of
        which the likeliest counts; the speaker is the noise vector.
    reference : DataFrame, optional
        The same of recorded words: ``token, word, speaker, judge, response``. No judge can be expected to hear more
        in generated speech than it does there.
    draws, seed, conf_level
        As for `lexical_learning`.

    Raises
    ------
    DataError
        There is one code or noise vector only, a token has not been heard by every judge, or something is missing.

    Examples
    --------
    >>> listening = pd.DataFrame({"token": list("abcdef"), "speaker": list("xxyyzz"), "code": ["0", "1"] * 3})
    >>> listening = listening.assign(code_value=1.0, judge="classifier", response=["ask", "wash"] * 3)
    >>> result = heard(listening, draws=20)
    >>> result.codes[["code", "response", "estimate"]].values.tolist()
    [['0', 'ask', 1.0], ['1', 'wash', 1.0]]
    """
    check_resampling(draws, conf_level)
    listening = _likeliest(listening, ["token", "speaker", "code", "code_value", "judge", "response"])
    options = _Options(draws, seed, conf_level)
    shares, codes, summary = [], [], []
    for value, tokens in listening.groupby("code_value"):
        _check_crossed(tokens, value)
        for judge, own in tokens.groupby("judge", sort=False):
            table = _Tables(own, "code", "response", options)
            place = {"code_value": value, "judge": judge}
            shares.append(_shares(table).assign(**place))
            codes.append(_consistency(table).assign(**place))
            summary += [
                table.overall(CONSISTENCY, lambda counts: _share(counts).max(axis=2).mean(axis=1)).assign(**place),
                table.overall(INFORMATION, adjusted_mutual_information).assign(**place),
            ]
        if len(set(tokens["judge"])) > 1:
            table = _Tables(_agreeing(tokens, _TOKEN), "code", "response", options)
            place = {"code_value": value, "judge": ALL}
            codes.append(table.by_row(AGREEMENT).assign(**place))
            summary.append(table.overall(AGREEMENT, _right).assign(**place))
    if reference is not None:
        summary += _ceiling(reference, options)
    return Heard(
        check_frame(_ordered(shares, ["code_value", "code", "judge", "response", "tokens", "share"])),
        check_frame(_ordered(codes, ["code_value", "code", "judge", "response", "measure"])),
        check_frame(_ordered(summary, ["code_value", "judge", "measure"])),
    )


@dataclass(frozen=True)
class _Options:
    draws: int
    seed: int
    conf_level: float


class _Tables:
    """Counts of two labels as they are, with clusters drawn anew, and with the first label permuted within clusters."""

    def __init__(self, tokens: pd.DataFrame, row: str, column: str, options: _Options) -> None:
        names = (tuple(sorted(set(tokens[row]))), tuple(sorted({*tokens[column]})))
        if column == "response" and set(names[1]) <= {"no", "yes"}:
            names = (names[0], ("no", "yes"))
        self.labelled = Labelled.of(tokens, row, column, *names)
        self.conf_level = options.conf_level
        sizes = block_sizes(options.draws, self.labelled)
        self.observed = self.labelled.table()[None].astype(float)
        # Every value and judge has the same draws of noise vectors: what is compared is compared on the same ones.
        self.drawn = np.concatenate(list(self.labelled.drawn_tables(replicate_generator(options.seed, 0), sizes)))
        self.permuted = np.concatenate(list(self.labelled.permuted_tables(replicate_generator(options.seed, 1), sizes)))

    def rows(self, measure: str, of: Callable[[np.ndarray], np.ndarray], chance: bool = True) -> pd.DataFrame:
        """Return measures of tables (draw, row, column), a row a quantity; `of` gives (draw, quantity)."""
        own = (of(self.observed), of(self.drawn), of(self.permuted) if chance else None)
        limits = (-1.0 if measure == INFORMATION else 0.0, 1.0)
        rows = measure_rows(measure, own, self.labelled.clusters, self.conf_level, limits)
        p_value = permutation_p_value(own[0], own[2]) if own[2] is not None else np.nan
        return rows.assign(p_value=p_value)

    def overall(self, measure: str, of: Callable[[np.ndarray], np.ndarray]) -> pd.DataFrame:
        """Return one row of a measure of whole tables; `of` gives (draw,)."""
        # Agreement and accuracy are not about codes: permuting those gives no chance level.
        rows = self.rows(measure, lambda counts: of(counts)[:, None], chance=measure in (CONSISTENCY, INFORMATION))
        return rows.assign(tokens=int(self.observed.sum()), speakers=self.labelled.clusters)

    def by_row(self, measure: str) -> pd.DataFrame:
        """Return the share of "yes" of each code."""
        rows = self.rows(measure, lambda counts: _share(counts)[:, :, 1], chance=False)
        tokens = self.observed[0].sum(axis=1).astype(int)
        return rows.drop(columns="p_value").assign(code=self.labelled.rows, tokens=tokens)


def _share(counts: np.ndarray) -> np.ndarray:
    """Return counts (draw, row, column) as shares of their row."""
    with np.errstate(invalid="ignore"):
        return counts / counts.sum(axis=2, keepdims=True)


def _right(counts: np.ndarray) -> np.ndarray:
    """Return the share of "yes", (draw,)."""
    return counts[:, :, 1].sum(axis=1) / counts.sum(axis=(1, 2))


def _shares(table: _Tables) -> pd.DataFrame:
    codes, words = table.labelled.rows, table.labelled.columns
    rows = table.rows("share", lambda counts: _share(counts).reshape(len(counts), -1), chance=False)
    found = pd.DataFrame(
        {
            "code": np.repeat(codes, len(words)),
            "response": np.tile(words, len(codes)),
            "tokens": table.observed.ravel().astype(int),
            "share": rows["estimate"],
        }
    )
    ends = rows[["conf_low", "conf_high", "conf_level", "interval"]]
    return pd.concat([found, ends], axis=1).loc[found["tokens"] > 0]


def _consistency(table: _Tables) -> pd.DataFrame:
    most = table.observed[0].argmax(axis=1)
    rows = table.rows(CONSISTENCY, lambda counts: _share(counts).max(axis=2))
    return rows.drop(columns="p_value").assign(
        code=table.labelled.rows,
        response=[table.labelled.columns[word] for word in most],
        tokens=table.observed[0].sum(axis=1).astype(int),
    )


def _agreeing(tokens: pd.DataFrame, identity: list[str]) -> pd.DataFrame:
    """Return a row a token, `response` being whether all judges hear the same."""
    agreed = tokens.groupby(identity, sort=False)["response"].nunique().eq(1).reset_index()
    return agreed.assign(response=np.where(agreed["response"], "yes", "no"))


def _ceiling(reference: pd.DataFrame, options: _Options) -> list[pd.DataFrame]:
    reference = _likeliest(reference, ["token", "word", "speaker", "judge", "response"], "the reference")
    if len(set(reference["speaker"])) < 2:
        raise DataError("The reference has one speaker only: an interval over speakers needs two or more.")
    rows = []
    for judge, own in reference.groupby("judge", sort=False):
        judged = own.assign(response=np.where(own["response"] == own["word"], "yes", "no"))
        rows.append(_Tables(judged, "word", "response", options).overall(CEILING, _right).assign(judge=judge))
    if len(set(reference["judge"])) > 1:
        agreed = _agreeing(reference, ["word", "speaker", "token"])
        measure = f"{AGREEMENT} on recorded words"
        rows.append(_Tables(agreed, "word", "response", options).overall(measure, _right).assign(judge=ALL))
    return rows


def _ordered(parts: list[pd.DataFrame], first: list[str]) -> pd.DataFrame:
    table = pd.concat(parts, ignore_index=True)
    present = [column for column in first if column in table]
    return table.loc[:, [*present, *(column for column in table.columns if column not in present)]]


def _likeliest(frame: pd.DataFrame, columns: list[str], what: str = _WHAT) -> pd.DataFrame:
    """Return a row a token and judge of a frame that has what is needed."""
    check_columns(frame, columns, what)
    if frame.empty:
        raise DataError(f"Nothing was heard: {what} has no rows.")
    check_complete(frame, columns, what)
    return likeliest_responses(frame)


def _check_crossed(tokens: pd.DataFrame, value: object) -> None:
    for column, what in (("code", "code"), ("speaker", "noise vector")):
        if len(set(tokens[column])) < 2:
            raise DataError(
                f"With the value {value} there is one {what} only, {tokens[column].iloc[0]!r}: two or more are needed."
            )
    pairs = tokens[["token", "judge"]]
    complete = len(set(tokens["token"])) * len(set(tokens["judge"]))
    if len(pairs) != complete or len(pairs.drop_duplicates()) != complete:
        raise DataError(f"Every token must have been heard once by every judge, but {_WHAT} has others.")
