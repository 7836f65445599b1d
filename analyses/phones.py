"""Is a contrast between two sets of phones encoded, and was it learned? Begus & Zhou (2022), Fig. 4.

python analyses/phones.py STORE --out DIR --phones s:sh
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from layerstats.cli import LongWork, all_or_among, listed, run_script
from layerstats.corpora import open_corpus
from layerstats.plots import difference, effect_by_layer, phone_curves, receptive_field, sounds_above
from layerstats.report import Output
from layerstats.stats import (
    ContrastAnalysis,
    FitOptions,
    IntervalOptions,
    claims_of,
    phone_contrast,
    sensitivity_of,
    tokens_of_interest,
)
from layerstats.store import open_store

CAPTIONS = {
    "contrast": "Joint test: is there any difference? Level and shape say of which kind. t of levels has as many "
    "degrees of freedom as {units}. {warning}",
    "levels": "A coefficient is its set minus the other. Tests by residual degrees of freedom, as published; the table "
    "of the contrast counts {units}.",
    "curves": "On the stretch of the series under the phone. As in Fig. 4 of Begus & Zhou (2022). {above} {warning}",
    "difference": "Where the band excludes zero (black strip) the two sets differ; it holds for the whole curve. "
    "{above} {warning}",
    "effects": "Root mean square of the difference curve, corrected for bias, in standard deviations of phone tokens. "
    "Filled: the joint test of level and shape is significant after adjustment over layers. {warning}",
    "untrained": "Effect sizes from plain means, the same for every network. Filled: larger than random weights give, "
    "adjusted over layers. Where trained and untrained agree the sounds differ, but the network did not learn it.",
    "sounds": "The most typical of each group, and those farthest from the curve of theirs, at the last layer fitted.",
    "receptive_field": "A layer whose receptive field is longer than the phone hears its neighbours too.",
}


def main(
    store: Annotated[Path, typer.Argument(help="The store; its corpus has phones.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    work: LongWork,
    phones: Annotated[str, typer.Option(help="Two sets of phones: s:sh, p,t,k:b,d,g.")] = "s:sh",
    layers: Annotated[str, typer.Option(help="Layers, separated by commas; all by default.")] = "",
    recording: Annotated[str, typer.Option(help="Recording of the store, by name; the activations by default.")] = "",
    engine: Annotated[str, typer.Option(help="auto, structured or mgcv.")] = "auto",
    samples: Annotated[int, typer.Option(help="Points that longer series are averaged into.")] = 32,
    sensitivity: Annotated[str, typer.Option(help="Layers refitted after other choices: all, none, or some.")] = "all",
    corpus: Annotated[str, typer.Option(help="The speech that was recorded, for tokens to listen to: demo, ...")] = "",
    share_sounds: Annotated[bool, typer.Option(help="Sounds of the corpus may be passed on: you say so.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of simulated intervals.")] = 0,
) -> Output:
    """Test level, shape and both at each layer, beside untrained networks where the store has them."""
    experiment = open_store(store, recording=recording or None)
    name = phones.replace(":", " - ")
    output = Output(out, title=f"Phones: {name}", provenance={"store": store.name, "phones": phones, "seed": seed})
    result = phone_contrast(
        experiment, phones, layers=listed(layers) or None, samples=samples,
        intervals=IntervalOptions(seed=seed),
        fits=FitOptions(engine=engine, **work("models of layers")),
    )  # fmt: skip
    other, again = FitOptions(**work("other choices")), all_or_among("sensitivity", sensitivity, list(result.results))
    analysis = ContrastAnalysis(result.contrast, samples=samples, engine=engine)
    refitted = sensitivity_of(experiment, analysis, layers=again, intervals=IntervalOptions(seed=seed), fits=other)
    output.claims(claims_of(result, sensitivity=refitted))
    above, label = None, experiment.value_label
    if corpus:
        heard = tokens_of_interest(result)
        speech = open_corpus(corpus, words=sorted(set(heard["word"])), damaged="skip")
        above = sounds_above(heard, speech, experiment, along="time")
        output.sounds(heard, speech, "sounds", "Tokens to listen to", CAPTIONS["sounds"], share=share_sounds)
    told = {"units": result.level_units, "warning": result.model_warning, "above": above.told if above else ""}
    say = {name: text.format(**told).strip() for name, text in CAPTIONS.items()}
    output.table(result.table, "contrast", f"{name} at each layer", say["contrast"], kind="phone_contrast")
    curves = phone_curves(result.curves, value_label=label, above=above)
    output.figure(curves, "curves", "Predicted curves of the two sets", say["curves"])
    figure = difference(result.difference, result.regions, x="time", value_label=label, above=above)
    output.figure(figure, "difference_curves", f"{name} along the phone", say["difference"])
    output.figure(effect_by_layer(result.table), "effect_sizes", "Effect size at each layer", say["effects"])
    if "null_p_adjusted" in result.table:
        trained = result.networks.query("trained").merge(result.table.loc[:, ["layer", "null_p_adjusted"]])
        others = result.networks.query("not trained").dropna()
        figure = effect_by_layer(trained, others, p_column="null_p_adjusted", interval=None)
        output.figure(figure, "untrained", "Did the network learn it?", say["untrained"])
        output.table(result.networks, "networks", "Effect size of every network, from means")
    resolution = pd.DataFrame([experiment.layer(layer).attrs for layer in experiment.layers])
    if {"receptive_field_s", "hop_s"} <= set(resolution.columns):
        figure = receptive_field(resolution, result.durations)
        output.figure(figure, "receptive_field", "What a layer can resolve", say["receptive_field"])
    output.table(result.parametric, "parametric", "Levels", say["levels"], kind="parametric")
    output.table(result.smooths, "smooths", "Shapes", kind="smooths")
    output.table(result.difference, "difference", "Difference along the phone", kind="difference")
    output.table(result.regions, "regions", "Where the sets differ (normalised time)", kind="regions")
    output.table(result.checks, "checks", "Were the bases large enough?", kind="k_check")
    output.table(result.residual_checks, "residual_checks", "Checks of the residuals of the models")
    output.table(result.dropped, "dropped", "Intervals with too few samples")
    return output


if __name__ == "__main__":
    run_script(main)
