"""The progress display of long commands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Steps:
    """Named steps of a job, each with a bar and its time; call it with a name to begin the next step.

    Parameters
    ----------
    display
        Where they are shown.
    quiet_s
        Where there is no terminal a step has a line of its own once it has taken so long.
    """

    def __init__(self, display: Progress, quiet_s: float = 0.0) -> None:
        self._display, self._quiet_s = display, quiet_s
        self._current: TaskID | None = None
        self._telling: threading.Timer | None = None

    def __call__(self, name: str) -> None:
        """Finish the current step and begin the next."""
        self.finish()
        self._current = self._display.add_task(name, total=None)
        if self._display.console.is_terminal:
            return
        if not self._quiet_s:
            self._display.console.print(name, highlight=False)
            return
        self._telling = threading.Timer(
            self._quiet_s, self._display.console.print, [f"{name} ..."], {"highlight": False, "soft_wrap": True}
        )
        self._telling.daemon = True
        self._telling.start()

    def finish(self) -> None:
        """Mark the current step as done."""
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        if self._current is not None:
            self._display.update(self._current, total=1, completed=1)
            self._display.stop_task(self._current)
            self._current = None

    def move(self, done: int, total: int) -> None:
        """Move the current step's bar to `done` of `total`."""
        if self._current is not None:
            self._display.update(self._current, completed=done, total=total)


@contextmanager
def steps(quiet_s: float = 0.0) -> Iterator[Steps]:
    """Show steps on stderr: bars with times on a terminal, a line a step elsewhere; see `Steps`."""
    console = Console(stderr=True)
    display = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with display:
        step = Steps(display, quiet_s)
        try:
            yield step
        finally:
            step.finish()


@contextmanager
def long_fit() -> Iterator[Callable[[int, int], None]]:
    """Say on stderr how long a fit is expected to take, once it is known, and show how far it is on a terminal."""
    with steps() as step:
        told = False

        def moved(done: int, total: int) -> None:
            nonlocal told
            if not told:
                step(f"The fit is expected to take about {total} s.")
                told = True
            step.move(done, total)

        yield moved
