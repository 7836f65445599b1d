"""What can be recorded of a network: a quantity is a small class that says what is measured and what is kept of it.

A new one needs a name, its variables and `reduce`:

>>> class Silence(Quantity):
...     '''Share of channels that are at zero.'''
...
...     name = "silence"
...     variables = (Variable("share", long_name="share of channels at zero"),)
...
...     def reduce(self, values, axes):
...         return {"share": maps(values == 0, axes).mean(dim=1)}

An instance is given to `record(..., quantity=Silence())`. What is measured are the layers' outputs, unless it says
otherwise by `measure`, as `layerstats.probes.gradients.Gradient` does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
import pandas as pd
from torch import Tensor, nn

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError
from layerstats.probes.inputs import Prepared, call
from layerstats.probes.layers.axes import maps, series
from layerstats.probes.layers.capture import capturing
from layerstats.probes.phone_pooling import PhonePooling

SUMMARIES = ("mean", "root_mean_square")


@dataclass(frozen=True)
class Variable:
    """An array that is stored of every layer.

    Parameters
    ----------
    name : str
        Its name in the store.
    dims : tuple of str
        Its axes, `token` first: ("token", "sample"), ("token", "channel", "sample"), ("token", "channel") or
        ("token",). Or by phone: ("phone", "channel") or ("phone",), of which `reduce` gives (token, channel, sample) or
        (token, sample), and the recorder the mean over the samples of each phone.
    units, long_name : str
        What its numbers are.

    Raises
    ------
    ArgumentError
        The first axis is another one.

    Examples
    --------
    >>> Variable("mean", units="1", long_name="mean over channels").dims
    ('token', 'sample')
    """

    name: str
    dims: tuple[str, ...] = ("token", "sample")
    units: str = "1"
    long_name: str = ""

    def __post_init__(self) -> None:
        if self.dims[:1] not in (("token",), ("phone",)):
            raise ArgumentError(
                f"The variable {self.name!r} of a quantity must have the axis 'token' or 'phone' first, but got "
                f"{self.dims!r}."
            )
        if self.by_phone and "sample" in self.dims:
            raise ArgumentError(
                f"The variable {self.name!r} of a quantity is averaged over the samples of phones, so that it has no "
                f"axis 'sample', but got {self.dims!r}."
            )

    @property
    def by_phone(self) -> bool:
        """Whether it has a row a phone, the mean over the samples of that phone."""
        return self.dims[0] == "phone"


class Use(Protocol):
    """What takes the values of a layer as soon as they are there, with variables that are not made of them."""

    def __call__(self, layer: str, values: Tensor, more: Mapping[str, Tensor] | None = None) -> None:
        """Reduce the values, and keep what is to be kept."""
        ...


@dataclass(frozen=True)
class Batch:
    """Tokens on their way through a network.

    Parameters
    ----------
    model : torch.nn.Module
        In eval mode, on the device of its input.
    prepared : Tensor or mapping
        Its input.
    tokens : DataFrame
        Their rows of the tokens table.
    axes : mapping of str to tuple of str
        The layers to be measured, and the names of the axes of their outputs.
    choose_output : callable, optional
        Picks the tensor from a layer's output.
    phones : PhonePooling, optional
        Their phones, where variables by phone are recorded.
    samples : mapping of str to ndarray
        By layer, how many samples are of the clip of each token, (token,): those behind are of the zeros that fill it.
        Of layers that are not there all are.
    """

    model: nn.Module
    prepared: Prepared
    tokens: pd.DataFrame
    axes: Mapping[str, tuple[str, ...]]
    choose_output: Callable[[object], Tensor] | None = None
    phones: PhonePooling | None = None
    samples: Mapping[str, np.ndarray] = field(default_factory=dict)

    def run(self) -> object:
        """Run the network and return its output."""
        return call(self.model, self.prepared)

    def capturing(self, keep: Callable[[str, Tensor], Any]) -> AbstractContextManager[dict[str, Any]]:
        """Catch what the layers give; see `layerstats.probes.layers.capture.capturing`."""
        return capturing(self.model, list(self.axes), keep, choose=self.choose_output)


class Quantity(ABC):
    """What is recorded of the layers of a network.

    Attributes
    ----------
    name : str
        Says in the store what the recording holds.
    needs_gradients : bool
        Whether the network is run so that gradients can be taken.
    variables : sequence of Variable
        What is stored of every layer; the first is what analyses look at unless they are told otherwise.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import ConvolutionalEncoder
    >>> from layerstats.probes import record
    >>> class Loudest(Quantity):
    ...     name, variables = "loudest", (Variable("loudest"),)
    ...     def reduce(self, values, axes):
    ...         return {"loudest": values.amax(dim=1)}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     network, speech = ConvolutionalEncoder(outputs=2, width=1), demo_corpus(words=["ask"], voices=2)
    ...     record(network, speech, f"{folder}/s.zarr", Loudest(), layers="conv5").layer("conv5")["loudest"].shape
    (2, 16)
    """

    name: ClassVar[str]
    needs_gradients: ClassVar[bool] = False
    variables: Sequence[Variable] = ()

    @abstractmethod
    def reduce(self, values: Tensor, axes: Sequence[str]) -> Mapping[str, Tensor]:
        """Return the variables of a layer by name, made of what was measured.

        Parameters
        ----------
        values : Tensor
            What `measure` gave of the layer, for a batch of tokens; without gradients.
        axes : sequence of str
            Names of its axes, `token` and `sample` among them.
        """

    def measure(self, batch: Batch, use: Use) -> None:
        """Run the network on a batch and give `use` every layer's values, shaped as its output, when they are there.

        The values need to hold only until `use` returns, so that those of all layers never are in memory together.
        Variables that are not made of them are given along: ``use(layer, values, {"error": errors})``.
        """
        with batch.capturing(use):
            batch.run()

    @property
    def recording(self) -> str:
        """How its recording is called unless the caller says otherwise: as the quantity."""
        return self.name

    def options(self) -> dict[str, object]:
        """Return what determines the values besides the class: by default the public attributes of the instance."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def attributes(self) -> dict[str, object]:
        """Return the attributes by which a recording says what it holds: `quantity`, and the options.

        A function is told by its name only: its content cannot be hashed, and values that are there are compared
        instead.
        """
        told = {name: _plain(value) for name, value in self.options().items() if value is not None}
        return {"quantity": self.name, **told}

    def key(self) -> dict[str, object]:
        """Return what it adds to the key of a recording."""
        return {**self.attributes(), "variables": [variable.name for variable in self.variables]}

    def check(self, tokens: pd.DataFrame) -> None:  # noqa: B027 - most quantities ask nothing of the tokens
        """Raise `ArgumentError` where it cannot be measured for some of these tokens; before anything runs."""


class ChannelQuantity(Quantity):
    """A quantity with a value for every channel, of which means over channels, the full maps or both are stored.

    Parameters
    ----------
    summary : str or sequence of str
        Of {"mean", "root_mean_square"}. The mean is that of Begus & Zhou (2022, Eq. 1); where a LayerNorm fixes it,
        the root mean square still says how much there is, whatever the signs.
    maps : bool
        Store all channels too, (token, channel, sample).
    phones : bool
        Store all channels averaged over the samples of each phone too, (phone, channel): those whose times lie in the
        phone (onset <= time < offset), or the nearest one to its middle where none does.
    """

    # How its values are called in descriptions of variables.
    value: ClassVar[str]

    def __init__(self, summary: str | Sequence[str] = "mean", maps: bool = False, phones: bool = False) -> None:
        self.summary = (summary,) if isinstance(summary, str) else tuple(summary)
        self.maps = bool(maps)
        self.phones = bool(phones)
        for name in self.summary:
            check_choice("summary", name, SUMMARIES)
        if not self.summary or len(set(self.summary)) < len(self.summary):
            raise ArgumentError(f"The 'summary' parameter must name at least one, none twice, but got {summary!r}.")

    @property
    def variables(self) -> tuple[Variable, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What is stored of every layer."""
        told = {"mean": f"{self.value} averaged over channels"}
        told["root_mean_square"] = f"root mean square of the {self.value} over channels"
        found = [Variable(name, long_name=told[name]) for name in self.summary]
        if self.maps:
            found.append(Variable("maps", ("token", "channel", "sample"), long_name=self.value))
        if self.phones:
            found.append(Variable("phones", ("phone", "channel"), long_name=f"{self.value} averaged over a phone"))
        return tuple(found)

    def options(self) -> dict[str, object]:
        """Return what determines the values; of phones nothing is said where none are stored, as before there were."""
        told = super().options()
        return told if self.phones else {name: value for name, value in told.items() if name != "phones"}

    def reduce(self, values: Tensor, axes: Sequence[str]) -> dict[str, Tensor]:
        """Return the means over channels, the maps, and what is averaged over phones."""
        found = {name: series(values, axes, name) for name in self.summary}
        stored = [name for name, wanted in (("maps", self.maps), ("phones", self.phones)) if wanted]
        return {**found, **dict.fromkeys(stored, maps(values, axes))} if stored else found


def _plain(value: object) -> object:
    if callable(value):
        return f"function {getattr(value, '__qualname__', type(value).__qualname__)}"
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
