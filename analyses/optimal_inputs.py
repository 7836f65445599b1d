"""Which input do neurons of a network of letters answer to most? Optimal inputs of neurons of several layers.

python analyses/optimal_inputs.py NETWORK STORE --out DIR --letter a --layers conv1,conv2,conv10,conv12
"""

from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli import listed, run_script
from layerstats.corpora import open_corpus
from layerstats.errors import ArgumentError
from layerstats.models import Wav2Letter, load_checkpoint
from layerstats.plots import optimal_inputs
from layerstats.probes import drawn_window, features_table, maximize_activations, record_nulls, strongest_units
from layerstats.report import Output
from layerstats.stats import agreement_of_starts

CAPTION = (
    "The input that each neuron answers to most, by Adam from uniform noise, less L1 and L2 penalties of .001 each "
    "(Krug & Stober 2018, Fig. 1). Of each layer that neuron was taken whose activation, averaged over time, is the "
    "largest in one window that is read as the letter; a neuron is the channel's value in the middle of the window. "
    "One start is drawn; the table says how alike the inputs are that other starts lead to."
)
TABLE = (
    "Agreement: correlation between the inputs of two starts, mean over all pairs; 1 where a neuron has one optimal "
    "input. Filled: time in which the input has values above a hundredth of its largest. Untrained networks beside it."
)


def main(
    network: Annotated[Path, typer.Argument(help="A network of letters (.safetensors).")],
    store: Annotated[Path, typer.Argument(help="Store of the optimal inputs; what is missing in it is made.")],
    out: Annotated[Path, typer.Option(help="Folder for the figure and the table.")],
    corpus: Annotated[str, typer.Option(help="Utterances; one window chooses the neurons.")] = "demo:sentences",
    letter: Annotated[str, typer.Option(help="Letter that the window is read as.")] = "a",
    layers: Annotated[str, typer.Option(help="Layers, by commas; a panel each.")] = "conv1,conv2,conv10,conv12",
    starts: Annotated[int, typer.Option(help="Starts of every neuron.")] = 4,
    steps: Annotated[int, typer.Option(help="Steps of every start.")] = 250,
    untrained: Annotated[int, typer.Option(help="Untrained networks beside it.")] = 1,
    utterances: Annotated[int, typer.Option(help="Utterances among which a window of the letter is looked for.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the window and the starts.")] = 0,
) -> Output:
    """Choose neurons by a window that is read as a letter, maximize them, and draw what they answer to."""
    output = Output(
        out,
        title="Optimal inputs",
        provenance={"network": network.name, "corpus": corpus, "letter": letter, "seed": seed},
    )
    reader, card = load_checkpoint(network)
    if not isinstance(reader, Wav2Letter):
        raise ArgumentError(f"{network} holds a {type(reader).__name__}, which reads no letters: give a Wav2Letter.")
    speech = open_corpus(corpus, damaged="skip")
    heard, window = drawn_window(reader, speech, letter, utterances=utterances, seed=seed)
    units = strongest_units(reader, heard, listed(layers) or [])
    options = {"settings": "krug2018", "starts": starts, "steps": steps, "seed": seed, "network_name": network.stem}
    named = units["unit"].tolist()
    experiment = maximize_activations(reader, named, store, card=card, **options)
    if untrained:
        seeds = range(untrained)
        experiment = record_nulls(reader, named, store, ["untrained"], untrained_seeds=seeds, card=card, **options)
    table = features_table(experiment, named, network=network.stem).query("features == 'after'")
    # Channels of the last layer are letters.
    last = units.loc[units["layer"] == "conv12"]
    read = {row.unit: f"{row.unit} ({reader.alphabet.letters[row.channel]!r})" for row in last.itertuples()}
    table["target"] = table["target"].replace(read)
    where = f"The window: {window['utterance']}, {window['time_s']:.2f} s."
    output.figure(optimal_inputs(table), "optimal_inputs", "Optimal inputs of neurons", f"{CAPTION} {where}")
    agreement = agreement_of_starts(experiment)
    output.table(agreement, "agreement_of_starts", "Whether a neuron has one optimal input", TABLE)
    return output


if __name__ == "__main__":
    run_script(main)
