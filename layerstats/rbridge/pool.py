"""Several R workers side by side."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from layerstats.checks import check_positive
from layerstats.rbridge.session import RReply, RSession


class RPool:
    """Up to `workers` R worker processes, each started when it is first needed.

    A call goes to any worker that is free; results do not depend on which.

    Parameters
    ----------
    workers : int
        Most workers at a time.
    memory_limit_bytes, timeout_s
        For each worker, as for `RSession`.

    Examples
    --------
    >>> with RPool(workers=2) as pool:
    ...     pool.workers
    2
    """

    def __init__(
        self, workers: int = 2, *, memory_limit_bytes: int | None = None, timeout_s: float | None = None
    ) -> None:
        check_positive("workers", workers)
        self._workers = int(workers)
        self._memory_limit_bytes = memory_limit_bytes
        self._timeout_s = timeout_s
        self._changed = threading.Condition()
        self._idle: list[RSession] = []
        self._busy: list[RSession] = []

    @property
    def workers(self) -> int:
        """Most workers at a time."""
        return self._workers

    def grow(self, workers: int) -> None:
        """Allow at least `workers` at a time."""
        with self._changed:
            self._workers = max(self._workers, int(workers))
            self._changed.notify_all()

    def call(self, function: str, /, **arguments: object) -> RReply:
        """Call an R function on a free worker, waiting for one if need be; see `RSession.call`."""
        session = self._borrow()
        try:
            return session.call(function, **arguments)
        finally:
            self._give_back(session)

    def map(self, function: str, arguments: Sequence[Mapping[str, object]], workers: int | None = None) -> list[RReply]:
        """Call one R function many times, side by side.

        Parameters
        ----------
        function : str
            The R function.
        arguments : sequence of mapping
            The named arguments of each call.
        workers : int, optional
            Most calls at a time, where that is fewer than the pool allows.

        Returns
        -------
        list of RReply
            In the order of `arguments`.

        Raises
        ------
        RError
            The first, in that order, of the errors; the other calls are finished or not begun.
        """
        with ThreadPoolExecutor(max_workers=min(workers or self._workers, self._workers)) as executor:
            futures = [executor.submit(self.call, function, **keywords) for keywords in arguments]
            try:
                return [future.result() for future in futures]
            except BaseException as error:
                for future in futures:
                    future.cancel()
                if not isinstance(error, Exception):
                    # An interrupt must not wait for fits that take minutes.
                    self.close()
                raise

    def close(self) -> None:
        """End all workers, also those in the middle of a call; later calls start new ones."""
        with self._changed:
            sessions = [*self._idle, *self._busy]
        for session in sessions:
            session.close()

    def __enter__(self) -> RPool:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _borrow(self) -> RSession:
        with self._changed:
            while not self._idle and len(self._busy) >= self._workers:
                self._changed.wait()
            # The one used last is the one that is warm.
            session = self._idle.pop() if self._idle else self._new_session()
            self._busy.append(session)
            return session

    def _new_session(self) -> RSession:
        return RSession(memory_limit_bytes=self._memory_limit_bytes, timeout_s=self._timeout_s)

    def _give_back(self, session: RSession) -> None:
        with self._changed:
            self._busy.remove(session)
            self._idle.append(session)
            self._changed.notify()


@functools.cache
def default_pool() -> RPool:
    """Return the workers that this process shares, so that R's start-up is paid once.

    It begins with one worker at most and grows by `RPool.grow`; the workers end with the process.

    Examples
    --------
    >>> default_pool()  # starts R, which may not be here  # doctest: +SKIP
    """
    return RPool(workers=1)
