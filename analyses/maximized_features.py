"""What maximization changes in the features of words: before, after and difference, under two set-ups or more.

python analyses/maximized_features.py STORE --out DIR --words off,left,two --prior autoencoder:FILE
"""

from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli import run_script
from layerstats.plots import maximized_features
from layerstats.probes import features_table
from layerstats.report import Output
from layerstats.store import open_store

CAPTION = (
    "One start of each word, of the same number under every set-up, whether it was successful or not (Fig. 2 of Soomro "
    "et al. 2019). Without a prior single values change, which no speech has; a model of speech changes bands and "
    "stretches of time. All differences have one scale."
)


def main(
    store: Annotated[Path, typer.Argument(help="A store with outcomes: layerstats maximize CHECKPOINT STORE.")],
    out: Annotated[Path, typer.Option(help="Folder for the figure.")],
    words: Annotated[str, typer.Option(help="Targets, separated by commas; the first three by default.")] = "",
    set_ups: Annotated[str, typer.Option(help="Set-ups, separated by commas; all by default.")] = "",
    network: Annotated[str | None, typer.Option(help="Target network, where there are several.")] = None,
    prior: Annotated[list[str] | None, typer.Option(help="Decoder of codes, autoencoder:FILE; repeatable.")] = None,
    number: Annotated[int, typer.Option(help="Which start of each word, from 0.")] = 0,
) -> Output:
    """Draw features before and after maximization and their difference, a row a word."""
    experiment = open_store(store)
    output = Output(out, title="What maximization changes", provenance={"store": store.name, "number": number})
    names = [name for name in set_ups.split(",") if name] or None
    chosen = [word for word in words.split(",") if word] or None
    table = features_table(experiment, chosen, set_ups=names, network=network, number=number, priors=prior or [])
    output.figure(maximized_features(table), "maximized_features", "Features before and after maximization", CAPTION)
    return output


if __name__ == "__main__":
    run_script(main)
