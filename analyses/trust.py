"""How far can maps of relevance be trusted? One table and one figure of a recording of windows.

python analyses/trust.py STORE NETWORK --corpus timit:PATH --out DIR --compare "epsilon,gradient,adapted?epsilon=0.001"
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import torch
import typer

from layerstats.cli import listed, run_script, whole_numbers
from layerstats.corpora import open_corpus
from layerstats.errors import ArgumentError
from layerstats.models import load_checkpoint
from layerstats.plots import map_trust
from layerstats.probes.relevance import HeardWindows, hear_windows
from layerstats.report import Output
from layerstats.stats import map_agreement, measure_agreement, perturbation_areas, phone_location, trust_table
from layerstats.store import Experiment, open_store

CAPTION = (
    "Means over speakers, with Student's intervals for other speakers. Share of the map inside the phone that people "
    "labelled, and whether its maximum is there, against phones shifted round the window and the phones of the "
    "speaker's other windows; agreement with other rules and with maps of networks with random weights, of R and of R "
    "over the input, against maps of other windows; area under the probability of the letter as the most relevant "
    "patches are deleted or inserted, against random order and a map of energy."
)
# Numbers of rules that a recording names.
_NUMBERS = ("epsilon", "gamma", "alpha", "beta")


def main(
    store: Annotated[Path, typer.Argument(help="Store of windows, recorded by layerstats relevance.")],
    network: Annotated[Path, typer.Argument(help="The network that was recorded (.safetensors).")],
    out: Annotated[Path, typer.Option(help="Folder for the table and the figure.")],
    corpus: Annotated[str, typer.Option(help="The speech that was recorded: KIND:PATH.")] = "demo:sentences",
    recording: Annotated[str, typer.Option(help="Name of the recording, where there are several of relevance.")] = "",
    compare: Annotated[str, typer.Option(help="Other methods, METHOD?OPTION=NUMBER, separated by commas.")] = "",
    layers: Annotated[str, typer.Option(help="Layers that get random weights; by default all at the top.")] = "",
    windows: Annotated[int, typer.Option(help="Windows that the network hears again, spread over speakers.")] = 100,
    patch: Annotated[str, typer.Option(help="Frames and bands of a patch that is exchanged at a time.")] = "10,16",
    steps: Annotated[int, typer.Option(help="Steps of deletion and insertion.")] = 10,
    seed: Annotated[int, typer.Option(help="Seed of the choice of windows, of noise, orders and random weights.")] = 0,
) -> Output:
    """Write trust.csv and its figure."""
    view = (
        open_store(store, recording=recording) if recording else open_store(store, quantity="relevance", trained=True)
    )
    output = Output(out, title="Trust in maps of relevance", provenance={"store": store.name, "seed": seed})
    reader, card = load_checkpoint(network)
    some = spread_over_speakers(view, windows, seed)
    heard = hear_windows(reader, open_corpus(corpus), some.tokens, seed=seed)
    method, options = recorded_method(view)
    maps = heard.maps(method, **options)
    check_same(some, maps)
    measured = [
        *(phone_location(view, part=part) for part in ("absolute", "positive")),
        *other_rules(view, heard, maps, listed(compare) or []),
        *random_weights(heard, maps, heard.random_maps(method, listed(layers) or None, seed=seed, **options)),
        perturbation_areas(heard.curves(maps, patch=whole_numbers("patch", patch), steps=steps, seed=seed)),
    ]
    result = trust_table(measured, recording=view.name)
    output.table(result.table, "trust", f"Trust in {view.name} of {card.name}", CAPTION)
    output.figure(map_trust(drawn(result.table)), "trust_figure", f"Trust in {view.name} of {card.name}", CAPTION)
    if result.notes:
        output.text("notes", "Notes", "\n".join(result.notes))
    return output


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the figure has room for: of maps all values, of agreement the ranks without signs."""
    known = ~table["measure"].str.contains("correlation|same time") | table["measure"].str.endswith(", absolute")
    return table.loc[known & (table["condition"] != "positive")]


def spread_over_speakers(view: Experiment, windows: int, seed: int) -> Experiment:
    """Return so many windows at random, as many of each speaker as there are."""
    mixed = view.tokens.sample(frac=1, random_state=seed)
    turn = mixed.groupby("speaker").cumcount()
    return view.select(token=mixed.loc[turn.sort_values(kind="stable").index[:windows], "token"].tolist())


def recorded_method(view: Experiment) -> tuple[str, dict[str, Any]]:
    """Return the method of a recording, with its numbers and what it began with."""
    attrs = view.recording_attrs
    return attrs["method"], {name: attrs[name] for name in (*_NUMBERS, "start") if name in attrs}


def check_same(some: Experiment, maps: torch.Tensor) -> None:
    """Raise where maps that are made anew are not those that were recorded, for instance by another network."""
    layer = some.layer("input")
    stored = layer["sum" if "sum" in layer else some.summary].to_numpy()
    again = maps.sum(dim=2).numpy()
    alike = np.array([np.corrcoef(one, two)[0, 1] for one, two in zip(stored, again, strict=True)])
    if not np.median(alike) > 0.9:
        raise ArgumentError(
            f"Maps made anew correlate by {np.median(alike):.2f} with those of {some.name!r}: the network, the corpus "
            "or the rules are others than when it was recorded."
        )


def other_rules(
    view: Experiment, heard: HeardWindows, maps: torch.Tensor, compare: list[str]
) -> Iterator[pd.DataFrame]:
    """Yield how maps agree with those of other recordings of the store, and of other methods and numbers."""
    table = view.recordings.query("recording != @view.name and quantity != 'input' and trained and complete")
    if len(table):
        yield map_agreement(view, table["recording"].tolist())
    for text in compare:
        name, _, numbers = text.partition("?")
        options: dict[str, Any] = {
            key: float(value) for key, _, value in (one.partition("=") for one in numbers.split("&") if one)
        }
        yield measure_agreement(by_sample(maps), by_sample(heard.maps(name, **options)), heard.tokens, text)


def random_weights(heard: HeardWindows, maps: torch.Tensor, random_maps: Iterator[Any]) -> Iterator[pd.DataFrame]:
    """Yield how maps agree with those of networks with random weights, of R and of R over the input."""
    values = by_sample(heard.features)
    # Where the input is zero R/x is not known.
    over = np.where(np.abs(values) > 1e-6, values, np.nan)
    mine = by_sample(maps)
    for network, found in random_maps:
        other, what = by_sample(found), f"random weights, {network.mode}"
        yield measure_agreement(mine, other, heard.tokens, network.layer, what=what)
        yield measure_agreement(mine / over, other / over, heard.tokens, network.layer, map_name="R/x", what=what)


def by_sample(values: torch.Tensor) -> np.ndarray:
    """Return (token, frequency, sample) of (token, time, mel)."""
    return values.transpose(1, 2).double().numpy()


if __name__ == "__main__":
    run_script(main)
