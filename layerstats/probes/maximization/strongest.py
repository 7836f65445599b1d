"""Which neurons to maximize: those that answer most strongly to speech that is at hand."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor, nn

from layerstats.checks import check_choice, check_count
from layerstats.errors import NetworkError
from layerstats.models import device_for, running
from layerstats.probes.inputs import call, copied
from layerstats.probes.layers.capture import capturing
from layerstats.probes.layers.choose import choose_layers
from layerstats.probes.maximization.hearing import hear_window
from layerstats.probes.recording.ready import check_ready
from layerstats.probes.units import channels_first

PLACES = ("middle", "all")


def strongest_units(
    network: nn.Module,
    heard: Tensor,
    layers: str | Sequence[str],
    *,
    number: int = 1,
    places: str = "middle",
    device: str = "auto",
) -> pd.DataFrame:
    """Return the channels of each layer with the highest mean activation (Krug & Stober 2018, section 4.1).

    Only neurons that answer strongly are evidently sensitive to something in the speech. Activations are averaged over
    tokens and over all places of a layer (frames, frequencies); where a layer has one place only, that is the neuron's
    activation itself.

    Parameters
    ----------
    network : torch.nn.Module
        Any network, which is left as it was. One of utterances hears windows, without padding.
    heard : Tensor
        What the network hears, (token, ...): for instance a window that it reads as the letter a.
    layers : str or sequence of str
        Names or patterns.
    number : int
        Channels of each layer, the strongest first.
    places : {"middle", "all"}
        What the names of units mean: one value in the middle of the layer's other axes, or the channel's mean over all
        its places.
    device : str
        "auto" (a GPU where there is one), or a torch device.

    Returns
    -------
    DataFrame
        ``layer, channel, unit, mean_activation``; `unit` is what `maximize_activations` takes as target, for instance
        "conv1:37:40".

    Raises
    ------
    ArgumentError
        There is no such layer.
    NetworkError
        The network fails, or a layer gives no channels for each token.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv1d(1, 3, 3), nn.ReLU())
    >>> _ = network[0].weight.data.copy_(torch.tensor([1.0, 3.0, 2.0])[:, None, None].expand(3, 1, 3))
    >>> strongest_units(network, torch.ones(2, 1, 9), "1", number=2)[["channel", "unit"]].values.tolist()
    [[1, '1:1:3'], [2, '1:2:3']]
    """
    check_count("number", number)
    check_choice("places", places, PLACES)
    names = choose_layers(network, layers)
    check_ready(network, names)
    place = device_for(network, device)
    with running(network, place):
        hear_window(network)
        with capturing(network, names, lambda _, output: output.clone()) as kept:
            call(network, copied(heard.to(place)))
    tables = [_strongest(network, name, kept[name], len(heard), number, places) for name in names]
    return pd.concat(tables, ignore_index=True)


def _strongest(network: nn.Module, layer: str, output: Tensor, tokens: int, number: int, places: str) -> pd.DataFrame:
    if output.ndim < 2 or len(output) != tokens or not output.is_floating_point():
        raise NetworkError(
            f"Layer {layer!r} gives {output.dtype} of shape {tuple(output.shape)} for {tokens} tokens, in which no "
            "channels are found."
        )
    values = channels_first(network, layer, output)
    means = values.transpose(0, 1).reshape(values.shape[1], -1).double().mean(1)
    order = torch.argsort(means, descending=True, stable=True)[:number].tolist()
    middle = "/".join(str(length // 2) for length in values.shape[2:])
    ending = f":{middle}" if places == "middle" and middle else ""
    return pd.DataFrame(
        {
            "layer": layer,
            "channel": order,
            "unit": [f"{layer}:{channel}{ending}" for channel in order],
            "mean_activation": [float(means[channel]) for channel in order],
        }
    )
