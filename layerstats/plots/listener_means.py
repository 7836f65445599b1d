"""What listeners say of every class and set-up, with intervals: Soomro et al. 2019, Fig. 3, as it should have been."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    coord_flip,
    element_text,
    facet_wrap,
    geom_hline,
    geom_linerange,
    geom_point,
    ggplot,
    labs,
    position_dodge,
    scale_y_continuous,
    theme,
)

from layerstats.plots.frames import axis_title, checked, column, count, in_order, means, rows
from layerstats.plots.scales import group_scales
from layerstats.plots.theme import FAINT, PAGE_WIDTH, paper_theme


def listener_means(
    table: pd.DataFrame,
    across: str,
    group: str | None = None,
    panel: str | None = None,
    *,
    limits: tuple[float, float] = (1, 5),
    estimate: str = "estimate",
    title: str = "Mean rating",
    chance: float | None = None,
    caption: str = "",
) -> ggplot:
    """Draw the mean of every class, condition or system with its interval, groups beside each other.

    Parameters
    ----------
    table : columns of `across`, `group` and `panel`, `estimate`, `conf_low, conf_high`
        As from `layerstats.stats.rating_means`, from the means of a mixed model, or shares of answers.
    across, group, panel
        Columns: lines of the figure in the order of the first group's means, by colour, by panel.
    limits
        Ends of the scale, which the axis shows whole: (1, 5), or (0, 1) of shares.
    estimate
        Column of the means.
    title
        Of the axis of means.
    chance
        Where a line is drawn: what guessing gives.
    caption
        Below the figure, for instance what intervals are for.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    names = [name for name in (across, group, panel) if name is not None]
    table = checked(table, [*names, estimate, "conf_low", "conf_high"], "listener_means")
    order = _order(table, across, group, estimate)
    data = table.assign(**{f"_{name}": in_order(column(table, name)) for name in names if name != across})
    data[f"_{across}"] = pd.Categorical(table[across].astype(str), categories=order, ordered=True)
    groups = count(column(table, group)) if group else 1
    panels = count(column(table, panel)) if panel else 1
    look = {"color": f"_{group}", "shape": f"_{group}", "group": f"_{group}"} if group else {}
    beside = position_dodge(width=0.7 if groups > 1 else 0.01)
    breaks = _breaks(limits)
    figure = ggplot(data, aes(f"_{across}", estimate, **look))
    if chance is not None:
        figure += geom_hline(yintercept=chance, color=FAINT, size=0.5, linetype="dashed")
    figure += geom_linerange(aes(ymin="conf_low", ymax="conf_high"), na_rm=True, position=beside, size=0.5)
    figure += geom_point(position=beside, size=1.6)
    if group:
        figure += group_scales(list(data[f"_{group}"].cat.categories), "color", "shape")
    if panel:
        figure += facet_wrap(f"_{panel}", ncol=min(panels, 2))
    height = (0.2 if groups == 1 else 0.1 + 0.11 * groups) * len(order)
    return (
        figure
        + scale_y_continuous(limits=limits, breaks=breaks, labels=[_short(value) for value in breaks], expand=(0.02, 0))
        + coord_flip()
        + labs(x=axis_title(across), y=title, caption=caption)
        + paper_theme(PAGE_WIDTH if panels > 1 else 5.5, 1.3 + -(-panels // 2) * (0.3 + max(height, 0.6)))
        + theme(axis_text_y=element_text(size=7 if len(order) > 20 else 8))
    )


def _order(table: pd.DataFrame, across: str, group: str | None, estimate: str) -> list[str]:
    """Return the lines from the lowest to the highest mean of the first group; others stand below."""
    lines = table.assign(_line=table[across].astype(str))
    first = lines if group is None else rows(lines, lines[group] == lines[group].iloc[0])
    known = means(first, ["_line"], estimate).sort_values([estimate, "_line"])["_line"].tolist()
    return [*sorted(set(lines["_line"]) - set(known)), *known]


def _breaks(limits: tuple[float, float]) -> list[float]:
    """Return every point of a scale of opinion, or quarters of a share."""
    low, high = limits
    if high - low <= 1:
        return [low + (high - low) * part / 4 for part in range(5)]
    step = max(1, round((high - low) / 10))
    return [float(value) for value in range(int(low), int(high) + 1, step)]


def _short(value: float) -> str:
    """Return a mark of the axis: no zero before the point, where two panels' marks would meet."""
    return f"{value:g}".replace("0.", ".", 1)
