"""Commands that are imported when they are run: until then their names and first lines are enough."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any, ClassVar, Protocol

import typer
from typer.core import TyperGroup

from layerstats.cli.command_help import WIDTH, SectionedCommand, command_of


class CommandSource(Protocol):
    """Where a command comes from."""

    def summary(self) -> str:
        """Return the line that stands beside its name, without importing it."""
        ...

    def load(self, name: str) -> Any:
        """Import it, and return the command."""
        ...


@dataclass(frozen=True)
class InModule:
    """A command of a module of this package: a function, or an application of several commands.

    Parameters
    ----------
    module
        In `layerstats.cli`.
    attribute
        The function, or "app".
    made_in
        Files whose `Output` calls say which tables and figures it makes; in `layerstats`.
    """

    module: str
    attribute: str
    made_in: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return the first line of its docstring; of an application, what its module is about."""
        text = Path(__file__).with_name(f"{self.module}.py").read_text(encoding="utf-8")
        start = f"\ndef {self.attribute}("
        if start in text:
            return first_line(text.partition(start)[2])
        return first_line(text).partition(": ")[2].capitalize()

    def load(self, name: str) -> Any:
        """Import the module, and return the command."""
        found = getattr(importlib.import_module(f"layerstats.cli.{self.module}"), self.attribute)
        if not isinstance(found, typer.Typer):
            package = Path(__file__).parents[1]
            return command_of(name, found, made_in=[package / file for file in self.made_in])
        found.rich_markup_mode = None
        for command in found.registered_commands:
            command.cls = SectionedCommand
        group = typer.main.get_command(found)
        group.name = name
        return group


def first_line(text: str) -> str:
    """Return the first line of the docstring that comes first in some Python.

    Examples
    --------
    >>> quotes = '"' * 3
    >>> first_line(f"def f():\\n    {quotes}Do it.\\n\\n    Well.\\n    {quotes}")
    'Do it.'
    """
    # Only so much of the file is read as Python as is needed: all of them are read at every `--help`.
    literal = text.partition('"""')[2].partition('"""')[0]
    return str(ast.literal_eval(f'"""{literal}"""')).strip().splitlines()[0]


def first_sentence(text: str) -> str:
    """Return a sentence of several.

    Examples
    --------
    >>> first_sentence("Do words differ? Begus & Zhou (2022), Fig. 3.")
    'Do words differ?'
    """
    return re.split(r"(?<=[a-z?)][?.]) (?=[A-Z])|(?<=[?]) ", text)[0]


@dataclass(frozen=True)
class Completion:
    """What a shell is offered, as click has it: click may be typer's own, which cannot be imported by name."""

    value: str
    help: str | None = None
    type: str = "plain"


class LazyGroup(TyperGroup):
    """A group of commands that are imported when they are run; under headings in its help."""

    headings: ClassVar[Mapping[str, Callable[[], Mapping[str, CommandSource]]]] = {}

    def sources(self) -> dict[str, CommandSource]:
        """Return where each command comes from, by name, in the order of the headings."""
        return {name: source for found in self.headings.values() for name, source in found().items()}

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands."""
        return list(self.sources())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import a command; its name is as well written with underscores, as that of a script is."""
        name = cmd_name.replace("_", "-")
        source = self.sources().get(name)
        return None if source is None else source.load(name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that is meant; where there is none, name near ones."""
        # What typer looks for near names in.
        self.commands = dict.fromkeys(self.sources())  # type: ignore[assignment]
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write names and first lines below headings."""
        for heading, found in self.headings.items():
            rows = [(name, first_sentence(source.summary())) for name, source in found().items()]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows, col_max=22)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Return the names that begin so, without importing any."""
        found = {name: source for name, source in self.sources().items() if name.startswith(incomplete)}
        options = super(TyperGroup, self).shell_complete(ctx, incomplete)
        # A shell shows it in one line, whatever the width of the terminal.
        short = {name: shorten(first_sentence(source.summary()), 60) for name, source in found.items()}
        return [*(Completion(name, line) for name, line in short.items()), *options]


def lazy_app(
    name: str, about: str, headings: Mapping[str, Callable[[], Mapping[str, CommandSource]]], **options: Any
) -> Any:
    """Return an application of commands that are imported when they are run."""
    group = type("Commands", (LazyGroup,), {"headings": headings})
    app = typer.Typer(
        name=name,
        help=about,
        cls=group,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"max_content_width": WIDTH},
        **options,
    )
    app.callback()(_nothing)
    return app


def _nothing() -> None:
    pass
