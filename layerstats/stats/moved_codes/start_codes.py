"""Codes of natural tokens before and after maximization, with what their network made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from layerstats.checks import check_columns
from layerstats.errors import ArgumentError, DataError

# Scores are stored in single precision: less is no more than rounding.
_LEAST_SCORE = 1e-38


@dataclass(frozen=True, eq=False)
class MovedCodes:
    """Starts that began from natural tokens.

    Attributes
    ----------
    starts
        A row a start: ``start, word`` (which is its target), ``speaker, token, misclassified`` (the network heard
        another word before), ``correct_after, margin`` (log odds of the word against the likeliest other one, before),
        ``margin_after, displacement`` (in code space, L2), ``boundary_distance`` (missing where it was not given).
    before, after
        (start, code).
    network
        The target network's name.
    """

    starts: pd.DataFrame
    before: np.ndarray
    after: np.ndarray
    network: str

    def subset(self, keep: np.ndarray) -> MovedCodes:
        """Return the starts where `keep`, (start,), is true."""
        rows = pd.DataFrame(self.starts.loc[keep]).reset_index(drop=True)
        return MovedCodes(rows, self.before[keep], self.after[keep], self.network)


def read_moved_codes(
    outcome: xr.Dataset, tokens: pd.DataFrame, *, boundary_distance: np.ndarray | None = None, split: str | None = None
) -> MovedCodes:
    """Read starts from natural tokens, whose own word was maximized (class-to-class).

    The margin is the difference of two logits, which the stored probabilities give exactly: log p(word) - log p(other).

    Parameters
    ----------
    outcome
        As ``Experiment.outcome(...)`` gives it, of a prior with codes and of starts from data.
    tokens
        ``token, word, speaker, split``: as `Experiment.tokens`.
    boundary_distance
        (start,) distance to the decision boundary in code space, see `layerstats.probes.boundary_distance`.
    split
        Keep tokens of this split, "test" for held-out ones.

    Raises
    ------
    DataError
        The outcomes have no codes, were not begun from data, a token is not in the table, or a start's target is not
        its word.
    ArgumentError
        There are no tokens of the split.

    Examples
    --------
    >>> tokens = pd.DataFrame({"token": ["t1", "t2"], "word": ["no", "yes"], "speaker": ["p1", "p2"], "split": "test"})
    >>> variables = {"token": ("start", ["t1", "t2"]), "target": ("start", ["no", "yes"])}
    >>> variables["codes_before"] = ("start", "code"), np.zeros((2, 3))
    >>> variables["codes_after"] = ("start", "code"), np.eye(2, 3)
    >>> variables["scores_before"] = ("start", "class"), [[0.2, 0.8], [0.1, 0.9]]
    >>> variables["scores_after"] = ("start", "class"), [[0.9, 0.1], [0.1, 0.9]]
    >>> coords, about = {"start": ["no_0", "yes_0"], "class": ["no", "yes"]}, {"network": "n0", "prior": "autoencoder"}
    >>> moved = read_moved_codes(xr.Dataset(variables, coords, about), tokens)
    >>> moved.starts[["word", "misclassified", "displacement"]].values.tolist()
    [['no', True, 1.0], ['yes', False, 1.0]]
    """
    for name in ("codes_before", "codes_after"):
        if name not in outcome:
            raise DataError(
                f"These outcomes have no {name!r}: their prior {outcome.attrs.get('prior', 'none')!r} optimises no "
                "codes. Use outcomes of the prior 'autoencoder:FILE', begun from data."
            )
    check_columns(tokens, ["token", "word", "speaker"], "the tokens table")
    began = outcome["token"].to_numpy().astype(object).astype(str)
    if (began == "").any():
        raise DataError(
            f"{int((began == '').sum())} of {len(began)} starts did not begin from a natural token, so that nobody "
            "says what they were before. Use outcomes that start from data (start_from='data')."
        )
    known = tokens.set_index("token")
    lost = sorted(set(began) - set(known.index))
    if lost:
        raise DataError(
            f"{len(lost)} tokens that starts began from are not in the tokens table, for instance {lost[0]!r}. Give "
            "the tokens of the corpus that was maximized."
        )
    own = known.loc[began]
    targets = outcome["target"].to_numpy().astype(object).astype(str)
    word = own["word"].astype(str).to_numpy()
    if (word != targets).any():
        first = int((word != targets).argmax())
        raise DataError(
            f"The start {outcome['start'].to_numpy()[first]!r} was maximized for {targets[first]!r}, but its token "
            f"says {word[first]!r}: where codes move is asked of starts whose own word is the target."
        )
    before, after = (_scores(outcome, name) for name in ("scores_before", "scores_after"))
    classes = outcome["class"].to_numpy().astype(object).astype(str)
    moved = [outcome[name].to_numpy().astype(float) for name in ("codes_before", "codes_after")]
    starts = pd.DataFrame(
        {
            "start": outcome["start"].to_numpy().astype(object).astype(str),
            "word": word,
            "speaker": own["speaker"].astype(str).to_numpy(),
            "token": began,
            "misclassified": classes[before.argmax(axis=1)] != word,
            "correct_after": classes[after.argmax(axis=1)] == word,
            "margin": _margin(before, classes, word),
            "margin_after": _margin(after, classes, word),
            "displacement": np.sqrt(((moved[1] - moved[0]) ** 2).sum(axis=1)),
            "boundary_distance": np.nan if boundary_distance is None else np.asarray(boundary_distance, dtype=float),
        }
    )
    found = MovedCodes(starts, *moved, network=str(outcome.attrs.get("network", "network")))
    if split is None:
        return found
    check_columns(tokens, ["split"], "the tokens table")
    keep = (own["split"] == split).to_numpy()
    if not keep.any():
        there = ", ".join(map(repr, sorted(set(map(str, own["split"])))))
        raise ArgumentError(f"No start began from a token of the split {split!r}; there are {there}.")
    return found.subset(keep)


def _scores(outcome: xr.Dataset, name: str) -> np.ndarray:
    scores = outcome[name].to_numpy().astype(float)
    bad = ~np.isfinite(scores).all(axis=1)
    if bad.any():
        raise DataError(
            f"{name!r} of {int(bad.sum())} starts hold NaN, first of {outcome['start'].to_numpy()[bad][0]!r}: maximize "
            "these again."
        )
    return scores


def _margin(scores: np.ndarray, classes: np.ndarray, word: np.ndarray) -> np.ndarray:
    """Return the log odds of the word against the likeliest other class, (start,)."""
    logs = np.log(np.maximum(scores, _LEAST_SCORE))
    own = classes == word[:, None]
    return logs[own] - np.where(own, -np.inf, logs).max(axis=1)
