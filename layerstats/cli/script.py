"""Commands as a terminal tells them: what was wrong in one line, and no traceback."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from functools import wraps

import typer

from layerstats.errors import LayerstatsError


def run_script(main: Callable[..., object]) -> None:
    """Run a function as the command line of a script, as `typer.run()` does, and say what it wrote.

    Parameters
    ----------
    main : callable
        Annotated with what typer needs. What it returns, such as an `Output`, is printed as the last line.

    Raises
    ------
    SystemExit
        When the function has ended; status 2 after an expected error, which is one line on stderr.

    Examples
    --------
    >>> def main(phones: str = "s:sh") -> Output:
    ...     "Contrast phones."
    >>> run_script(main)  # doctest: +SKIP
    """

    @wraps(main)
    def telling(*args: object, **kwargs: object) -> None:
        typer.echo(main(*args, **kwargs))

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(telling)
    run_app(app, None)


def run_app(app: typer.Typer, name: str | None) -> None:
    """Run an application; an expected error is one line on stderr, after a name, and exit status 2."""
    # A terminal that lacks a character shows its number.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    before = f"{name}: " if name else ""
    try:
        app()
    except LayerstatsError as error:
        typer.echo(f"{before}{error}", err=True)
        sys.exit(2)
    except OSError as error:
        # What the system says of a file that no command foresaw: a line too, with the file.
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"{before}{where}{error.strerror or error}", err=True)
        sys.exit(2)
