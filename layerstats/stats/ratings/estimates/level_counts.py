"""Degrees of freedom of estimates from the numbers of raters and clips that they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.stats.ratings.estimates.latent_model import LatentModel

DISTRIBUTIONS = ("normal", "t")
# Of the variance of a random factor.
_NOTHING = 1e-6


@dataclass(frozen=True, eq=False)
class LevelCounts:
    """How many levels of random factors estimates by some columns rest on.

    Attributes
    ----------
    means
        (group,) of each group's mean: levels heard in it, of the factor that has fewest, less one.
    differences
        Of differences between groups: of the factors whose levels are in one group each (clips of one system), or whose
        effects differ between groups (slopes), levels less groups, or less one; infinite without such factors.
    """

    means: np.ndarray
    differences: float


def level_counts(model: LatentModel, by: Sequence[str], groups: pd.DataFrame, distribution: str) -> LevelCounts:
    """Count levels as the rule of inner and outer factors does (Pinheiro & Bates 2000, sec. 2.4.2).

    With "normal" all are infinite, as `ordinal` and emmeans have it. Factors whose levels do not differ count nothing.
    Of means the rule errs on the side of too few.
    """
    unlimited = LevelCounts(np.full(len(groups), np.inf), np.inf)
    if distribution == "normal" or not model.random_codes:
        return unlimited
    names = [model.frame[column].astype(str) for column in by]
    rows = pd.Series(list(zip(*names, strict=True)) if names else [()] * len(model.frame))
    wanted = [tuple(map(str, row)) for row in groups.itertuples(index=False)]
    means, differences = unlimited.means, np.inf
    covariances = model.unpack(model.parameters).covariances
    for codes, slopes, covariance in zip(model.random_codes, model.random_slopes, covariances, strict=True):
        if np.trace(covariance) < _NOTHING:
            continue
        pairs = pd.DataFrame({"level": codes, "group": rows}).drop_duplicates()
        heard = pairs["group"].value_counts()
        own = np.array([float(heard.to_dict().get(group, len(set(codes)))) - 1 for group in wanted])
        means = np.minimum(means, np.maximum(own, 1))
        if len(pairs) == len(set(codes)) and len(heard) > 1:
            differences = min(differences, max(len(pairs) - len(heard), 1))
        elif slopes & set(by):
            differences = min(differences, max(len(set(codes)) - 1, 1))
    return LevelCounts(means, float(differences))
