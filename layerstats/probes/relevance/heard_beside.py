"""Where what was heard stands beside relevance: one recording "input" that all share who heard the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from layerstats.errors import OtherRecordingError
from layerstats.probes.layers.input_layer import INPUT

Made = TypeVar("Made")


def input_names(recording: str, maps: bool) -> tuple[str, ...]:
    """Return what the input beside a recording is called: the first of these that is not taken by something else.

    Examples
    --------
    >>> input_names("epsilon", maps=False)
    ('input', 'input_series', 'input_epsilon')
    """
    return INPUT, f"{INPUT}_{'maps' if maps else 'series'}", f"{INPUT}_{recording}"


def beside(recording: str, maps: bool, under: Callable[[str], Made]) -> Made:
    """Return what `under` makes of the first of these names under which the store holds nothing else.

    Examples
    --------
    >>> beside("epsilon", False, lambda name: f"{name}, recorded")
    'input, recorded'
    """
    *shared, own = input_names(recording, maps)
    for name in shared:
        with suppress(OtherRecordingError):
            return under(name)
    return under(own)
