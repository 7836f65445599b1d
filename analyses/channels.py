"""Which channels (units) of a layer carry a contrast, and how many?

python analyses/channels.py STORE --out DIR --layer conv4 --phones s:sh

The store must hold every channel: record it with --maps.
"""

from pathlib import Path
from typing import Annotated, Literal, cast

import pandas as pd
import typer

from layerstats.cli import LongWork, listed, run_script
from layerstats.plots import channel_effects
from layerstats.report import Output
from layerstats.stats import carrying_channels, channel_contrasts, channel_table, claims_of
from layerstats.store import open_store


def main(
    store: Annotated[Path, typer.Argument(help="The store, recorded with every channel.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    work: LongWork,
    layer: Annotated[str, typer.Option(help="The layer, or several separated by commas.")],
    phones: Annotated[str, typer.Option(help="Two sets of phones: s:sh, p,t,k:b,d,g.")] = "",
    words: Annotated[str, typer.Option(help="Instead of phones, two words: ask,wash.")] = "",
    contrast: Annotated[str, typer.Option(help="Instead of phones, any contrast: sex=F:M, phones.position=a:b.")] = "",
    times: Annotated[str, typer.Option(help="Times of phones: common (interpolated) or own (slower).")] = "common",
    speakers: Annotated[str, typer.Option(help="Smooths of speakers: auto, or none.")] = "auto",
    samples: Annotated[int, typer.Option(help="Points that longer series are averaged into.")] = 32,
    alpha: Annotated[float, typer.Option(help="Level of adjusted p-values.")] = 0.05,
) -> Output:
    """Test level, shape and both in every channel, and estimate how many channels carry the contrast."""
    experiment = open_store(store)
    told = words.replace(",", " - ") or (contrast or phones).replace(":", " - ")
    title = f"Channels: {told}"
    output = Output(out, title=title, provenance={"store": store.name, "contrast": told, "speakers": speakers})
    results = {
        name: channel_contrasts(
            experiment,
            name,
            contrast or None,
            words=listed(words) or None,
            phones=phones or None,
            times=cast("Literal['common', 'own']", times),
            speakers=cast("Literal['auto', 'none']", speakers),
            samples=samples,
            **work(f"channels of {name}"),
        )
        for name in listed(layer) or ()
    }
    for result in results.values():
        output.claims(claims_of(result))
    table = pd.concat([channel_table(result) for result in results.values()], ignore_index=True)
    counts = pd.concat(
        [carrying_channels(result, alpha=alpha).assign(layer=name) for name, result in results.items()],
        ignore_index=True,
    )
    output.table(counts.loc[:, ["layer", *counts.columns[:-1]]], "carriers", f"How many channels carry {told}")
    output.table(table, "channels", f"{told} in every channel", kind="channel_contrasts")
    output.figure(
        channel_effects(table, alpha=alpha), "effects", f"{told} in every channel",
        "At the sides channels that differ in level, far up in the middle those that differ in shape.",
    )  # fmt: skip
    models = [
        f"{name}: {result.attrs['formula']}, rho = {result.attrs['rho']:.3f}. t of levels has as many degrees of "
        f"freedom as {result.attrs['level_units']}. {result.attrs['note']}"
        for name, result in results.items()
    ]
    output.text("models", "Models", "\n\n".join(models))
    return output


if __name__ == "__main__":
    run_script(main)
