"""What is asked of windows, put to the network once before any speech is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import Any

import torch
from torch import nn

from layerstats.errors import ArgumentError
from layerstats.models import device_for
from layerstats.probes.layers.input_layer import INPUT
from layerstats.probes.relevance.attribute import attribute
from layerstats.probes.relevance.methods import options_of
from layerstats.probes.relevance.reading import check_reader, padded

# The letter that was read in each window.
EMITTED = "emitted"


def check_input_only(layers: str | Sequence[str]) -> None:
    """Raise `ArgumentError` where relevance of windows is asked for in layers."""
    if layers not in (INPUT, [INPUT], (INPUT,)):
        raise ArgumentError(f"Of windows the relevance of the input is recorded, not that of {layers!r}.")


def check_question(
    network: nn.Module,
    target: object,
    method: str,
    *,
    start: str | None = None,
    alignments: bool = False,
    device: str = "auto",
    options: Mapping[str, Any],
) -> None:
    """Raise what any window would, with one that holds noise: reading the letters of a corpus can take hours.

    Parameters
    ----------
    network, target, method, start, alignments, device
        As for `record_letter_relevance`.
    options
        Of the method; those that are None are not given.

    Raises
    ------
    ArgumentError, NetworkError
        There is no such target, method, option or rule; or the network does not read letters.

    Examples
    --------
    >>> from layerstats.models import Wav2Letter
    >>> check_question(Wav2Letter(width=2, top=2), "ab", "gradient", options={})
    Traceback (most recent call last):
        ...
    layerstats.errors.ArgumentError: There is no target 'ab': ...
    """
    reader = check_reader(network)
    if not isinstance(target, str):
        raise ArgumentError(f"The target of windows must be 'emitted', a letter or a unit, but got {target!r}.")
    given = {name: value for name, value in options.items() if value is not None}
    options_of(method, given)
    if alignments and target != EMITTED:
        raise ArgumentError(
            "Windows are aligned under each letter where the target is the letter that was read in them, "
            f"'emitted', but it is {target!r}: leave out the alignments, or the target."
        )
    shape = (1, reader.receptive_field, int(reader.front_end.configuration["mels"]))
    noise = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    asked = ascii_lowercase[0] if target == EMITTED else target
    labels = tuple(reader.alphabet.letters)
    place = device_for(network, device)
    home = next(network.parameters()).device
    network.to(place)
    try:
        with padded(reader, "valid"), torch.inference_mode(False):
            attribute(network, noise.to(place), asked, method, to=INPUT, start=start, labels=labels, **given)
    finally:
        network.to(home)
