"""Do maximized inputs travel the path through a network that natural ones do (Geirhos et al. 2023), layer by layer?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.checks import check_choice, check_columns, check_positive
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.lexical.cluster_intervals import cluster_interval
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.one_length import check_one_length
from layerstats.stats.paths.class_similarity import (
    SIMILARITIES,
    Items,
    Similarities,
    draw_items,
    mean_similarities,
    similarity_matrix,
)
from layerstats.store import Experiment
from layerstats.tables import PrintedResult, check_frame

NATURAL = "natural"


@dataclass(frozen=True, eq=False, repr=False)
class PathComparison(PrintedResult):
    """How alike a network's layers are for natural and other inputs of the same words.

    Attributes
    ----------
    table
        A row a network, layer and condition: ``network, network_seed, trained, layer, condition, within, between,
        similarity`` (mean similarities of natural items of one word, of different words, and of the condition's items
        to natural ones of their word), ``path_similarity`` (where the last stands between 0, different words, and 1,
        the same word) with ``conf_low, conf_high, conf_level, interval``, and ``tokens, words, speakers``.
    comparisons
        Differences in path similarity, always ``level_1 - level_2``; "natural" is 1: ``network, network_seed, layer,
        level_1, level_2, diff, std_error, df, statistic, p_value, p_adjusted, conf_low, conf_high``. The family is one
        pair of conditions over the layers of one network.
    words
        By word, without intervals: ``network, network_seed, layer, condition, word, within, between, similarity``.
    notes
        Layers where natural items of one word are no more alike than those of different words, and items of which all
        units give the same.
    """

    main_tables = ("table", "comparisons")
    table: pd.DataFrame
    comparisons: pd.DataFrame
    words: pd.DataFrame
    notes: tuple[str, ...]


def compare_paths(
    experiments: Experiment | Sequence[Experiment],
    conditions: Collection[str] = ("maximized",),
    *,
    words: Collection[str] | None = None,
    layers: Collection[str] | None = None,
    similarity: str = "correlation",
    adjust: AdjustMethod = "holm",
    draws: int = 1000,
    seed: int = 0,
    conf_level: float = 0.95,
) -> PathComparison:
    """Compare what layers give of maximized inputs with what they give of natural ones of the same word.

    At each layer an item is the vector of all units at all times. The similarity of a condition's items to natural
    items of their word is put between that of natural items of different words (0) and of the same word (1), as Geirhos
    et al. do; items of one speaker are not compared. An input that is recognised by another path has a path similarity
    near 0 in the layers where it differs, although the last layer says the same word.

    Intervals resample natural speakers, with all they said and what was made of it, and starts within words; words are
    fixed. How often they hold the true value, simulated, is in ``docs/how-to/exaggeration.md``.

    Parameters
    ----------
    experiments
        Views of recordings that `layerstats.probes.record_heard` wrote, one a network; untrained ones are a null: what
        the inputs alone have in common.
    conditions
        Values of the column ``condition``; the first is compared with the others, which are nulls ("before" is zero
        steps), and with natural items.
    words
        By default all that every condition has.
    layers
        All by default.
    similarity
        "correlation", "rank" or "cosine", see `similarity_matrix`.
    adjust
        How p-values are adjusted, over layers.
    draws, seed, conf_level
        Of the bootstrap and its intervals.

    Returns
    -------
    PathComparison

    Raises
    ------
    ArgumentError
        A condition, word or layer does not exist.
    DataError
        There are fewer than two words or three natural speakers, or all units of a layer give the same for a natural
        item.

    References
    ----------
    Geirhos et al. (2023), Don't trust your eyes: on the (un)reliability of feature visualizations, section 3.

    Examples
    --------
    >>> from layerstats.store import open_store
    >>> compare_paths(open_store("heard.zarr"), ["maximized", "before"]).table["condition"].tolist()
    ['maximized', 'before']
    """
    check_choice("similarity", similarity, SIMILARITIES)
    check_positive("draws", draws)
    if not 0 < conf_level < 1:
        raise ArgumentError(f"The 'conf_level' parameter must be between 0 and 1, but got {conf_level!r} instead.")
    views = [experiments] if isinstance(experiments, Experiment) else list(experiments)
    conditions = list(dict.fromkeys(conditions))
    if not views or not conditions or NATURAL in conditions:
        raise ArgumentError("Give at least one recording and one condition other than 'natural'.")
    rows, comparisons, by_word, notes = [], [], [], []
    for view in views:
        chosen = _Chosen.of(view, conditions, words)
        weights = draw_items(chosen.items, draws, np.random.default_rng(seed))
        for layer in _layers(view, layers):
            matrix, still = similarity_matrix(chosen.values(layer), similarity)
            notes += chosen.without_pattern(still, layer)
            found = {name: chosen.measure(matrix, name, weights) for name in conditions}
            names = {**_network(view), "layer": layer}
            rows += [{**names, **chosen.row(name, *found[name], conf_level)} for name in conditions]
            comparisons += [{**names, **row} for row in chosen.compare(found, conf_level)]
            by_word += [{**names, **row} for name in conditions for row in chosen.by_word(name, found[name][0])]
            if np.isnan(found[conditions[0]][0].normalised[0]):
                notes.append(
                    f"{layer} of {names['network']}: natural items of one word are no more alike than those of "
                    "different words, so that nothing lies between."
                )
    table = pd.DataFrame(comparisons)
    families = [
        f"{row['level_1']} - {row['level_2']}, {row['network']} {row['network_seed']}, over layers"
        for row in comparisons
    ]
    table = adjust_p_values(table, families, method=adjust)
    return PathComparison(
        check_frame(pd.DataFrame(rows)), check_frame(table), check_frame(pd.DataFrame(by_word)), tuple(notes)
    )


def _layers(view: Experiment, layers: Collection[str] | None) -> list[str]:
    for layer in layers or ():
        check_choice("layers", layer, view.layers)
    return list(layers or view.layers)


def _network(view: Experiment) -> dict[str, object]:
    attributes = view.attrs
    return {
        "network": str(attributes.get("network", attributes.get("network_kind", view.name))),
        "network_seed": int(attributes.get("network_seed", 0)),
        "trained": bool(view.trained),
    }


@dataclass(frozen=True, eq=False)
class _Chosen:
    """The items of a recording that are compared."""

    view: Experiment
    places: np.ndarray
    items: Items
    words: tuple[str, ...]
    conditions: tuple[str, ...]

    @classmethod
    def of(cls, view: Experiment, conditions: Sequence[str], words: Collection[str] | None) -> _Chosen:
        table = view.tokens
        check_columns(table, ["token", "word", "speaker", "condition"], f"the tokens table of {view.path.name}")
        every = [NATURAL, *conditions]
        heard = {name: set(table.loc[table["condition"] == name, "word"]) for name in every}
        for name, of in heard.items():
            if not of:
                known = ", ".join(map(repr, sorted(set(table["condition"]))))
                raise ArgumentError(f"There are no items of condition {name!r} in {view.path.name}; there are {known}.")
        common = sorted(set.intersection(*heard.values()))
        for word in words or ():
            check_choice("words", word, common)
        used = sorted(set(words)) if words is not None else common
        keep = table["word"].isin(used).to_numpy() & table["condition"].isin(every).to_numpy()
        tokens = table.loc[keep]
        items = Items(
            words=pd.Categorical(tokens["word"], categories=used).codes.astype(int),
            speakers=np.unique(tokens["speaker"].astype(str), return_inverse=True)[1],
            condition=pd.Categorical(tokens["condition"], categories=every).codes.astype(int),
        )
        speakers = len(np.unique(items.speakers[items.condition == 0]))
        if len(used) < 2 or speakers < 3:
            raise DataError(
                f"Paths are compared between words and between speakers: two words and three natural speakers or more "
                f"are needed, but there are {len(used)} and {speakers}."
            )
        return cls(view, np.flatnonzero(keep), items, tuple(used), tuple(every))

    @property
    def speakers(self) -> int:
        return len(np.unique(self.items.speakers[self.items.condition == 0]))

    def values(self, layer: str) -> np.ndarray:
        """Return what a layer gives of the items, (item, unit): its maps, else the series that stands for it."""
        check_one_length(self.view, "Paths")
        dataset = self.view.layer(layer)
        array = dataset["maps"] if "maps" in dataset else dataset[self.view.summary]
        return array.isel(token=self.places).to_numpy().reshape(len(self.places), -1)

    def without_pattern(self, still: np.ndarray, layer: str) -> list[str]:
        """Say how many items have no pattern at a layer, of whatever condition; of natural ones none may lack it."""
        if still[self.items.rows(0)].any():
            raise DataError(
                f"All units of layer {layer!r} give the same for {int(still[self.items.rows(0)].sum())} natural items: "
                "they have no pattern to compare. Leave the layer out with layers=."
            )
        counts = {name: int(still[self.items.rows(number)].sum()) for number, name in enumerate(self.conditions)}
        return [
            f"All units of {layer} give the same for {count} items ({name}): they count as like nothing."
            for name, count in counts.items()
            if count
        ]

    def measure(self, matrix: np.ndarray, condition: str, weights: np.ndarray) -> tuple[Similarities, np.ndarray]:
        """Return the similarities of a condition, and the normalised ones of each draw, (draw,)."""
        number = self.conditions.index(condition)
        observed = mean_similarities(matrix, self.items, number, np.ones((1, len(self.places))))
        if np.isnan(observed.others).any() or np.isnan(observed.within).any():
            word = self.words[int(np.isnan(observed.others + observed.within).argmax())]
            raise DataError(
                f"The word {word!r} has no two items by different speakers to compare ({condition}). Add tokens by "
                "other speakers, or name other words."
            )
        drawn = mean_similarities(matrix, self.items, number, weights)
        # A word of which a draw has no pair counts in that draw as it was observed.
        parts = [
            np.where(np.isnan(of), at, of) for of, at in zip(vars(drawn).values(), vars(observed).values(), strict=True)
        ]
        return observed, Similarities(*parts).normalised

    def row(self, condition: str, observed: Similarities, drawn: np.ndarray, conf_level: float) -> dict[str, object]:
        low, high = _ends(observed.normalised[0], drawn, self.speakers, conf_level)
        return {
            "condition": condition,
            **{name: float(getattr(observed, name).mean()) for name in ("within", "between")},
            "similarity": float(observed.others.mean()),
            "path_similarity": float(observed.normalised[0]),
            "conf_low": low,
            "conf_high": high,
            "conf_level": conf_level,
            "interval": "bootstrap",
            "tokens": int(np.sum(self.items.condition == self.conditions.index(condition))),
            "words": len(self.words),
            "speakers": self.speakers,
        }

    def by_word(self, condition: str, observed: Similarities) -> list[dict[str, object]]:
        return [
            {
                "condition": condition,
                "word": word,
                "within": float(observed.within[0, number]),
                "between": float(observed.between[0, number]),
                "similarity": float(observed.others[0, number]),
            }
            for number, word in enumerate(self.words)
        ]

    def compare(self, found: dict[str, tuple[Similarities, np.ndarray]], conf_level: float) -> list[dict[str, object]]:
        """Compare the first condition with natural items and with the other conditions."""
        (first, (similarities, drawn)), *others = found.items()
        value = similarities.normalised[0]
        pairs = [(NATURAL, 1.0, np.ones(len(drawn)))]
        pairs += [(name, of.normalised[0], draws) for name, (of, draws) in others]
        rows = []
        for name, other, draws in pairs:
            diff, spread = float(value - other), drawn - draws
            low, high = _ends(diff, spread, self.speakers, conf_level)
            widening = np.sqrt(self.speakers / (self.speakers - 1))
            error = float(widening * np.nanstd(spread, ddof=1)) if np.isfinite(diff) else np.nan
            statistic = diff / error if error > 0 else np.nan
            rows.append(
                {
                    "level_1": first,
                    "level_2": name,
                    "diff": diff,
                    "std_error": error,
                    "df": float(self.speakers - 1),
                    "statistic": statistic,
                    "p_value": float(2 * stats.t.sf(abs(statistic), self.speakers - 1)),
                    "conf_low": low,
                    "conf_high": high,
                    "conf_level": conf_level,
                }
            )
        return rows


def _ends(value: float, drawn: np.ndarray, clusters: int, conf_level: float) -> tuple[float, float]:
    if not np.isfinite(value):
        return np.nan, np.nan
    low, high = cluster_interval(np.array([value]), drawn[:, None], clusters, conf_level, (-np.inf, np.inf))
    return float(low[0]), float(high[0])
