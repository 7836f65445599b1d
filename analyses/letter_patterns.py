"""Has a letter a pattern, where, and is it in speech or in what the network chooses? One figure a letter.

python analyses/letter_patterns.py STORE --out DIR
"""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from layerstats.checks import check_choice, check_columns
from layerstats.cli import listed, run_script, whole_numbers
from layerstats.errors import ArgumentError
from layerstats.plots import aligned_maps
from layerstats.report import Output
from layerstats.stats import (
    alignment_name,
    panel_averages,
    pattern_panels,
    pattern_tests,
    read_windows,
    speech_and_network,
    stored_alignments,
)
from layerstats.store import Experiment, open_store

LETTERS = (
    "Where the studentised difference from the mean over letters is largest, by {network} and at the phone's own time "
    "({speech}, {delay:.0f} ms before the letter is read), how large it is there, and its p-value by permutation of "
    "letters within speakers, each window aligned anew, adjusted over the map and the letters; others: windows of "
    "other letters, aligned as this letter's are. Above 0: more than the mean over letters, in the units of the input "
    "(of a z-normalised one, its standard deviations)."
)
ALIGNMENTS = "none (middle of the window), max_relevance, min_relevance (of gradients), or these with _by_time."
LAID_OUT: dict[str, Any] = {"value": "value", "row": "alignment", "beside": "panel", "scale": "kind"}
FIGURE = (
    "Windows in which {letter!r} was read: means, the difference from the mean over letters that was tested, and what "
    "windows of other letters are when aligned as this letter's are. Grey: not tested (too few speakers have the "
    "letter), beyond what windows reach, or, of other letters and an untrained network, at the phone's time, which "
    "depends on neither. Black lines: what may be claimed. {claim}"
)


def main(
    store: Annotated[Path, typer.Argument(help="Store of windows: layerstats relevance --maps --alignments.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    recording: Annotated[str, typer.Option(help="Name of the recording of relevance that aligns.")] = "adapted",
    alignment: Annotated[str, typer.Option(help=ALIGNMENTS)] = "max_relevance",
    phone: Annotated[str, typer.Option(help="The phone's own time: phone_onset or phone_centre.")] = "phone_onset",
    letters: Annotated[str, typer.Option(help="Letters that get a figure, separated by commas; all by default.")] = "",
    pairs: Annotated[str, typer.Option(help="Letters to test against each other too: a:e,t:d.")] = "",
    statistic: Annotated[str, typer.Option(help="max, or cluster_mass or tfce, which claim no place.")] = "max",
    permutations: Annotated[int, typer.Option(help="Of letters within speakers.")] = 1999,
    resolution: Annotated[str, typer.Option(help="Bands and samples that are pooled to one place.")] = "4,4",
    reach: Annotated[float, typer.Option(help="Seconds before and after the alignment.")] = 0.4,
    workers: Annotated[int, typer.Option(help="Threads; the numbers are the same.")] = 2,
    seed: Annotated[int, typer.Option(help="Seed of the permutations.")] = 0,
) -> Output:
    """Test the pattern of each letter at both alignments, and draw its maps with what the tests may claim."""
    experiment, pooled = open_store(store), tuple(whole_numbers("resolution", resolution))
    output = Output(out, title="Patterns of letters", provenance={"store": store.name, "seed": seed})
    against = _checked(experiment, listed(letters) or [], [pair.split(":") for pair in listed(pairs) or []])
    how: dict[str, Any] = {"permutations": permutations, "resolution": pooled, "reach_s": reach, "statistic": statistic}
    how |= {"seed": seed, "workers": workers}
    (way,) = stored_alignments(experiment, [alignment if alignment == "none" else f"{recording}:{alignment}"])
    names = {"network": way.name, "speech": alignment_name(phone)}
    both = speech_and_network(experiment, alignment, phone_alignment=phone, relevance=recording, **how)
    told, panels = LETTERS.format(**names, delay=1000 * both.delay_s), {}
    output.table(both.table, "letters", "Patterns of letters, in the network and in speech", told)
    for name, tests in (("network", both.network), ("speech", both.speech)):
        output.table(tests.table, name, f"Tests of letters aligned by {names[name]}", tests.claim, kind="pattern_tests")
        beside = panel_averages(experiment, tests, relevance=recording, delay_s=both.delay_s, reach_s=reach)
        panels[name] = tests, *beside
    for letter in listed(letters) or both.table["letter"]:
        maps = [pattern_panels(letter, *own).assign(alignment=names[name]) for name, own in panels.items()]
        told = FIGURE.format(letter=letter, **names, claim=both.network.claim)
        figure = aligned_maps(pd.concat(maps), **LAID_OUT, marked="claimed", row_height=1.3)
        output.figure(figure, f"letter_{letter}", f"The letter {letter}", told)
    if against:
        how["against"] = against
        tests = pattern_tests(read_windows(experiment, alignment=alignment, relevance=recording), **how)
        output.table(tests.table, "pairs", "Pairs of letters, the first minus the second", tests.claim)
    output.text("notes", "Notes", "\n".join(both.notes))
    return output


def _checked(experiment: Experiment, letters: list[str], pairs: list[list[str]]) -> list[tuple[str, ...]]:
    """Return the pairs, where there are such letters: tests take minutes before any is drawn."""
    wrong = [":".join(pair) for pair in pairs if len(pair) != 2 or len({*pair, ""}) != 3]
    if wrong:
        raise ArgumentError(f"--pairs takes two letters each, as a:e, but one is {wrong[0]!r}.")
    check_columns(experiment.tokens, ["letter"], f"the tokens of {experiment.path}")
    for name, some in (("letters", letters), ("pairs", [letter for pair in pairs for letter in pair])):
        for letter in some:
            check_choice(name, letter, sorted(set(experiment.tokens["letter"])))
    return [tuple(pair) for pair in pairs]


if __name__ == "__main__":
    run_script(main)
