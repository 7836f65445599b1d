"""Lexical learning: how much the codes of a network say about the words, on voices that were held out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.stats.lexical.assignment import UNASSIGNED, best_assignment, tokens_with_code
from layerstats.stats.lexical.checked import check_resampling, held_out_codes
from layerstats.stats.lexical.cluster_intervals import measure_rows, permutation_p_value
from layerstats.stats.lexical.counting import Labelled, block_sizes
from layerstats.stats.lexical.information import adjusted_mutual_information, conditional_entropy, entropy
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.tables import PrintedResult, check_frame

# Measures of all words together; the last is better where it is smaller.
MEASURES = (
    "assignment accuracy",
    "assignment accuracy, same tokens",
    "adjusted mutual information",
    "entropy of the code given the word",
)
WORD_MEASURES = ("share with the word's code", "entropy of the code")


@dataclass(frozen=True, eq=False, repr=False)
class LexicalLearning(PrintedResult):
    """How well codes tell words apart.

    Attributes
    ----------
    summary
        A row a measure: ``measure, estimate, conf_low, conf_high, conf_level, interval, chance, chance_low,
        chance_high, p_value, tokens, speakers, words, codes``; the counts are those of the held-out side.
    words
        Two rows a word: ``word, code, measure, estimate, conf_low, conf_high, conf_level, interval, chance,
        chance_low, chance_high, tokens``; `code` is the word's, by the training voices, and missing where it has none.
    contingency
        ``split, word, code, tokens, share``: which code the tokens of a word have, pairs that occur. `share` is that of
        the word's tokens.
    """

    main_tables = ("summary",)
    summary: pd.DataFrame
    words: pd.DataFrame
    contingency: pd.DataFrame


def lexical_learning(
    codes: pd.DataFrame, *, draws: int = 2000, seed: int = 0, conf_level: float = 0.95
) -> LexicalLearning:
    """Measure how much codes say about words, on held-out voices.

    - *assignment accuracy*: each word gets one code and each code one word so that most tokens of the *training* voices
      agree (Hungarian algorithm), and it is counted how many held-out tokens have their word's code.
    - *assignment accuracy, same tokens*: the assignment is chosen on the held-out tokens themselves, as is common. It
      is too good by construction; its chance level says by how much.
    - *adjusted mutual information* of word and code: 0 is chance, 1 the same partition (Vinh et al. 2010).
    - *entropy of the code given the word*, in bits: 0 where each word has one code always. It is that of the observed
      shares, and too small where words have few tokens; so is its chance level.

    Intervals are from a bootstrap of speakers: training voices and held-out voices are drawn anew, and words are
    assigned anew in each draw. They speak of what as many other voices would give. In simulations with 16 held-out
    voices and eight words, intervals with a level of 0.95 held that value in 91 to 97 % of data sets for accuracies, in
    83 to 99 % for mutual information and entropy, the less the more the codes agree with the words. The chance level is
    that of words permuted within each speaker, on both sides, so that a code that stands for the voice is worth
    nothing; the p-value is from the same permutations.

    Parameters
    ----------
    codes : DataFrame
        As from `layerstats.probes.read_codes`: ``token, word, speaker, split, code``, with split "train" and "test".
    draws : int
        Draws of the bootstrap, and permutations.
    seed : int
        Seed of both.
    conf_level : float
        Level of the intervals, and share of the permutations between `chance_low` and `chance_high`.

    Raises
    ------
    DataError
        There is no held-out or no training side, a speaker is on both, or the held-out side has one word or speaker
        only; codes are missing or their certainty is NaN.
    ArgumentError
        `draws` or `conf_level` is out of range.

    References
    ----------
    Vinh, Epps & Bailey (2010), Information theoretic measures for clusterings comparison, JMLR 11.

    Examples
    --------
    >>> codes = pd.DataFrame({"word": ["ask", "wash"] * 4, "code": ["1", "0"] * 4})
    >>> codes = codes.assign(speaker=list("aabbccdd"), split=["train"] * 4 + ["test"] * 4)
    >>> lexical_learning(codes, draws=100).summary.set_index("measure")["estimate"].to_dict()["assignment accuracy"]
    1.0
    """
    check_resampling(draws, conf_level)
    train, test = held_out_codes(codes)
    names = {column: tuple(sorted(set(train[column]) | set(test[column]))) for column in ("word", "code")}
    sides = [Labelled.of(side, "word", "code", names["word"], names["code"]) for side in (train, test)]
    sizes = block_sizes(draws, *sides)
    observed = _measure(*(side.table()[None].astype(float) for side in sides))
    drawn = _measured(
        zip(*(side.drawn_tables(replicate_generator(seed, 0, n), sizes) for n, side in enumerate(sides)), strict=True)
    )
    permuted = _measured(
        zip(
            *(side.permuted_tables(replicate_generator(seed, 1, n), sizes) for n, side in enumerate(sides)), strict=True
        )
    )
    assigned = best_assignment(sides[0].table()[None])[0]
    return LexicalLearning(
        _summary(observed, drawn, permuted, sides[1], conf_level),
        _words(observed, drawn, permuted, sides[1], assigned, conf_level),
        contingency(pd.concat([train, test], ignore_index=True), ["split", "word"], "code"),
    )


def contingency(frame: pd.DataFrame, given: list[str], label: str) -> pd.DataFrame:
    """Count tokens by the columns `given` and `label`; `share` is that among tokens that agree in `given`."""
    counted = frame.groupby([*given, label], sort=True, as_index=False).agg(tokens=("speaker", "size"))
    total = counted.groupby(given)["tokens"].transform("sum")
    return check_frame(counted.assign(share=counted["tokens"] / total))


@dataclass(frozen=True, eq=False)
class _Measured:
    """`overall` (draw, measure) and `by_word` (draw, word, measure)."""

    overall: np.ndarray
    by_word: np.ndarray


def _measure(train: np.ndarray, test: np.ndarray) -> _Measured:
    """Measure tables (draw, word, code) of both sides."""
    right = tokens_with_code(test, best_assignment(train))
    same = tokens_with_code(test, best_assignment(test))
    by_word = test.sum(axis=2)
    tokens = by_word.sum(axis=1)
    overall = [
        right.sum(axis=1) / tokens,
        same.sum(axis=1) / tokens,
        adjusted_mutual_information(test),
        conditional_entropy(test),
    ]
    with np.errstate(invalid="ignore"):
        shares = right / by_word
    return _Measured(np.stack(overall, axis=1), np.stack([shares, entropy(test)], axis=2))


def _measured(pairs: Iterable[tuple[np.ndarray, ...]]) -> _Measured:
    parts = [_measure(train, test) for train, test in pairs]
    return _Measured(np.concatenate([part.overall for part in parts]), np.concatenate([part.by_word for part in parts]))


def _summary(
    observed: _Measured, drawn: _Measured, permuted: _Measured, test: Labelled, conf_level: float
) -> pd.DataFrame:
    bits = np.log2(len(test.columns))
    limits = [(0.0, 1.0), (0.0, 1.0), (-1.0, 1.0), (0.0, bits)]
    rows = []
    for number, measure in enumerate(MEASURES):
        column = slice(number, number + 1)
        own = (observed.overall[:, column], drawn.overall[:, column], permuted.overall[:, column])
        row = measure_rows(measure, own, test.clusters, conf_level, limits[number])
        rows.append(row.assign(p_value=permutation_p_value(own[0], own[2], smaller=measure == MEASURES[-1])))
    table = pd.concat(rows, ignore_index=True)
    said, codes = (test.table().sum(axis=axis) for axis in (1, 0))
    return check_frame(
        table.assign(
            tokens=int(said.sum()), speakers=test.clusters, words=np.count_nonzero(said), codes=np.count_nonzero(codes)
        ),
        "lexical_learning",
    )


def _words(
    observed: _Measured,
    drawn: _Measured,
    permuted: _Measured,
    test: Labelled,
    assigned: np.ndarray,
    conf_level: float,
) -> pd.DataFrame:
    tokens = test.table().sum(axis=1)
    said = np.flatnonzero(tokens)
    code = [None if assigned[word] == UNASSIGNED else test.columns[assigned[word]] for word in said]
    limits = [(0.0, 1.0), (0.0, float(np.log2(len(test.columns))))]
    tables = []
    for number, measure in enumerate(WORD_MEASURES):
        own = (observed.by_word[:, said, number], drawn.by_word[:, said, number], permuted.by_word[:, said, number])
        table = measure_rows(measure, own, test.clusters, conf_level, limits[number])
        names = pd.DataFrame({"word": [test.rows[word] for word in said], "code": pd.Series(code, dtype="str")})
        tables.append(pd.concat([names, table.assign(tokens=tokens[said])], axis=1))
    return check_frame(pd.concat(tables, ignore_index=True))
