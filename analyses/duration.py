"""Is a word's level its duration? Padded series, series of the word alone, and duration as a covariate, side by side.

python analyses/duration.py STORE --out DIR
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from layerstats.cli import LongWork, run_script
from layerstats.plots import difference, smooths
from layerstats.report import Output
from layerstats.stats import FitOptions, IntervalOptions, OtherChoice, Variant, claims_of, word_contrasts
from layerstats.store import open_store

VARIANTS: dict[Variant, str] = {
    "padded": "published",
    "duration": "with duration",
    "word": "word alone",
}


def main(
    store: Annotated[Path, typer.Argument(help="The store.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    work: LongWork,
    layers: Annotated[str, typer.Option(help="One layer; the last by default.")] = "",
    engine: Annotated[str, typer.Option(help="auto, structured or mgcv.")] = "auto",
    samples: Annotated[int, typer.Option(help="Points that longer series are averaged into.")] = 32,
    seed: Annotated[int, typer.Option(help="Seed of simulated intervals.")] = 0,
) -> Output:
    """Fit the three models to one layer."""
    experiment = open_store(store)
    layer = layers or experiment.layers[-1]
    output = Output(out, title="Duration and zero padding", provenance={"store": store.name, "layer": layer})
    results = {
        variant: word_contrasts(
            experiment,
            layers=[layer],
            variant=variant,
            pairs="reference",
            samples=samples,
            intervals=IntervalOptions(seed=seed),
            fits=FitOptions(engine=engine, **work(f"models of words, {VARIANTS[variant]}")),
        )
        for variant in VARIANTS
    }
    others = [
        OtherChoice("duration", VARIANTS[name], VARIANTS["padded"], results[name]) for name in ("duration", "word")
    ]
    output.claims(claims_of(results["padded"], others=others, sources=("curves", "effects")))
    for table, title in (("parametric", "Levels"), ("smooths", "Shapes"), ("effects", "Effect sizes")):
        frames = [getattr(results[name], table).assign(series=label) for name, label in VARIANTS.items()]
        stacked = pd.concat(frames, ignore_index=True)
        output.table(stacked.loc[:, ["series", *stacked.columns.drop("series")]], table, f"{title} of words at {layer}")
    on_clip = [results[name].curves.assign(layer=VARIANTS[name]) for name in ("padded", "duration")]
    output.figure(
        smooths(pd.concat(on_clip)), "curves", "Predicted curves, without and with duration in the model",
        "Upper row: the zero-padded clip, as published. Lower row: with smooths of duration, at the median duration.",
    )  # fmt: skip
    own = results["word"]
    figure = difference(own.difference, own.regions, x="time", x_label="Time in the word (0: begins, 1: ends)")
    output.figure(
        figure, "difference_curves", "Differences between words, each on its own time",
        "Only samples inside the word, time-normalised: here the silence after a short word cannot pass for a level.",
    )  # fmt: skip
    return output


if __name__ == "__main__":
    run_script(main)
