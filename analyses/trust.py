"""How far can maps of relevance be trusted? One table and one figure of a recording of windows.

python analyses/trust.py STORE NETWORK --corpus timit:PATH --out DIR --compare "epsilon,gradient,adapted?epsilon=0.001"
"""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

from layerstats.cli import listed, name_and_numbers, run_script, whole_numbers
from layerstats.corpora import open_corpus
from layerstats.models import load_checkpoint
from layerstats.plots import map_trust
from layerstats.probes import hear_recorded
from layerstats.report import Output
from layerstats.stats import (
    claims_of,
    map_agreement,
    measure_agreement,
    perturbation_areas,
    phone_location,
    random_weights_agreement,
    trust_table,
)
from layerstats.store import open_store

CAPTION = (
    "Means over speakers, with Student's intervals for other speakers. Share of the map inside the labelled phone, and "
    "whether its maximum is there, against phones shifted round the window and phones of the speaker's other windows; "
    "agreement with other rules, and with maps under random weights, of R and of R/x, against maps of other windows; "
    "area under the letter's probability as relevant patches go or come, against random order and a map of energy."
)


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
    lengths, others = whole_numbers("patch", patch), {text: name_and_numbers(text) for text in listed(compare) or []}
    which: dict[str, Any] = {"recording": recording} if recording else {"quantity": "relevance", "trained": True}
    view = open_store(store, **which)
    output = Output(out, title="Trust in maps of relevance", provenance={"store": store.name, "seed": seed})
    reader, card = load_checkpoint(network)
    again = hear_recorded(reader, open_corpus(corpus), view, windows=windows, seed=seed)
    heard, maps = again.heard, by_sample(again.maps)
    stored = view.recordings.query("recording != @view.name and quantity != 'input' and trained and complete")
    by_rules = {text: by_sample(heard.maps(method, **numbers)) for text, (method, numbers) in others.items()}
    chance = ((one.mode, one.layer, by_sample(found)) for one, found in again.random_maps(listed(layers), seed=seed))
    measured = [
        *(phone_location(view, part=part) for part in ("absolute", "positive")),
        *([map_agreement(view, stored["recording"].tolist())] if len(stored) else []),
        *(measure_agreement(maps, found, heard.tokens, text) for text, found in by_rules.items()),
        random_weights_agreement(by_sample(heard.features), maps, chance, heard.tokens),
        perturbation_areas(heard.curves(again.maps, patch=lengths, steps=steps, seed=seed)),
    ]
    result = trust_table(measured, recording=view.name)
    table, title = result.table, f"Trust in {view.name} of {card.name}"
    output.table(table, "trust", title, CAPTION)
    # What the figure has room for: of maps all values, of agreement the ranks without signs.
    known = ~table["measure"].str.contains("correlation|same time") | table["measure"].str.endswith(", absolute")
    output.figure(map_trust(table.loc[known & (table["condition"] != "positive")]), "trust_figure", title, CAPTION)
    output.claims(claims_of(result))
    if result.notes:
        output.text("notes", "Notes", "\n\n".join(result.notes))
    return output


def by_sample(values: torch.Tensor) -> np.ndarray:
    """Return (token, frequency, sample) of (token, time, mel)."""
    return values.transpose(1, 2).double().numpy()


if __name__ == "__main__":
    run_script(main)
