"""The same recording from untrained networks: what the sounds alone bring about, without any learning."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from layerstats.corpora import Clips, Corpus, clips_for
from layerstats.errors import ArgumentError
from layerstats.models import part, untrained
from layerstats.parallel import check_client, run_tasks
from layerstats.probes.activations import Activation, record_activations
from layerstats.probes.quantity import Quantity
from layerstats.probes.recording.recorder import record
from layerstats.probes.recording.sent_network import SentNetwork, load_in_worker
from layerstats.store import Experiment, open_store, untrained_name


def record_untrained(
    model: nn.Module,
    corpus: Corpus | Clips,
    store: str | os.PathLike[str],
    seeds: Iterable[int] = range(20),
    *,
    quantity: Quantity | None = None,
    recording: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    attrs: Mapping[str, object] | None = None,
    **options: Any,
) -> Experiment:
    """Record networks of the same architecture with freshly drawn weights, as `untrained_NN`.

    Seeds that are recorded already are passed over.

    Parameters
    ----------
    model : torch.nn.Module
        The network whose architecture is used, of an InfoWaveGAN that of its Q-network; see
        `layerstats.models.untrained`.
    corpus : Corpus or Clips
        The speech, the same as in the main recording.
    store : path
        The store of the main recording.
    seeds : iterable of int
        Seeds of the weights, 0 or more.
    quantity : Quantity, optional
        What is recorded; by default activations. The recordings are named after any other, "gradient_untrained_NN".
    recording : str, optional
        Of another quantity than activations, the main recording's name, where that is not the quantity's.
    progress : callable, optional
        Called with (tokens done, tokens in all), over all seeds.
    attrs : mapping, optional
        What the main recording says of its network (`network_attributes`): its kind and part are said of these too.
    **options
        As for `record_activations`, or for `record` with a quantity: layers, axes, batch_size, workers, client, ...
        Where there are as many networks as workers, each worker records whole networks.

    Returns
    -------
    Experiment
        The store.

    Raises
    ------
    ArgumentError
        No seed, or a negative one; or a module cannot draw new weights.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import ConvolutionalEncoder
    >>> speech = demo_corpus(words=["ask", "wash"], voices=4)
    >>> network = ConvolutionalEncoder(outputs=2, width=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     experiment = record_untrained(network, speech, f"{folder}/speech.zarr", seeds=range(2))
    ...     experiment.recordings["recording"].tolist()
    ['untrained_00', 'untrained_01']
    """
    chosen = list(seeds)
    if not chosen or min(chosen) < 0:
        raise ArgumentError(f"The 'seeds' parameter must hold at least one seed, all 0 or more, but got {chosen}.")
    clips = clips_for(part(model), corpus)
    total = len(clips.tokens)
    shared = {name: value for name, value in (attrs or {}).items() if name != "network_seed"}
    workers, client = options.get("workers", 1), options.get("client")
    slots = workers if client is None else check_client(client)
    if 1 < slots <= len(chosen) and Path(store).is_dir():
        of_each = {name: value for name, value in options.items() if name not in ("workers", "client")}
        of_each |= {"quantity": quantity, "recording": recording, "attrs": attrs}
        sent = SentNetwork.of(part(model))
        run_tasks(
            partial(_record_one, sent, clips, Path(store).absolute(), of_each),
            chosen,
            workers=workers,
            client=client,
            progress=None if progress is None else lambda done, _: progress(done * total, len(chosen) * total),
            describe=lambda seed: f"the untrained network of seed {seed}",
        )
        return open_store(store)
    for index, seed in enumerate(chosen):

        def moved(done: int, _total: int, before: int = index * total) -> None:
            if progress is not None:
                progress(before + done, total * len(chosen))

        network, about = untrained(part(model), seed), {**shared, "seed": seed, "trained": False}
        name = untrained_name(seed)
        if quantity is None:
            record_activations(network, clips, store, group=name, progress=moved, attrs=about, **options)
        else:
            name = name if isinstance(quantity, Activation) else f"{recording or quantity.recording}_{name}"
            record(network, clips, store, quantity, recording=name, progress=moved, attrs=about, **options)
    return open_store(store, incomplete="error" if options.get("shard") is None else "allow")


def _record_one(sent: SentNetwork, clips: Clips, store: Path, options: Mapping[str, Any], seed: int) -> None:
    """Record the untrained network of one seed, in a worker."""
    record_untrained(load_in_worker(sent, store), clips, store, [seed], **options)
