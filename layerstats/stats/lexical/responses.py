"""What a judge hears in a token: the response of the highest score."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.checks import check_columns
from layerstats.errors import DataError
from layerstats.store import Experiment


def likeliest_responses(judgements: pd.DataFrame) -> pd.DataFrame:
    """Keep of each token and judge the response with the highest score.

    Parameters
    ----------
    judgements : DataFrame
        ``token, judge, response`` and perhaps ``score``, as from `layerstats.judges.judge_speech` or a store; further
        columns are kept.

    Returns
    -------
    DataFrame
        A row a token and judge, in the order of the rows; of equal scores the first. A judge without scores has one row
        a token already.

    Raises
    ------
    DataError
        A token has several responses of one judge and no score to choose by, or one response twice.

    Examples
    --------
    >>> judgements = pd.DataFrame({"token": ["a", "a", "b", "b"], "judge": "j", "response": ["ask", "wash"] * 2})
    >>> likeliest_responses(judgements.assign(score=[0.9, 0.1, 0.3, 0.7]))["response"].tolist()
    ['ask', 'wash']
    """
    check_columns(judgements, ["token", "judge", "response"], "the judgements")
    scores = pd.Series(judgements.get("score", np.nan), index=judgements.index)
    identity = [column for column in judgements.columns if column not in ("response", "score")]
    several = judgements.duplicated(identity, keep=False)
    wrong = (several & scores.isna()) | judgements.duplicated([*identity, "response"], keep=False)
    if wrong.any():
        first = judgements.loc[wrong].iloc[0]
        raise DataError(
            f"The judge {first['judge']!r} has several responses to the token {first['token']!r}, but not a score for "
            "each: which was heard cannot be told."
        )
    # Stable: of equal scores the first row stays first, and rows without a score come last.
    downwards = np.argsort(-scores.to_numpy(dtype=float), kind="stable")
    best = judgements.assign(_row=np.arange(len(judgements))).iloc[downwards].drop_duplicates(identity)
    return best.sort_values("_row").drop(columns="_row").reset_index(drop=True)


def stored_responses(experiment: Experiment) -> pd.DataFrame:
    """Return what judges heard in the selected tokens of a store.

    Parameters
    ----------
    experiment : Experiment
        A store with judgements (`layerstats.judges.record_judgements`, or `layerstats judge`).

    Returns
    -------
    DataFrame
        The store's columns of tokens, then ``judge, response, score``: a row a token and judge, as `heard` takes them.

    Raises
    ------
    DataError
        The store has no judgements.

    Examples
    --------
    >>> from layerstats.store import open_store
    >>> stored_responses(open_store("said.zarr"))[["word", "judge", "response"]].values.tolist()
    [['ask', 'pocketsphinx', 'ask'], ['ask', 'pocketsphinx', 'ask']]
    """
    tables = experiment.tables
    names = tables.loc[tables["kind"] == "judgements", "name"]
    if names.empty:
        raise DataError(f"The store {experiment.path} holds no judgements. Make some: layerstats judge STORE")
    judged = pd.concat([experiment.table("judgements", name) for name in names], ignore_index=True)
    return experiment.tokens.merge(likeliest_responses(judged), on="token", how="inner")
