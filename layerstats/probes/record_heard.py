"""What layers give of inputs that are not clips: maximized features, beside natural ones, in one store."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from layerstats.models import dtype_of, part, running
from layerstats.models.device import device_for
from layerstats.probes.activations import Activation
from layerstats.probes.heard_items import HeardClips, HeardItems
from layerstats.probes.inputs import first_tensor
from layerstats.probes.layers.choose import choose_layers
from layerstats.probes.layers.observe import observe
from layerstats.probes.maximization import hearing_of
from layerstats.probes.recording.recorder import record
from layerstats.store import Experiment

FEATURES = "features"


class HeardNetwork(nn.Module):
    """A network that hears features, with these themselves as its first layer, `features`.

    Its other layers are the network's own, under their names.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.features = nn.Identity()
        for name, module in network.named_children():
            self.add_module(name, module)
        # Not a child: its layers have the names that they have in it.
        self.__dict__["network"] = network

    def forward(self, heard: Tensor) -> object:
        """Return what the network gives."""
        return self.__dict__["network"](self.features(heard))


def record_heard(
    network: nn.Module,
    items: HeardItems,
    store: str | os.PathLike[str],
    layers: str | Sequence[str] | None = None,
    recording: str | None = None,
    *,
    trained: bool = True,
    attrs: Mapping[str, object] | None = None,
    batch_size: int = 32,
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> Experiment:
    """Record what layers give of items, with all channels, and the items themselves as the layer `features`.

    The recorder is that of clips (`record`): runs that were killed go on, and other weights or items are refused. A
    layer without time (dense ones, logits) has one sample.

    Parameters
    ----------
    network : torch.nn.Module
        The network. An untrained one (`layerstats.models.untrained`) is another recording of the same store.
    items : HeardItems
        What it hears; natural and maximized items are told apart by the column `condition` of the store's tokens.
    store : path
        Zarr directory, made if it is not there.
    layers : str or sequence of str, optional
        Names or patterns; by default `features` and every part of the network that has weights.
    recording : str, optional
        Its name; "activations" by default.
    trained : bool
        Whether the network is.
    attrs : mapping, optional
        What the recording says of the network, from `network_attributes` for instance.
    batch_size, device, progress
        As for `record`.

    Raises
    ------
    ArgumentError
        The items are of another front end than the network's, or a layer does not exist.
    DataError
        An item holds NaN.
    StoreError
        The store holds other items, or a recording of other weights.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import CommandClassifier
    >>> from layerstats.probes import natural_items
    >>> network = CommandClassifier(outputs=2, channels=(1, 1, 1), hidden=(2, 2, 2))
    >>> items = natural_items(network, demo_corpus(words=["wash"], voices=2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     experiment = record_heard(network, items, f"{folder}/s.zarr")
    ...     experiment.layers, experiment.layer("features")["maps"].shape
    (('features', 'conv1', 'conv2', 'conv3', 'dense1', 'dense2', 'dense3', 'logits'), (2, 80, 90))
    """
    network = part(network)
    hearing = hearing_of(network)
    hearing.check_same(items.hearing, "The set of items")
    settings = hearing.front_end
    rate_hz = int(settings.get("rate_hz", 16000))  # pyright: ignore[reportArgumentType]
    hop_s = int(settings["hop"]) / rate_hz if settings else None  # pyright: ignore[reportArgumentType]
    told = {"front_end": hearing.front_end_json, "rate_hz": rate_hz, "heard_shape": list(hearing.shape)}
    model = HeardNetwork(network) if settings else network
    names = layers if layers is not None else _layers_with_weights(model)
    prepare = _shaped(hearing.shape) if settings else None
    with running(model, device_for(model, device)):
        axes = _axes(model, names, items, prepare)
    return record(
        model,
        HeardClips(items, rate_hz, told),
        store,
        Activation(maps=True),
        names,
        recording,
        axes=axes,
        batch_size=batch_size,
        device=device,
        input_hop_s=hop_s,
        prepare_input=prepare,
        input_axes=("token", "sample", "frequency") if settings else None,
        choose_output=_with_time,
        attrs={"trained": trained, **(attrs or {})},
        progress=progress,
    )


def _layers_with_weights(model: nn.Module) -> list[str]:
    """Return the parts of a network that have weights, and its features."""
    weighted = [name for name, child in model.named_children() if any(True for _ in child.parameters())]
    return [FEATURES, *weighted] if isinstance(model, HeardNetwork) else weighted


def _shaped(shape: Sequence[int]) -> Callable[[Tensor], Tensor]:
    def features_of_rows(rows: Tensor) -> Tensor:
        return rows.reshape(len(rows), *shape)

    return features_of_rows


def _with_time(output: object) -> Tensor:
    """Return a layer's output; where it is (token, unit), with one sample."""
    tensor = first_tensor(output)
    return tensor.unsqueeze(-1) if tensor is not None and tensor.ndim == 2 else tensor  # pyright: ignore[reportReturnType]


def _axes(
    model: nn.Module, layers: str | Sequence[str], items: HeardItems, prepare: Callable[[Tensor], Tensor] | None
) -> dict[str, tuple[str, ...]]:
    """Return the names of the axes of layers where their number says them."""
    names = choose_layers(model, layers)
    heard = torch.from_numpy(items.heard[:1]).to(dtype_of(model)).to(next(model.parameters()).device)
    found = {}
    for name, output in observe(model, names, heard).outputs.items():
        if name == FEATURES and prepare is not None:
            found[name] = ("token", "sample", "channel")
        elif output.ndim == 4:
            found[name] = ("token", "channel", "sample", "frequency")
        elif output.ndim == 2:
            found[name] = ("token", "channel", "sample")
    return found
