"""Where the files are that travel with the package: R code, analysis scripts, small data."""

from __future__ import annotations

from pathlib import Path

from layerstats.errors import LayerstatsError

_ROOMS = ("R", "analyses", "data")
_PACKAGE = Path(__file__).resolve().parent


def bundled(room: str, *parts: str) -> Path:
    """Path of a bundled file: in the wheel beside the package, in a checkout at the top level.

    Parameters
    ----------
    room : {"R", "analyses", "data"}
        Top-level folder of the repository.
    *parts : str
        Path below it.

    Raises
    ------
    LayerstatsError
        If the file was not installed.

    Examples
    --------
    >>> bundled("R").name
    'R'
    """
    if room not in _ROOMS:
        from layerstats.checks import check_choice  # which pandas comes with

        check_choice("room", room, _ROOMS)
    for root in (_PACKAGE / "bundled", _PACKAGE.parent):
        path = root.joinpath(room, *parts)
        if path.exists():
            return path
    raise LayerstatsError(
        f"The bundled file {'/'.join((room, *parts))} is missing from this installation. Reinstall layerstats."
    )
