"""Linear algebra on one thread, for code that multiplies many small matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, TypeVar

from layerstats.parallel import RunOptions

Task = TypeVar("Task")
Result = TypeVar("Result")


def one_blas_thread(when: bool = True) -> AbstractContextManager[Any]:
    """Return a context in which BLAS starts no threads of its own; afterwards it has those that it had before.

    On matrices of some tens of columns its threads gain nothing, and where other work fills the cores they wait for
    each other a hundred times longer than they compute.

    Parameters
    ----------
    when
        False changes nothing: for matrices that are large enough to gain.

    Examples
    --------
    >>> import numpy as np
    >>> with one_blas_thread():
    ...     float(np.linalg.det(np.eye(3)))
    1.0
    """
    if not when:
        return nullcontext()
    from threadpoolctl import get_cached_controller

    return get_cached_controller().limit(limits=1, user_api="blas")


def run_on_one_thread_each(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    run: RunOptions,
    describe: Callable[[Task], str] | None = None,
    received: Callable[[int, Result], None] | None = None,
) -> list[Result]:
    """Return the results of tasks, each computed with one thread of BLAS, wherever it is run.

    Parameters
    ----------
    function, tasks, describe, received
        See `layerstats.parallel.run_tasks`.
    run
        Where they are run.
    """
    # Around all of them too: the first thread to end would give BLAS its threads back while others compute.
    with one_blas_thread():
        return run.run(partial(_on_one_thread, function), tasks, describe, received)


def _on_one_thread(function: Callable[[Any], Any], task: Any) -> Any:
    with one_blas_thread():
        return function(task)


__all__ = ["one_blas_thread", "run_on_one_thread_each"]
