"""Which input do neurons of a network of letters answer to most? Optimal inputs of neurons of several layers.

python analyses/optimal_inputs.py NETWORK STORE --out DIR --letter a --layers conv1,conv2,conv10,conv12
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from layerstats.cli import listed, run_script
from layerstats.corpora import Corpus, open_corpus, utterance
from layerstats.errors import ArgumentError, CorpusError
from layerstats.models import Wav2Letter, device_for, load_checkpoint, running
from layerstats.plots import optimal_inputs
from layerstats.probes import features_table, maximize_activations, record_nulls, strongest_units
from layerstats.probes.relevance import emitted_letters
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
    heard, where = _window(reader, open_corpus(corpus, damaged="skip"), letter, utterances, seed)
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
    output.figure(
        optimal_inputs(table), "optimal_inputs", "Optimal inputs of neurons", f"{CAPTION} The window: {where}."
    )
    agreement = agreement_of_starts(experiment)
    output.table(agreement, "agreement_of_starts", "Whether a neuron has one optimal input", TABLE)
    return output


def _window(reader: Wav2Letter, speech: Corpus, letter: str, utterances: int, seed: int) -> tuple[torch.Tensor, str]:
    """Return one window (token, time, mel) that the network reads as the letter, drawn at random, and where it is."""
    names = speech.tokens["token"].tolist()
    draw = np.random.default_rng(seed)
    some = speech.subset(tokens=[names[place] for place in sorted(draw.permutation(len(names))[:utterances])])
    windows = emitted_letters(reader, some).query("letter == @letter")
    if windows.empty:
        raise CorpusError(
            f"The network reads no {letter!r} in {len(some)} utterances of this corpus. Look among more "
            "(--utterances), or choose another letter (--letter)."
        )
    chosen = windows.iloc[int(draw.integers(len(windows)))]
    samples = torch.from_numpy(utterance(speech, str(chosen["utterance"]), reader.front_end.rate_hz))
    with running(reader, device_for(reader, "cpu")):
        features = reader.features(samples[None])
    start = int(chosen["start_frame"])
    return features[:, start : start + reader.receptive_field], f"{chosen['utterance']}, {chosen['time_s']:.2f} s"


if __name__ == "__main__":
    run_script(main)
