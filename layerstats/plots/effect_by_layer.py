"""How large a contrast is at each layer, beside the same contrast in untrained networks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from plotnine import (
    aes,
    expand_limits,
    facet_null,
    facet_wrap,
    geom_boxplot,
    geom_errorbar,
    geom_point,
    ggplot,
    labs,
    scale_fill_manual,
    scale_shape_manual,
    scale_size_manual,
    scale_x_continuous,
    theme,
)

from layerstats.checks import check_columns
from layerstats.errors import ArgumentError, DataError
from layerstats.plots.frames import checked, column, count, in_order, rows
from layerstats.plots.theme import PAGE_WIDTH, paper_theme

REQUIRED_COLUMNS = ("layer", "effect_size")

# Three quantities by three names: of the model's curves, of plain means, and of plain means corrected for chance.
EFFECT_LABEL = "Effect size of curves (SD of tokens)"
MEANS_LABEL = "Effect size of means (SD of tokens)"
CORRECTED_MEANS_LABEL = "Effect size of means, corrected (SD of tokens)"
DAGGER = "\N{DAGGER}"
TRAINED, UNTRAINED = "trained", "untrained"
# Boxes of fewer values than this would say more than is known.
BOX_FROM = 5


def effect_by_layer(
    effects: pd.DataFrame,
    untrained: pd.DataFrame | None = None,
    *,
    p_column: str | None = "joint_p_adjusted",
    interval: tuple[str, str] | None = ("effect_conf_low", "effect_conf_high"),
    alpha: float = 0.05,
    facet: str | None = None,
    value_label: str | None = None,
) -> ggplot:
    """Draw the effect size of a contrast with its interval, layer by layer.

    Parameters
    ----------
    effects : columns `layer, effect_size`, and those named below
        One row a layer (and facet). A layer without a number keeps its place on the axis. Layers whose column
        `model_checks`, where there is one, names a failed check carry a dagger.
    untrained : columns `layer, effect_size`, optional
        One row for each untrained network and layer, measured as in `effects`: drawn to the right of the trained
        network, with a box from five networks on.
    p_column
        An adjusted p-value: points are filled where it is below `alpha`. None leaves all points filled.
    interval
        Columns of the ends of the interval; None draws none.
    alpha
        Level of significance.
    facet
        A column that panels stand for, for instance `contrast`.
    value_label
        Title of the vertical axis; by default it says that the effect sizes are of the model's curves, or where
        untrained networks stand beside them, of plain means.

    Raises
    ------
    DataError
        If a column is missing or the table has no rows.
    ArgumentError
        If `alpha` is not between 0 and 1.
    """
    if not 0 < alpha < 1:
        raise ArgumentError(f"The 'alpha' parameter must lie between 0 and 1, but got {alpha!r} instead.")
    needed = [*REQUIRED_COLUMNS, *([facet] if facet else [])]
    effects = checked(effects, [*needed, *([p_column] if p_column else []), *(interval or ())], "effect_by_layer")
    with_null = untrained is not None and len(untrained) > 0
    layers = list(in_order(column(effects, "layer")).cat.categories)
    data = _place(effects, layers, facet, -0.15 if with_null else 0.0)
    # A missing p-value is no sign of significance.
    significant = pd.Series(True, index=data.index) if p_column is None else effects[p_column] < alpha
    below, above = f"adjusted p < {alpha:g}", f"adjusted p \N{GREATER-THAN OR EQUAL TO} {alpha:g}"
    data["look"] = TRAINED if p_column is None else f"{TRAINED}, " + pd.Series(np.where(significant, below, above))
    figure = ggplot(rows(data, data["y"].notna()), aes("x", "y"))
    if untrained is not None and with_null:
        figure += _null(_null_places(untrained, layers, needed, facet))
    if interval:
        bars = data.assign(low=effects[interval[0]], high=effects[interval[1]]).dropna(subset=["y", "low", "high"])
        figure += geom_errorbar(aes(ymin="low", ymax="high"), data=bars, width=0.12, size=0.6)
    figure += geom_point(aes(fill="look", shape="look", size="look"), stroke=0.6)
    looks = {
        TRAINED: ("black", "o", 2.6),
        f"{TRAINED}, {below}": ("black", "o", 2.6),
        f"{TRAINED}, {above}": ("white", "o", 2.6),
        UNTRAINED: ("#8c8c8c", "D", 1.1),
    }
    shown = [look for look in looks if look in set(data["look"]) or (look == UNTRAINED and with_null)]
    failing = _failing(effects)
    panels = count(column(data, "panel"))
    columns = min(panels, 3)
    return (
        figure
        + scale_fill_manual(values=[looks[look][0] for look in shown], breaks=shown, name="")
        + scale_shape_manual(values=[looks[look][1] for look in shown], breaks=shown, name="")
        + scale_size_manual(values=[looks[look][2] for look in shown], breaks=shown, name="")
        + scale_x_continuous(
            breaks=list(range(len(layers))),
            labels=[f"{layer}{DAGGER}" if layer in failing else layer for layer in layers],
            minor_breaks=[],
            limits=(-0.5, len(layers) - 0.5),
            expand=(0, 0),
        )
        + (facet_wrap("panel", ncol=columns) if panels > 1 else facet_null())
        + expand_limits(y=0)
        + labs(x="Layer", y=value_label or (MEANS_LABEL if with_null else EFFECT_LABEL))
        + (labs(caption=f"{DAGGER} Checks of the model's residuals fail.") if failing else labs())
        + paper_theme(PAGE_WIDTH if columns > 1 else 5.5, 1.1 + 2.2 * -(-panels // columns))
        + theme(legend_key_width=12, legend_position="top" if len(shown) > 1 else "none")
    )


def _failing(effects: pd.DataFrame) -> set[str]:
    """Return the layers whose models fail checks."""
    if "model_checks" not in effects.columns:
        return set()
    return set(effects.loc[effects["model_checks"].fillna("").str.startswith("fails"), "layer"].astype(str))


def _place(frame: pd.DataFrame, layers: list[str], facet: str | None, shift: float) -> pd.DataFrame:
    """Layers as positions on a continuous axis, so that two sets of points can stand beside each other."""
    positions = {layer: float(index) for index, layer in enumerate(layers)}
    return pd.DataFrame(
        {
            "x": [positions.get(str(layer), np.nan) + shift for layer in frame["layer"]],
            "y": frame["effect_size"],
            "panel": in_order(column(frame, facet)) if facet else "",
        }
    )


def _null_places(untrained: pd.DataFrame, layers: list[str], needed: list[str], facet: str | None) -> pd.DataFrame:
    untrained = untrained.reset_index(drop=True)
    check_columns(untrained, needed, "the table of untrained networks for the figure 'effect_by_layer'")
    places = _place(untrained, layers, facet, 0.2)
    strangers = sorted(set(untrained["layer"].astype(str)) - set(layers))
    if strangers:
        raise DataError(
            f"Untrained networks have effects at {', '.join(map(repr, strangers))}, but the trained network has only "
            f"{', '.join(map(repr, layers))}. Record the same layers of both."
        )
    return places.assign(look=UNTRAINED)


def _null(places: pd.DataFrame) -> list:
    """Points of untrained networks, spread sideways by rank (no random numbers), and a box behind them."""
    cells = places.groupby(["panel", "x"], observed=True)["y"]
    rank, size = cells.rank(method="first"), cells.transform("size")
    points = places.assign(x=places["x"] + 0.09 * (((rank - 1) % 3) - 1))
    layers: list = []
    boxed = rows(places, column(size.to_frame("size"), "size") >= BOX_FROM)
    if len(boxed):
        layers.append(
            geom_boxplot(
                aes(group="x"), data=boxed, width=0.36, outlier_shape="", size=0.4, color="#7f7f7f", fill="white"
            )
        )
    return [*layers, geom_point(aes(fill="look", shape="look", size="look"), data=points, color="#7f7f7f", stroke=0.3)]
