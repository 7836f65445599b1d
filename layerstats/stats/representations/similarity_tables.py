"""Tables of similarities of layers: estimates a pair, differences from untrained networks, and chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.representations.adjusted_draws import adjusted_by_draws
from layerstats.stats.representations.labelled_vectors import LayerVectors
from layerstats.stats.representations.speaker_estimates import SpeakerEstimate, jackknife_estimate, mean_estimate
from layerstats.tables import check_frame

TRAINED, UNTRAINED = "trained", "untrained"
_LIMITS = (-1.0, 1.0)
_PAIR = ["layer_1", "recording_2", "layer_2"]


@dataclass(frozen=True, eq=False)
class PairOfLayers:
    """Two layers that are compared; `untrained` is the name of the twin that the first is of, or empty."""

    first: LayerVectors
    second: LayerVectors
    untrained: str = ""

    @property
    def names(self) -> dict[str, str]:
        """``recording_1, layer_1, recording_2, layer_2``."""
        return {
            "recording_1": self.first.recording,
            "layer_1": self.first.layer,
            "recording_2": self.second.recording,
            "layer_2": self.second.layer,
        }


@dataclass(frozen=True, eq=False)
class Similar:
    """The similarity of a pair.

    Attributes
    ----------
    without
        (1 + speaker,) of all phones, and without each speaker.
    permuted
        (permutation,)
    """

    pair: PairOfLayers
    without: np.ndarray
    permuted: np.ndarray

    @property
    def estimate(self) -> SpeakerEstimate:
        """With the jackknife's standard error over speakers."""
        return jackknife_estimate(self.without)


def similarity_tables(
    similar: Sequence[Similar], measure: str, phones: int, conf_level: float, adjust: AdjustMethod
) -> dict[str, pd.DataFrame]:
    """Return the tables of a `LayerSimilarity`, by the names of its attributes."""
    return {
        "table": _main([one for one in similar if not one.pair.untrained], measure, phones, conf_level, adjust),
        "comparisons": _comparisons(similar, measure, conf_level, adjust),
        "networks": _networks(similar, measure, conf_level),
    }


def _main(
    similar: Sequence[Similar], measure: str, phones: int, conf_level: float, adjust: AdjustMethod
) -> pd.DataFrame:
    tail = (1 - conf_level) / 2
    rows = []
    for one in similar:
        own, drawn = one.estimate, one.permuted
        low, high = own.interval(conf_level, _LIMITS)
        chance = float(drawn.mean()) if len(drawn) else 0.0
        ends = np.quantile(drawn, [tail, 1 - tail]) if len(drawn) else np.full(2, np.nan)
        rows.append(
            {
                **one.pair.names,
                "measure": measure,
                "estimate": own.estimate,
                "std_error": own.std_error,
                "df": float(own.df),
                "conf_low": low,
                "conf_high": high,
                "conf_level": conf_level,
                "chance": chance,
                "chance_low": ends[0],
                "chance_high": ends[1],
                "statistic": own.minus(chance).statistic,
                "p_value": own.minus(chance).p_value,
            }
        )
    draws = np.stack([np.concatenate([one.without[:1], one.permuted]) for one in similar], axis=1)
    table = adjusted_by_draws(pd.DataFrame(rows), draws, f"{measure} over pairs of layers", adjust)
    return check_frame(table.assign(phones=phones, speakers=len(similar[0].without) - 1))


def _comparisons(similar: Sequence[Similar], measure: str, conf_level: float, adjust: AdjustMethod) -> pd.DataFrame:
    columns = [*_PAIR, "measure", "level_1", "level_2", "diff", "std_error", "df", "statistic", "p_value"]
    columns += ["conf_low", "conf_high", "conf_level", "null_p_value", "null_recordings"]
    twins: dict[tuple[str, ...], list[SpeakerEstimate]] = {}
    for one in similar:
        if one.pair.untrained:
            twins.setdefault(_place(one.pair), []).append(one.estimate)
    rows = []
    for one in (one for one in similar if not one.pair.untrained and twins):
        place = _place(one.pair)
        diff = one.estimate.minus(mean_estimate(twins[place]))
        low, high = diff.interval(conf_level)
        rows.append(
            {
                **dict(zip(_PAIR, place, strict=True)),
                "recording_2": one.pair.second.recording,
                "measure": measure,
                "level_1": TRAINED,
                "level_2": UNTRAINED,
                "diff": diff.estimate,
                "std_error": diff.std_error,
                "df": float(diff.df),
                "statistic": diff.statistic,
                "p_value": diff.p_value,
                "conf_low": low,
                "conf_high": high,
                "conf_level": conf_level,
                "null_p_value": _rank(one.estimate.estimate, [twin.estimate for twin in twins[place]]),
                "null_recordings": len(twins[place]),
            }
        )
    table = pd.DataFrame(rows, columns=columns)
    if not rows:
        return check_frame(table)
    family = f"{measure}, trained - untrained, over pairs of layers"
    ranks = adjust_p_values(table, family, method=adjust, column="null_p_value", adjusted="null_p_adjusted")
    table = adjust_p_values(table, family, method=adjust).assign(null_p_adjusted=ranks["null_p_adjusted"])
    return check_frame(table)


def _place(pair: PairOfLayers) -> tuple[str, str, str]:
    """Return what a pair of the network and those of its twins have in common."""
    within = pair.second.recording == pair.first.recording
    return pair.first.layer, "" if within else pair.second.recording, pair.second.layer


def _rank(trained: float, untrained: Sequence[float]) -> float:
    """Return the p-value of the network's rank among networks, itself counted, both ways."""
    others = np.asarray(untrained)
    larger, smaller = (1 + np.sum(others >= trained)), (1 + np.sum(others <= trained))
    return float(min(1.0, 2 * min(larger, smaller) / (1 + len(others))))


def _networks(similar: Sequence[Similar], measure: str, conf_level: float) -> pd.DataFrame:
    rows = []
    for one in similar:
        low, high = one.estimate.interval(conf_level, _LIMITS)
        rows.append(
            {
                **one.pair.names,
                "trained": one.pair.first.trained,
                "measure": measure,
                "estimate": one.estimate.estimate,
                "conf_low": low,
                "conf_high": high,
                "conf_level": conf_level,
            }
        )
    return check_frame(pd.DataFrame(rows))
