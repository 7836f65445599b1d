"""`layerstats listen design`: who hears which clip, and what is fixed before anyone listens."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerstats.cli.arguments import listed
from layerstats.cli.speech import CORPUS_HELP
from layerstats.cli.vocoder_file import VOCODER_HELP, load_vocoder
from layerstats.errors import ArgumentError

if TYPE_CHECKING:
    from layerstats.listening import ListeningDesign


def design(
    source: Annotated[
        Path, typer.Argument(help="A table of clips (clip, file, condition, ...), or a store with outcomes.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for design.json and the sounds; it is made.")],
    task: Annotated[str, typer.Option(help="opinion, preference, abx or identification.")] = "opinion",
    raters_per_clip: Annotated[int, typer.Option(help="How many raters hear each clip.")] = 5,
    trials: Annotated[
        int | None,
        typer.Option(help="Tested clips of a session, at most: 20, or all where there are fewer. A rater does one."),
    ] = None,
    catch: Annotated[int, typer.Option(help="Spoken catch trials of a session.")] = 2,
    references: Annotated[
        int | None, typer.Option(help="Hidden references of a session; by default two, where there are any.")
    ] = None,
    training: Annotated[int | None, typer.Option(help="Training trials, before those that count.")] = None,
    alternatives: Annotated[
        str | None,
        typer.Option(help="What can be chosen, separated by commas; of identification 'targets', or typed by default."),
    ] = None,
    contrast: Annotated[
        list[str] | None, typer.Option(help="A difference that will be tested, 'a - b'; repeat for several.")
    ] = None,
    match: Annotated[str | None, typer.Option(help="Columns in which the sounds of a pair agree.")] = None,
    balance: Annotated[str | None, typer.Option(help="Columns that are balanced over raters; condition.")] = None,
    show: Annotated[str | None, typer.Option(help="Column whose text is shown, such as target.")] = None,
    rules: Annotated[
        str | None, typer.Option(help="Rules for cleaning: names separated by commas, or a JSON or TOML file.")
    ] = None,
    margin: Annotated[float | None, typer.Option(help="Margin of equivalence, in points of the scale.")] = None,
    title: Annotated[str | None, typer.Option(help="What raters see on top of the page.")] = None,
    question: Annotated[str | None, typer.Option(help="What is asked at every trial.")] = None,
    texts: Annotated[
        Path | None, typer.Option(help="JSON or TOML file with texts: consent, headphones, instructions, thanks.")
    ] = None,
    loudness: Annotated[str, typer.Option(help="How sounds are made equally loud: rms, peak or none.")] = "rms",
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a design; it stays in the history.")] = False,
    set_ups: Annotated[str | None, typer.Option(help="Of a store: only these, separated by commas.")] = None,
    networks: Annotated[
        str | None, typer.Option(help="Of a store: target networks, or all; the first by default.")
    ] = None,
    nulls: Annotated[str | None, typer.Option(help="Of a store: nulls that are heard too, such as zero_steps.")] = None,
    targets: Annotated[str | None, typer.Option(help="Of a store: only these classes.")] = None,
    draws: Annotated[int, typer.Option(help="Of a store: starts of each class, set-up and network.")] = 3,
    natural: Annotated[
        str | None, typer.Option(help=f"Natural tokens of the same words beside, 'stored' or a corpus: {CORPUS_HELP}")
    ] = None,
    natural_role: Annotated[str, typer.Option(help="What they are: test (a condition) or reference.")] = "test",
    priors: Annotated[
        str | None, typer.Option(help="Of a store: what decodes codes, such as autoencoder:FILE.")
    ] = None,
    vocoder: Annotated[str | None, typer.Option(help=f"Of a store: {VOCODER_HELP}")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Design a listening test: balanced sessions, sounds of one loudness, and rules that are fixed beforehand."""
    from layerstats.cli.listened_outcomes import OutcomeChoice, write_outcome_clips
    from layerstats.cli.settings_file import read_rules, read_settings
    from layerstats.listening import make_design
    from layerstats.tables import read_table

    chosen = OutcomeChoice(
        listed(set_ups), listed(networks), listed(nulls), listed(targets), draws, natural, natural_role
    )
    options: dict[str, Any] = {
        "task": task, "raters_per_clip": raters_per_clip, "trials_per_session": trials, "catch": catch,
        "references": references, "training": training, "show": show, "equivalence_margin": margin,
        "contrasts": contrast or (), "match": listed(match), "balance": listed(balance), "loudness": loudness,
        "alternatives": alternatives if alternatives == "targets" else listed(alternatives),
        "rules": read_rules(rules), "texts": read_settings(texts, "texts") if texts else None, "seed": seed,
    }  # fmt: skip
    options |= {name: text for name, text in (("title", title), ("question", question)) if text is not None}
    if not source.exists():
        raise ArgumentError(f"There is no {source}: give a table of clips, or a store with outcomes.")
    if not source.is_dir():
        clips = read_table(source)
        for note in clips.attrs.get("notes", ()):
            typer.echo(f"note: {note}", err=True)
        _tell(make_design(clips, folder=source.parent, **options).write(out, overwrite=overwrite), out)
        return
    with TemporaryDirectory() as sounds:
        clips = write_outcome_clips(source, Path(sounds), chosen, listed(priors), load_vocoder(vocoder), device)
        _tell(make_design(clips, folder=sounds, **options).write(out, overwrite=overwrite), out)


def _tell(design: ListeningDesign, out: Path) -> None:
    for note in design.notes:
        typer.echo(f"note: {note}", err=True)
    tested = design.clips["role"].tolist().count("test")
    longest = max(Counter(design.trials["session"].tolist()).values())
    typer.echo(f"{out}: {tested} clips, {design.sessions} sessions of up to {longest} trials, a rater each")
    typer.echo(f"hash {design.hash}")
