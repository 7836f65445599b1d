"""Mel spectrograms of natural and of maximized items, as a store holds them, measured."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from layerstats.checks import check_columns
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.exaggeration.mel_measures import MelMeasures, mel_measures
from layerstats.stats.exaggeration.mel_settings import MelSettings

if TYPE_CHECKING:
    from layerstats.store import Experiment

# The layer that holds what a network heard, and the values of the column `condition`.
FEATURES = "features"
NATURAL, MAXIMIZED = "natural", "maximized"
# Fewer have no spread worth the name.
LEAST_ITEMS = 3


@dataclass(frozen=True, eq=False)
class FeatureItems:
    """Items of two conditions of one word or several.

    Attributes
    ----------
    tokens
        A row an item: ``token, word, speaker, condition, pair``. Items with one name in `pair` belong together: a
        natural token and what was made of it, a start before and after its steps. Starts from noise are speakers of
        their own.
    measures
        Of the items, in the same order.
    silent
        ``token, word, condition`` of the items that were left out since no frame of them is speech.
    """

    tokens: pd.DataFrame
    measures: MelMeasures
    silent: pd.DataFrame

    def rows(self, word: str, condition: str) -> np.ndarray:
        """Return the positions of the items of a word and condition."""
        return np.flatnonzero(((self.tokens["word"] == word) & (self.tokens["condition"] == condition)).to_numpy())

    def spread_of(self, word: str, reference: str) -> str:
        """Return the condition whose spread differences are measured in: natural where it is there."""
        return NATURAL if len(self.rows(word, NATURAL)) else reference

    def compared(self, word: str, condition: str, reference: str) -> tuple[np.ndarray, np.ndarray, bool]:
        """Return the items of two conditions of a word, and whether they are in pairs.

        They are where the two conditions have pairs in common; items whose pair is missing are left out then.
        """
        ours, theirs = self.rows(word, condition), self.rows(word, reference)
        pairs = self.tokens["pair"].to_numpy()
        common = (set(pairs[ours]) & set(pairs[theirs])) - {""}
        if not common:
            return ours, theirs, False
        both = [rows[np.isin(pairs[rows].astype(str), sorted(common))] for rows in (ours, theirs)]
        return both[0], both[1], True


def feature_items(
    experiment: Experiment, words: Collection[str] | None = None, conditions: Collection[str] = (MAXIMIZED, NATURAL)
) -> FeatureItems:
    """Read and measure the items of a store that `layerstats.probes.record_heard` wrote.

    Raises
    ------
    ArgumentError
        A word or a condition does not occur.
    DataError
        The store has no features or does not say of which front end, or a natural token is silent.
    """
    table = experiment.tokens
    check_columns(table, ["token", "word", "speaker", "condition"], f"the tokens table of {experiment.path.name}")
    for column, wanted in (("condition", conditions), ("word", words or ())):
        known = sorted(set(table[column].astype(str)))
        missing = [value for value in wanted if value not in known]
        if missing:
            raise ArgumentError(
                f"There are no items of {column} {', '.join(map(repr, missing))} in {experiment.path.name}. There are: "
                f"{', '.join(known)}."
            )
    if FEATURES not in experiment.layers:
        raise DataError(
            f"{experiment.path.name} holds no {FEATURES!r}: its layers are {', '.join(experiment.layers)}. Record what "
            "the network heard with layerstats.probes.record_heard."
        )
    settings = MelSettings.read(experiment.recording_attrs, f"The recording of {experiment.path.name}")
    keep = table["condition"].isin(list(conditions)).to_numpy()
    if words is not None:
        keep = keep & table["word"].isin(list(words)).to_numpy()
    maps = experiment.layer(FEATURES)["maps"]
    features = maps.isel(token=np.flatnonzero(keep)).transpose("token", "sample", "channel").to_numpy()
    tokens = pd.DataFrame(table.loc[keep]).reset_index(drop=True)
    pairs = tokens["pair"].fillna("").astype(str) if "pair" in tokens else ""
    tokens = tokens.assign(pair=pairs).loc[:, ["token", "word", "speaker", "condition", "pair"]]
    return _without_silent(tokens, features, settings)


def _without_silent(tokens: pd.DataFrame, features: np.ndarray, settings: MelSettings) -> FeatureItems:
    """Leave items out that are silent; natural speech is not."""
    measures = mel_measures(features, settings)
    quiet = measures.duration_s == 0
    natural = quiet & (tokens["condition"] == NATURAL).to_numpy()
    if natural.any():
        first = tokens["token"].iloc[int(natural.argmax())]
        raise DataError(
            f"{int(natural.sum())} natural tokens are silent, for instance {first!r}: their "
            "features are at the floor of the front end. Leave them out, with damaged='skip' of the corpus."
        )
    silent = pd.DataFrame(tokens.loc[quiet, ["token", "word", "condition"]]).reset_index(drop=True)
    if quiet.any():
        tokens, features = pd.DataFrame(tokens.loc[~quiet]).reset_index(drop=True), features[~quiet]
        measures = mel_measures(features, settings)
    return FeatureItems(tokens, measures, silent)


def check_enough(items: FeatureItems, word: str, conditions: Collection[str]) -> None:
    """Raise `DataError` where a word has fewer than three independent items of a condition.

    Independent are natural tokens of different speakers, and starts.
    """
    for condition in conditions:
        count = items.tokens["speaker"].iloc[items.rows(word, condition)].nunique()
        if count < LEAST_ITEMS:
            raise DataError(
                f"The word {word!r} has {condition} items by {count} speakers or starts, but at least {LEAST_ITEMS} "
                "are needed to know how far they lie apart. Add tokens, or name other words."
            )


def words_of_both(items: FeatureItems, conditions: Collection[str]) -> list[str]:
    """Return the words that occur in every condition, sorted.

    Raises
    ------
    DataError
        There are none.
    """
    tokens = items.tokens
    found = set.intersection(*(set(tokens.loc[tokens["condition"] == one, "word"]) for one in conditions))
    if not found:
        raise DataError(f"No word has items of all of {', '.join(map(repr, conditions))}: there is nothing to compare.")
    return sorted(found)


def left_out(items: FeatureItems) -> tuple[str, ...]:
    """Say which items were left out, as the notes of a result."""
    if items.silent.empty:
        return ()
    return (f"{len(items.silent)} items are silent: they were left out.",)
