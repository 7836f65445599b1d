"""What the store must know of a layer and of its variables before their first value."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from layerstats.checks import check_choice, check_count
from layerstats.errors import ArgumentError
from layerstats.store.schema import LABELS, USUAL_DIMENSIONS, check_name, unit_and_name

# Sizes that the tables and the times of a layer say.
KNOWN_SIZES = ("token", "phone", "sample")
# Arrays that every layer has besides its variables.
RESERVED = ("token", "time_s")
DTYPES = ("float32", "float64", "int64")
# The dimension of outcomes of maximizations; variables that have it are in no layer.
START = "start"
# Those of sums over windows.
LETTER_DIMENSIONS: tuple[str, ...] = ("speaker", "letter", "alignment", "frequency", "lag")


@dataclass(frozen=True)
class VariableSpec:
    """A variable of a layer: its name, dimensions and units.

    Parameters
    ----------
    name
        "mean" (token, sample), "root_mean_square" (token, sample), "maps" (token, channel, sample), "phones" (phone,
        channel), "input" (token, frequency, sample), or any other.
    dims
        Names of the dimensions; those above have theirs by default. With `token` or `phone` first, values are written
        token by token, else all at once when the recording is finished.
    sizes
        Of the dimensions other than token, phone and sample: ``{"channel": 64}``; of a variable of outcomes, which has
        `start` first, of all others.
    units, long_name
        As in figures and tables; "1" where there is no unit.
    dtype
        "float32", "float64" or "int64"; of a variable (start,) of outcomes also "text".

    Examples
    --------
    >>> VariableSpec("maps", sizes={"channel": 64}).dims
    ('token', 'channel', 'sample')
    """

    name: str
    dims: Sequence[str] | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    units: str | None = None
    long_name: str | None = None
    dtype: str = "float32"

    def __post_init__(self) -> None:
        check_name("variable", self.name)
        starts = self.dims is not None and tuple(self.dims)[:1] == (START,)
        check_choice("dtype", self.dtype, [*DTYPES, "text"] if starts else DTYPES)
        if self.name in RESERVED:
            raise ArgumentError(f"A variable cannot be called {self.name!r}: every layer has that array.")
        if self.name in LABELS:
            raise ArgumentError(
                f"A variable cannot be called {self.name!r}: tokens, phones or samples are labelled so."
            )
        usual = USUAL_DIMENSIONS.get(self.name)
        dims = usual if self.dims is None else tuple(self.dims)
        if usual not in (None, dims) or (usual and self.dtype != DTYPES[0]):
            raise ArgumentError(f"A variable called {self.name!r} has the dimensions {usual} and the type {DTYPES[0]}.")
        if not dims or len(set(dims)) < len(dims):
            raise ArgumentError(f"The variable {self.name!r} needs its dimensions, no name twice, but got {dims!r}.")
        if self.name in dims:
            raise ArgumentError(f"A variable cannot be called as one of its dimensions, but got {self.name!r} {dims}.")
        object.__setattr__(self, "dims", dims)
        known = (START,) if starts else KNOWN_SIZES
        for dimension in dims:
            if dimension not in known:
                check_name("dimension", dimension)
                if dimension not in self.sizes:
                    raise ArgumentError(f"The variable {self.name!r} needs the size of its dimension {dimension!r}.")
                check_count(f"sizes[{dimension!r}]", self.sizes[dimension])
            elif dimension != dims[0] and dimension != "sample":
                raise ArgumentError(f"The dimension {dimension!r} of the variable {self.name!r} must be its first.")

    @property
    def by_shard(self) -> str | None:
        """The dimension along which it is written, "token", "phone" or "start"; None where it is written at once."""
        first = self.dimensions[0]
        return first if first in ("token", "phone", START) else None

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The names of its dimensions."""
        return tuple(self.dims or ())

    @property
    def attributes(self) -> dict[str, str]:
        """Its `units` and `long_name`."""
        usual = unit_and_name(self.name)
        return {"units": self.units or usual["units"], "long_name": self.long_name or usual["long_name"]}


def usual_variables(maps_channels: int | None = None, summary: str = "mean") -> tuple[VariableSpec, ...]:
    """Return the variables of a layer's activations: a summary of the channels and, with their number, full maps.

    Examples
    --------
    >>> [variable.name for variable in usual_variables(64)]
    ['mean', 'maps']
    """
    maps = () if maps_channels is None else (VariableSpec("maps", sizes={"channel": maps_channels}),)
    return (VariableSpec(summary), *maps)


def check_coordinates(
    what: str,
    coords: Mapping[str, tuple[str, ArrayLike]],
    variables: Sequence[VariableSpec],
    taken: Collection[str],
) -> None:
    """Raise `ArgumentError` where a label of a dimension has a name that is taken, or another size than variables."""
    for coordinate, (dimension, values) in coords.items():
        check_name("coordinate", coordinate)
        sizes = {variable.sizes.get(dimension) for variable in variables if dimension in variable.dimensions}
        if coordinate in taken:
            raise ArgumentError(f"A coordinate of {what} cannot be called {coordinate!r}.")
        if sizes != {np.size(values)} or np.ndim(values) != 1:
            raise ArgumentError(
                f"The coordinate {coordinate!r} of {what} must have a value for each {dimension!r} of its variables, "
                f"but got {np.size(values)} for sizes {sorted(map(str, sizes))}."
            )


@dataclass(frozen=True)
class LayerSpec:
    """What the store must know of a layer before its first value.

    Parameters
    ----------
    name
        Name of the layer, and of its group.
    time_s
        Centre of the receptive field of every output, (sample,), seconds on the clip's axis; None where no variable
        has samples.
    variables
        What is recorded of it; by default the mean over channels.
    attrs
        `layer` (path of the module), `activation`, `slope`, `hop_s`, `receptive_field_s`, `offset_s`, ...
    coords
        Labels of other dimensions by name: ``{"frequency_hz": ("frequency", [...])}``.

    Examples
    --------
    >>> layer = LayerSpec("conv1", [0.0, 0.5], [VariableSpec("mean"), VariableSpec("maps", sizes={"channel": 8})])
    >>> layer.shape("maps", tokens=10, phones=0)
    (10, 8, 2)
    """

    name: str
    time_s: ArrayLike | None
    variables: Sequence[VariableSpec] = (VariableSpec("mean"),)
    attrs: Mapping[str, object] = field(default_factory=dict)
    coords: Mapping[str, tuple[str, ArrayLike]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name("layer", self.name)
        names = [variable.name for variable in self.variables]
        if self.name in RESERVED:
            raise ArgumentError(
                f"A layer cannot be called {self.name!r}: {' and '.join(map(repr, RESERVED))} are labels of layers."
            )
        if not names or len(set(names) | set(self.coords)) < len(names) + len(self.coords):
            raise ArgumentError(
                f"Layer {self.name!r} must have a variable and no name twice, but got {[*names, *self.coords]}."
            )
        if self.time_s is not None:
            object.__setattr__(self, "time_s", np.asarray(self.time_s, dtype=np.float64))
            self._check_times(self.times)
        elif any("sample" in variable.dimensions for variable in self.variables):
            raise ArgumentError(f"Layer {self.name!r} has samples and needs their times.")
        if any(START in variable.dimensions for variable in self.variables):
            raise ArgumentError(f"Layer {self.name!r} has no starts: those are of outcomes (`OutcomeWriter`).")
        check_coordinates(f"layer {self.name!r}", self.coords, self.variables, (*RESERVED, *LABELS))

    def _check_times(self, time_s: np.ndarray) -> None:
        if time_s.ndim != 1 or time_s.size == 0 or not np.all(np.isfinite(time_s)):
            raise ArgumentError(f"The times of layer {self.name!r} must be finite, of shape (sample,), and not empty.")
        if np.any(np.diff(time_s) <= 0):
            raise ArgumentError(f"The times of layer {self.name!r} must increase from sample to sample.")

    @property
    def times(self) -> np.ndarray:
        """The times as an array, (sample,); empty where it has none."""
        return np.asarray([] if self.time_s is None else self.time_s, dtype=np.float64)

    def variable(self, name: str) -> VariableSpec:
        """Return the variable of this name."""
        return next(variable for variable in self.variables if variable.name == name)

    def shape(self, name: str, tokens: int, phones: int) -> tuple[int, ...]:
        """Return the shape of a variable in a store of so many tokens and phones."""
        variable = self.variable(name)
        sizes = {**variable.sizes, "token": tokens, "phone": phones, "sample": self.times.size}
        return tuple(int(sizes[dimension]) for dimension in variable.dimensions)
