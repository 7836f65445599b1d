"""What is known of one layer after its models are fitted, whichever two sides a contrast is compared between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from layerstats.stats.contrasts.curves import GroupCurves, IntervalOptions, curve_effect, curve_table, difference_tables
from layerstats.stats.effect_sizes import TokenSpread

# Fewer series of a cell have no spread worth the name.
LEAST_SERIES = 3


@dataclass(frozen=True, eq=False)
class LayerComparison:
    """A contrast of contrasts at one layer.

    Attributes
    ----------
    tests
        See `difference_tests`, of the double difference.
    names
        The levels of the contrast, ``level_1 - level_2``.
    sides
        For each side, the first first: the curves of both levels, and the spread that effects are measured by.
    double
        As curves of two "groups", the sides: the contrast in each, so that their difference is the double difference.
    spread
        Of tokens, which the effect size of the double difference is measured by.
    note
        What is to be said of this layer.
    """

    tests: dict[str, float]
    names: tuple[str, str]
    sides: Mapping[str, tuple[GroupCurves, TokenSpread]]
    double: GroupCurves
    spread: TokenSpread
    note: str

    def curves(self, options: IntervalOptions) -> pd.DataFrame:
        """Return the curve of every cell with its interval: ``by_level, group, <axis>, fit, ...``."""
        tables = {side: curve_table(curves, options, "group") for side, (curves, _) in self.sides.items()}
        return _by_side(tables)

    def contrasts(self, options: IntervalOptions) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the difference curves of each side, and where their intervals exclude zero."""
        parts = {side: difference_tables(curves, [self.names], options) for side, (curves, _) in self.sides.items()}
        curves = _by_side({side: tables[0] for side, tables in parts.items()})
        return curves, _by_side({side: tables[1] for side, tables in parts.items()})

    def double_difference(self, options: IntervalOptions) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the double-difference curve, the first side minus the second, and its stretches."""
        first, second = self.sides
        return difference_tables(self.double, [(first, second)], options)

    def effects(self, options: IntervalOptions) -> pd.DataFrame:
        """Return the effect size of the contrast on each side, and of the double difference in the last row."""
        first, second = self.sides
        # The same draws whichever way round.
        low, high = sorted(self.names)
        turn = 1.0 if self.names == (low, high) else -1.0
        rows = []
        for side, (curves, spread) in self.sides.items():
            size = curve_effect(curves.matrices[low] - curves.matrices[high], curves, spread, options)
            rows.append((side, *self.names, size.estimate, size.conf_low, size.conf_high))
        left, right = sorted((first, second))
        matrix = turn * (self.double.matrices[left] - self.double.matrices[right])
        size = curve_effect(matrix, self.double, self.spread, options)
        rows.append(("difference", first, second, size.estimate, size.conf_low, size.conf_high))
        columns = ["by_level", "level_1", "level_2", "effect_size", "effect_conf_low", "effect_conf_high"]
        return pd.DataFrame(rows, columns=columns).assign(conf_level=options.conf_level)


def _by_side(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    parts = [table.assign(by_level=side).loc[:, ["by_level", *table.columns]] for side, table in tables.items()]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]


def count_cells(frame: pd.DataFrame, identifier: str, group: str, by: str) -> pd.DataFrame:
    """Return ``by_level, level, tokens, speakers`` of each cell."""
    each = frame.drop_duplicates(identifier)
    cells = pd.DataFrame({"by_level": each[by], "level": each[group], "speaker": each["speaker"]})
    counts = cells.groupby(["by_level", "level"])["speaker"].agg(tokens="size", speakers="nunique")
    return pd.DataFrame(counts.reset_index())
