"""The progress display of long commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Steps:
    """Named steps of a job, each with a bar and its time; call it with a name to begin the next step."""

    def __init__(self, display: Progress) -> None:
        self._display = display
        self._current: TaskID | None = None

    def __call__(self, name: str) -> None:
        """Finish the current step and begin the next."""
        self.finish()
        self._current = self._display.add_task(name, total=None)
        if not self._display.console.is_terminal:
            self._display.console.print(name, highlight=False)

    def finish(self) -> None:
        """Mark the current step as done."""
        if self._current is not None:
            self._display.update(self._current, total=1, completed=1)
            self._display.stop_task(self._current)
            self._current = None

    def move(self, done: int, total: int) -> None:
        """Move the current step's bar to `done` of `total`."""
        if self._current is not None:
            self._display.update(self._current, completed=done, total=total)


@contextmanager
def steps() -> Iterator[Steps]:
    """Show steps on stderr: bars with times on a terminal, a line a step elsewhere."""
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
        step = Steps(display)
        yield step
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
