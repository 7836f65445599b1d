"""Is a contrast between two sets of phones encoded, and was it learned? Begus & Zhou (2022), Fig. 4.

python analyses/phones.py STORE --out DIR --phones s:sh
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from layerstats.plots import difference, effect_by_layer, phone_curves, receptive_field
from layerstats.report import Output
from layerstats.stats import FitOptions, IntervalOptions, phone_contrast
from layerstats.store import open_store


def main(
    store: Annotated[Path, typer.Argument(help="The store; its corpus has phones.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    phones: Annotated[str, typer.Option(help="Two sets of phones: s:sh, p,t,k:b,d,g.")] = "s:sh",
    layers: Annotated[str, typer.Option(help="Layers, separated by commas; all by default.")] = "",
    exact: Annotated[bool, typer.Option(help="Do not discretise covariates: slower.")] = False,
    samples: Annotated[int, typer.Option(help="Points that longer series are averaged into.")] = 32,
    workers: Annotated[int, typer.Option(help="Models fitted side by side.")] = 2,
    seed: Annotated[int, typer.Option(help="Seed of simulated intervals.")] = 0,
) -> None:
    """Test level, shape and both at each layer, beside untrained networks where the store has them."""
    experiment = open_store(store)
    result = phone_contrast(
        experiment,
        phones,
        layers=layers.split(",") if layers else None,
        samples=samples,
        intervals=IntervalOptions(seed=seed),
        fits=FitOptions(discrete=not exact, workers=workers),
    )
    name = phones.replace(":", " - ")
    output = Output(out, title=f"Phones: {name}", provenance={"store": store.name, "phones": phones, "seed": seed})
    output.table(result.table, "contrast", f"{name} at each layer", kind="phone_contrast")
    output.figure(phone_curves(result.curves), "curves", "Predicted curves of the two sets", "As in Fig. 4.")
    output.figure(
        difference(result.difference, result.regions, x="time"), "difference", f"{name} along the phone",
        "Dark strips: the simultaneous interval excludes zero.",
    )  # fmt: skip
    output.figure(
        effect_by_layer(result.table.dropna(subset="effect_size")), "effects", "Effect size at each layer",
        "Root mean square of the difference curve over the standard deviation of phone tokens, corrected for bias.",
    )  # fmt: skip
    if len(result.networks):
        trained = result.networks[result.networks["trained"]].merge(result.table[["layer", "null_p_adjusted"]])
        untrained = result.networks.loc[~result.networks["trained"]]
        output.figure(
            effect_by_layer(trained, untrained, p_column="null_p_adjusted", interval=None), "untrained",
            "Did the network learn it?", "Descriptive effect sizes, of the trained network and of untrained ones.",
        )  # fmt: skip
        output.table(result.networks, "networks", "Descriptive effect size of every network")
    layer_attrs = pd.DataFrame([experiment.layer(layer).attrs for layer in experiment.layers])
    if {"receptive_field_s", "hop_s"} <= set(layer_attrs.columns):
        output.figure(receptive_field(layer_attrs, result.durations), "receptive_field", "What a layer can resolve")
    for table, title in (
        ("parametric", "Levels"), ("smooths", "Shapes"), ("regions", "Where the sets differ (normalised time)"),
        ("checks", "Were the bases large enough?"), ("dropped", "Intervals with too few samples"),
    ):  # fmt: skip
        output.table(getattr(result, table), table, title)


if __name__ == "__main__":
    typer.run(main)
