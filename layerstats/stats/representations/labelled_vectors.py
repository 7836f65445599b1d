"""Vectors of phones with their labels: which network they are of, and which networks they are held against."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from layerstats.errors import ArgumentError, DataError

if TYPE_CHECKING:
    from layerstats.store import Experiment

    Source = xr.DataArray | Experiment | Sequence[xr.DataArray | Experiment]

DIMENSIONS = ("phone", "channel")
ACOUSTICS = "acoustics"
# What says which phone a row is, where it is there.
_IDENTITY = ("token", "phone_index", "onset_s", "label", "speaker")
_DEFAULT_NAME = "activations"


@dataclass(frozen=True, eq=False)
class LayerVectors:
    """The vectors of all phones at one layer of one recording.

    Attributes
    ----------
    array : xarray.DataArray (phone, channel)
        As `phone_vectors` returns them.

    Examples
    --------
    >>> array = xr.DataArray(
    ...     np.eye(3), dims=("phone", "channel"), coords={"label": ("phone", ["s", "s", "t"])},
    ...     attrs={"layer": "conv1", "recording": "untrained_00", "trained": False},
    ... )
    >>> one = LayerVectors.of(array)
    >>> one.layer, one.recording, one.trained, one.phones["label"].tolist()
    ('conv1', 'untrained_00', False, ['s', 's', 't'])
    """

    array: xr.DataArray

    @classmethod
    def of(cls, array: xr.DataArray) -> LayerVectors:
        """Check an array.

        Raises
        ------
        ArgumentError
            It is no array of (phone, channel).
        """
        if not isinstance(array, xr.DataArray) or set(array.dims) != set(DIMENSIONS):
            given = f"dimensions {array.dims}" if isinstance(array, xr.DataArray) else f"a {type(array).__name__}"
            raise ArgumentError(
                f"Vectors must be an xarray.DataArray with the dimensions {DIMENSIONS}, as phone_vectors() returns "
                f"them, but got {given}."
            )
        if not array.size:
            raise ArgumentError(f"There are no phones or no channels: the vectors have the sizes {dict(array.sizes)}.")
        return cls(array.transpose(*DIMENSIONS))

    @property
    def layer(self) -> str:
        """Name of the layer; what an array does not say is "layer"."""
        return str(self.array.attrs.get("layer", self.array.name or "layer"))

    @property
    def recording(self) -> str:
        """Name of the recording."""
        return str(self.array.attrs.get("recording", _DEFAULT_NAME))

    @property
    def trained(self) -> bool:
        """Whether the network was trained; true where an array does not say."""
        return bool(self.array.attrs.get("trained", True))

    @property
    def network_kind(self) -> str:
        """Kind of network; "acoustics" is the sound alone."""
        return str(self.array.attrs.get("network_kind", ""))

    @cached_property
    def phones(self) -> pd.DataFrame:
        """The coordinates of phones, a row a phone: ``label, token, speaker, ...``, what is there."""
        columns = {
            str(name): np.asarray(values) for name, values in self.array.coords.items() if values.dims == ("phone",)
        }
        return pd.DataFrame(columns, index=pd.RangeIndex(self.array.sizes["phone"]))

    def values(self) -> np.ndarray:
        """Read the vectors, float64 (phone, channel).

        Raises
        ------
        DataError
            A vector is not finite.
        """
        values = np.asarray(self.array, dtype=np.float64)
        bad = ~np.isfinite(values).all(axis=1)
        if bad.any():
            raise DataError(
                f"{int(bad.sum())} of {len(values)} vectors of layer {self.layer!r} of {self.recording!r} hold NaN or "
                f"infinite values, the first of phone {int(np.flatnonzero(bad)[0])}. Leave these phones out."
            )
        return values

    def column(self, name: str) -> np.ndarray:
        """Return what phones have in a column, as text, (phone,).

        Raises
        ------
        DataError
            There is no such column, or a phone has no value in it.
        """
        if name not in self.phones:
            raise DataError(
                f"The vectors of layer {self.layer!r} have no coordinate {name!r} along 'phone'. They have: "
                f"{', '.join(map(str, self.phones.columns)) or 'none'}."
            )
        values = pd.Series(self.phones[name])
        missing = values.isna().to_numpy()
        if missing.any():
            raise DataError(
                f"{int(missing.sum())} of {len(values)} phones have no {name!r}, the first is phone "
                f"{int(np.flatnonzero(missing)[0])}. Leave these phones out."
            )
        return as_text(values, name)


@dataclass(frozen=True, eq=False)
class ComparedNetworks:
    """One network, and what it is held against, on the same phones.

    Attributes
    ----------
    network
        By layer.
    untrained
        By name of the recording: the same layers with random weights.
    acoustics
        By layer: the sound alone, of network kind "acoustics"; by recording and layer where several have a layer of one
        name.
    """

    network: Mapping[str, LayerVectors]
    untrained: Mapping[str, Mapping[str, LayerVectors]]
    acoustics: Mapping[str, LayerVectors]

    @property
    def first(self) -> LayerVectors:
        """Vectors whose phones are those of all."""
        return next(iter(self.network.values()))

    def every(self) -> list[LayerVectors]:
        """Return all vectors: of the network, of the sound, of untrained twins."""
        twins = [one for layers in self.untrained.values() for one in layers.values()]
        return [*self.network.values(), *self.acoustics.values(), *twins]


def compared_networks(
    source: Source, layers: Collection[str] | None = None, recording: str | None = None
) -> ComparedNetworks:
    """Sort vectors by what they are of.

    Parameters
    ----------
    source
        Vectors of one layer, of several, of several recordings; or experiments whose recordings have vectors of phones.
    layers
        Layers of the network to take, all if not given; the sound keeps its own.
    recording
        The network, where there are several that were trained; of an experiment the one that it shows.

    Raises
    ------
    ArgumentError
        There is no such layer or recording, or it is not clear which network is meant.
    DataError
        Vectors are not of the same phones, or are there twice.
    """
    given = read_vectors(source)
    _check_twice(given)
    if recording is None and not isinstance(source, xr.DataArray):
        # Of an experiment, what it shows, where that has vectors.
        shown = getattr(source, "name", None)
        recording = next((one.recording for one in given if one.recording == shown), None)
    trained = {one.recording: None for one in given if one.trained and one.network_kind != ACOUSTICS}
    names = list(trained) or list({one.recording: None for one in given})
    if recording is None and len(names) > 1:
        raise ArgumentError(
            f"The vectors are of several networks: {', '.join(names)}. Say which with 'recording'; untrained ones have "
            "the attribute trained=False, the sound alone network_kind='acoustics'."
        )
    chosen = names[0] if recording is None else recording
    network = {one.layer: one for one in given if one.recording == chosen}
    if not network:
        raise ArgumentError(f"There are no vectors of the recording {chosen!r}, only of {', '.join(names)}.")
    unknown = [] if layers is None else [name for name in layers if name not in network]
    if unknown:
        raise ArgumentError(
            f"Layer {', '.join(map(repr, unknown))} is not among the vectors of {chosen!r}: {', '.join(network)}."
        )
    network = network if layers is None else {name: network[name] for name in layers}
    first = next(iter(network.values()))
    # Twins only of a trained network: of an untrained one, others are no null.
    twins = {
        one.recording: None
        for one in given
        if first.trained and not one.trained and one.network_kind in ("", first.network_kind)
    }
    found = {name: {one.layer: one for one in given if one.recording == name} for name in twins if name != chosen}
    complete = {name: own for name, own in found.items() if set(network) <= set(own)}
    result = ComparedNetworks(
        network,
        {name: {layer: own[layer] for layer in network} for name, own in complete.items()},
        _by_name([one for one in given if one.network_kind == ACOUSTICS and one.recording != chosen]),
    )
    check_same_phones(result.every())
    return result


def _by_name(sounds: Sequence[LayerVectors]) -> dict[str, LayerVectors]:
    """Name vectors of sound by their layer, which spectrograms of every kind call "features", or by recording too."""
    layers = [one.layer for one in sounds]
    apart = len(set(layers)) == len(layers)
    return {one.layer if apart else f"{one.recording} {one.layer}": one for one in sounds}


def as_text(values: pd.Series, name: str) -> np.ndarray:
    """Return values as text, (phone,).

    Raises
    ------
    DataError
        Two values differ that are written the same.
    """
    texts = values.astype(str)
    if texts.nunique() < values.nunique():
        raise DataError(f"Some values of {name!r} differ but are written the same, as 1 and '1' are: give all as text.")
    return texts.to_numpy(dtype=object)


def read_vectors(source: Source) -> list[LayerVectors]:
    """Return all vectors of a source, lazily, in the order given.

    Raises
    ------
    ArgumentError
        There are none, or something is neither an array nor an experiment.
    """
    parts = [source] if isinstance(source, xr.DataArray) or not isinstance(source, Iterable) else list(source)
    found = [LayerVectors.of(array) for part in parts for array in _arrays(part)]
    if not found:
        raise ArgumentError("There are no vectors of phones: give at least one array of phone_vectors().")
    return found


def _arrays(part: Any) -> Iterable[Any]:
    if isinstance(part, xr.DataArray) or not hasattr(part, "recordings"):
        return [part]
    from layerstats.store import phone_vectors
    from layerstats.store.vectors import VECTORS

    views = [_view(part, name) for name in _complete(part)]
    found = [view for view in views if view is not None and VECTORS in view.variables]
    if not found:
        # It says how they are recorded.
        phone_vectors(part, part.layers[0])
    return [phone_vectors(view, layer) for view in found for layer in view.layers]


def _complete(experiment: Experiment) -> list[str]:
    recordings = experiment.recordings
    return [str(name) for name in recordings.loc[recordings["complete"].astype(bool), "recording"]]


def _view(experiment: Experiment, recording: str) -> Experiment | None:
    try:
        return experiment.recording(recording)
    except ArgumentError:
        return None  # it lacks a layer that is selected


def check_same_phones(vectors: Sequence[LayerVectors]) -> None:
    """Raise `DataError` unless all vectors are of the same phones, in the same order."""
    first = vectors[0]
    for other in vectors[1:]:
        shared = [name for name in _IDENTITY if name in first.phones and name in other.phones]
        same = len(first.phones) == len(other.phones) and all(
            np.array_equal(first.phones[name].to_numpy(), other.phones[name].to_numpy()) for name in shared
        )
        if not same:
            raise DataError(
                f"Layer {other.layer!r} of {other.recording!r} ({len(other.phones)} phones) is not of the same phones "
                f"in the same order as layer {first.layer!r} of {first.recording!r} ({len(first.phones)}): what is "
                "compared must be. Select the same phones of both."
            )


def _check_twice(given: Sequence[LayerVectors]) -> None:
    seen: set[tuple[str, str]] = set()
    for one in given:
        if (one.recording, one.layer) in seen:
            raise DataError(
                f"Layer {one.layer!r} of {one.recording!r} is there twice. Name recordings apart by the attributes "
                "'layer' and 'recording' of the arrays."
            )
        seen.add((one.recording, one.layer))
