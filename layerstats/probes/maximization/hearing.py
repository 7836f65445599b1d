"""What a network hears: mel features where it has a front end of its own, else waveforms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from layerstats.errors import ArgumentError
from layerstats.models import SpeechHearing, SpeechNetwork, dtype_of


@dataclass(frozen=True)
class Hearing:
    """The input that is maximized: its axes, its shape for one start, and the settings of what computes it.

    Parameters
    ----------
    dims : tuple of str
        Names of the axes after that of the starts: ("time", "mel"), ("sample",), or others of a network of your own.
    shape : tuple of int
        Their lengths.
    front_end : mapping
        Settings of the front end that makes features of waveforms; empty for a network that hears waveforms.
    dtype : torch.dtype
        Type of the network's weights, in which everything is computed.

    Raises
    ------
    ArgumentError
        There are not as many names as lengths, or a length is not positive.

    Examples
    --------
    >>> Hearing(("sample",), (16384,)).size
    16384
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    front_end: Mapping[str, object] = field(default_factory=dict)
    dtype: torch.dtype = torch.float32

    def __post_init__(self) -> None:
        if not self.dims or len(self.dims) != len(self.shape) or min(self.shape) < 1:
            raise ArgumentError(
                f"What a network hears needs a name and a length for each axis, but got the names {self.dims} and the "
                f"lengths {self.shape}."
            )

    @property
    def size(self) -> int:
        """Number of values that the network hears of one start."""
        return int(torch.Size(self.shape).numel())

    @property
    def front_end_json(self) -> str:
        """The settings of the front end as text, for attributes of a store."""
        return json.dumps(dict(self.front_end), sort_keys=True)

    def check_same(self, other: Hearing, what: str) -> None:
        """Raise `ArgumentError` where `other`, which `what` gives, is not what is heard here; settings are named."""
        if self.dims != other.dims or self.shape != other.shape:
            raise ArgumentError(
                f"{what} gives {_named(other)}, but the network hears {_named(self)}. Choose a prior and a network of "
                "the same front end."
            )
        names = sorted(self.front_end.keys() | other.front_end.keys())
        apart = [
            f"{name} is {other.front_end.get(name)!r} there and {self.front_end.get(name)!r} in the network"
            for name in names
            if other.front_end.get(name) != self.front_end.get(name)
        ]
        if apart:
            raise ArgumentError(
                f"{what} has other settings of the front end than the network: {'; '.join(apart)}. Features of other "
                "settings mean other sounds; choose a prior and a network of the same front end."
            )

    def check(self, heard: Tensor, what: str) -> Tensor:
        """Return `heard` (start, ...) in the network's type, or raise `ArgumentError` where its shape is another."""
        if heard.shape[1:] != torch.Size(self.shape):
            raise ArgumentError(
                f"{what} must have the shape (start, {', '.join(map(str, self.shape))}), but got {tuple(heard.shape)}."
            )
        return heard.to(self.dtype)


def hearing_of(network: nn.Module) -> Hearing:
    """Return what one of this package's networks hears.

    Parameters
    ----------
    network : torch.nn.Module
        A network with a front end (features: time, mel), or one that takes waveforms of a fixed length. Of a network of
        utterances that has a `receptive_field`, so many frames: all that one of its outputs depends on.

    Raises
    ------
    ArgumentError
        The network is of another kind: say what it hears with `Hearing`.

    Examples
    --------
    >>> from layerstats.models import ConvolutionalEncoder
    >>> hearing_of(ConvolutionalEncoder(2, width=1)).shape
    (16384,)
    """
    if isinstance(network, SpeechNetwork):
        raise ArgumentError(_of_any_length(network.hearing))
    front_end = getattr(network, "front_end", None)
    if front_end is not None and isinstance(getattr(front_end, "configuration", None), Mapping):
        settings = dict(front_end.configuration)
        # A network of utterances of any length hears one of its windows.
        frames = int(settings["frames"]) or int(getattr(network, "receptive_field", 0))
        shape = (frames, int(settings["mels"]))
        return Hearing(("time", "mel"), shape, settings, dtype_of(network))
    configuration = getattr(network, "configuration", None)
    if isinstance(configuration, Mapping) and "samples" in configuration:
        return Hearing(("sample",), (int(configuration["samples"]),), {}, dtype_of(network))
    raise ArgumentError(
        f"What a {type(network).__name__} hears cannot be told from it. Say it with hearing=, for instance "
        "Hearing(('time', 'mel'), (90, 80)) or Hearing(('sample',), (16384,)); in the shell: --hears time=90,mel=80."
    )


def _of_any_length(hearing: SpeechHearing) -> str:
    if tuple(hearing.input_axes) == ("token", "sample"):
        return (
            f"A network of the kind {hearing.kind!r} hears speech of any length: say of how many samples what is "
            "maximized is, with hearing=Hearing(('sample',), (16000,)); in the shell: --hears sample=16000."
        )
    return (
        f"No prior makes what a network of the kind {hearing.kind!r} hears, {' x '.join(hearing.input_axes[1:])}; they "
        "make waveforms, or the spectrograms of this package's own networks. Ask what its units rest on with "
        "record_relevance (layerstats relevance)."
    )


def hear_window(network: nn.Module) -> None:
    """Let a network of utterances hear its windows without padding; whoever runs it takes that back (`preserved`).

    Examples
    --------
    >>> from layerstats.models import Wav2Letter, preserved
    >>> network = Wav2Letter(width=2, top=2)
    >>> with preserved(network):
    ...     hear_window(network)
    ...     network.padding
    'valid'
    >>> network.padding
    'same'
    """
    if hasattr(network, "receptive_field") and getattr(network, "padding", None) == "same":
        network.padding = "valid"  # pyright: ignore[reportArgumentType]


def _named(hearing: Hearing) -> str:
    return " x ".join(f"{length} {name}" for name, length in zip(hearing.dims, hearing.shape, strict=True))
