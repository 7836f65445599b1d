"""What a network's score owes to the phones of each group, beside untrained networks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    coord_flip,
    facet_null,
    facet_wrap,
    geom_errorbar,
    geom_hline,
    geom_point,
    ggplot,
    labs,
    scale_fill_manual,
    scale_shape_manual,
    scale_size_manual,
    scale_x_continuous,
    theme,
)

from layerstats.plots.frames import checked, column, count, in_order
from layerstats.plots.theme import PAGE_WIDTH, paper_theme
from layerstats.tables.readable_names import readable_name

REQUIRED_COLUMNS = ("group", "score_share", "conf_low", "conf_high", "duration_share")
NETWORK_COLUMNS = ("group", "trained", "score_share")
TRAINED, UNTRAINED, TIME = "trained network", "untrained networks", "share of time"
# Fill, shape, size.
LOOKS = {TRAINED: ("black", "o", 2.6), UNTRAINED: ("#8c8c8c", "D", 1.1), TIME: ("white", "s", 1.8)}


def phone_shares(shares: pd.DataFrame, networks: pd.DataFrame | None = None, *, facet: str | None = None) -> ggplot:
    """Draw the share of the score of each group of phones with its interval, and the share of time that it takes.

    Parameters
    ----------
    shares : columns `group, score_share, conf_low, conf_high, duration_share`
        As `layerstats.stats.phone_shares` gives them: one row a group (and facet). A group without an interval is a
        point.
    networks : columns `group, trained, score_share`, optional
        One row a network and group: the untrained ones are drawn below the trained one.
    facet
        A column of both tables that panels stand for, for instance `network`.

    Raises
    ------
    DataError
        If a column is missing or there is nothing to draw.
    """
    extra = [facet] if facet else []
    shares = checked(shares, [*REQUIRED_COLUMNS, *extra], "phone_shares")
    groups = list(in_order(column(shares, "group")).cat.categories)
    panels = list(in_order(column(shares, facet)).cat.categories) if facet else [""]
    trained = _placed(shares, groups, panels, facet, "score_share", 0.1, TRAINED)
    trained = trained.assign(low=shares["conf_low"], high=shares["conf_high"])
    points = [trained, _placed(shares, groups, panels, facet, "duration_share", 0.34, TIME)]
    if networks is not None and len(networks):
        networks = checked(networks, [*NETWORK_COLUMNS, *extra], "phone_shares")
        others = networks.loc[~networks["trained"].to_numpy(dtype=bool)].reset_index(drop=True)
        points.append(_spread(_placed(others, groups, panels, facet, "score_share", -0.22, UNTRAINED)))
    data = pd.concat(points, ignore_index=True)
    shown = [look for look in LOOKS if look in set(data["look"])]
    panes = count(column(data, "panel"))
    columns = min(panes, 3)
    return (
        ggplot(data, aes("x", "y"))
        + geom_hline(yintercept=0, linetype="dashed", size=0.4)
        + geom_errorbar(aes(ymin="low", ymax="high"), data=trained.dropna(), width=0.12, size=0.6)
        + geom_point(aes(fill="look", shape="look", size="look"), stroke=0.5)
        + scale_fill_manual(values=[LOOKS[look][0] for look in shown], breaks=shown, name="")
        + scale_shape_manual(values=[LOOKS[look][1] for look in shown], breaks=shown, name="")
        + scale_size_manual(values=[LOOKS[look][2] for look in shown], breaks=shown, name="")
        + scale_x_continuous(
            breaks=[-place for place in range(len(groups))],
            labels=[readable_name(group) for group in groups],
            minor_breaks=[],
            limits=(0.6 - len(groups), 0.6),
            expand=(0, 0),
        )
        + (facet_wrap("panel", ncol=columns) if panes > 1 else facet_null())
        # Names of groups are long: they stand on the left.
        + coord_flip()
        + labs(x="", y="Share of the score")
        + paper_theme(PAGE_WIDTH if columns > 1 else 4.5, (0.9 + 0.28 * len(groups)) * -(-panes // columns) + 0.4)
        + theme(legend_key_width=12)
    )


def _placed(
    frame: pd.DataFrame,
    groups: list[str],
    panels: list[str],
    facet: str | None,
    value: str,
    shift: float,
    look: str,
) -> pd.DataFrame:
    """Return points with groups as positions on a continuous axis, so that several sets stand beside each other."""
    places = {group: shift - float(number) for number, group in enumerate(groups)}
    panel = column(frame, facet).astype(str) if facet else pd.Series("", index=frame.index)
    return pd.DataFrame(
        {
            "x": [places.get(str(group), np.nan) for group in frame["group"]],
            "y": frame[value].to_numpy(dtype=float),
            "panel": pd.Categorical(panel, categories=panels, ordered=True).rename_categories(
                [readable_name(name) for name in panels]
            ),
            "look": pd.Categorical([look] * len(frame), categories=list(LOOKS), ordered=True),
        }
    ).dropna(subset=["x"])


def _spread(points: pd.DataFrame) -> pd.DataFrame:
    """Spread points of a group by their rank, without random numbers."""
    rank = points.groupby(["panel", "x"], observed=True)["y"].rank(method="first")
    return points.assign(x=points["x"] + 0.07 * (((rank - 1) % 3) - 1))
