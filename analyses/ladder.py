"""Which priors make speech of what a network listens for? Priors along the steps and at equal displacement.

python analyses/ladder.py CHECKPOINT STORE --out DIR --prior none --prior smooth --judges FILE,pocketsphinx
"""

from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli import listed, run_script, whole_numbers
from layerstats.judges import judge
from layerstats.models import load_checkpoint
from layerstats.plots import ladder as ladder_figure
from layerstats.probes import maximize_ladder
from layerstats.report import Output
from layerstats.stats import claims_of, ladder_attempts, success_ladder

CAPTION = (
    "Share of all starts in which a judge hears the target, intervals for other starts. Left: after so many steps. "
    "Right: each start is taken where it last was before it first went further from its beginning, in what the network "
    "hears, than the distance says. Beside them the same starts moved as far in random directions."
)
USUAL = ["none", "smooth", "spectrum"]


def main(
    checkpoint: Annotated[Path, typer.Argument(help="The target network (.safetensors).")],
    store: Annotated[Path, typer.Argument(help="Store of the ladder alone; what is missing in it is made.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    judges: Annotated[str, typer.Option(help="Checkpoints and recognisers, by commas.")] = "pocketsphinx",
    prior: Annotated[list[str] | None, typer.Option(help="Repeatable, e.g. autoencoder:FILE; lowest first.")] = None,
    targets: Annotated[str | None, typer.Option(help="Classes, by commas; by default all.")] = None,
    starts: Annotated[int, typer.Option(help="Starts of every class.")] = 10,
    steps: Annotated[str, typer.Option(help="Numbers of steps, by commas.")] = "0,5,10,20,40",
    seed: Annotated[int, typer.Option(help="Of the starts.")] = 0,
) -> Output:
    """Maximize under several priors, let judges listen after several numbers of steps, and compare."""
    output = Output(out, title="A ladder of priors", provenance={"network": checkpoint.name, "seed": seed})
    network, card = load_checkpoint(checkpoint)
    priors, words = prior or USUAL, listed(targets) or list(card.outputs)
    options = {"starts": starts, "seed": seed, "card": card, "network_name": checkpoint.stem}
    maximize_ladder(network, words, store, priors, steps=whole_numbers("steps", steps), **options)
    decoders = [one for one in priors if ":" in one]
    experiment = judge(store, listed(judges) or [], priors=decoders)
    result = success_ladder(ladder_attempts(experiment))
    drawn = result.curves.query("measure == 'marginal'")
    output.figure(ladder_figure(drawn), "ladder", "Priors along the steps and at equal displacement", CAPTION)
    output.table(result.contrasts, "ladder_contrasts", "Priors at equal displacement", " ".join(result.notes))
    output.claims(claims_of(result))
    output.table(result.curves, "ladder_curves", "Success along the steps and by displacement", CAPTION)
    return output


if __name__ == "__main__":
    run_script(main)
