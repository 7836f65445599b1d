"""The versions that two processes must share to give the same numbers."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# What numbers, or what is sent between processes, depend on.
_PACKAGES = ("layerstats", "numpy", "scipy", "pandas", "xarray", "zarr", "torch", "transformers")


@cache
def versions_here() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on; those that are not installed are "".

    Examples
    --------
    >>> versions_here()["layerstats"] != ""
    True
    """
    found = {name: _version(name) for name in _PACKAGES}
    # Of a package that is worked on, the version says nothing.
    found["layerstats"] += f"+{_source_hash()}"
    return {"python": ".".join(platform.python_version_tuple()[:2]), **found}


def differences(here: dict[str, str], there: dict[str, str]) -> list[str]:
    """Return what differs, a phrase a package.

    Examples
    --------
    >>> differences({"numpy": "2.1", "torch": ""}, {"numpy": "1.26", "torch": ""})
    ['numpy 2.1 here, 1.26 there']
    """
    return [
        f"{name} {here.get(name) or 'missing'} here, {there.get(name) or 'missing'} there"
        for name in here | there
        if here.get(name, "") != there.get(name, "")
    ]


def _source_hash() -> str:
    package = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
