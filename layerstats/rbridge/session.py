"""One R worker process and the calls to it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import weakref
from dataclasses import dataclass
from typing import IO, Any

from layerstats.checks import check_positive
from layerstats.errors import RCrashError, RError, RMemoryError, RNotFoundError, RTimeoutError
from layerstats.rbridge.from_r import from_r
from layerstats.rbridge.home import INSTALL_R, INSTALL_RPY2, worker_environment
from layerstats.rbridge.messages import RAnswer, RCall, read_message, write_message
from layerstats.rbridge.to_r import to_r
from layerstats.rbridge.worker_exit import count_memory_kills, describe_exit, was_out_of_memory
from layerstats.resources import bundled

# How long a worker that was asked to end may take before it is killed.
_PATIENCE_S = 5.0


@dataclass(frozen=True, eq=False)
class RReply:
    """What a call to R gave.

    Attributes
    ----------
    value
        The result as plain Python (see `layerstats.rbridge.from_r.from_r`).
    warnings
        R's warnings during the call.

    Examples
    --------
    >>> RReply(1.5, ("NaNs produced",)).warnings
    ('NaNs produced',)
    """

    value: Any
    warnings: tuple[str, ...] = ()


class RSession:
    """One R worker process; it starts at the first call, and again after a crash.

    Parameters
    ----------
    memory_limit_bytes : int, optional
        Address space that the worker may use; R then reports an error where it would take more.
    timeout_s : float, optional
        Seconds after which a call is given up and its worker killed.

    Examples
    --------
    >>> session = RSession(timeout_s=60)
    >>> session.pid is None  # nothing runs yet
    True
    """

    def __init__(self, *, memory_limit_bytes: int | None = None, timeout_s: float | None = None) -> None:
        if memory_limit_bytes is not None:
            check_positive("memory_limit_bytes", memory_limit_bytes)
        if timeout_s is not None:
            check_positive("timeout_s", timeout_s)
        self._memory_limit_bytes = memory_limit_bytes
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._worker: _Worker | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the running worker, None where none runs."""
        worker = self._usable_worker()
        return None if worker is None else worker.process.pid

    def call(self, function: str, /, **arguments: object) -> RReply:
        """Call an R function: one of ``R/layerstats.R``, of base R, or ``"package::function"``.

        Every call starts with R's random numbers seeded alike, so that a result does not depend on the worker.

        Raises
        ------
        RNotFoundError
            If R, mgcv or rpy2 is not installed; the message has the command that mends it.
        RError
            If R reports an error.
        RMemoryError
            If R runs out of memory.
        RCrashError
            If the worker dies in the middle.
        RTimeoutError
            If the call takes longer than `timeout_s`.
        """
        request = RCall(function, {name: to_r(value) for name, value in arguments.items()})
        with self._lock:
            try:
                worker = self._usable_worker() or self._start()
                answer = worker.exchange(request, self._timeout_s)
            except BaseException:
                # Also an interrupt: R cannot be stopped half-way, and its late answer would be taken for the next one.
                self._end()
                raise
        return _reply(answer)

    def close(self) -> None:
        """End the worker; the next call starts a new one."""
        self._end()

    def __enter__(self) -> RSession:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _usable_worker(self) -> _Worker | None:
        worker = self._worker
        # A forked child must not talk into its parent's pipe.
        if worker is None or worker.owner_pid != os.getpid() or worker.process.poll() is not None:
            return None
        return worker

    def _start(self) -> _Worker:
        self._end()
        self._worker = _Worker(self._memory_limit_bytes)
        _reply(self._worker.exchange(None, None))
        return self._worker

    def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.end()


class _Worker:
    """A running worker process with its pipes and its log."""

    def __init__(self, memory_limit_bytes: int | None) -> None:
        self.owner_pid = os.getpid()
        self.memory_limit_bytes = memory_limit_bytes
        environment = worker_environment()
        self.log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the worker lives)
        arguments = [str(bundled("R", "layerstats.R")), str(memory_limit_bytes or 0)]
        self.process = subprocess.Popen(
            # -P: a file of the user's folder must not stand in for a module of the worker.
            [sys.executable, "-P", "-m", "layerstats.rbridge.worker", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=environment,
            # Ctrl-C in the terminal reaches only the parent, which then ends the worker.
            start_new_session=True,
        )
        self.end = weakref.finalize(self, _end_process, self.process, self.log, self.owner_pid)

    def exchange(self, request: RCall | None, timeout_s: float | None) -> RAnswer:
        """Send a request (None: just wait for the start-up message) and wait for the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        kills_before = count_memory_kills()
        timer = _Timer(self.process, timeout_s)
        try:
            if request is not None:
                write_message(self.process.stdin, request)
            answer = read_message(self.process.stdout)
        except (EOFError, BrokenPipeError) as error:
            raise self._death(request, timer.fired, kills_before) from error
        finally:
            timer.cancel()
        assert isinstance(answer, RAnswer)
        return answer

    def _death(self, request: RCall | None, timed_out: bool, kills_before: int | None) -> RError:
        code = self.process.wait()
        doing = "starting" if request is None else f"calling {request.function}()"
        if timed_out:
            return RTimeoutError(f"R was still {doing} when the time limit was over; its process was ended.")
        log = _tail(self.log)
        if was_out_of_memory(code, log, kills_before):
            return RMemoryError(_advice(f"R ran out of memory while {doing}: its process was killed"))
        limit = "" if self.memory_limit_bytes is None else f" It had a memory limit of {self.memory_limit_bytes} bytes."
        return RCrashError(
            f"The R process ended while {doing}: {describe_exit(code)}.{limit}{log and f' Its last output: {log}'}"
        )


class _Timer:
    """Kills a process when the time is over; `fired` tells that it did."""

    def __init__(self, process: subprocess.Popen[bytes], timeout_s: float | None) -> None:
        self.fired = False
        self._process = process
        self._timer = None if timeout_s is None else threading.Timer(timeout_s, self._fire)
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()

    def _fire(self) -> None:
        self.fired = True
        self._process.kill()

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _end_process(process: subprocess.Popen[bytes], log: IO[bytes], owner_pid: int) -> None:
    # A forked child that cleans up must leave its parent's worker alone.
    if os.getpid() == owner_pid:
        # It holds nothing that is worth a goodbye: fitted models are on disk, owned by their results.
        process.kill()
        process.wait(_PATIENCE_S)
    for stream in (process.stdin, process.stdout, log):
        if stream is not None:
            try:
                stream.close()
            except BrokenPipeError:  # bytes of a request that nobody reads any more
                continue


def _tail(log: IO[bytes], size: int = 2000) -> str:
    end = log.seek(0, os.SEEK_END)
    log.seek(max(0, end - size))
    return log.read().decode("utf-8", errors="replace").strip()


def _advice(what: str) -> str:
    return f"{what}. Fit fewer rows or simpler terms, run fewer workers at once, or use a machine with more memory."


def _reply(answer: RAnswer) -> RReply:
    where = f" in {answer.call}" if answer.call else ""
    if answer.status == "missing":
        install = INSTALL_RPY2 if "rpy2" in answer.message else INSTALL_R
        raise RNotFoundError(f"The bridge to R does not work: {answer.message}. Install it with: {install}")
    if answer.status == "memory":
        raise RMemoryError(_advice(f"R ran out of memory{where}: {answer.message}"))
    if answer.status == "error":
        raise RError(f"R reported an error{where}: {answer.message}")
    return RReply(None if answer.value is None else from_r(answer.value), answer.warnings)
