"""The one recorder: any torch module and any speech in, a quantity of its layers in a store out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from layerstats.checks import check_count
from layerstats.corpora import Clips, Corpus, clips_for
from layerstats.errors import ArgumentError
from layerstats.models import SpeechNetwork, device_for, running, seeded_everywhere
from layerstats.models import part as part_of
from layerstats.parallel import run_tasks
from layerstats.probes.layers.axes import Axes, check_names_of_axes
from layerstats.probes.layers.input_layer import INPUT, WithInput, choose_with_input
from layerstats.probes.mel_inputs import HeardInput, default_layers, heard_input
from layerstats.probes.quantity import Quantity
from layerstats.probes.recording.key import model_hash
from layerstats.probes.recording.network_run import NetworkRun, RecordingOptions
from layerstats.probes.recording.plan import RecordingPlan, part_of_shards, record_shard
from layerstats.probes.recording.ready import check_ready
from layerstats.probes.recording.recorded import key_there
from layerstats.probes.recording.sent_network import SentNetwork
from layerstats.store import (
    SHARD_TOKENS,
    Experiment,
    RecordingWriter,
    open_store,
    tokens_in_shard,
)


def record(
    model: nn.Module,
    corpus: Corpus | Clips,
    store: str | os.PathLike[str],
    quantity: Quantity,
    layers: str | Sequence[str] | None = None,
    recording: str | None = None,
    *,
    axes: Axes | None = None,
    batch_size: int = 32,
    device: str = "auto",
    input_hop_s: float | None = None,
    prepare_input: Callable[[Tensor], Any] | None = None,
    input_axes: Sequence[str] | None = None,
    choose_output: Callable[[object], Tensor] | None = None,
    attrs: Mapping[str, object] | None = None,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 1,
    client: Any = None,
    shard: tuple[int, int] | None = None,
) -> Experiment:
    """Record a quantity of a network's layers into a store.

    The network is put in eval mode and left exactly as it was. A run that was killed goes on where it stopped when it
    is called again, and ends with the same bytes; the same call on a finished recording does nothing.

    Parameters
    ----------
    model : torch.nn.Module
        Any network; an InfoWaveGAN is its Q-network here (`layerstats.models.part` gives its discriminator).
    corpus : Corpus or Clips
        The speech; a Corpus is heard as `clips_for(model, corpus)` says.
    store : path
        Zarr directory, made if it is not there.
    quantity : Quantity
        What is recorded, for instance `Activation()` or `Gradient("ask", labels=card.outputs)`.
    layers : str or sequence of str
        Names as in `model.named_modules()` or patterns, in which `*` stands for any part of one name between dots;
        "input" is what the network is called with. By default those that a `SpeechNetwork` names, else "conv*".
    recording : str, optional
        Name of the recording; by default that of the quantity, and "activations" for activations.
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
    prepare_input : callable, optional
        Makes the network's input, a tensor or a mapping of keyword arguments, of waveforms (token, sample).
    input_axes : sequence of str, optional
        Names of the axes of that input; by default (token, sample), (token, channel, sample) or
        (token, channel, frequency, sample).
    choose_output : callable, optional
        Picks the tensor to record from a layer's output; by default the first one in a tuple or ModelOutput.
    progress : callable, optional
        Called with (tokens done, tokens in all).
    workers : int
        Processes on this machine that share the work, each with a copy of the network and one thread of torch.
    client : distributed.Client, optional
        Share it among the workers of this cluster instead, all of which see the store and the corpus under these paths.
    shard : tuple of int, optional
        (3, 64): record only the third of 64 parts, as a job of an array does; whichever of them is last finishes the
        recording.

    Returns
    -------
    Experiment
        The store, seen through this recording; it may be unfinished where only a part was asked for.

    Raises
    ------
    ArgumentError
        No layer fits, the axes do not fit the output or cannot be found, or the device does not exist; there is no such
        part; or the network cannot be sent to other processes.
    AudioError
        The audio of a token cannot be used; before anything is written.
    DataError
        A layer gives NaN or infinite values.
    NetworkError
        The network fails, is not the same each time, or a token's values depend on the others in the batch.
    StoreError
        The store holds another recording in this group, be it of other weights, options or code; or other clips; or
        the disk is full.
    TaskFailures
        Several shards failed for reasons of their own; each is named with its tokens, and all others were written.
    WorkerError
        Workers ended, have other versions, or do not see the store.

    Notes
    -----
    The attributes of each layer say how far its times can be trusted. `geometry` is where they come from: "layers"
    (padding, kernels and strides of the modules, in order of execution), "gradients" (measured), or "length_ratio"
    (neither was to be had, and the clip is divided evenly). `context` is what an output depends on: "local" (its
    receptive field, confirmed by gradients), "clip" (attention, recurrence or a norm over time: `receptive_field_s` is
    then the whole clip), or "unverified". `activation` is "unknown" where it is applied by a function, not a module.
    `channel_rms` is the size of the layer's values on the first tokens, and `fixed_mean` (`fixed_root_mean_square`) is
    there where what is recorded is one number but for rounding: the type of the module that fixes it, say "LayerNorm".

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import ConvolutionalEncoder
    >>> from layerstats.probes import Activation
    >>> speech = demo_corpus(words=["ask", "wash"], voices=4)
    >>> network = ConvolutionalEncoder(outputs=2, width=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     experiment = record(network, speech, f"{folder}/speech.zarr", Activation(), layers="conv5")
    ...     experiment.layer("conv5")["mean"].shape
    (8, 16)
    """
    part = part_of_shards(shard, workers, client)
    named = None if input_axes is None else tuple(input_axes)
    how = RecordingOptions((), axes, batch_size, input_hop_s, named, prepare_input, choose_output)
    with _begun(model, corpus, store, quantity, layers, recording, how, device, attrs) as (run, writer, writing):
        if client is None and workers == 1:
            run.write(writer, progress, part)
        elif not writer.complete:
            _write_elsewhere(_plan(run, writer, writing), writer, workers, client, progress)
        if not writer.lacking():
            writer.finish()
    # The main one may be half-written by another process.
    return open_store(store, recording=writer.name, incomplete="error" if shard is None else "allow")


def plan_recording(
    model: nn.Module,
    corpus: Corpus | Clips,
    store: str | os.PathLike[str],
    quantity: Quantity,
    layers: str | Sequence[str] | None = None,
    recording: str | None = None,
    *,
    axes: Axes | None = None,
    batch_size: int = 32,
    device: str = "auto",
    input_hop_s: float | None = None,
    prepare_input: Callable[[Tensor], Any] | None = None,
    input_axes: Sequence[str] | None = None,
    choose_output: Callable[[object], Tensor] | None = None,
    attrs: Mapping[str, object] | None = None,
) -> RecordingPlan:
    """Begin a recording and return what any process needs to write a shard of it: `record_shard(plan, number)`.

    `record` does both; this is for engines of one's own. When all shards are there, the same call of `record` finishes
    the recording.

    Parameters
    ----------
    model, corpus, store, quantity, layers, recording, axes, batch_size, device, input_hop_s, prepare_input, \
    input_axes, choose_output, attrs
        As for `record`.

    Returns
    -------
    RecordingPlan
        Can be pickled.

    Raises
    ------
    ArgumentError, AudioError, DataError, NetworkError, StoreError
        As for `record`.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import ConvolutionalEncoder
    >>> from layerstats.probes import Activation, record_shard
    >>> speech = demo_corpus(words=["ask", "wash"], voices=4)
    >>> network = ConvolutionalEncoder(outputs=2, width=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plan = plan_recording(network, speech, f"{folder}/speech.zarr", Activation(), layers="conv5")
    ...     [record_shard(plan, number).tokens for number in range(plan.shards)]
    [8]
    """
    named = None if input_axes is None else tuple(input_axes)
    how = RecordingOptions((), axes, batch_size, input_hop_s, named, prepare_input, choose_output)
    with _begun(model, corpus, store, quantity, layers, recording, how, device, attrs) as (run, writer, writing):
        return _plan(run, writer, writing)


@contextmanager
def _begun(
    model: nn.Module,
    corpus: Corpus | Clips,
    store: str | os.PathLike[str],
    quantity: Quantity,
    layers: str | Sequence[str] | None,
    recording: str | None,
    how: RecordingOptions,
    device: str,
    attrs: Mapping[str, object] | None,
) -> Iterator[tuple[NetworkRun, RecordingWriter, dict[str, Any]]]:
    """Look at a network with the first tokens, begin or go on with its recording, and give both while it can be run."""
    if not isinstance(quantity, Quantity):
        raise ArgumentError(
            "The quantity must be an object, for instance Activation() or one of a class of your own, but got "
            f"{f'the class {quantity.__name__} itself' if isinstance(quantity, type) else type(quantity).__name__}."
        )
    check_count("batch_size", how.batch_size)
    model = part_of(model)
    clips = clips_for(model, corpus)
    clips.check_audio()  # before a store is begun that other tokens could not go on with
    hearing, names = choose_with_input(model, default_layers(model) if layers is None else layers)
    heard = heard_input(hearing, names, HeardInput(how.prepare_input, how.input_axes, how.input_hop_s, how.axes))
    check_names_of_axes(heard.axes, names)
    check_ready(model, names)
    quantity.check(clips.tokens)
    _check_phones(quantity, clips)
    input_names = None if heard.input_axes is None else tuple(heard.input_axes)
    hears = heard.input_hop_s, input_names, heard.prepare_input
    heard_as = heard.input_window_s, heard.fixed_samples
    options = RecordingOptions(names, heard.axes, how.batch_size, *hears, how.choose_output, *heard_as)
    place = device_for(model, device)
    name = recording or quantity.recording
    # What a network is called with is the same whatever its weights, so that networks may share it.
    only_input = names == (INPUT,) and isinstance(hearing, WithInput) and not quantity.needs_gradients
    kind = type(model.network if isinstance(model, SpeechNetwork) else model).__name__
    weights = "" if only_input else model_hash(model)
    of_network = {} if only_input else {"model": kind, "model_hash": weights}
    with seeded_everywhere(0, place), running(model, place, differentiate=quantity.needs_gradients):
        run = NetworkRun(hearing, clips, quantity, options, place)
        about = {**clips.attrs, **quantity.attributes(), **(attrs or {})}
        specs = [run.spec(fact) for fact in run.facts.values()]
        rows_together, least = (1, how.batch_size) if clips.ragged else (how.batch_size, SHARD_TOKENS)
        writing: dict[str, Any] = {
            "path": store,
            "name": name,
            "tokens": clips.tokens,
            "phones": clips.phones,
            "layers": specs,
            "key": key_there(store, name, run.keys(weights)),
            "attrs": {
                **about,
                **of_network,
                "batch_size": how.batch_size,
                "device": place.type,
                "batches": run.sharing,
            },
            "store_attrs": {"corpus_hash": clips.content_hash(), "torch_version": torch.__version__},
            # Whole batches in a shard, so that a resumed run forms the same batches; clips of their own length are
            # batched within their shard, whatever its size, which memory limits; a batch at least, so that processes
            # share a few hundred tokens of Whisper, half a second each.
            "shard_tokens": tokens_in_shard(specs, len(clips.tokens), rows_together, len(clips.phones), least),
        }
        with RecordingWriter(**writing) as writer:
            run.check_written(store, name, writer.written)
            yield run, writer, writing


def _check_phones(quantity: Quantity, clips: Clips) -> None:
    by_phone = [variable.name for variable in quantity.variables if variable.by_phone]
    if by_phone and clips.phones.empty:
        raise ArgumentError(
            f"{by_phone[0]!r} of the quantity {quantity.name!r} is averaged over the samples of phones, but the corpus "
            f"{clips.corpus.name!r} has none. Align it, corpora.align(corpus) (--align), or record without."
        )


def _plan(run: NetworkRun, writer: RecordingWriter, writing: dict[str, Any]) -> RecordingPlan:
    # How the recording is cut was decided when it was begun.
    here = {"path": Path(writing["path"]).absolute(), "shard_tokens": writer.rows_of(0).stop}
    return RecordingPlan(run.without_network(), SentNetwork.of(run.model), {**writing, **here}, writer.shards)


def _write_elsewhere(
    plan: RecordingPlan,
    writer: RecordingWriter,
    workers: int,
    client: Any,
    progress: Callable[[int, int], None] | None,
) -> None:
    lacking, total = writer.lacking(), len(plan.writing["tokens"])
    tokens = {number: plan.rows(number).stop - plan.rows(number).start for number in range(plan.shards)}
    before = total - sum(tokens[number] for number in lacking)

    def moved(done: int, tasks: int) -> None:
        if progress is not None:
            progress(total if done == tasks else before + (total - before) * done // tasks, total)

    run_tasks(
        partial(record_shard, plan), lacking, workers=workers, client=client, progress=moved, describe=plan.describe
    )
