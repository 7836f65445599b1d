"""Which input goes with a letter? Averages of aligned windows: Krug & Stober (2018), Fig. 3 and supplement.

python analyses/aligned_averages.py STORE --out DIR      # --averaging krug2018 --scale panel: as published
"""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from layerstats.cli import listed, run_script
from layerstats.errors import ArgumentError
from layerstats.plots import aligned_maps
from layerstats.report import Output
from layerstats.stats import aligned_averages, means_and_patterns, stored_alignments
from layerstats.store import open_store

# Letters on a page, as in the supplement.
PAGE = 9
CAPTION = (
    "Mean {quantity} of the windows in which a letter was read, minus the mean over letters ({averaging}), by what the "
    "windows are aligned by (none: their middle), in the units of what is averaged (of a z-normalised input, its "
    "standard deviations); above 0: more than the mean. A pattern here may be made by the alignment alone: "
    "analyses/letter_patterns.py tests it."
)
GREY = " Grey: lags that fewer than {covered:.0%} of a letter's windows have."
LIKE = " As in Krug & Stober (2018), {}."
PUBLISHED_CAPTION = "Means of letters, the mean over all letters, and what is left of each after subtracting it. "


def main(
    store: Annotated[Path, typer.Argument(help="Store of windows: layerstats relevance --maps --alignments.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    letters: Annotated[str, typer.Option(help="Letters of the figure with means, separated by commas.")] = "a,t",
    alignments: Annotated[
        str, typer.Option(help="RECORDING:ALIGNMENT or none, separated by commas; all by default.")
    ] = "",
    quantity: Annotated[str, typer.Option(help="What is averaged: input, relevance, or a recording.")] = "input",
    averaging: Annotated[str, typer.Option(help="balanced, or krug2018: as published.")] = "balanced",
    scale: Annotated[str, typer.Option(help="Scale of colour: common, or of each panel as published.")] = "common",
    reach: Annotated[float, typer.Option(help="Seconds before and after the alignment; 0: as windows do.")] = 0.0,
    covered: Annotated[float, typer.Option(help="Part of a letter's windows that must have a lag.")] = 0.5,
    draws: Annotated[int, typer.Option(help="Bootstrap samples of speakers, for standard errors.")] = 500,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
) -> Output:
    """Draw the patterns of all letters at every alignment, nine letters a page, and means beside patterns of a few."""
    if not 0 < covered <= 1:
        raise ArgumentError(f"--covered must be above 0 and at most 1, but is {covered:g}.")
    about = {"store": store.name, "averaging": averaging, "quantity": quantity, "seed": seed}
    experiment, frames, peaks, notes = open_store(store), [], [], []
    output = Output(out, title="Averages of aligned windows", provenance=about)
    how: dict[str, Any] = {"averaging": averaging, "draws": draws, "seed": seed}
    for way in stored_alignments(experiment, listed(alignments) or None):
        reading = {"alignment": way.alignment, "relevance": way.recording, "quantity": quantity}
        found = aligned_averages(experiment, **how, **reading, reach_s=reach or None)
        frames.append(found.to_frame().assign(alignment=way.name))
        peaks.append(found.table.assign(alignment=way.name))
        notes += [note for note in found.notes if note not in notes]
    maps = pd.concat(frames, ignore_index=True)
    most = pd.Series(maps.groupby(["alignment", "label"])["windows"].transform("max"))
    if averaging != "krug2018":
        maps.loc[maps["windows"] < covered * most, ["mean", "pattern"]] = float("nan")
    caption = CAPTION.format(quantity=quantity, averaging=averaging)
    output.table(pd.concat(peaks, ignore_index=True), "peaks", "Where patterns are largest", caption)
    # As published every lag has a value.
    caption += "" if averaging == "krug2018" else GREY.format(covered=covered)
    there = sorted(maps["label"].unique())
    for first in range(0, len(there), PAGE):
        page = there[first : first + PAGE]
        figure = aligned_maps(maps, rows=page, scale=scale, value_label="Difference from the mean over letters")
        name, title = f"patterns_{page[0]}_to_{page[-1]}", f"Patterns of {page[0]} to {page[-1]}"
        output.figure(figure, name, title, caption + LIKE.format("supplement"))
    some = [letter for letter in listed(letters) or [] if letter in there]
    if some:
        caption = PUBLISHED_CAPTION + caption + LIKE.format("Fig. 3")
        figure = aligned_maps(means_and_patterns(maps, some), value="value", row="row", scale="kind")
        output.figure(figure, "means_and_patterns", "Means, the mean over letters, and patterns", caption)
    if notes:
        output.text("notes", "Notes", "\n\n".join(notes))
    return output


if __name__ == "__main__":
    run_script(main)
