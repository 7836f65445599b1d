"""Do words differ in level and shape, and where? Begus & Zhou (2022), Table 1 and Figs. 3 and 5.

python analyses/words.py STORE --out DIR
"""

from pathlib import Path
from typing import Annotated

import typer

from layerstats.plots import difference, effect_by_layer, raw_series, smooths
from layerstats.report import Output
from layerstats.stats import FitOptions, IntervalOptions, word_contrasts
from layerstats.store import open_store


def main(
    store: Annotated[Path, typer.Argument(help="The store.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    layers: Annotated[str, typer.Option(help="Layers, separated by commas; all by default.")] = "",
    reference: Annotated[str, typer.Option(help="Word to compare with; the first in alphabetical order.")] = "",
    published: Annotated[bool, typer.Option(help="The published model: no speakers, every sample.")] = False,
    exact: Annotated[bool, typer.Option(help="Do not discretise covariates: slower.")] = False,
    samples: Annotated[int, typer.Option(help="Points that longer series are averaged into.")] = 32,
    workers: Annotated[int, typer.Option(help="Models fitted side by side.")] = 2,
    seed: Annotated[int, typer.Option(help="Seed of simulated intervals.")] = 0,
) -> None:
    """Fit the model of Table 1 to each layer."""
    result = word_contrasts(
        open_store(store),
        layers=layers.split(",") if layers else None,
        reference=reference or None,
        speakers="none" if published else "auto",
        samples=None if published else samples,
        intervals=IntervalOptions(seed=seed),
        fits=FitOptions(discrete=not exact, workers=workers),
    )
    output = Output(out, title="Words", provenance={"store": store.name, "seed": seed})
    last, fitted = list(result.results.items())[-1]
    base = fitted.levels["word"][0]
    one = result.series[last].frame

    output.regression(
        fitted.parametric, fitted.smooths, "regression", f"Levels and shapes of words at {last}",
        f"Reference: {base}. {fitted.formula}; rho = {fitted.rho:.3f}.", levels={"word": fitted.levels["word"]},
    )  # fmt: skip
    output.table(result.parametric, "parametric", "Levels of words at each layer", kind="parametric")
    output.table(result.smooths, "smooths", "Shapes of words at each layer", kind="smooths")
    output.figure(raw_series(one), "raw", f"Series of all tokens at {last}", "As in Fig. 3, left.")
    output.figure(smooths(result.curves), "curves", "Predicted curves of words at each layer", "As in Fig. 3, right.")
    against = (result.difference["level_1"] == base) & (result.difference["layer"] == last)
    regions = result.regions.loc[(result.regions["level_1"] == base) & (result.regions["layer"] == last)]
    output.figure(
        difference(result.difference.loc[against], regions), "difference", f"Differences from {base} at {last}",
        "As in Fig. 5. Dark strips: the simultaneous interval excludes zero.",
    )  # fmt: skip
    output.table(result.difference, "difference", "Differences between all pairs of words", kind="difference")
    output.table(result.regions, "regions", "Where words differ (ms)", kind="regions")
    effects = result.effects[result.effects["level_1"] == base]
    effects = effects.assign(contrast=effects["level_1"] + " - " + effects["level_2"])
    output.figure(effect_by_layer(effects, p_column=None, facet="contrast"), "effects", "Effect sizes by layer")
    output.table(result.effects, "effects", "Effect sizes of all pairs of words")
    output.table(result.curves, "curves_table", "Predicted curves", kind="prediction")
    output.table(result.checks, "checks", "Were the bases large enough?", kind="k_check")
    output.table(result.glance, "glance", "The models", kind="glance")


if __name__ == "__main__":
    typer.run(main)
