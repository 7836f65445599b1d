"""What success varies over, in several set-ups, and in their nulls."""

from __future__ import annotations

import pandas as pd
from plotnine import (
    aes,
    coord_flip,
    facet_wrap,
    geom_errorbar,
    geom_point,
    ggplot,
    labs,
    position_dodge,
    scale_y_continuous,
)

from layerstats.plots.frames import checked, column, count, in_order
from layerstats.plots.scales import group_scales
from layerstats.plots.theme import PAGE_WIDTH, paper_theme
from layerstats.tables.readable_names import readable_name

REQUIRED_COLUMNS = ("set_up", "null", "component", "share", "conf_low", "conf_high")
# What a table has for outcomes that are no null.
_REAL = "maximized"
_WORDS = {"target": "class", "residual": "single attempt"}


def variance_shares(shares: pd.DataFrame) -> ggplot:
    """Draw the share of variance of each component with its interval: a panel a set-up, nulls beside.

    Parameters
    ----------
    shares : columns `set_up, null, component, share, conf_low, conf_high`
        As in `layerstats.stats.VarianceShares.shares`; `null` is empty where outcomes are none.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    table = checked(shares, REQUIRED_COLUMNS, "variance_shares")
    named = column(table, "null").fillna("").astype(str).replace("", _REAL).map(readable_name)
    kinds = sorted(set(named), key=lambda name: (name != _REAL, name))
    components = list(dict.fromkeys(column(table, "component").astype(str)))
    labels = {name: _label(name) for name in components}
    data = table.assign(
        component=pd.Categorical(
            column(table, "component").astype(str).map(labels.get),
            categories=[labels[name] for name in components[::-1]],
        ),
        set_up=in_order(column(table, "set_up")),
        # Flipped axes count from below: what is no null stands on top.
        kind=pd.Categorical(named, categories=kinds[::-1], ordered=True),
    )
    beside = position_dodge(width=0.7)
    panels = count(column(data, "set_up"))
    columns = min(panels, 2)
    rows_of_panels = -(-panels // columns)
    return (
        ggplot(data, aes("component", "share", color="kind", shape="kind", group="kind"))
        + geom_errorbar(aes(ymin="conf_low", ymax="conf_high"), position=beside, width=0.3, size=0.5)
        + geom_point(position=beside, size=1.9)
        + facet_wrap("set_up", ncol=columns)
        + group_scales(kinds, "color", "shape")
        + scale_y_continuous(limits=(0, 1), breaks=(0, 0.5, 1), labels=("0", ".5", "1"), expand=(0.02, 0))
        + coord_flip()
        + labs(
            x="",
            y="Share of the variance of success (logit)",
            caption="Points: shares, with profile intervals. Few levels make wide intervals.",
        )
        + paper_theme(PAGE_WIDTH, 1.3 + rows_of_panels * max(1.3, 0.13 * len(components) * (1 + len(kinds))))
    )


def _label(component: str) -> str:
    return " x ".join(str(_WORDS.get(part, part)) for part in component.split(":"))
