"""What `--help` of a command shows: its options under headings, and the tables and figures that it makes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand
from typer.models import ArgumentInfo, ParameterInfo

from layerstats.cli.completion import completed
from layerstats.cli.written_outputs import Written, written_outputs

# Lines of help are no longer than this, however wide the terminal.
WIDTH = 100
# A command of fewer options has them under one heading.
FEW = 8
OWN = "Options"
# Under which heading the options stand that many commands have, by name: one list, so that they stand alike in all.
HEADINGS = {
    "Which part of the data": "words word split speakers phones layers layer recording recordings part letters targets "
    "set_ups judges most",
    "Reading the table": "missing numeric separator decimal encoding sheet na mapping file_format clip_pattern rater "
    "clip rating columns task",
    "Model": "engine method rho series order gaps family weights knots function discrete factor ordered link threshold "
    "levels samples verify model distribution",
    "Differences": "difference along at contrast contrasts pair pairs reference margin adjust means",
    "How it runs": "workers client shard device batch_size seed draws permutations resume plan",
}
_HEADING_OF = {name: heading for heading, names in HEADINGS.items() for name in names.split()}


class SectionedCommand(TyperCommand):
    """A command whose help has its options under headings, and says what it makes."""

    made_in: ClassVar[Sequence[Path]] = ()

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what the line of usage is made of: arguments as manuals write them."""
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, options under headings, and what is made."""
        groups: dict[str, list[tuple[str, str]]] = {heading: [] for heading in ("Arguments", OWN, *HEADINGS)}
        records = [(param, record) for param in self.get_params(ctx) if (record := param.get_help_record(ctx))]
        few = sum(param.param_type_name == "option" for param, _ in records) <= FEW
        for param, record in records:
            if param.param_type_name == "argument":
                # Its name says what it is, whatever its type.
                heading, record = "Arguments", (record[0].partition(" <")[0], record[1])
            else:
                heading = OWN if few or param.required else _HEADING_OF.get(str(param.name), OWN)
            groups[heading].append(record)
        for heading, rows in groups.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows, col_max=26)
        self._format_written(formatter)

    def _format_written(self, formatter: Any) -> None:
        written = written_outputs(self.made_in)
        for kind, files in (("tables", "CSV, LaTeX, HTML"), ("figures", "PNG, SVG"), ("sounds", "FLAC, CSV")):
            rows = [(one.name, one.title) for one in written if one.kind in (kind, kind.removesuffix("s"))]
            if rows:
                with formatter.section(f"{kind.capitalize()} ({files}); those that there is something for"):
                    formatter.write_dl(rows, col_max=26)


def command_of(name: str, function: Callable[..., object], made_in: Iterable[Path] = ()) -> Any:
    """Return the command of a function that is annotated with what typer needs.

    Parameters
    ----------
    name
        As it is typed.
    function
        What is run.
    made_in
        Files whose calls of an `Output` say which tables and figures it makes.
    """
    signature = inspect.signature(function, eval_str=True)

    @wraps(function)
    def run(**given: Any) -> Any:
        return function(**given)

    for parameter in signature.parameters.values():
        for note in getattr(parameter.annotation, "__metadata__", ()):
            if isinstance(note, ParameterInfo):
                note.autocompletion = note.autocompletion or completed(parameter.name, note.help or "")
                note.metavar = note.metavar or _metavar(parameter, isinstance(note, ArgumentInfo))
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()}
    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"max_content_width": WIDTH},
    )
    app.command(name, cls=type("Command", (SectionedCommand,), {"made_in": tuple(made_in)}))(run)
    return typer.main.get_command(app)


def _metavar(parameter: inspect.Parameter, argument: bool) -> str | None:
    """Return what stands for a value in the help: the name of an argument, the type of an option."""
    if argument:
        return parameter.name.upper()
    annotation = str(parameter.annotation.__origin__)
    words = {"bool": None, "Path": "PATH", "int": "NUMBER", "float": "NUMBER", "str": "TEXT"}
    return next((word for kind, word in words.items() if kind in annotation), None)


__all__ = ["SectionedCommand", "Written", "command_of"]
