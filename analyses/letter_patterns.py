"""Has a letter a pattern, where, and is it in speech or in what the network chooses? One figure a letter.

python analyses/letter_patterns.py STORE --out DIR
"""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from layerstats.checks import check_columns
from layerstats.cli import LongWork, among, pairs_among, run_script, whole_numbers
from layerstats.plots import aligned_maps
from layerstats.report import Output
from layerstats.stats import (
    OtherChoice,
    alignment_name,
    claims_of,
    panel_averages,
    pattern_panels,
    pattern_tests,
    speech_and_network,
    stored_alignments,
)
from layerstats.store import open_store

LETTERS = "Where the studentised difference from the mean over letters is largest, by {network} and at the phone's "
LETTERS += "own time ({speech}, {delay:.0f} ms before the letter is read), how large it is there (in units of the "
LETTERS += "input; above 0: more), and its p-value by permutation of letters within speakers, each window aligned "
LETTERS += "anew, adjusted over the map and the letters; others: windows of other letters, aligned as this letter's "
LETTERS += "are."
LAID_OUT: dict[str, Any] = {"value": "value", "row": "alignment", "beside": "panel", "scale": "kind"}
FIGURE = "Windows in which {!r} was read: means, the tested difference from the mean over letters, and those of "
FIGURE += "other letters aligned alike. Grey: not tested, out of reach, or nulls at the phone's time. Black lines "
FIGURE += "(max-T only): what may be claimed. {}"


def main(
    store: Annotated[Path, typer.Argument(help="Store of windows: layerstats relevance --maps --alignments.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    work: LongWork,
    recording: Annotated[str, typer.Option(help="Name of the recording of relevance that aligns.")] = "adapted",
    alignment: Annotated[str, typer.Option(help="none, max_relevance, min_relevance (_by_time).")] = "max_relevance",
    phone: Annotated[str, typer.Option(help="The phone's own time: phone_onset or phone_centre.")] = "phone_onset",
    letters: Annotated[str, typer.Option(help="Letters that get a figure, separated by commas; all by default.")] = "",
    pairs: Annotated[str, typer.Option(help="Letters to test against each other too: a:e,t:d.")] = "",
    statistic: Annotated[str, typer.Option(help="max, or cluster_mass or tfce, which claim no place.")] = "max",
    permutations: Annotated[int, typer.Option(help="Of letters within speakers.")] = 1999,
    resolution: Annotated[str, typer.Option(help="Bands and samples that are pooled to one place.")] = "4,4",
    reach: Annotated[float, typer.Option(help="Seconds before and after the alignment.")] = 0.4,
    seed: Annotated[int, typer.Option(help="Seed of the permutations.")] = 0,
    sensitivity: Annotated[bool, typer.Option("--sensitivity", help="Claims by the other statistics too.")] = False,
) -> Output:
    """Test the pattern of each letter at both alignments, and draw its maps with what the tests may claim."""
    experiment, pooled = open_store(store), tuple(whole_numbers("resolution", resolution))
    output = Output(out, title="Patterns of letters", provenance={"store": store.name, "seed": seed})
    check_columns(experiment.tokens, ["letter"], f"the tokens of {experiment.path}")
    known = sorted(set(experiment.tokens["letter"]))
    some, against = among("letters", letters, known), pairs_among("pairs", pairs, known)
    how: dict[str, Any] = {"permutations": permutations, "resolution": pooled, "reach_s": reach, "seed": seed}
    how |= {"statistic": statistic, **work("permutations")}
    (way,) = stored_alignments(experiment, [alignment if alignment == "none" else f"{recording}:{alignment}"])
    names = {"network": way.name, "speech": alignment_name(phone)}
    both = speech_and_network(experiment, alignment, phone_alignment=phone, relevance=recording, **how)
    others = []
    for one in sorted({"max", "cluster_mass", "tfce"} - {statistic}) if sensitivity else ():
        again = {**how, "statistic": one, "phone_alignment": phone, "relevance": recording}
        others.append(OtherChoice("statistic", one, statistic, speech_and_network(experiment, alignment, **again)))
    output.claims(claims_of(both, letters=some, others=others))
    told, panels = LETTERS.format(**names, delay=1000 * both.delay_s), {}
    output.table(both.table, "letters", "Patterns of letters, in the network and in speech", told)
    for name, tests in (("network", both.network), ("speech", both.speech)):
        output.table(tests.table, name, f"Tests of letters aligned by {names[name]}", tests.claim, kind="pattern_tests")
        beside = panel_averages(experiment, tests, relevance=recording, delay_s=both.delay_s, reach_s=reach)
        panels[name] = tests, *beside
    for letter in some or both.table["letter"]:
        maps = [pattern_panels(letter, *own).assign(alignment=names[name]) for name, own in panels.items()]
        figure = aligned_maps(pd.concat(maps), **LAID_OUT, marked="claimed", row_height=1.3)
        output.figure(figure, f"letter_{letter}", f"The letter {letter}", FIGURE.format(letter, both.network.claim))
    if against:
        how |= work("permutations of pairs")
        tests = pattern_tests(experiment, against=against, alignment=alignment, relevance=recording, **how)
        output.table(tests.table, "pairs", "Pairs of letters, the first minus the second", tests.claim)
    output.text("notes", "Notes", "\n\n".join(both.notes))
    return output


if __name__ == "__main__":
    run_script(main)
