"""What judges say of a block of starts, as arrays of a store."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from layerstats.errors import DataError
from layerstats.judges.people import People
from layerstats.judges.protocol import Judge, NetworkJudge

# Probabilities that differ by more come from other features or weights, not from rounding on another processor.
_TOLERANCE = 0.01


def stored_responses(judge: Judge, classes: Sequence[str]) -> list[str]:
    """Return the responses of a judge as they are stored: the target network's classes in their order, then others.

    So the order of a judge's own outputs is never seen. What people did not say, none of them said.
    """
    known = [name for name in classes if name in judge.responses or isinstance(judge, People)]
    return [*known, *(name for name in judge.responses if name not in known)]


def answers(
    frame: pd.DataFrame, judge: Judge, starts: Sequence[str], responses: Sequence[str] | None
) -> dict[str, np.ndarray]:
    """Return a checked frame of judgements as `score` (start, response), or as `response` (start,) without responses.

    Raises
    ------
    DataError
        A judge that scores everything it can say leaves a response out, or one without scores gives some.
    """
    if responses is None:
        if bool(frame["score"].notna().to_numpy().any()):
            raise DataError(
                f"The judge {judge.name!r} gives scores for some responses only. A judge scores everything that it can "
                "say, or nothing."
            )
        response = frame.set_index("token")["response"].reindex(list(starts))
        return {"response": response.astype(object).where(response.notna(), None).to_numpy()}
    said = frame.loc[frame["response"].notna()]
    rows = pd.Index(list(starts)).get_indexer(pd.Index(said["token"]))
    columns = pd.Index(list(responses)).get_indexer(pd.Index(said["response"]))
    scores = np.full((len(starts), len(responses)), np.nan)
    unsaid = np.flatnonzero([name not in judge.responses for name in responses])
    scores[np.ix_(np.unique(rows), unsaid)] = 0.0
    scores[rows, columns] = said["score"].to_numpy()
    # Of a start that nobody was asked about all scores are missing.
    gaps = np.isnan(scores[np.unique(rows)]).any(axis=1)
    if gaps.any():
        start = starts[np.unique(rows)[gaps][0]]
        raise DataError(
            f"The judge {judge.name!r} must score each of its responses, but a score of {start!r} is missing or NaN."
        )
    return {"score": scores}


def checked_scores(
    scores: np.ndarray, judge: Judge, starts: Sequence[str] | np.ndarray, responses: Sequence[str]
) -> np.ndarray:
    """Return what a network judge gave as scores (start, response), in the order of `responses`.

    Raises
    ------
    DataError
        They have another shape, or one is NaN or infinite.
    """
    scores = np.asarray(scores)
    wanted = (len(starts), len(judge.responses))
    if scores.shape != wanted:
        raise DataError(f"The scores of {judge.name!r} must have the shape {wanted}, but got {scores.shape} instead.")
    bad = np.flatnonzero(~np.isfinite(scores).all(axis=1))
    if len(bad):
        raise DataError(
            f"The judge {judge.name!r} gives NaN or infinite scores for {len(bad)} of {len(scores)} starts, first for "
            f"{starts[int(bad[0])]!r}."
        )
    return scores[:, [judge.responses.index(name) for name in responses]]


def check_own_scores(
    judge: Judge, outcomes: xr.Dataset, rows: slice, scores: np.ndarray, responses: Sequence[str]
) -> None:
    """Raise `DataError` where the target network itself gives what is stored other scores than are stored.

    Parameters
    ----------
    judge : Judge
        Who gave the scores; nothing is compared unless it is the target network.
    outcomes : Dataset
        What was judged.
    rows : slice
        Of the starts.
    scores : ndarray
        (start, response).
    responses : sequence of str
        Their names.
    """
    hashed = outcomes.attrs.get("network_hash")
    if not isinstance(judge, NetworkJudge) or hashed is None or "scores_after" not in outcomes:
        return
    if judge.network_hash != hashed or "class" not in outcomes.coords:
        return
    columns = [responses.index(str(name)) for name in outcomes["class"].to_numpy()]
    stored = outcomes["scores_after"].isel(start=rows).to_numpy()
    apart = np.abs(scores[:, columns] - stored).max(axis=1)
    if apart.max() > _TOLERANCE:
        first = int(np.flatnonzero(apart > _TOLERANCE)[0])
        raise DataError(
            f"The network {judge.name!r} gives {int((apart > _TOLERANCE).sum())} of {len(apart)} stored starts other "
            f"scores than it gave when they were made (first {outcomes['start'].to_numpy()[rows][first]!r}, by "
            f"{apart[first]:.3f}): what is stored, or the prior that decodes it, is not what it heard then."
        )
