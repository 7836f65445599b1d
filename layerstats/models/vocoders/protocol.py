"""What a vocoder is: the protocol that a neural vocoder of one's own keeps to, and the check of its mel parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from torch import Tensor

from layerstats.errors import ArgumentError

# How long a clip is changes no frame of it.
_LENGTHS = ("frames", "samples")


@runtime_checkable
class Vocoder(Protocol):
    """Whatever makes sound of mel features.

    Examples
    --------
    >>> import torch
    >>> from layerstats.models import MelFrontEnd
    >>> from layerstats.models.vocoders import GriffinLim
    >>> vocoder = GriffinLim(MelFrontEnd(), iterations=1)
    >>> isinstance(vocoder, Vocoder), vocoder.synthesise(torch.rand(1, 90, 80)).shape
    (True, torch.Size([1, 22050]))
    """

    @property
    def settings(self) -> Mapping[str, object]:
        """The mel parameters of the features that it takes, by the names of `MelFrontEnd.configuration`."""
        ...

    @property
    def attrs(self) -> Mapping[str, object]:
        """What identifies it, as plain values: a name, a hash of its weights, its options and seed.

        Two vocoders of equal `attrs` and `settings` make the same sound of the same features.
        """
        ...

    def synthesise(self, features: Tensor) -> Tensor:
        """Make sound.

        Parameters
        ----------
        features : Tensor
            (token, time, mel), values as the front end gives them.

        Returns
        -------
        Tensor
            Waveforms (token, sample) at the rate of the settings (`rate_hz`), of any peak.
        """
        ...


def check_settings(vocoder: Vocoder, expected: Mapping[str, object]) -> None:
    """Raise `ArgumentError` unless a vocoder takes features that were made with the expected mel parameters.

    A vocoder that learned other mel parameters makes quiet or robotic speech of them, without any error of its own.
    The length of a clip (`frames`, `samples`) is no such parameter.

    Parameters
    ----------
    vocoder : Vocoder
        What is to make sound.
    expected : mapping
        The configuration of the front end that the features are from.

    Raises
    ------
    ArgumentError
        A parameter has another value, or is not named by the vocoder, or is one that the front end does not have.

    Examples
    --------
    >>> from layerstats.models import MelFrontEnd
    >>> from layerstats.models.vocoders import GriffinLim
    >>> check_settings(GriffinLim(MelFrontEnd()), MelFrontEnd(mels=40).configuration)
    Traceback (most recent call last):
    layerstats.errors.ArgumentError: ...
    """
    given = {name: value for name, value in vocoder.settings.items() if name not in _LENGTHS}
    wanted = {name: value for name, value in expected.items() if name not in _LENGTHS}
    differing = [name for name in wanted if name in given and given[name] != wanted[name]]
    said = [f"{name} is {given[name]!r} there and {wanted[name]!r} here" for name in differing]
    said += [f"{name} is {wanted[name]!r} here and not named there" for name in wanted if name not in given]
    said += [f"{name} is {given[name]!r} there and no parameter here" for name in given if name not in wanted]
    if said:
        raise ArgumentError(
            f"The vocoder {type(vocoder).__name__} takes features of other mel parameters: {'; '.join(said)}. "
            "Give a vocoder of these parameters, or none: Griffin-Lim takes any."
        )
