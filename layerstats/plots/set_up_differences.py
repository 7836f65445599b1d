"""Which set-up has more success, by whom? Paired differences with their intervals."""

from __future__ import annotations

import pandas as pd
from plotnine import aes, coord_flip, facet_wrap, geom_errorbar, geom_hline, geom_point, geom_text, ggplot, labs

from layerstats.plots.frames import checked, count, in_order
from layerstats.plots.theme import PAGE_WIDTH, paper_theme
from layerstats.tables.format import format_value

REQUIRED_COLUMNS = ("set_up_1", "set_up_2", "measure", "judge", "difference", "conf_low", "conf_high", "p_adjusted")


def set_up_differences(comparisons: pd.DataFrame) -> ggplot:
    """Draw differences in success between set-ups, a panel a pair, a line a measure and judge.

    Parameters
    ----------
    comparisons : columns `set_up_1, set_up_2, measure, judge, difference, conf_low, conf_high, p_adjusted`
        As from `layerstats.stats.success.compare_set_ups`; several below each other.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    table = checked(comparisons, REQUIRED_COLUMNS, "set_up_differences")
    names = [f"{measure}, {judge}" for measure, judge in zip(table["measure"], table["judge"], strict=True)]
    pairs = [f"{one} \N{MINUS SIGN} {two}" for one, two in zip(table["set_up_1"], table["set_up_2"], strict=True)]
    p_values = [format_value(float(value), "p") for value in table["p_adjusted"]]
    order = list(dict.fromkeys(names))
    data = table.assign(
        line=pd.Categorical(names, categories=order[::-1]),
        pair=in_order(pd.Series(pairs)),
        p=[f"p {text}" if text[0] == "<" else f"p = {text}" for text in p_values],
    )
    panels = count(pd.Series(data["pair"]))
    beside = min(2, panels)
    return (
        ggplot(data, aes("line", "difference"))
        + geom_hline(yintercept=0, color="#7f7f7f", size=0.4)
        + geom_errorbar(aes(ymin="conf_low", ymax="conf_high"), width=0, size=0.6)
        + geom_point(size=1.8)
        + geom_text(aes(label="p"), nudge_x=0.32, size=6)
        + coord_flip()
        + facet_wrap("pair", ncol=beside)
        + labs(
            x="",
            y="Difference in success",
            caption="The first set-up minus the second, with intervals;\np is adjusted over the lines of a panel.",
        )
        + paper_theme(PAGE_WIDTH if beside > 1 else 5.5, 1.2 + -(-panels // beside) * (0.3 + 0.32 * len(order)))
    )
