"""Do the bits of a code stand for phonological features of words?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete
from layerstats.errors import DataError
from layerstats.stats.lexical.checked import check_resampling, check_several, checked_codes
from layerstats.stats.lexical.cluster_intervals import cluster_interval
from layerstats.stats.lexical.counting import Labelled, block_sizes
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.resampling.westfall_young import permutation_p_values, step_down_p_values
from layerstats.tables import check_frame

_WHAT = "the table of features"


def feature_association(
    codes: pd.DataFrame,
    features: pd.DataFrame,
    *,
    draws: int = 2000,
    permutations: int = 9999,
    seed: int = 0,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Measure how each bit of a code goes with each feature of words, on the held-out tokens.

    The association is phi, the correlation of bit and feature, in which every word counts the same: between -1 and 1,
    and 1 where the bit is set in all tokens of words with the feature and in no other. It cannot be reached by a bit
    that differs between tokens of a word.

    Two kinds of uncertainty are kept apart. The interval, from speakers drawn anew, says what other voices would give
    for *these* words. The p-value says whether other words would have done: a feature belongs to a word, however many
    tokens it has, so that features are permuted over words. It is adjusted over all bits and features by the step-down
    max-T method, in which features that hang together are not counted twice.

    Parameters
    ----------
    codes : DataFrame
        As from `layerstats.probes.read_codes` of a fiwGAN; where there is a split, its "test" side is used.
    features : DataFrame
        As from `layerstats.corpora.word_features`: `word` and columns of True or False. Features that all of the words
        have, or none, are left out.
    draws, permutations : int
        Draws of speakers, and permutations of words.
    seed : int
        Seed of both.
    conf_level : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        A row a bit and feature: ``bit`` (from 1, left to right), ``feature, association, conf_low, conf_high,
        conf_level, interval, p_value, p_adjusted, adjust_method, family, tests, words, words_with``.

    Raises
    ------
    DataError
        Codes are not bits, a word has no features, no feature varies, or there are fewer than four words.

    References
    ----------
    Westfall & Young (1993), Resampling-based multiple testing, algorithm 4.1.

    Examples
    --------
    >>> words = ["ask", "wash", "dark", "rag"]
    >>> codes = pd.DataFrame({"word": words * 2, "speaker": list("aaaabbbb"), "code": ["10", "11", "00", "01"] * 2})
    >>> features = pd.DataFrame({"word": words, "sibilant": [True, True, False, False]})
    >>> feature_association(codes, features, draws=50)["association"].tolist()
    [1.0, 0.0]
    """
    check_resampling(draws, conf_level)
    check_resampling(permutations, conf_level, "permutations")
    tokens = checked_codes(codes)
    if "split" in tokens:
        tokens = pd.DataFrame(tokens.loc[tokens["split"] == "test"]).reset_index(drop=True)
        if tokens.empty:
            raise DataError("No token of the table of codes has the split 'test': bits are judged on held-out tokens.")
    check_several(tokens, "held-out side")
    words = tuple(sorted(set(tokens["word"])))
    has = _features_of(words, features)
    labelled = _with_bits(tokens, words)
    bits = len(labelled.columns[0])
    observed = _shares(labelled.table()[None], labelled.columns)
    estimate = _phi(observed, has.to_numpy(dtype=float))
    tables = labelled.drawn_tables(replicate_generator(seed, 0), block_sizes(draws, labelled))
    drawn = np.concatenate([_phi(_shares(table, labelled.columns), has.to_numpy(dtype=float)) for table in tables])
    low, high = cluster_interval(estimate[0], drawn, labelled.clusters, conf_level, (-1.0, 1.0))
    size = _permuted(observed[0], has.to_numpy(dtype=float), permutations, replicate_generator(seed, 1))
    frame = pd.DataFrame(
        {
            "bit": np.repeat(np.arange(1, bits + 1), has.shape[1]),
            "feature": list(has.columns) * bits,
            "association": estimate[0],
            "conf_low": low,
            "conf_high": high,
            "conf_level": conf_level,
            "interval": "bootstrap",
            "p_value": permutation_p_values(size),
            "p_adjusted": step_down_p_values(size),
            "adjust_method": "max-T",
            "family": f"{bits} bits x {has.shape[1]} features",
            "tests": size.shape[1],
            "words": len(words),
            "words_with": list(has.sum()) * bits,
        }
    )
    return check_frame(frame, "feature_association")


def _features_of(words: tuple[str, ...], features: pd.DataFrame) -> pd.DataFrame:
    """Return the features that vary over the words, (word, feature)."""
    check_columns(features, ["word"], _WHAT)
    check_complete(features, list(features.columns), _WHAT)
    table = features.set_index("word")
    if table.index.has_duplicates or set(words) - set(table.index):
        missing = ", ".join(map(repr, sorted(set(words) - set(table.index))[:5]))
        wrong = f"lacks {missing}" if missing else "has a word more than once"
        raise DataError(f"Every word of the table of codes needs one row in {_WHAT}, which {wrong}.")
    table = table.loc[list(words)]
    other = [str(name) for name in table if not table[name].isin([0, 1]).all()]
    if other:
        raise DataError(f"Features must be True or False, but {', '.join(map(repr, other))} of {_WHAT} are not.")
    varying = table.loc[:, table.any() & ~table.all()].astype(bool)
    if varying.shape[1] == 0 or len(words) < 4:
        raise DataError(
            f"No feature can be tested: of {len(words)} words, each feature has all or none, or there are fewer than "
            "four words."
        )
    return varying


def _with_bits(tokens: pd.DataFrame, words: tuple[str, ...]) -> Labelled:
    codes = tuple(sorted(set(tokens["code"])))
    wrong = [code for code in codes if len(code) != len(codes[0]) or set(code) - {"0", "1"}]
    if wrong:
        raise DataError(
            f"Codes must be bits of one length, such as '01101', but there is {wrong[0]!r}. Only the codes of a fiwGAN "
            "have bits; for categories see lexical_learning."
        )
    return Labelled.of(tokens, "word", "code", words, codes)


def _shares(tables: np.ndarray, codes: tuple[str, ...]) -> np.ndarray:
    """Return the share of each word's tokens in which a bit is set, (draw, word, bit); NaN for words not drawn."""
    bits = np.array([[float(bit) for bit in code] for code in codes])
    with np.errstate(invalid="ignore"):
        return (tables @ bits) / tables.sum(axis=2, keepdims=True)


def _phi(shares: np.ndarray, has: np.ndarray) -> np.ndarray:
    """Return the correlation of bits and features over tokens, words weighing the same, (draw, bit x feature)."""
    said = ~np.isnan(shares[:, :, :1])
    count = said.sum(axis=1)
    share = np.where(said, shares, 0.0)
    set_ = share.sum(axis=1) / count
    having = (said * has).sum(axis=1) / count
    both = np.einsum("dwb,wf->dbf", share, has) / count[:, :, None]
    spread = (set_ * (1 - set_))[:, :, None] * (having * (1 - having))[:, None, :]
    covariance = both - set_[:, :, None] * having[:, None, :]
    # A bit that never changes goes with nothing.
    phi = np.divide(covariance, np.sqrt(spread), out=np.zeros_like(covariance), where=spread > 1e-15)
    return phi.reshape(len(shares), -1)


def _permuted(shares: np.ndarray, has: np.ndarray, permutations: int, generator: np.random.Generator) -> np.ndarray:
    """Return sizes of correlations over words (permutation, bit x feature), the observed one first.

    The correlation of a word's share with its feature is phi but for a factor of the bit, and has the same
    distribution for all bits and features: the scale that their maximum needs.
    """
    bits, features = (_standardised(values) for values in (shares, has))
    orders = generator.permuted(np.tile(np.arange(len(has)), (permutations, 1)), axis=1)
    every = np.concatenate([np.arange(len(has))[None], orders])
    correlations = np.einsum("wb,pwf->pbf", bits, features[every]) / len(has)
    return np.abs(correlations).reshape(len(every), -1)


def _standardised(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(axis=0)
    spread = values.std(axis=0)
    return np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-12)
