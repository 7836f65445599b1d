"""Tables of what probes read: estimates a layer, differences from what a network is held against, and chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.null import compare_with_untrained
from layerstats.stats.representations.adjusted_draws import adjusted_by_draws
from layerstats.stats.representations.labelled_vectors import ACOUSTICS, ComparedNetworks
from layerstats.stats.representations.speaker_estimates import SpeakerCounts, SpeakerEstimate, mean_estimate
from layerstats.tables import check_frame

BALANCED, ACCURACY = "balanced accuracy", "accuracy"
MEASURES = (BALANCED, ACCURACY)
TRAINED, UNTRAINED, CONTROL = "trained", "untrained", "control task"
_LIMITS = (0.0, 1.0)


@dataclass(frozen=True, eq=False)
class ProbedLayer:
    """What probes of one layer of one recording found.

    Attributes
    ----------
    counts, permuted, controls
        With the true labels, with permuted ones, with those of control tasks.
    confusions
        (level, predicted) phones.
    fold_sizes
        (fold, 2) speakers and phones of each fold.
    chosen
        (fold,) inverse penalties.
    unfinished
        Fits that had not converged.
    """

    counts: SpeakerCounts
    permuted: tuple[SpeakerCounts, ...]
    controls: tuple[SpeakerCounts, ...]
    confusions: np.ndarray
    fold_sizes: np.ndarray
    chosen: np.ndarray
    unfinished: int


@dataclass(frozen=True, eq=False)
class Probed:
    """Every layer of every recording, by (recording, layer)."""

    networks: ComparedNetworks
    results: Mapping[tuple[str, str], ProbedLayer]

    def of_network(self) -> Iterator[tuple[str, ProbedLayer]]:
        """Yield the layers of the network."""
        for layer, vectors in self.networks.network.items():
            yield layer, self.results[vectors.recording, layer]

    def of_twins(self, layer: str) -> list[ProbedLayer]:
        """Return a layer of every untrained twin."""
        return [self.results[name, layer] for name in self.networks.untrained]


def probe_tables(
    probed: Probed, levels: tuple[str, ...], column: str, folds: int, conf_level: float, adjust: AdjustMethod
) -> dict[str, pd.DataFrame]:
    """Return the tables of a `PhoneProbe`, by the names of its attributes."""
    return {
        "table": _main(probed, levels, column, folds, conf_level, adjust),
        "comparisons": _comparisons(probed, column, folds, conf_level, adjust),
        "networks": _networks(probed, folds, conf_level),
        "confusions": _confusions(probed, levels),
        "folds": _folds(probed),
    }


def measured(counts: SpeakerCounts, measure: str, folds: int) -> SpeakerEstimate:
    """Return a measure of held-out phones, with the standard error of cross-validation."""
    own = counts.balanced_accuracy() if measure == BALANCED else counts.accuracy()
    return own.held_out(folds)


def _main(
    probed: Probed, levels: tuple[str, ...], column: str, folds: int, conf_level: float, adjust: AdjustMethod
) -> pd.DataFrame:
    tables = []
    for measure in MEASURES:
        rows, draws = [], []
        for layer, result in probed.of_network():
            own = measured(result.counts, measure, folds)
            permuted = np.array([measured(one, measure, folds).estimate for one in result.permuted])
            rows.append(
                {"layer": layer, "measure": measure, **_estimate(own, conf_level, len(levels), permuted, measure)}
            )
            draws.append(np.concatenate([[own.estimate], permuted]))
        size = next(result.counts.phones for _, result in probed.of_network())
        table = pd.DataFrame(rows).assign(levels=len(levels), phones=int(size.sum()), speakers=len(size))
        tables.append(adjusted_by_draws(table, np.stack(draws, axis=1), f"{measure} of {column} over layers", adjust))
    table = pd.concat(tables, ignore_index=True)
    order = {layer: number for number, layer in enumerate(probed.networks.network)}
    return check_frame(table.sort_values("layer", key=lambda names: names.map(order), kind="stable", ignore_index=True))


def _estimate(
    own: SpeakerEstimate, conf_level: float, levels: int, permuted: np.ndarray, measure: str
) -> dict[str, object]:
    low, high = own.interval(conf_level, _LIMITS)
    tail = (1 - conf_level) / 2
    drawn = np.quantile(permuted, [tail, 1 - tail]) if len(permuted) else np.full(2, np.nan)
    by_guessing = 1 / levels if measure == BALANCED else np.nan
    chance = float(permuted.mean()) if len(permuted) else by_guessing
    against = own.minus(chance)
    return {
        "estimate": own.estimate,
        "std_error": own.std_error,
        "df": float(own.df),
        "conf_low": low,
        "conf_high": high,
        "conf_level": conf_level,
        "chance": chance,
        "chance_low": drawn[0],
        "chance_high": drawn[1],
        "statistic": against.statistic,
        "p_value": against.p_value if np.isfinite(chance) else np.nan,
    }


def _comparisons(probed: Probed, column: str, folds: int, conf_level: float, adjust: AdjustMethod) -> pd.DataFrame:
    columns = ["layer", "measure", "level_1", "level_2", "diff", "std_error", "df", "statistic", "p_value"]
    columns += ["conf_low", "conf_high", "conf_level"]
    rows = [row for measure in MEASURES for row in _differences(probed, measure, folds, conf_level)]
    table = pd.DataFrame(rows, columns=columns)
    families = [f"{row['measure']} of {column}, trained - {row['level_2']}, over layers" for row in rows]
    table = adjust_p_values(table, families, method=adjust) if rows else table
    ranks = [_ranked(probed, measure, folds) for measure in MEASURES] if probed.networks.untrained else []
    return check_frame(
        table if not ranks else table.merge(pd.concat(ranks), on=["layer", "measure", "level_2"], how="left")
    )


def _differences(probed: Probed, measure: str, folds: int, conf_level: float) -> Iterator[dict[str, object]]:
    for layer, result in probed.of_network():
        own = measured(result.counts, measure, folds)
        for name, other in _held_against(probed, layer, result, measure, folds):
            diff = own.minus(other)
            low, high = diff.interval(conf_level)
            yield {
                "layer": layer,
                "measure": measure,
                "level_1": TRAINED,
                "level_2": name,
                "diff": diff.estimate,
                "std_error": diff.std_error,
                "df": float(diff.df),
                "statistic": diff.statistic,
                "p_value": diff.p_value,
                "conf_low": low,
                "conf_high": high,
                "conf_level": conf_level,
            }


def _held_against(
    probed: Probed, layer: str, result: ProbedLayer, measure: str, folds: int
) -> Iterator[tuple[str, SpeakerEstimate]]:
    twins = probed.of_twins(layer)
    if twins:
        yield UNTRAINED, mean_estimate([measured(one.counts, measure, folds) for one in twins])
    sounds = probed.networks.acoustics
    for name, vectors in sounds.items():
        counts = probed.results[vectors.recording, vectors.layer].counts
        yield ACOUSTICS if len(sounds) == 1 else f"{ACOUSTICS}: {name}", measured(counts, measure, folds)
    if result.controls:
        yield CONTROL, mean_estimate([measured(one, measure, folds) for one in result.controls])


def _ranked(probed: Probed, measure: str, folds: int) -> pd.DataFrame:
    """Return the rank of the network among untrained ones, a row a layer."""
    rows = []
    for layer, result in probed.of_network():
        named = {"": result, **dict(zip(probed.networks.untrained, probed.of_twins(layer), strict=True))}
        rows += [(layer, name, not name, measured(one.counts, measure, folds).estimate) for name, one in named.items()]
    effects = pd.DataFrame(rows, columns=["layer", "recording", "trained", "effect_size"])
    null = compare_with_untrained(effects).loc[:, ["layer", "null_p_value", "null_p_adjusted", "null_recordings"]]
    return null.assign(measure=measure, level_2=UNTRAINED)


def _networks(probed: Probed, folds: int, conf_level: float) -> pd.DataFrame:
    rows = []
    for vectors in probed.networks.every():
        for measure in MEASURES:
            own = measured(probed.results[vectors.recording, vectors.layer].counts, measure, folds)
            low, high = own.interval(conf_level, _LIMITS)
            rows.append(
                {
                    "layer": vectors.layer,
                    "recording": vectors.recording,
                    "network_kind": vectors.network_kind,
                    "trained": vectors.trained,
                    "measure": measure,
                    "estimate": own.estimate,
                    "conf_low": low,
                    "conf_high": high,
                    "conf_level": conf_level,
                }
            )
    return check_frame(pd.DataFrame(rows))


def _confusions(probed: Probed, levels: tuple[str, ...]) -> pd.DataFrame:
    names = np.array(levels, dtype=object)
    tables = [
        pd.DataFrame(
            {
                "layer": layer,
                "level": np.repeat(names, len(names)),
                "predicted": np.tile(names, len(names)),
                "phones": result.confusions.ravel(),
            }
        )
        for layer, result in probed.of_network()
    ]
    return check_frame(pd.concat(tables, ignore_index=True))


def _folds(probed: Probed) -> pd.DataFrame:
    tables = [
        pd.DataFrame(
            {
                "layer": layer,
                "recording": recording,
                "fold": np.arange(len(result.chosen)),
                "speakers": result.fold_sizes[:, 0],
                "phones": result.fold_sizes[:, 1],
                "inverse_penalty": result.chosen,
            }
        )
        for (recording, layer), result in probed.results.items()
    ]
    return check_frame(pd.concat(tables, ignore_index=True))
