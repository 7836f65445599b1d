"""Does maximization exaggerate the cue that a phonetician would name, and what else does it do to a word?

python analyses/exaggeration.py STORE CHECKPOINT --out DIR --corpus demo:yes,no --prior autoencoder:FILE
"""

from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli import listed, run_script
from layerstats.corpora import open_corpus
from layerstats.models import load_checkpoint
from layerstats.plots import exaggeration_curves, named_cues
from layerstats.probes import network_attributes, record_beside_natural
from layerstats.report import Output
from layerstats.stats import claims_of, cue_tests, measure_exaggeration, read_cues
from layerstats.store import open_store

CAPTIONS = {
    "cues": "Cues and directions were written down before any network was looked at, with their reasons. Exaggeration: "
    "difference from natural speech of the word in the direction named, in standard deviations between natural "
    "speakers; p-values are one-sided, adjusted over the cues of a pair of conditions.",
    "table": "One GAMM a word and measure; tests count speakers and starts, and each is adjusted over words and "
    "measures. Natural SD: of natural speakers about their mean.",
    "duration": "From the first to the last frame that is less than 30 dB softer than the loudest.",
}


def main(
    store: Annotated[Path, typer.Argument(help="Store of the maximization.")],
    checkpoint: Annotated[Path, typer.Argument(help="The target network (.safetensors).")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    corpus: Annotated[str, typer.Option(help="Natural speech with the classes as words.")] = "demo",
    split: Annotated[str, typer.Option(help="Split of it that is compared with; empty for all.")] = "test",
    outcomes: Annotated[str, typer.Option(help="Name of the outcome set, where there are several.")] = "",
    prior: Annotated[str, typer.Option(help="Decodes stored codes: autoencoder:FILE.")] = "",
    words: Annotated[str, typer.Option(help="Words, separated by commas; all targets by default.")] = "",
    starts: Annotated[int, typer.Option(help="Starts of each target.")] = 50,
    reference: Annotated[str, typer.Option(help="natural, reconstructed (by the prior) or before.")] = "natural",
    along: Annotated[str, typer.Option(help="word: normalised time of the speech; clip: time of the clip.")] = "word",
    every: Annotated[bool, typer.Option("--every", help="Mel trajectories too, not only cues.")] = False,
    cues: Annotated[Path | None, typer.Option(help="A TOML file of cues of your own.")] = None,
) -> Output:
    """Compare maximized with natural speech of each word: measures over time, and named cues beside their nulls."""
    experiment = open_store(store)
    output = Output(out, title="What is exaggerated", provenance={"store": store.name, "network": checkpoint.name})
    network, card = load_checkpoint(checkpoint)
    chosen = listed(words) or sorted(set(experiment.outcome(outcomes or None)["target"].to_numpy()))
    speech = open_corpus(corpus, words=chosen, damaged="skip")
    view = record_beside_natural(
        network,
        experiment,
        speech.subset(split=split) if split else speech,
        out / "items.zarr",
        name=outcomes or None,
        words=chosen,
        starts=starts,
        prior=prior or None,
        layers="features",
        attrs=network_attributes(card),
    )
    measures = "all" if every else "cues"
    result = measure_exaggeration(view, words=chosen, measures=measures, reference=reference, along=along)
    known = set(view.tokens["condition"])
    nulls = [name for name in ("before", "reconstructed", "random_direction") if name in known]
    tested = cue_tests(view, cues=read_cues(cues) if cues else None, nulls=nulls)
    output.figure(named_cues(tested.table), "cues", "Named cues against natural speech", CAPTIONS["cues"])
    output.table(tested.summary, "cue_summary", "Named cues, all words together", CAPTIONS["cues"])
    output.table(tested.table, "cue_table", "Named cues", CAPTIONS["cues"])
    output.claims(claims_of(tested))
    shown = list(dict.fromkeys(result.difference["word"]))
    for first in range(0, len(shown), 6):
        names = shown[first : first + 6]
        measures = list(dict.fromkeys(result.difference["measure"]))[:8]
        part = result.difference.query(f"word in {names} and measure in {measures}")
        title = f"Differences over time: {', '.join(names)}"
        output.figure(exaggeration_curves(part), f"curves_{first // 6 + 1}", title)
    output.table(result.table, "exaggeration", "Differences of each word and measure", CAPTIONS["table"])
    output.table(result.regions, "regions", "Where differences exclude zero")
    output.table(result.duration, "duration", "Duration of the speech", CAPTIONS["duration"])
    return output


if __name__ == "__main__":
    run_script(main)
