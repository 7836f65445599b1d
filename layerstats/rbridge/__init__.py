"""R in worker processes of its own: calls go out, plain Python values come back.

`RSession` is one worker, `RPool` several side by side, `default_pool` the one that this process shares, `r_status`
what of R is there. Nothing of R is loaded into the user's process, so that a crash or an out-of-memory in R is an
error here.

================  ==============================================================================
``session``       one worker, as its caller sees it
``pool``          several workers
``worker``        the process itself; ``embedded`` is R inside it
``messages``      what travels between the two
``to_r``          Python values to R's, ``from_r`` the way back
``home``          where R is, and the environment that workers start in
``status``        what of R works here, and the commands that mend what does not
``worker_exit``   how a worker ended: its exit status or signal, out of memory or not
================  ==============================================================================
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layerstats.rbridge.pool import RPool, default_pool
    from layerstats.rbridge.session import RReply, RSession
    from layerstats.rbridge.status import RStatus, r_status

__all__ = ["RPool", "RReply", "RSession", "RStatus", "default_pool", "r_status"]

# Loaded at first use: the worker imports this package too, and must start without pandas.
_HOMES = {
    "RPool": "pool",
    "default_pool": "pool",
    "RReply": "session",
    "RSession": "session",
    "RStatus": "status",
    "r_status": "status",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
