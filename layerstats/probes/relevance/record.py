"""Relevance into a store: a recording like any other, with what was heard beside it."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from layerstats.corpora import Clips, Corpus
from layerstats.probes.activations import Activation
from layerstats.probes.gradients import OWN_WORD
from layerstats.probes.layers.input_layer import INPUT
from layerstats.probes.recorder import record
from layerstats.probes.relevance.quantity import Relevance
from layerstats.probes.relevance.targets import Target
from layerstats.store import Experiment, open_store

Rules = Mapping[str | type, Any]
_OF_RECORD = tuple(inspect.signature(record).parameters)


def record_relevance(
    network: nn.Module,
    corpus: Corpus | Clips,
    store: str | os.PathLike[str],
    target: Target = OWN_WORD,
    method: str = "epsilon",
    *,
    labels: Sequence[str] | None = None,
    start: str | None = None,
    rules: Rules | None = None,
    layers: str | Sequence[str] = INPUT,
    recording: str | None = None,
    summary: str | Sequence[str] = ("mean", "root_mean_square"),
    maps: bool = False,
    attrs: Mapping[str, object] | None = None,
    **options: Any,
) -> Experiment:
    """Record what an answer of a network rests on, in its layers and its input, into a store.

    The recording has the layers, times and tokens that a recording of activations has, so that `select`, `to_frame`,
    contrasts and comparisons of networks take it as they take those. Where the input is among the layers, it stands
    beside it as the recording "input". A run that was killed goes on where it stopped, and ends with the same bytes.

    Parameters
    ----------
    network : torch.nn.Module
        Any network; an InfoWaveGAN is its Q-network here (`layerstats.models.part` gives its discriminator).
    corpus : Corpus or Clips
        The speech.
    store : path
        Zarr directory, made if it is not there.
    target : int, str or callable
        Whose relevance: the number of an output, its name, "own_word" (the output named as the word of the token), a
        unit of any layer, or a function of (output, rows of the tokens table) that returns a score a token.
    method, labels, start
        As for `attribute`.
    rules : mapping, optional
        Of methods that are rules, other rules by layer, type of module or operation: ``{"conv1": "flat"}``.
    layers : str or sequence of str
        Names or patterns of layers; "input" is what the network is called with.
    recording : str, optional
        Name of the recording; by default that of the method.
    summary, maps
        What is stored of the channels, as for `Relevance`.
    attrs : mapping, optional
        More provenance, for instance from `network_attributes`.
    **options
        As for `record` (axes, batch_size, device, prepare_input, input_axes, input_hop_s, progress), or of the method:
        `epsilon`, `dtype`, `steps`, ...

    Returns
    -------
    Experiment
        The store, seen through this recording.

    Raises
    ------
    ArgumentError, AudioError, DataError, NetworkError, StoreError
        As for `record`, which does it, and `attribute`; before anything is written, unless it is the values of later
        tokens.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import ConvolutionalEncoder
    >>> speech = demo_corpus(words=["ask", "wash"], voices=4)
    >>> network = ConvolutionalEncoder(outputs=2, width=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     options = {"labels": ["ask", "wash"], "layers": ["input", "conv5"]}
    ...     found = record_relevance(network, speech, f"{folder}/s.zarr", **options)
    ...     found.name, found.layers, found.recordings["recording"].tolist()
    ('epsilon', ('input', 'conv5'), ['epsilon', 'input'])
    """
    of_method = {one: options.pop(one) for one in list(options) if one not in _OF_RECORD}
    how = {"method": method, "start": start, "rules": rules, "summary": summary, "maps": maps}
    quantity = Relevance(target, labels, **how, **of_method)
    name = recording or quantity.recording
    found = record(network, corpus, store, quantity, layers, name, attrs=attrs, **options)
    if INPUT in found.layers:
        heard = {**(attrs or {}), "quantity": INPUT}
        untold = {one: value for one, value in options.items() if one != "progress"}
        record(network, corpus, store, Activation(("mean",), maps), INPUT, INPUT, attrs=heard, **untold)
    return open_store(store, recording=name)
