"""The worker process: the only place where R and rpy2 are loaded. Run by `session.py`, never imported by users."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from typing import BinaryIO

from layerstats.rbridge.messages import RAnswer, RCall, read_message, write_message


def main() -> None:
    """Answer requests from standard input on standard output until the parent goes."""
    requests, answers = _take_over_streams()
    # The parent decides about interrupts: it kills this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, memory_limit_bytes = sys.argv[1], int(sys.argv[2])
    waiting: queue.SimpleQueue[RCall] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(requests, waiting), daemon=True).start()
    try:
        from layerstats.rbridge.embedded import start_r
    except ImportError as error:
        write_message(answers, RAnswer("missing", message=f"rpy2 could not be imported ({error})"))
        return
    answer, evaluate = start_r(source)
    if memory_limit_bytes:
        _limit_memory(memory_limit_bytes)
    write_message(answers, answer)
    while True:
        call = waiting.get()
        write_message(answers, evaluate(call))
        del call


def _take_over_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes for messages, and give R's own printing the log (standard error) instead."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests, answers


def _receive(requests: BinaryIO, waiting: queue.SimpleQueue[RCall]) -> None:
    """Hand requests on; end the process, also in the middle of a fit, when the parent has gone."""
    while True:
        try:
            call = read_message(requests)
        except EOFError:
            os.kill(os.getpid(), signal.SIGKILL)
            return
        except MemoryError:
            # The rest of the message is lost with it, so that nothing can follow.
            print("cannot allocate the arguments of the call", file=sys.stderr, flush=True)
            os._exit(1)
        assert isinstance(call, RCall)
        waiting.put(call)


def _limit_memory(limit_bytes: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))


if __name__ == "__main__":
    main()
