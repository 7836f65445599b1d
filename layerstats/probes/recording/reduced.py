"""From what a quantity measures on a batch to arrays for the store, checked; and the first of them, looked at."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from layerstats.errors import ArgumentError, DataError, NetworkError
from layerstats.probes.inputs import Prepared, same_input
from layerstats.probes.layers.axes import maps
from layerstats.probes.layers.examine import DEPENDS
from layerstats.probes.layers.rounding import channel_rms, difference, is_fixed, largest_difference
from layerstats.probes.quantity import Batch, Quantity, Variable

# By layer and variable.
Arrays = dict[str, dict[str, np.ndarray]]
# An input of the network, and what the layers gave of it.
Seen = tuple[Prepared, Mapping[str, Tensor]]


def measure(quantity: Quantity, batch: Batch) -> Arrays:
    """Return the variables of every layer for a batch of tokens, float32, on the CPU.

    Each layer is reduced as soon as its values are there, so that full maps are in memory only where they are stored.

    Raises
    ------
    ArgumentError
        The quantity gives other variables than it says, or a layer not one row a token.
    DataError
        A layer gives NaN or infinite values; its name and the first such token are in the message.
    """
    return begin_measuring(quantity, batch).arrays()


class BegunMeasurement:
    """The variables of a batch on their way from the network: a GPU works on while they come and are looked at.

    Parameters
    ----------
    quantity, batch
        What was measured.
    coming : mapping of str to mapping of str to Tensor
        The variables by layer and name, on the CPU, though what a GPU has to do for them may still be on its list.
    devices : collection of torch.device
        Where they come from.
    """

    def __init__(
        self,
        quantity: Quantity,
        batch: Batch,
        coming: Mapping[str, Mapping[str, Tensor]],
        devices: Collection[torch.device],
    ) -> None:
        self._quantity, self._axes, self._samples = quantity, tuple(batch.axes), batch.samples
        self._rows, self._coming = _rows(quantity, batch), coming
        # Before the next batch is on their lists.
        gpus = [device for device in devices if device.type == "cuda"]
        self._there = [torch.cuda.current_stream(device).record_event() for device in gpus]

    def arrays(self) -> Arrays:
        """Wait for them and check them; the errors are those of `measure`."""
        for event in self._there:
            event.synchronize()
        quantity, arrays = self._quantity, {}
        for layer in self._axes:
            arrays[layer] = {name: tensor.numpy() for name, tensor in self._coming[layer].items()}
            _check_shapes(quantity, layer, arrays[layer], self._rows)
            for one in quantity.variables:
                values, samples = arrays[layer][one.name], self._samples.get(layer)
                behind = None if samples is None else _behind(one, values, samples)
                _check_finite(quantity, layer, one.name, values, self._rows[one.name], behind)
                if behind is not None and behind.any():
                    values[np.broadcast_to(behind, values.shape)] = np.nan
        return arrays


def begin_measuring(quantity: Quantity, batch: Batch) -> BegunMeasurement:
    """Run the network on a batch, and let what is measured come to the CPU by itself."""
    reduced: dict[str, dict[str, Tensor]] = {}
    devices: set[torch.device] = set()

    def use(layer: str, values: Tensor, more: Mapping[str, Tensor] | None = None) -> None:
        with torch.no_grad():
            values = of_speech(batch, layer, values.detach())
            found = {**_reduce(quantity, batch, layer, values), **(more or {})}
            devices.update(tensor.device for tensor in (values, *found.values()))
            reduced[layer] = {name: _kept(tensor, values) for name, tensor in found.items()}

    quantity.measure(batch, use)
    coming = {layer: {name: _to_cpu(tensor) for name, tensor in found.items()} for layer, found in reduced.items()}
    return BegunMeasurement(quantity, batch, coming, devices)


def _to_cpu(tensor: Tensor, copy: bool = False) -> Tensor:
    # A GPU copies into pinned memory when it is at it, and nobody waits: `BegunMeasurement` says when it is there.
    return tensor.to("cpu", non_blocking=tensor.is_cuda, copy=copy)


def of_speech(batch: Batch, layer: str, values: Tensor) -> Tensor:
    """Return the values of a layer without the samples that are of no clip of the batch.

    Raises
    ------
    NetworkError
        There are fewer samples than the lengths of the clips say.
    """
    samples = batch.samples.get(layer)
    if samples is None:
        return values
    axis, most = batch.axes[layer].index("sample"), int(samples.max())
    if values.shape[axis] < most:
        raise NetworkError(
            f"Layer {layer!r} gives {values.shape[axis]} samples for clips from {batch.tokens['token'].iloc[0]!r} on, "
            f"where {most} were expected by what it gave of the first ones. Record with batch_size=1."
        )
    return values.narrow(axis, 0, most)


def _behind(variable: Variable, values: np.ndarray, samples: np.ndarray) -> np.ndarray | None:
    """Return which values are behind the clips of their tokens, of a shape that broadcasts; None without samples."""
    if "sample" not in variable.dims:
        return None
    axis = variable.dims.index("sample")
    behind = np.arange(values.shape[axis]) >= samples[:, None]
    shape = [size if place in (0, axis) else 1 for place, size in enumerate(values.shape)]
    return behind.reshape(shape)


def _reduce(quantity: Quantity, batch: Batch, layer: str, values: Tensor) -> dict[str, Tensor]:
    """Return the variables of a layer, those by phone averaged over the samples of each."""
    found = dict(quantity.reduce(values, batch.axes[layer]))
    for variable in quantity.variables:
        if variable.by_phone and variable.name in found:
            assert batch.phones is not None  # `NetworkRun` makes them where a variable needs them
            _check_samples_of_phones(batch, layer)
            found[variable.name] = batch.phones.average(layer, found[variable.name])
    return found


def _check_samples_of_phones(batch: Batch, layer: str) -> None:
    """Raise `DataError` where a token is so short that the layer has no sample of it, and so none of its phones."""
    if batch.phones is None or layer not in batch.samples or not len(batch.phones):
        return
    short = batch.phones.token[batch.samples[layer][batch.phones.token] < 1]
    if len(short):
        raise DataError(
            f"Token {batch.tokens['token'].iloc[int(short[0])]!r} is so short that layer {layer!r} has no sample of "
            "it, and its phones no vector. Leave such tokens out of the corpus, or record earlier layers."
        )


def _rows(quantity: Quantity, batch: Batch) -> dict[str, list[str]]:
    """Return by variable the token of each of its rows."""
    tokens = batch.tokens["token"].tolist()
    of_phones = [] if batch.phones is None else [tokens[row] for row in batch.phones.token]
    return {one.name: of_phones if one.by_phone else tokens for one in quantity.variables}


def _kept(reduced: Tensor, values: Tensor) -> Tensor:
    reduced = reduced.float()
    if reduced.numel() < values.numel():
        # It stays where the network is, so that this does not wait for it.
        return reduced.clone() if _shares(reduced, values) else reduced
    return _to_cpu(reduced, copy=_shares(reduced, values))  # a copy now: the next module may work in place


def _shares(one: Tensor, other: Tensor) -> bool:
    return one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()


def _check_samples(quantity: Quantity, layer: str, reduced: Mapping[str, Tensor], samples: int) -> None:
    """Raise `ArgumentError` where a variable is no tensor, or has not the samples of its layer, whose times it gets."""
    for one in quantity.variables:
        values = reduced[one.name]
        if not isinstance(values, Tensor):
            raise ArgumentError(
                f"The quantity {quantity.name!r} must reduce to tensors, but gave {type(values).__name__} for "
                f"{one.name!r} of layer {layer!r}."
            )
        found = dict(zip(one.dims, values.shape, strict=True)).get("sample", samples)
        if found != samples:
            raise ArgumentError(
                f"The quantity {quantity.name!r} must keep the {samples} samples of layer {layer!r}, but gave {found} "
                f"for {one.name!r}. Call that axis otherwise."
            )


def _check_shapes(
    quantity: Quantity, layer: str, arrays: Mapping[str, np.ndarray | Tensor], rows: Mapping[str, Sequence[str]]
) -> None:
    """Raise `ArgumentError` where arrays are not as announced; `rows` has the token of each row by variable."""
    variables: dict[str, Variable] = {variable.name: variable for variable in quantity.variables}
    if arrays.keys() != variables.keys():
        raise ArgumentError(
            f"The quantity {quantity.name!r} says that its variables are {list(variables)}, but reduce gave "
            f"{list(arrays)} for layer {layer!r}."
        )
    for name, values in arrays.items():
        if values.ndim != len(variables[name].dims):
            raise ArgumentError(
                f"The quantity {quantity.name!r} says that {name!r} is {variables[name].dims}, but reduce gave an "
                f"array of shape {tuple(values.shape)} for layer {layer!r}."
            )
        tokens = rows[name]
        if len(values) != len(tokens):
            raise ArgumentError(
                f"Layer {layer!r} gives {len(values)} rows for the {len(tokens)} tokens from {tokens[0]!r} on. "
                "Choose another layer, or record with batch_size=1."
            )


def _check_finite(
    quantity: Quantity, layer: str, name: str, values: np.ndarray, tokens: Sequence[str], behind: np.ndarray | None
) -> None:
    finite = np.isfinite(values) if behind is None else np.isfinite(values) | behind
    bad = np.flatnonzero(~finite.all(axis=tuple(range(1, values.ndim))))
    if len(bad):
        raise DataError(
            f"Layer {layer!r} gives NaN or infinite values for token {tokens[int(bad[0])]!r} "
            f"({name} of {quantity.name}; {len(bad)} of {len(values)} tokens of this batch). What is recorded so far "
            "is kept. Check the network's weights and what its input should look like."
        )


def joined(
    quantity: Quantity,
    parts: Sequence[Arrays],
    rows: Sequence[np.ndarray],
    phones: Sequence[np.ndarray],
    samples: Mapping[str, int],
) -> Arrays:
    """Return the variables of several batches as those of one.

    Parameters
    ----------
    quantity : Quantity
        Whose they are.
    parts : sequence
        By batch, layer and variable.
    rows : sequence of ndarray
        By batch, the rows of the tokens table that it has; they come in the order of the table.
    phones : sequence of ndarray
        By batch, the rows of the phones table that those by phone have; they come in the order of the table.
    samples : mapping of str to int
        By layer, samples of the longest clip: shorter ones are followed by NaN.
    """
    tokens, of_phones = (np.argsort(np.concatenate(one), kind="stable") for one in (rows, phones))

    def together(layer: str, variable: Variable) -> np.ndarray:
        found = [part[layer][variable.name] for part in parts]
        if "sample" in variable.dims:
            found = [_filled(values, variable.dims.index("sample"), samples[layer]) for values in found]
        order = of_phones if variable.by_phone else tokens
        whole = np.concatenate(found) if len(found) > 1 else found[0]
        return whole if np.array_equal(order, np.arange(len(order))) else whole[order]

    return {layer: {one.name: together(layer, one) for one in quantity.variables} for layer in parts[0]}


def _filled(values: np.ndarray, axis: int, samples: int) -> np.ndarray:
    missing = samples - values.shape[axis]
    if missing == 0:
        return values
    widths = [(0, missing if place == axis else 0) for place in range(values.ndim)]
    return np.pad(values, widths, constant_values=np.nan)


@dataclass(frozen=True)
class FirstValues:
    """What the first few tokens told of a quantity at a layer.

    Parameters
    ----------
    channel_rms : float
        Root mean square of what was measured, over tokens, channels and samples.
    fixed : tuple of str
        Variables (token, sample) that are one number for all tokens and samples but for rounding.
    rounding : float
        By how much, relative to its size, it moved when other tokens went through with the first.
    sizes : dict of str to dict
        By variable, the sizes of its dimensions other than token and sample.
    """

    channel_rms: float
    fixed: tuple[str, ...]
    rounding: float
    sizes: dict[str, dict[str, int]]


def first_values(
    quantity: Quantity, together: Batch, alone: Sequence[Batch], seen: Sequence[Seen] = ()
) -> dict[str, FirstValues]:
    """Measure a few tokens together and, to compare, alone.

    Parameters
    ----------
    quantity : Quantity
        What is to be recorded.
    together : Batch
        The first tokens.
    alone : sequence of Batch
        The first of these by themselves; none where they could not be compared.
    seen : sequence
        Inputs that went through the network before, and what its layers gave of them.

    Raises
    ------
    NetworkError
        A token's values depend on others that go through with it.
    """
    values, more = measured_values(quantity, together, seen)
    others = [measured_values(quantity, one, seen)[0] for one in alone]
    found = {}
    for layer, several in values.items():
        token = together.axes[layer].index("token")
        apart = [difference(one[layer].select(token, 0), several.select(token, row)) for row, one in enumerate(others)]
        moved = max(apart, default=0.0)
        if moved > DEPENDS:
            raise NetworkError(
                f"The {quantity.name} at layer {layer!r} is another for a token alone than in a batch (they differ by "
                f"{moved:.1g} of their size): after that layer the network mixes the tokens of a batch, or the score "
                "does. Record with batch_size=1, or mend that."
            )
        reduced = {**_reduce(quantity, together, layer, several), **more[layer]}
        _check_shapes(quantity, layer, reduced, _rows(quantity, together))
        _check_samples(quantity, layer, reduced, several.shape[together.axes[layer].index("sample")])
        series = [one.name for one in quantity.variables if one.dims == ("token", "sample")]
        fixed = [name for name in series if is_fixed(reduced[name], several, several.numel() // reduced[name].numel())]
        sizes = {one.name: _sizes(one, reduced[one.name]) for one in quantity.variables}
        found[layer] = FirstValues(channel_rms(several), tuple(fixed), moved, sizes)
    return found


def padding_differences(quantity: Quantity, alone: Batch, beside: Batch) -> dict[str, float]:
    """Return by layer how much a token's samples move at most when zeros fill it up to another's length.

    It is the root mean square over channels of the difference, relative to that of the token over all samples.

    Parameters
    ----------
    quantity : Quantity
        What is measured.
    alone : Batch
        The token by itself.
    beside : Batch
        The same token, and then a longer one.
    """
    ours, theirs = (measured_values(quantity, batch)[0] for batch in (alone, beside))
    found = {}
    for layer, values in ours.items():
        axes = alone.axes[layer]
        own = maps(values, axes)[0]
        found[layer] = largest_difference(own, maps(theirs[layer], axes)[0, :, : own.shape[1]])
    return found


def measured_values(
    quantity: Quantity, batch: Batch, seen: Sequence[Seen] = ()
) -> tuple[dict[str, Tensor], dict[str, Mapping[str, Tensor]]]:
    """Return what is measured of every layer, and the variables that are not made of that.

    Where that is what the layers give, and the input is among those `seen` before, the network is not run again.
    """
    if type(quantity).measure is Quantity.measure:
        for prepared, outputs in seen:
            if same_input(prepared, batch.prepared):
                values = {layer: of_speech(batch, layer, outputs[layer]) for layer in batch.axes}
                return values, {layer: {} for layer in batch.axes}
    measured: dict[str, Tensor] = {}
    others: dict[str, Mapping[str, Tensor]] = {}

    def use(layer: str, values: Tensor, more: Mapping[str, Tensor] | None = None) -> None:
        measured[layer], others[layer] = of_speech(batch, layer, values.detach()).clone(), more or {}

    quantity.measure(batch, use)
    return {layer: measured[layer] for layer in batch.axes}, others


def _sizes(variable: Variable, values: Tensor) -> dict[str, int]:
    sizes = zip(variable.dims, values.shape, strict=True)
    return {name: size for name, size in sizes if name not in ("token", "phone", "sample")}
