"""Vocoders by name: a Python file with a function that returns one, with whatever checkpoint it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerstats.python_file import object_from_file

if TYPE_CHECKING:
    from layerstats.models.vocoders import Vocoder

VOCODER_HELP = (
    "FILE.py:FUNCTION where FUNCTION() returns a vocoder of the same mel parameters (docs/how-to/audition.md); "
    "Griffin-Lim by default."
)


def load_vocoder(spec: str | None) -> Vocoder | None:
    """Load a vocoder from FILE.py:FUNCTION; None stays None.

    Raises
    ------
    ArgumentError
        If the file does not exist, cannot be run, has no such function, or what it returns is no vocoder.
    """
    from layerstats.models.vocoders import Vocoder

    if spec is None:
        return None
    returned = "a vocoder with 'settings', 'attrs' and 'synthesise' (layerstats.models.vocoders.Vocoder)"
    return object_from_file(spec, Vocoder, what="vocoder", returned=returned)
