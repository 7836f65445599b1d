"""Which condition is rated higher? Differences with intervals, and the margin within which they are equivalent."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    annotate,
    coord_flip,
    facet_wrap,
    geom_hline,
    geom_linerange,
    geom_point,
    geom_text,
    ggplot,
    labs,
    scale_x_discrete,
)

from layerstats.plots.frames import checked, column, count, in_order
from layerstats.plots.theme import BAND, PAGE_WIDTH, paper_theme
from layerstats.tables.format import format_value

REQUIRED_COLUMNS = ("level_1", "level_2", "conf_low", "conf_high", "p_adjusted")


def rating_contrasts(
    contrasts: pd.DataFrame,
    *,
    panel: str | None = None,
    margin: float | None = None,
    estimate: str = "estimate",
    title: str = "Difference in mean rating",
    caption: str = "",
) -> ggplot:
    """Draw differences between conditions, level_1 minus level_2, with intervals and adjusted p-values.

    Parameters
    ----------
    contrasts : columns `level_1, level_2, estimate, conf_low, conf_high, p_adjusted`
        As from `layerstats.stats.compare_conditions` or the contrasts of a mixed model.
    panel
        Column whose levels have a panel each, with an axis of its own.
    margin
        Conditions that differ by less are equivalent: drawn as a band about zero.
    estimate
        Column of the differences.
    title
        Of the axis of differences.
    caption
        Below the figure.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    table = checked(contrasts, [*REQUIRED_COLUMNS, estimate, *([panel] if panel else [])], "rating_contrasts")
    pairs = [f"{one} \N{MINUS SIGN} {two}" for one, two in zip(table["level_1"], table["level_2"], strict=True)]
    p_values = [format_value(float(value), "p") for value in table["p_adjusted"]]
    order = list(dict.fromkeys(pairs))
    data = table.assign(
        _pair=pd.Categorical(pairs, categories=order[::-1], ordered=True),
        p=[f"p {text}" if text[0] == "<" else f"p = {text}" for text in p_values],
    )
    panels = 1
    # The scale comes first: a band about places that are numbers would make it one of numbers.
    figure = ggplot(data, aes("_pair", estimate)) + scale_x_discrete(limits=order[::-1])
    if margin is not None:
        figure += annotate("rect", xmin=0.4, xmax=len(order) + 0.6, ymin=-margin, ymax=margin, fill=BAND, alpha=0.6)
    figure += geom_hline(yintercept=0, color="#7f7f7f", size=0.4)
    figure += geom_linerange(aes(ymin="conf_low", ymax="conf_high"), na_rm=True, size=0.6)
    figure += geom_point(size=1.8)
    if len(order) <= 30:
        figure += geom_text(aes(label="p"), nudge_x=0.3, size=6)
    if panel:
        data[f"_{panel}"] = in_order(column(table, panel))
        panels = count(column(table, panel))
        figure.data = data
        figure += facet_wrap(f"_{panel}", ncol=min(panels, 2), scales="free_x")
    said = "The first minus the second, with intervals; p is adjusted for the family."
    band = "" if margin is None else f"\nGrey: differences of less than {margin:g}, which count as equivalent."
    return (
        figure
        + coord_flip()
        + labs(x="", y=title, caption=said + band + (f"\n{caption}" if caption else ""))
        + paper_theme(PAGE_WIDTH if panels > 1 else 5.5, 1.2 + -(-panels // 2) * (0.3 + max(0.32 * len(order), 0.5)))
    )
