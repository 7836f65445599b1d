"""The sound alone, recorded beside networks: what statistics of vectors say of a spectrogram needs no network."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from layerstats.corpora import Clips, Corpus, clips_for
from layerstats.models.pretrained import mel_network
from layerstats.probes.activations import Activation
from layerstats.probes.network import network_attributes
from layerstats.probes.quantity import Quantity
from layerstats.probes.recording.recorder import record
from layerstats.store import Experiment

ACOUSTICS = "acoustics"


def record_acoustics(
    corpus: Corpus | Clips,
    store: str | os.PathLike[str],
    mels: int = 80,
    recording: str = ACOUSTICS,
    *,
    quantity: Quantity | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Experiment:
    """Record a log-mel spectrogram of the speech as if it were a network of one layer, "features".

    Parameters
    ----------
    corpus : Corpus or Clips
        The speech. Beside a network, the same clips: recordings of one store are of the same.
    store : path
        Zarr directory, made if it is not there.
    mels : int
        Number of bands; windows of 25 ms every 10 ms, up to half the sampling rate.
    recording : str
        Its name.
    quantity : Quantity, optional
        What is recorded; by default activations, and vectors of phones where the corpus has phones.
    progress : callable, optional
        Called with (tokens done, tokens in all).
    **options
        As for `record`: batch_size, device, workers, client, shard, ...

    Returns
    -------
    Experiment
        The store, seen through this recording, whose `network_kind` is "acoustics".

    Raises
    ------
    ArgumentError, AudioError, DataError, StoreError
        As for `record`, which does it.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.corpora import demo_corpus
    >>> speech = Clips(demo_corpus(words=["ask", "wash"], voices=4))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     experiment = record_acoustics(speech, f"{folder}/speech.zarr", mels=40)
    ...     experiment.layer("features")["phones"].sizes["channel"], experiment.attrs["network_kind"]
    (40, 'acoustics')
    """
    network = mel_network(mels, corpus.rate_hz if isinstance(corpus, Clips) else 16000)
    clips = clips_for(network, corpus)
    wanted = Activation(phones=not clips.phones.empty) if quantity is None else quantity
    about = network_attributes(network)
    return record(network, clips, store, wanted, recording=recording, attrs=about, progress=progress, **options)
