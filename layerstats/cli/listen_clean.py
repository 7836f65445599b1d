"""`layerstats listen clean`: answers that count, and what follows for pay and for clips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerstats.cli.arguments import listed
from layerstats.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd

    from layerstats.listening import ListeningDesign
    from layerstats.stats import CleanedAnswers


def clean(
    paths: Annotated[list[Path], typer.Argument(help="Files with answers, or folders of them.")],
    out: Annotated[Path, typer.Option(help="Folder for answers.csv, removed.csv, cleaning.csv and the lists.")],
    design: Annotated[Path | None, typer.Option(help="Folder of the design, whose rules are used.")] = None,
    rules: Annotated[
        str | None, typer.Option(help="Rules instead: names separated by commas, or a JSON or TOML file.")
    ] = None,
    by: Annotated[str, typer.Option(help="Columns of conditions, separated by commas.")] = "",
    reject: Annotated[
        str, typer.Option(help="Rules whose breach is a reason to refuse pay, separated by commas.")
    ] = "catch_missed",
    bonus: Annotated[float | None, typer.Option(help="What raters with enough answers are paid on top.")] = None,
    bonus_from: Annotated[int, typer.Option(help="How many answers are enough for it.")] = 1,
    raters_per_clip: Annotated[
        int | None, typer.Option(help="How many raters each clip should have; those of the design by default.")
    ] = None,
) -> None:
    """Clean answers by rules that were fixed before looking; say what that does, who is paid, what is still to hear.

    review.csv is uploaded to Mechanical Turk as it is.
    """
    from layerstats.cli.settings_file import read_rules
    from layerstats.listening import read_answers, read_design
    from layerstats.stats import clean as clean_answers
    from layerstats.tables import write_csv

    known = None if design is None else read_design(design)
    used = read_rules(rules)
    if used is None:
        if known is None:
            raise ArgumentError("Say by which rules: --design FOLDER, whose rules are used, or --rules NAME,NAME.")
        used = known.rules
    if known is not None:
        used = known.complete_rules(used)
    answers = read_answers(paths, design=known)
    # What the design fixed is completed from it too: how long a session is was no change.
    fixed = None if known is None else known.complete_rules(known.rules)
    cleaned = clean_answers(answers, used, by=listed(by) or None, fixed=fixed)
    tables = {
        "answers": cleaned.table,
        "removed": cleaned.removed,
        "cleaning": cleaned.masks,
        "cleaning_raters": cleaned.raters,
        "cleaning_without": cleaned.without,
        **_lists(cleaned, known, set(listed(reject) or ()), bonus, bonus_from, raters_per_clip),
    }
    for name, table in tables.items():
        write_csv(table, out / f"{name}.csv", spreadsheet=True)
    for note in (*answers.notes, *cleaned.notes):
        typer.echo(note)
    typer.echo(f"{out}: {len(cleaned.table)} answers are kept, {len(cleaned.removed)} removed; {', '.join(tables)}.")


def _lists(
    cleaned: CleanedAnswers,
    design: ListeningDesign | None,
    reject: set[str],
    bonus: float | None,
    bonus_from: int,
    raters_per_clip: int | None,
) -> dict[str, pd.DataFrame]:
    """Return the lists of work: reviews where there are assignments, bonuses and clips where they are asked for."""
    import numpy as np

    from layerstats.stats import bonus_payments, clips_to_extend, review_assignments

    used = {str(rule["rule"]) for rule in cleaned.rules}
    found = {}
    if {"assignment_id", "session"} & set(cleaned.table):
        # The default names a rule that need not be used.
        wanted = reject & used if reject == {"catch_missed"} else reject
        found["review"] = review_assignments(cleaned, reject=wanted)
    if bonus is not None:
        found["bonus"] = bonus_payments(cleaned, bonus, least_answers=bonus_from)
    clips = None
    if design is not None:
        tested = design.clips.loc[design.clips["role"] == "test", "clip"].astype(str).tolist()
        clips = tested
        if raters_per_clip is None:
            raters_per_clip = int(np.isin(design.trials["clip"].astype(str), tested).sum()) // len(tested)
    if raters_per_clip:
        found["extend"] = clips_to_extend(cleaned, raters_per_clip, clips=clips)
    return found
