"""Public names that are imported when they are first used (PEP 562)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def on_demand(package: str, rooms: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package that imports each public name from its module on first use.

    Parameters
    ----------
    package
        Its ``__name__``.
    rooms
        The module, from `package` on, that each name comes from. No module may be called like a name: once imported, it
        would take the name's place.

    Examples
    --------
    >>> on_demand("layerstats", {"DataError": "errors"})("DataError")
    <class 'layerstats.errors.DataError'>
    """

    def find(name: str) -> Any:
        if name not in rooms:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{rooms[name]}"), name)

    return find


__all__ = ["on_demand"]
