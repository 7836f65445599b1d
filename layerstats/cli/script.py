"""Commands as a terminal tells them: what was wrong in one line, and no traceback."""

from __future__ import annotations

import inspect
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from layerstats.cli.long_work import QUIET_S, long_work, options_of, takes_long_work
from layerstats.errors import LayerstatsError

SINGLE_FILE_HELP = "Put pictures and tables into the page, so that it can be mailed; its size is told."
_SINGLE_FILE = inspect.Parameter(
    "single_file",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[bool, typer.Option("--single-file", help=SINGLE_FILE_HELP)],
)
_GOES_ON = " The same command, with the same folder, goes on with what it had not finished."


def run_script(main: Callable[..., object]) -> None:
    """Run a function as the command line of a script, as `typer.run()` does, and say what it wrote.

    Parameters
    ----------
    main : callable
        Annotated with what typer needs. What it returns is printed as the last line; of the folder of an `Output` the
        page, `index.html`, is made first, and the line names it; with ``--single-file`` it can be mailed. While it runs
        the first line of its docstring is shown on stderr, where there is no terminal after two seconds. Where a
        parameter is a `LongWork` the script has the options ``--workers`` and ``--client``, and its long steps are
        shown and kept in the folder `out` until it has ended.

    Raises
    ------
    SystemExit
        When the function has ended; status 2 after an expected error, which is one line on stderr, and 130 where it was
        stopped.

    Examples
    --------
    >>> def main(phones: str = "s:sh") -> Output:
    ...     "Contrast phones."
    >>> run_script(main)  # reads the command line of the process, and ends it  # doctest: +SKIP
    """
    from layerstats.cli.command_help import command_of

    file = inspect.getsourcefile(main)
    run_app(command_of("", telling(main), made_in=[] if file is None else [Path(file)]), None)


def telling(
    main: Callable[..., object], load: Callable[[], Callable[..., object]] | None = None
) -> Callable[..., None]:
    """Return what the command line of a script runs: `main`, shown while it runs, and what it wrote.

    Parameters
    ----------
    main
        As for `run_script`.
    load
        Returns the function that is run, where `main` only says which parameters it has.
    """
    name = takes_long_work(main)

    @wraps(main)
    def run(**given: Any) -> None:
        single_file = given.pop("single_file")
        begun = (main.__doc__ or "working").splitlines()[0].rstrip(".")
        with stopping(name is not None):
            run = main if load is None else load()
            if name is None:
                from layerstats.cli.progress import steps

                with steps(quiet_s=QUIET_S) as shown:
                    shown(begun)
                    told = run(**given)
            else:
                with long_work(begun, given.pop("workers"), given.pop("client"), Path(given["out"])) as work:
                    told = run(**given, **{name: work})
            typer.echo(_with_page(told, single_file))

    signature = options_of(main)
    parameters = [*signature.parameters.values(), _SINGLE_FILE]
    run.__signature__ = signature.replace(parameters=parameters)  # pyright: ignore[reportAttributeAccessIssue]
    return run


def told_page(page: Path, single_file: bool) -> str:
    """Say where a page is, and of one that is to be mailed how large it is."""
    return f"{page} ({page.stat().st_size / 1e6:.1f} MB, pictures and tables inside)" if single_file else str(page)


def _with_page(told: object, single_file: bool) -> object:
    """Make the page of the folder that a script wrote to, and say where it is; what is no output is told as it is."""
    from layerstats.report import Output, write_page
    from layerstats.report.manifest import read_manifest

    known = read_manifest(told.directory) if isinstance(told, Output) else None
    if not isinstance(told, Output) or known is None:
        return told
    page = write_page(told.directory, known.title, single_file=single_file)
    return f"{told}; all on {told_page(page, single_file)}"


@contextmanager
def stopping(kept: bool) -> Iterator[None]:
    """End at once at Ctrl-C, and when the system asks (SIGTERM), whatever threads are at; what is kept is whole."""
    before = None
    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGTERM, _interrupted)
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"Stopped.{_GOES_ON if kept else ''}", err=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(130)
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _interrupted(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def run_app(app: Callable[[], object], name: str | None) -> None:
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
    except ModuleNotFoundError as error:
        extra = extra_of(str(error.name).partition(".")[0])
        if extra is None:
            raise
        typer.echo(f"{before}{error}. Install it with: pip install 'layerstats[{extra}]'", err=True)
        sys.exit(2)
    except OSError as error:
        # What the system says of a file that no command foresaw: a line too, with the file.
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"{before}{where}{error.strerror or error}", err=True)
        sys.exit(2)


def extra_of(module: str) -> str | None:
    """Return the extra of the package that brings a module, where there is one.

    Examples
    --------
    >>> extra_of("torch")
    'networks'
    """
    from layerstats.cli.doctor import EXTRAS

    return next((extra for extra, (_, modules) in EXTRAS.items() if module in modules.split()), None)
