"""Is a difference of any kind encoded, and at which layer: between sexes, dialects, conditions, positions of phones?

python analyses/contrast.py STORE --out DIR --contrast sex=F:M
"""

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from layerstats.cli import LongWork, all_or_among, listed, run_script
from layerstats.plots import difference, effect_by_layer, smooths
from layerstats.report import Output
from layerstats.stats import (
    Contrast,
    ContrastAnalysis,
    FitOptions,
    IntervalOptions,
    claims_of,
    layer_contrasts,
    sensitivity_of,
)
from layerstats.store import open_store

CAPTIONS = {
    "contrast": "Joint test: is there any difference? Level and shape say of which kind. t of levels has as many "
    "degrees of freedom as {units}. {warning}",
    "curves": "Of each level, without speakers and words. {warning}",
    "difference": "Where the band excludes zero (black strip) the levels differ; it holds for the whole curve. "
    "{warning}",
    "effects": "Root mean square of the difference curve, corrected for bias, in standard deviations of series. "
    "Filled: the joint test of level and shape is significant after adjustment. {warning}",
    "untrained": "Effect sizes from plain means, the same for every network. Filled: larger than random weights give, "
    "adjusted over layers. Where trained and untrained agree the sounds differ, but the network did not learn it.",
}


def main(
    store: Annotated[Path, typer.Argument(help="The store.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    work: LongWork,
    contrast: Annotated[str, typer.Option(help="Levels: sex=F:M, dialect=a,b:c, phones.position=initial:final, s:sh.")],
    layers: Annotated[str, typer.Option(help="Layers, separated by commas; all by default.")] = "",
    recording: Annotated[str, typer.Option(help="Recording of the store, by name; the activations by default.")] = "",
    variant: Annotated[str, typer.Option(help="Samples of a token: padded (the whole clip) or word.")] = "padded",
    speakers: Annotated[str, typer.Option(help="Smooths of speakers: auto, or none.")] = "auto",
    items: Annotated[str, typer.Option(help="Smooths of words that differ between tokens: auto, or none.")] = "auto",
    engine: Annotated[str, typer.Option(help="auto, structured or mgcv.")] = "auto",
    samples: Annotated[int, typer.Option(help="Points that longer series are averaged into.")] = 32,
    sensitivity: Annotated[str, typer.Option(help="Layers refitted after other choices: all, none, or some.")] = "none",
    seed: Annotated[int, typer.Option(help="Seed of simulated intervals.")] = 0,
) -> Output:
    """Test level, shape and both at each layer, beside untrained networks where the store has them."""
    experiment, one = open_store(store, recording=recording or None), Contrast.read(contrast)
    name = one.name if len(one.levels) == 2 else f"{one.column}, each minus {one.level_2}"
    about = {"store": store.name, "contrast": contrast, "seed": seed}
    output = Output(out, title=f"Contrast: {name}", provenance=about)
    result = layer_contrasts(
        experiment, one, layers=listed(layers) or None, samples=samples, intervals=IntervalOptions(seed=seed),
        variant=None if one.unit == "phone" else cast("Literal['padded', 'word']", variant),
        speakers=cast("Literal['auto', 'none']", speakers), items=cast("Literal['auto', 'none']", items),
        fits=FitOptions(engine=engine, **work("models of layers")),
    )  # fmt: skip
    own = {"speakers": speakers, "items": () if items == "none" else None, "samples": samples, "engine": engine}
    other, again = FitOptions(**work("other choices")), all_or_among("sensitivity", sensitivity, list(result.results))
    refitted = sensitivity_of(experiment, ContrastAnalysis(result.contrast, **own), layers=again, fits=other)
    output.claims(claims_of(result, sensitivity=refitted))
    told, label = {"units": result.level_units, "warning": result.model_warning}, experiment.value_label
    say = {key: text.format(**told).strip() for key, text in CAPTIONS.items()}
    output.table(result.table, "contrast", f"{name} at each layer", say["contrast"], kind="phone_contrast")
    figure = smooths(result.curves, by="group", value_label=label)
    output.figure(figure, "curves", "Predicted curves of the levels", say["curves"])
    figure = difference(result.difference, result.regions, value_label=label)
    output.figure(figure, "difference_curves", f"{name} along time", say["difference"])
    sizes = result.table.assign(contrast=result.table["level_1"] + " - " + result.table["level_2"])
    facet = None if len(one.levels) == 2 else "contrast"
    output.figure(effect_by_layer(sizes, facet=facet), "effect_sizes", "Effect size at each layer", say["effects"])
    if "null_p_adjusted" in result.table:
        trained = result.networks.query("trained").merge(result.table.loc[:, ["layer", "null_p_adjusted"]])
        others = result.networks.query("not trained").dropna()
        figure = effect_by_layer(trained, others, p_column="null_p_adjusted", interval=None)
        output.figure(figure, "untrained", "Did the network learn it?", say["untrained"])
    for table in ("parametric", "smooths", "difference", "regions", "networks", "residual_checks", "dropped"):
        if len(frame := getattr(result, table)):
            output.table(frame, table, table.replace("_", " ").capitalize())
    return output


if __name__ == "__main__":
    run_script(main)
