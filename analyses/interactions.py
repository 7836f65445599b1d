"""Does a contrast differ: between men and women, between two layers, and after training?

python analyses/interactions.py STORE --out DIR --contrast s:sh --by sex=F:M --between-layers conv3:conv5 --training
"""

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from layerstats.cli import LongWork, listed, run_script
from layerstats.plots import double_difference
from layerstats.report import Output
from layerstats.stats import ContrastOfContrasts, FitOptions, IntervalOptions, claims_of, contrast_of_contrasts
from layerstats.store import open_store

TESTS = (
    "The contrast on the first side minus that on the second. Joint test: does it differ at all? Level and shape say "
    "in what. t of levels has as many degrees of freedom as {units}. {notes} {warning}"
)
CURVES = "Above: the contrast on each side. Below: the first side minus the second, with simultaneous bands. {warning}"


def main(
    store: Annotated[Path, typer.Argument(help="The store.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    work: LongWork,
    contrast: Annotated[str, typer.Option(help="Two levels: s:sh, word=ask:wash, phones.position=initial:final.")] = (
        "s:sh"
    ),
    by: Annotated[str, typer.Option(help="Between levels of a column: sex=F:M; none by default.")] = "",
    between_layers: Annotated[str, typer.Option(help="Between two layers: conv3:conv5; none by default.")] = "",
    recordings: Annotated[str, typer.Option(help="Between two recordings, by name, separated by a comma.")] = "",
    training: Annotated[bool, typer.Option(help="Between the trained network and its untrained twins.")] = False,
    layers: Annotated[str, typer.Option(help="Layers, separated by commas; all by default.")] = "",
    scale: Annotated[str, typer.Option(help="tokens, or none: units of the response where these agree.")] = "tokens",
    engine: Annotated[str, typer.Option(help="auto, structured or mgcv.")] = "auto",
    samples: Annotated[int, typer.Option(help="Points that longer series are averaged into.")] = 32,
    seed: Annotated[int, typer.Option(help="Seed of simulated intervals.")] = 0,
) -> Output:
    """Write tests, curves and effect sizes of each comparison that was asked for."""
    asked = {
        "column": {"by": by} if by else {},
        "layers": {"by_layers": tuple(between_layers.split(":"))} if between_layers else {},
        "recordings": {"by_recordings": tuple(listed(recordings) or ())} if recordings else {},
        "training": {"by_training": True} if training else {},
    }
    experiment = open_store(store)
    title = f"What the contrast {contrast} depends on"
    output = Output(out, title=title, provenance={"store": store.name, "contrast": contrast, "seed": seed})
    chosen = {name: options for name, options in asked.items() if options} or {"none": {}}
    for name, options in chosen.items():
        result = contrast_of_contrasts(
            experiment,
            contrast,
            **options,
            layers=listed(layers) or None,
            scale=cast("Literal['tokens', 'none']", scale),
            samples=samples,
            intervals=IntervalOptions(seed=seed),
            fits=FitOptions(engine=engine, **work("models of layers")),
        )
        write(output, name, result, "SDs of tokens" if name != "column" and scale == "tokens" else "activation")
    return output


def write(output: Output, name: str, result: ContrastOfContrasts, units: str) -> None:
    """Write one comparison."""
    output.claims(claims_of(result, sources=(f"{name}_curves", name)))
    told = {"units": result.level_units, "notes": " ".join(result.notes), "warning": result.model_warning}
    first = result.tests.iloc[0]
    what = f"{first['contrast']}, {first['level_1']} - {first['level_2']}"
    output.table(result.tests, name, what, TESTS.format(**told).strip(), kind="contrast_of_contrasts")
    figure = double_difference(
        result.contrasts, result.difference, result.regions, value_label=f"Difference in {units}"
    )
    output.figure(figure, f"{name}_curves", f"{what} along time", CURVES.format(**told).strip())
    output.table(result.effects, f"{name}_effects", f"{what}: effect sizes")
    output.table(result.regions, f"{name}_regions", f"{what}: where the contrast differs", kind="regions")
    if len(result.network_tests):
        output.table(result.network_tests, f"{name}_networks", f"{what}: the trained network among untrained ones")


if __name__ == "__main__":
    run_script(main)
