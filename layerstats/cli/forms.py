"""Commands of two forms, such as `layerstats networks` and `layerstats networks STORE ...`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import typer

from layerstats.cli.lazy_group import CommandSource


@dataclass(frozen=True)
class TwoForms:
    """A command that is another one where its arguments are of another kind.

    Parameters
    ----------
    first, second
        The two forms.
    is_second
        Whether arguments, as they were typed, are those of the second.
    usages
        How both are written, and what each does, a sentence each.
    when
        What makes it the second, in two words.
    """

    first: CommandSource
    second: CommandSource
    is_second: Callable[[list[str]], bool]
    usages: tuple[str, str]
    when: str

    def summary(self) -> str:
        """Return a line of both."""
        also = self.second.summary()
        return f"{self.first.summary()} {self.when}: {also[:1].lower()}{also[1:]}"

    def load(self, name: str) -> Any:
        """Return a command that is one of the two as soon as it has arguments."""
        return _EitherCommand(name, self)


class _EitherCommand:
    """What a group takes for a command until it makes its context."""

    hidden = False

    def __init__(self, name: str, forms: TwoForms) -> None:
        self.name, self._forms = name, forms

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Make the context of the form that is meant; what is wrong with its arguments names both forms."""
        forms = self._forms
        if "--help" in args and not extra.get("resilient_parsing"):
            helps = [self._help(form, info_name, parent) for form in (forms.first, forms.second)]
            typer.echo("\n\n".join(["\n".join(forms.usages), *helps]))
            raise typer.Exit
        chosen = (forms.second if forms.is_second(args) else forms.first).load(self.name)
        try:
            return chosen.make_context(info_name, args, parent=parent, **extra)
        except Exception as error:
            # click's, which may be typer's own and then cannot be named.
            if hasattr(error, "message") and hasattr(error, "show"):
                told: Any = error
                told.message = f"{told.message} There are two forms. {' '.join(forms.usages)}"
            raise

    def _help(self, form: CommandSource, info_name: str | None, parent: Any) -> str:
        command = form.load(self.name)
        return command.get_help(command.make_context(info_name, [], parent=parent, resilient_parsing=True))
