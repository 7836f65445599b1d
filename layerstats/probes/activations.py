"""What the layers of a network do with speech: their outputs, averaged over channels or channel by channel."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from layerstats.corpora import Clips, Corpus
from layerstats.probes.layers.axes import Axes
from layerstats.probes.quantity import ChannelQuantity
from layerstats.probes.recording.recorder import record
from layerstats.store import Experiment


class Activation(ChannelQuantity):
    """The outputs of a network's layers.

    Parameters
    ----------
    summary : str or sequence of str
        What is stored of the channels, of {"mean", "root_mean_square"}. The mean is that of Begus & Zhou (2022, Eq. 1).
    maps : bool
        Store all channels too, (token, channel, sample).
    phones : bool
        Store all channels averaged over the samples of each phone too, (phone, channel).

    Examples
    --------
    >>> [variable.name for variable in Activation(["mean", "root_mean_square"], maps=True, phones=True).variables]
    ['mean', 'root_mean_square', 'maps', 'phones']
    """

    name: ClassVar[str] = "activation"
    value: ClassVar[str] = "activation"

    @property
    def recording(self) -> str:
        """How its recording is called unless the caller says otherwise."""
        return "activations"

    def key(self) -> dict[str, object]:
        """Return what it adds to the key of a recording: the same as before there were other quantities."""
        key: dict[str, object] = {"maps": self.maps}
        if self.summary != ("mean",):
            key["summary"] = self.summary[0] if len(self.summary) == 1 else list(self.summary)
        return {**key, "phones": True} if self.phones else key


def record_activations(
    model: nn.Module,
    corpus: Corpus | Clips,
    store: str | os.PathLike[str],
    layers: str | Sequence[str] | None = None,
    group: str = "activations",
    maps: bool = False,
    axes: Axes | None = None,
    batch_size: int = 32,
    device: str = "auto",
    input_hop_s: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    prepare_input: Callable[[Tensor], Any] | None = None,
    input_axes: Sequence[str] | None = None,
    choose_output: Callable[[object], Tensor] | None = None,
    summary: str | Sequence[str] = "mean",
    phones: bool = False,
    attrs: Mapping[str, object] | None = None,
    workers: int = 1,
    client: Any = None,
    shard: tuple[int, int] | None = None,
) -> Experiment:
    """Record the activations of a network's layers, averaged over channels, into a store.

    Every chosen layer gives a series (token, sample): the mean of its output over all other axes (Begus & Zhou 2022,
    Eq. 1), with the time of the centre of each sample's receptive field. The network is put in eval mode and left
    exactly as it was. A run that was killed goes on where it stopped when it is called again, and ends with the same
    bytes; the same call on a finished recording does nothing.

    Parameters
    ----------
    model : torch.nn.Module
        Any network; an InfoWaveGAN is its Q-network here (`layerstats.models.part` gives its discriminator).
    corpus : Corpus or Clips
        The speech; a Corpus is heard as `clips_for(model, corpus)` says.
    store : path
        Zarr directory, made if it is not there.
    layers : str or sequence of str
        Names as in `model.named_modules()` or patterns, in which `*` stands for any part of one name between dots.
        By default those that a `SpeechNetwork` names, else "conv*".
    group : str
        Name of the recording.
    maps : bool
        Store full maps (token, channel, sample) too, as float32. Axes other than token and sample become one, in
        their order.
    axes : sequence of str, or mapping of layer names or patterns to such
        Names of the axes of the layers' outputs, with `token` and `sample` among them. By default they are found: time
        is the axis that changes with the clip's length, else what the types of the modules say; where neither tells,
        the layer is refused.
    batch_size : int
        Tokens that go through the network together.
    device : str
        "auto" (a GPU where there is one), or a torch device. The network returns to where it was.
    input_hop_s : float, optional
        Seconds from one sample of the network's input to the next, where that is not the waveform.
    progress : callable, optional
        Called with (tokens done, tokens in all).
    prepare_input : callable, optional
        Makes the network's input, a tensor or a mapping of keyword arguments, of waveforms (token, sample).
    input_axes : sequence of str, optional
        Names of the axes of that input; by default (token, sample), (token, channel, sample) or
        (token, channel, frequency, sample).
    choose_output : callable, optional
        Picks the tensor to record from a layer's output; by default the first one in a tuple or ModelOutput.
    summary : str or sequence of str
        What is stored of the channels, of {"mean", "root_mean_square"}. The mean is that of Begus & Zhou; where a
        LayerNorm fixes it, the root mean square still says how much a layer does.
    phones : bool
        Store all channels averaged over the samples of each phone too, (phone, channel), float32: those whose times lie
        in the phone (onset <= time < offset), or the nearest one to its middle where none does. `phone_vectors` reads
        them.
    attrs : mapping, optional
        More provenance for the recording, for instance from `network_attributes`.
    workers, client, shard
        Who shares the work: see `layerstats.probes.record`.

    Returns
    -------
    Experiment
        The store, seen through this recording.

    Raises
    ------
    ArgumentError, AudioError, DataError, NetworkError, StoreError
        As for `layerstats.probes.record`, which does it.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import ConvolutionalEncoder
    >>> speech = demo_corpus(words=["ask", "wash"], voices=4)
    >>> network = ConvolutionalEncoder(outputs=2, width=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     experiment = record_activations(network, speech, f"{folder}/speech.zarr", layers="conv*")
    ...     experiment.layer("conv5")["mean"].shape
    (8, 16)
    """
    return record(
        model,
        corpus,
        store,
        Activation(summary, maps, phones),
        layers,
        group,
        axes=axes,
        batch_size=batch_size,
        device=device,
        input_hop_s=input_hop_s,
        progress=progress,
        prepare_input=prepare_input,
        input_axes=input_axes,
        choose_output=choose_output,
        attrs=attrs,
        workers=workers,
        client=client,
        shard=shard,
    )
