"""Patterns of letters along time and along frequency, with bands that hold for a whole profile.

python analyses/letter_profiles.py STORE --out DIR --alignments none,adapted:max_relevance
"""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from layerstats.cli import listed, run_script
from layerstats.errors import ArgumentError
from layerstats.plots import pattern_profiles
from layerstats.report import Output
from layerstats.stats import aligned_averages, pattern_profile, stored_alignments
from layerstats.store import open_store

CAPTION = (
    "Mean {quantity} of the windows of each letter, one map a speaker, less the mean over letters: {mean}. "
    "{limits}: 95 % bands, by bootstrap of speakers, for a letter's whole profile, not for all letters together. "
    "They say how far other speakers' averages may lie from these, not what an alignment finds in any window: "
    "analyses/letter_patterns.py tests that. A letter of fewer than three speakers has no band."
)


def main(
    store: Annotated[Path, typer.Argument(help="Store of windows: layerstats relevance --maps --alignments.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    alignments: Annotated[
        str, typer.Option(help="RECORDING:ALIGNMENT or none, separated by commas; all by default.")
    ] = "",
    letters: Annotated[str, typer.Option(help="Letters, separated by commas; all by default.")] = "",
    quantity: Annotated[str, typer.Option(help="What is averaged: input, relevance, or a recording.")] = "input",
    reach: Annotated[float, typer.Option(help="Seconds before and after the alignment.")] = 0.4,
    near: Annotated[float, typer.Option(help="Seconds about the alignment that profiles over frequency have.")] = 0.05,
    low: Annotated[float, typer.Option(help="Lowest frequency that profiles over time have, in Hz.")] = 0.0,
    high: Annotated[float, typer.Option(help="Highest frequency that profiles over time have, in Hz.")] = 8000.0,
    draws: Annotated[int, typer.Option(help="Bootstrap samples of speakers.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
) -> Output:
    """Draw the pattern of each letter along time, over a stretch of frequency, and the other way round, with bands."""
    if not low < high:
        raise ArgumentError(f"--low must be below --high, but these are {low:g} and {high:g} Hz.")
    experiment = open_store(store)
    output = Output(out, title="Profiles of letters", provenance={"store": store.name, "seed": seed})
    ways = [
        ("time", "lag_s", (low, high), f"over {low:g} to {high:g} Hz"),
        ("frequency", "frequency_hz", (-near, near), f"from {1000 * near:g} ms before to {1000 * near:g} ms after"),
    ]
    found: dict[str, list[pd.DataFrame]] = {over: [] for over, *_ in ways}
    how: dict[str, Any] = {"quantity": quantity, "reach_s": reach, "others": False, "draws": 2}
    for way in stored_alignments(experiment, listed(alignments) or None):
        averages = aligned_averages(experiment, alignment=way.alignment, relevance=way.recording, **how)
        for over, _, between, _ in ways:
            profile = pattern_profile(averages, over, between, draws=draws, seed=seed)
            found[over].append(profile.assign(alignment=way.name))
    for over, x, _, mean in ways:
        profiles = pd.concat(found[over], ignore_index=True)
        profiles = profiles.loc[profiles["label"].isin(listed(letters) or profiles["label"])]
        drawn, printed = (
            CAPTION.format(quantity=quantity, mean=mean, limits=limits) for limits in ("Shaded", "Limits")
        )
        figure = pattern_profiles(profiles, x=x, group="alignment")
        output.figure(figure, f"over_{over}", f"Patterns of letters over {over}", drawn)
        output.table(profiles, f"profiles_over_{over}", f"Patterns of letters over {over}", printed)
    return output


if __name__ == "__main__":
    run_script(main)
