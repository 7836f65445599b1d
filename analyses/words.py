"""Do words differ in level and shape, and where? Begus & Zhou (2022), Table 1 and Figs. 3 and 5.

python analyses/words.py STORE --out DIR
"""

from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer

from layerstats.cli import LongWork, all_or_among, listed, run_script
from layerstats.corpora import open_corpus
from layerstats.plots import difference, effect_by_layer, raw_series, smooths, sounds_above
from layerstats.report import Output
from layerstats.stats import (
    ContrastAnalysis,
    FitOptions,
    IntervalOptions,
    claims_of,
    sensitivity_of,
    tokens_of_interest,
    word_contrasts,
)
from layerstats.store import open_store

CAPTIONS = {
    "tests": "Joint test: is there any difference? Level and shape say of which kind. t of levels has as many degrees "
    "of freedom as {units}. {warning}",
    "levels": "Tests of levels by residual degrees of freedom, as published. The table of tests counts {units}.",
    "raw_series": "Grey: tokens; black: their mean. As in Fig. 3, left, of Begus & Zhou (2022). {above}",
    "curves": "Black: predicted curve of the word with its interval; grey: the other words. As in Fig. 3, right. "
    "{above} {warning}",
    "differences": "Where the band excludes zero (black strip) the words differ. As in Fig. 5, but the bands hold for "
    "the whole curve. {above} {warning}",
    "sounds": "The most typical of each group, and those farthest from the curve of theirs, at the last layer fitted.",
    "effect_sizes": "How far apart two words are, in standard deviations of tokens about their word's curve. {warning}",
}


def main(
    store: Annotated[Path, typer.Argument(help="The store.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    work: LongWork,
    layers: Annotated[str, typer.Option(help="Layers, separated by commas; all by default.")] = "",
    recording: Annotated[str, typer.Option(help="Recording of the store, by name; the activations by default.")] = "",
    words: Annotated[str, typer.Option(help="Words, separated by commas; the first is the reference.")] = "",
    variant: Annotated[str, typer.Option(help="Samples of a token: padded (the whole clip) or word.")] = "padded",
    published: Annotated[bool, typer.Option(help="The published model: no speakers, every sample.")] = False,
    engine: Annotated[str, typer.Option(help="auto, structured or mgcv.")] = "auto",
    samples: Annotated[int, typer.Option(help="Points that longer series are averaged into.")] = 32,
    sensitivity: Annotated[str, typer.Option(help="Layers refitted after other choices: all, none, or some.")] = "none",
    corpus: Annotated[str, typer.Option(help="The speech that was recorded, for tokens to listen to: demo, ...")] = "",
    share_sounds: Annotated[bool, typer.Option(help="Sounds of the corpus may be passed on: you say so.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of simulated intervals.")] = 0,
) -> Output:
    """Fit the model of Table 1 to each layer."""
    experiment = open_store(store, recording=recording or None)
    output = Output(out, title="Words", provenance={"store": store.name, "seed": seed})
    own: Any = {"speakers": "none", "samples": None} if published else {"samples": samples}
    rho = "residuals" if published else "auto"
    result = word_contrasts(
        experiment, layers=listed(layers) or None, words=listed(words) or None, intervals=IntervalOptions(seed=seed),
        variant=cast("Literal['padded', 'word']", variant), **own,
        fits=FitOptions(engine=engine, rho=rho, **work("models of layers")),
    )  # fmt: skip
    analysis = ContrastAnalysis(result.contrast, engine=engine, rho=rho, **own)
    other, again = FitOptions(**work("other choices")), all_or_among("sensitivity", sensitivity, list(result.results))
    refitted = sensitivity_of(experiment, analysis, layers=again, intervals=IntervalOptions(seed=seed), fits=other)
    output.claims(claims_of(result, sensitivity=refitted))
    (last, model), reference = list(result.results.items())[-1], result.contrast.level_2
    # All pairs are in the tables; a figure shows those with the reference.
    shown = "layer == @last and level_2 == @reference"
    above, label = None, experiment.value_label
    if corpus:
        heard = tokens_of_interest(result)
        speech = open_corpus(corpus, words=sorted(set(heard["word"])), damaged="skip")
        above = sounds_above(heard, speech, experiment, along="time" if variant == "word" else "time_ms")
        output.sounds(heard, speech, "sounds", "Tokens to listen to", CAPTIONS["sounds"], share=share_sounds)
    figure = difference(result.difference.query(shown), result.regions.query(shown), value_label=label, above=above)
    effects = result.effects.query("level_2 == @reference")
    effects = effects.assign(contrast=effects["level_1"] + " - " + effects["level_2"])
    told = {"units": result.level_units, "warning": result.model_warning, "above": above.told if above else ""}
    say = {name: text.format(**told).strip() for name, text in CAPTIONS.items()}
    note = f"Reference: {reference}. {model.formula}; rho = {model.rho:.3f}. {result.model_warning}"
    output.regression(model.parametric, model.smooths, "regression", f"Levels and shapes of words at {last}", note)
    tokens = result.series[last].frame.sort_values("word", kind="stable")
    raw = raw_series(tokens, x="time" if variant == "word" else None, value_label=label, above=above)
    output.figure(raw, "raw_series", f"Series at {last}", say["raw_series"])
    output.figure(smooths(result.curves, value_label=label, above=above), "curves", "Predicted curves", say["curves"])
    output.figure(figure, "difference_curves", f"Differences at {last}", say["differences"])
    sizes = effect_by_layer(effects, p_column=None, facet="contrast")
    output.figure(sizes, "effect_sizes", "Effect sizes by layer", say["effect_sizes"])
    output.table(result.tests, "tests", f"Tests of words against {reference} at each layer", say["tests"])
    output.table(result.parametric, "parametric", "Levels of words at each layer", say["levels"], kind="parametric")
    output.table(result.smooths, "smooths", "Shapes of words at each layer", kind="smooths")
    output.table(result.difference, "difference", "Differences between all pairs of words", kind="difference")
    output.table(result.regions, "regions", "Where words differ", kind="regions")
    output.table(result.effects, "effects", "Effect sizes of all pairs of words")
    output.table(result.curves, "predictions", "Predicted curves", kind="prediction")
    output.table(result.glance, "glance", "The models", kind="glance")
    output.table(result.residual_checks, "residual_checks", "Checks of the residuals of the models")
    return output


if __name__ == "__main__":
    run_script(main)
