"""Long steps of a script: where they run, how far they are, and what is kept of them should they be stopped."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from layerstats.cli.progress import Steps
    from layerstats.parallel import RunOptions

# In the folder of the output; away when the script has ended.
_KEPT = ".unfinished"
# Where there is no terminal, shorter steps are not told.
QUIET_S = 2.0
WORKERS = Annotated[
    int, typer.Option(min=1, help="Threads, and R's processes, that long steps run on; they change no number.")
]
CLIENT = Annotated[
    str, typer.Option(help="Address of a scheduler of dask, or its file: long steps run on its workers instead.")
]
_OPTIONS = {"workers": (WORKERS, 2), "client": (CLIENT, "")}


class LongWork:
    """What a script's `main` takes to run its long steps; `run_script` makes it of ``--workers`` and ``--client``.

    Called with the name of the next step it shows that step on stderr, and returns the options of the function that
    takes long: ``workers, client, progress, keep``.

    Examples
    --------
    >>> def main(store: str, out: Path, work: LongWork) -> Output:
    ...     fits = FitOptions(engine="auto", **work("models of layers"))
    """

    def __init__(self, shown: Steps, workers: int, client: Any, kept: Path) -> None:
        self._shown, self._workers, self._client, self._kept = shown, workers, client, kept

    def __call__(self, step: str) -> dict[str, Any]:
        """Begin a step, and return the options of what runs it."""
        self._shown(step)
        shown = {"progress": self._shown.move, "keep": self._kept}
        return {"workers": self._workers, "client": self._client, **shown}

    def options(self, step: str) -> RunOptions:
        """Begin a step, and return the options as one object, for what takes them so."""
        from layerstats.parallel import RunOptions

        return RunOptions(threads=True, **self(step))

    def progress(self, step: str) -> Callable[[int, int], None]:
        """Begin a step that runs in one piece, and return what moves its bar."""
        self._shown(step)
        return self._shown.move


def takes_long_work(main: Callable[..., object]) -> str | None:
    """Return the name of the parameter of a function that is a `LongWork`, or None."""
    signature = inspect.signature(main, eval_str=True)
    return next((name for name, one in signature.parameters.items() if one.annotation is LongWork), None)


def options_of(main: Callable[..., object]) -> inspect.Signature:
    """Return what a command line takes for `main`: in place of its `LongWork` where it runs."""
    signature = inspect.signature(main, eval_str=True)
    own = [one for one in signature.parameters.values() if one.annotation is not LongWork]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in _OPTIONS.items()
    ]
    return signature.replace(parameters=[*own, *(added if len(own) < len(signature.parameters) else [])])


@contextmanager
def long_work(begun: str, workers: int, client: str, folder: Path) -> Iterator[LongWork]:
    """Show long steps for the length of a block; what they keep is removed when it has ended without an error.

    Parameters
    ----------
    begun
        What is shown until the first step.
    workers, client
        As the command line gives them.
    folder
        Of the output.
    """
    from layerstats.cli.progress import steps
    from layerstats.parallel import connected

    kept = folder / _KEPT
    with connected(client or None) as connection, steps(quiet_s=QUIET_S) as shown:
        shown(begun)
        yield LongWork(shown, workers, connection, kept)
    shutil.rmtree(kept, ignore_errors=True)
