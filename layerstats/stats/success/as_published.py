"""The numbers of Soomro et al. 2019, computed as they computed them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from layerstats.stats.success.attempt_frames import checked_attempts
from layerstats.tables import check_frame

MARGINAL_RATE = "marginal rate, as published"


def success_as_published(attempts: pd.DataFrame) -> pd.DataFrame:
    """Count success as Soomro et al. 2019 did: two marginal rates over all starts, without intervals.

    The share of all starts that each classifier, the target network and every other one, hears as their target (their
    96.8 and 92.1 %, 7.6 and 67.5 %), and the mean score that it gives the target (the diagonal of their Fig. 5). Their
    text defines success as both classifiers' at once, which they never computed: see `success_rates`. Starts that
    were the target already count, classes with more starts count more, and nothing says how sure a rate is.

    Parameters
    ----------
    attempts : DataFrame
        As from `attempts` or `attempts_from_frame`.

    Returns
    -------
    pandas.DataFrame
        ``set_up, network, judge, measure, starts, rate, mean_score``.

    Examples
    --------
    >>> from layerstats.stats.success import attempts_from_frame
    >>> rows = [("a", "yes", "yes_0", "a", "yes"), ("a", "yes", "yes_0", "b", "no")]
    >>> frame = pd.DataFrame(rows, columns=["network", "target", "start", "judge", "response"])
    >>> success_as_published(attempts_from_frame(frame))["rate"].tolist()
    [1.0, 0.0]
    """
    attempts = checked_attempts(attempts)
    return check_frame(pd.DataFrame(_rates(attempts.loc[attempts["null"].astype(str) == ""])))


def _rates(attempts: pd.DataFrame) -> Iterator[dict[str, object]]:
    counted = attempts.assign(right=attempts["response"].astype(str) == attempts["target"].astype(str))
    key = ["set_up", "network", "judge"]
    for place, rows in counted.groupby(key, observed=True)[["right", "score"]]:
        yield {
            **dict(zip(key, map(str, tuple(place)), strict=True)),  # pyright: ignore[reportArgumentType]
            "measure": MARGINAL_RATE,
            "starts": len(rows),
            "rate": float(np.mean(rows["right"])),
            "mean_score": float(np.mean(rows["score"])),
        }
