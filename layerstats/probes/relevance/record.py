"""Relevance into a store: a recording like any other, with what was heard beside it."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn

from layerstats.corpora import Clips, Corpus
from layerstats.errors import LayerstatsError, OtherRecordingError, StoreError
from layerstats.probes.activations import Activation
from layerstats.probes.gradients import OWN_WORD
from layerstats.probes.layers.input_layer import INPUT
from layerstats.probes.recording.recorder import record
from layerstats.probes.relevance.heard_beside import beside, input_names
from layerstats.probes.relevance.quantity import Relevance
from layerstats.probes.relevance.reading import reads_letters
from layerstats.probes.relevance.targets import Target
from layerstats.probes.relevance.window_question import EMITTED, check_input_only, check_question
from layerstats.probes.relevance.window_recording import WindowRecorder
from layerstats.probes.relevance.windows import emitted_letters
from layerstats.store import Experiment, discard_unfinished, open_store

Rules = Mapping[str | type, Any]
_OF_RECORD = tuple(inspect.signature(record).parameters)


def record_relevance(
    network: nn.Module,
    corpus: Corpus | Clips,
    store: str | os.PathLike[str],
    target: Target | None = None,
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

    Of a network that reads letters off utterances the tokens are the windows in which it read a letter: see
    `record_letter_relevance`, which does it. Of any other they are the tokens of the corpus.

    The recording has the layers, times and tokens that a recording of activations has, so that `select`, `to_frame`,
    contrasts and comparisons of networks take it as they take those. Where the input is among the layers, it stands
    beside it as the recording "input", which all share that heard the same; where that is something else (without maps,
    say) as "input_maps", "input_series", or "input" with the name of the recording. A run that was killed goes on where
    it stopped, and ends with the same bytes.

    Parameters
    ----------
    network : torch.nn.Module
        Any network; an InfoWaveGAN is its Q-network here (`layerstats.models.part` gives its discriminator).
    corpus : Corpus or Clips
        The speech.
    store : path
        Zarr directory, made if it is not there.
    target : int, str or callable
        Whose relevance: the number of an output, its name, "own_word" (the output named as the word of the token; the
        default), a unit of any layer, or a function of (output, rows of the tokens table) that returns a score a
        token; of windows "emitted" (the letter that was read; the default), a letter or a unit.
    method, labels, start
        As for `attribute`.
    rules : mapping, optional
        Of methods that are rules, other rules by layer, type of module or operation: ``{"conv1": "flat"}``.
    layers : str or sequence of str
        Names or patterns of layers; "input" is what the network is called with, and the only one of windows.
    recording : str, optional
        Name of the recording; by default that of the method.
    summary, maps
        What is stored of the channels, as for `Relevance`.
    attrs : mapping, optional
        More provenance, for instance from `network_attributes`.
    **options
        As for `record` (axes, batch_size, device, prepare_input, input_axes, input_hop_s, progress), of windows as for
        `record_letter_relevance` (windows, frames, shared, alignments, ...), or of the method: `epsilon`, `dtype`,
        `steps`, ...

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
    if isinstance(corpus, Corpus) and reads_letters(network):
        check_input_only(layers)
        how = {"start": start, "rules": rules, "recording": recording, "maps": maps, "attrs": attrs}
        asked: Any = EMITTED if target is None else target
        return record_letter_relevance(network, corpus, store, asked, method, **how, **options)
    of_method = {one: options.pop(one) for one in list(options) if one not in _OF_RECORD}
    how = {"method": method, "start": start, "rules": rules, "summary": summary, "maps": maps}
    quantity = Relevance(OWN_WORD if target is None else target, labels, **how, **of_method)
    name = recording or quantity.recording
    shared = is_shared(options)
    parts = [f"recordings/{one}" for one in (name, *input_names(name, maps))]
    with _nothing_half_written(store, parts, shared):
        found = record(network, corpus, store, quantity, layers, name, attrs=attrs, **options)
        if INPUT in found.layers:
            untold = {one: value for one, value in options.items() if one != "progress"}
            heard = Activation(("mean",), maps)

            def under(called: str) -> Experiment:
                return record(network, corpus, store, heard, INPUT, called, attrs={"quantity": INPUT}, **untold)

            beside(name, maps, under)
    return open_store(store, recording=name, incomplete="allow" if options.get("shard") else "error")


def record_letter_relevance(
    network: nn.Module,
    corpus: Corpus,
    store: str | os.PathLike[str],
    target: str = EMITTED,
    method: str = "epsilon",
    *,
    windows: pd.DataFrame | None = None,
    frames: str = "runs",
    start: str | None = None,
    rules: Rules | None = None,
    recording: str | None = None,
    maps: bool = False,
    shared: bool = True,
    alignments: bool = False,
    batch_size: int = 64,
    device: str = "auto",
    attrs: Mapping[str, object] | None = None,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 1,
    client: Any = None,
    shard: tuple[int, int] | None = None,
    **options: Any,
) -> Experiment:
    """Record what the letters that a network reads rest on: the relevance of windows of speech, into a store.

    The tokens of the store are the windows, with letter, speaker, the phone under their middle, ...; its phones are
    those that reach into each window. Beside the recording stand the recording "input", what was heard, and sums by
    speaker and letter of both, with windows aligned at their middle and where their relevance is greatest
    (`Experiment.window_sums`). Memory does not grow with the number of windows. A run that was killed goes on where it
    stopped, and ends with the same bytes.

    Parameters
    ----------
    network : torch.nn.Module
        A `Wav2Letter`, or a network with the same attributes.
    corpus : Corpus
        Utterances.
    store : path
        Zarr directory, made if it is not there.
    target : str
        "emitted" (the letter that was read in the window), or for all windows the same letter, or unit of any layer.
    method : str
        As for `attribute`.
    windows : DataFrame, optional
        As `emitted_letters` gives them, by default for this network; for an untrained one those of its trained twin.
    frames : {"runs", "all"}
        Where windows are not given: one a run of frames with the same letter, or all.
    start, rules, **options
        As for `attribute`.
    recording : str, optional
        Name of the recording and of the sums; by default that of the method.
    maps : bool
        Store whole maps too, (token, channel, sample) with frequency bands as channels: 0.1 MB a window.
    shared : bool
        Run the network once over the windows of an utterance that are computed together, for methods that are rules;
        each gets the values that it has alone, but for rounding.
    alignments : bool
        Store where each window is aligned under every letter a to z, too, by its relevance for that letter: what
        averages of aligned windows are tested with. It takes a way back through the network a letter.
    batch_size : int
        Windows that are computed together.
    device : str
        "auto" (a GPU where there is one), or a torch device.
    attrs : mapping, optional
        More provenance, for instance from `network_attributes`.
    progress : callable, optional
        Called with (windows done, windows in all).
    workers, client, shard
        Who shares the work: as for `layerstats.probes.record`.

    Returns
    -------
    Experiment
        The store, seen through this recording. Its layer "input" has `sum (token, sample)` over frequency,
        `by_frequency (token, frequency)` over time, `peak_s (token)`, where the map is greatest, in seconds from the
        window's first frame, of rules `conservation_error (token)`, and with `alignments`
        `aligned_sample (token, letter, alignment)`: the sample with the greatest relevance for each letter
        ("max_relevance"), or with the greatest sum over frequency ("max_relevance_by_time"), of the gradient also
        the least ("min_relevance", "min_relevance_by_time").

    Raises
    ------
    ArgumentError, AudioError, DataError, NetworkError
        As for `emitted_letters` and `attribute`, or alignments are asked for where the target is not "emitted"; nothing
        half-written is left.
    StoreError
        The store holds other windows, or another recording of this name; or the disk is full.

    References
    ----------
    Krug & Stober (2018), sections 3.4 to 3.6.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import Wav2Letter, seeded
    >>> corpus = demo_corpus(sentences=["the quick fox jumped over a lazy dog"], voices=2, said_by=2)
    >>> with seeded(0):
    ...     network = Wav2Letter(width=4, top=8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = record_letter_relevance(network, corpus, f"{folder}/s.zarr", method="gradient")
    ...     found.name, found.layer("input")["sum"].shape[1], list(found.window_sums().sizes)[:3]
    ('gradient', 206, ['speaker', 'letter', 'alignment'])
    """
    given = {"rules": rules, **options}
    check_question(network, target, method, start=start, alignments=alignments, device=device, options=given)
    chosen = emitted_letters(network, corpus, frames=frames, device=device) if windows is None else windows
    how = {"target": target, "method": method, "start": start, "maps": maps, "shared": shared, "alignments": alignments}
    name = recording or method
    parts = [*(f"recordings/{one}" for one in (name, *input_names(name, maps))), f"sums/{name}"]
    recorder = WindowRecorder(network, corpus, chosen, batch_size=batch_size, device=device, options=given, **how)
    about = {**({"frames": frames} if windows is None else {}), **(attrs or {})}
    who: dict[str, Any] = {"workers": workers, "client": client, "shard": shard}
    with _nothing_half_written(store, parts, is_shared(who)):
        recorder.record(store, name, about, progress, **who)
    return open_store(store, recording=name, incomplete="error" if shard is None else "allow")


def is_shared(options: Mapping[str, Any]) -> bool:
    """Tell whether other processes have a part in a recording."""
    others = [options.get(name) is not None for name in ("client", "shard")]
    return any(others) or options.get("workers", 1) != 1


@contextmanager
def _nothing_half_written(store: str | os.PathLike[str], parts: Sequence[str], shared: bool) -> Iterator[None]:
    """Take back what an error, which would come again, left of what was begun here; what was there before stays.

    Where others have a part in it, what they have written stays too.
    """
    if shared:
        yield
        return
    root = Path(store)
    there, begun = root.exists(), [part for part in parts if not (root / part).exists()]
    try:
        yield
    except LayerstatsError as error:
        # Where the disk is full, say, the next call goes on.
        if not isinstance(error, StoreError) or isinstance(error, OtherRecordingError):
            discard_unfinished(root, begun, empty_store=not there)
        raise
