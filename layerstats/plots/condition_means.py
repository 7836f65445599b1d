"""Means of conditions over subjects, and differences within subjects."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    element_text,
    facet_wrap,
    geom_errorbar,
    geom_hline,
    geom_line,
    geom_point,
    ggplot,
    labs,
    position_dodge,
    theme,
)

from layerstats.plots.frames import axis_title, checked, column, count, in_order
from layerstats.plots.scales import group_scales
from layerstats.plots.theme import FAINT, PAGE_WIDTH, paper_theme


def condition_means(
    means: pd.DataFrame, condition: str, group: str | None = None, panel: str | None = None, estimate: str = "estimate"
) -> ggplot:
    """Draw the mean of each condition with its interval, joined within groups: a panel for each level of `panel`.

    Parameters
    ----------
    means : columns of `condition`, `group` and `panel`, `estimate`, `conf_low, conf_high`
        As from `layerstats.stats.condition_means`; or from `paired_differences`, whose estimate is "diff": a line is
        then drawn at zero.
    condition, group, panel
        Columns: on the axis in the order of the table within each panel, by colour, by panel.
    estimate
        Column of the means.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    names = [name for name in (condition, group, panel) if name is not None]
    table = checked(means, [*names, estimate, "conf_low", "conf_high"], "condition_means")
    data = table.assign(**{f"_{name}": in_order(column(table, name)) for name in names})
    order = _order(table, condition, panel)
    data[f"_{condition}"] = pd.Categorical(table[condition].astype(str), categories=order, ordered=True)
    look = {"color": f"_{group}", "shape": f"_{group}", "group": f"_{group}"} if group else {"group": 1}
    beside = position_dodge(width=0.3 if group else 0.01)
    panels = count(column(table, panel)) if panel else 1
    figure = ggplot(data, aes(f"_{condition}", estimate, **look))
    if estimate == "diff":
        figure += geom_hline(yintercept=0, color=FAINT, size=0.4)
    figure += geom_line(position=beside, size=0.4, alpha=0.45)
    figure += geom_errorbar(aes(ymin="conf_low", ymax="conf_high"), position=beside, width=0.25, size=0.5)
    figure += geom_point(position=beside, size=1.9)
    if group:
        figure += group_scales(list(data[f"_{group}"].cat.categories), "color", "shape")
    if panel:
        figure += facet_wrap(f"_{panel}", ncol=min(panels, 2), scales="free_x")
    return (
        figure
        + labs(x=axis_title(condition), y="Difference" if estimate == "diff" else "Mean")
        + paper_theme(PAGE_WIDTH, 1.5 + 2.2 * -(-panels // 2))
        + theme(axis_text_x=element_text(rotation=40, ha="right"))
    )


def _order(table: pd.DataFrame, condition: str, panel: str | None) -> list[str]:
    """Return the conditions by their mean place in the panels, so that each panel keeps an order of its own."""
    places: dict[str, list[float]] = {}
    panels = [table] if panel is None else [own for _, own in table.groupby(panel, sort=False)]
    for own in panels:
        names = list(dict.fromkeys(own[condition].astype(str)))
        for number, name in enumerate(names):
            places.setdefault(name, []).append(number / max(len(names) - 1, 1))
    return sorted(places, key=lambda name: sum(places[name]) / len(places[name]))
