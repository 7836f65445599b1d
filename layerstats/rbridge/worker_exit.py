"""How a worker process ended: its exit status or signal, and whether that was for lack of memory."""

from __future__ import annotations

import re
import signal
from pathlib import Path

_VMSTAT = Path("/proc/vmstat")
# What R, C++ and the BLAS print before they give up for lack of memory.
_LOG_OF_MEMORY = re.compile(
    r"cannot allocate|bad_alloc|allocation still failed|MemoryError|out of memory", re.IGNORECASE
)


def count_memory_kills(vmstat: Path = _VMSTAT) -> int | None:
    """How many processes the kernel has killed for lack of memory since it started; None where it does not say."""
    try:
        lines = vmstat.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, count = line.partition(" ")
        if name == "oom_kill":
            return int(count)
    return None


def was_out_of_memory(code: int, log: str, kills_before: int | None, vmstat: Path = _VMSTAT) -> bool:
    """Tell whether a process that ended with `code` ended for lack of memory.

    SIGKILL alone does not say it: the kernel's count of such kills must have grown during the call.
    """
    if _LOG_OF_MEMORY.search(log):
        return True
    kills_now = count_memory_kills(vmstat)
    return code == -signal.SIGKILL and kills_before is not None and kills_now is not None and kills_now > kills_before


def describe_exit(code: int) -> str:
    """Say how a process ended, by the name of its signal.

    Examples
    --------
    >>> describe_exit(-11)
    'it was ended by SIGSEGV (Segmentation fault)'
    """
    if code >= 0:
        return f"it exited with status {code}"
    name = signal.Signals(-code).name if -code in signal.valid_signals() else f"signal {-code}"
    hint = " (perhaps for lack of memory)" if -code == signal.SIGKILL else f" ({signal.strsignal(-code)})"
    return f"it was ended by {name}{hint}"
