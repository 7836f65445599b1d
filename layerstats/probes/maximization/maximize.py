"""The one maximizer: any network, any units, any prior; outcomes in a store, block by block of starts."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from layerstats.checks import check_count
from layerstats.corpora import Clips, Corpus, clips_for
from layerstats.errors import ArgumentError
from layerstats.models import ModelCard, device_for, part, running
from layerstats.probes.inputs import call
from layerstats.probes.maximization.elsewhere import write_elsewhere
from layerstats.probes.maximization.hearing import Hearing, hear_window, hearing_of
from layerstats.probes.maximization.plan import MaximizationPlan
from layerstats.probes.maximization.priors.protocol import Prior
from layerstats.probes.maximization.priors.registry import open_prior
from layerstats.probes.maximization.settings import settle, usual_prior
from layerstats.probes.maximization.starts import start_table
from layerstats.probes.maximization.unchanged import check_unchanged
from layerstats.probes.network import network_attributes
from layerstats.probes.recording.ready import check_ready
from layerstats.probes.units import classes_of_window, read_unit
from layerstats.store import Experiment, OutcomeWriter, open_store, outcome_name


def maximize_activations(
    network: nn.Module,
    targets: Sequence[str],
    store: str | os.PathLike[str],
    *,
    block: tuple[int, int] = (0, 1),
    name: str | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 1,
    client: Any = None,
    **options: Any,
) -> Experiment:
    """Maximize units of a network from many starts, and keep what became of each in a store.

    Starts are maximized in batches, and written in blocks. A run that was killed goes on where it stopped when it is
    called again, and ends with the same bytes; the same call on finished outcomes does nothing. Several processes may
    write the same outcomes at once. Whether a start succeeded is not stored: it follows from the scores.

    Parameters
    ----------
    network : torch.nn.Module
        The target network; of an InfoWaveGAN its Q-network. It is put in eval mode and left exactly as it was.
    targets : sequence of str
        Classes by their labels, channels of any layer ("conv2:5", averaged over their positions), or single values of
        a layer ("conv2:5:10/3").
    store : path
        Zarr directory, made if it is not there.
    block : pair of int
        (3, 64) does the fourth of 64 parts, and finishes the outcomes where no other part is missing; (0, 1) is all.
    name : str, optional
        Of the outcomes; by default "<set_up>.<network>".
    overwrite : bool
        Replace outcomes of the same name that were made otherwise.
    progress : callable, optional
        Called with (starts done, starts in all).
    workers : int
        Processes on this machine that share the blocks of starts, each with one thread of torch.
    client : distributed.Client, optional
        Share them among the workers of this cluster instead, all of which see the store under this path.
    **options
        As for `plan_maximization`: starts, prior, objective, settings, optimiser, rate, steps, until, start_from,
        corpus, card, seed, device, ...

    Returns
    -------
    Experiment
        The store.

    Raises
    ------
    ArgumentError
        A target, layer, prior or setting does not exist or does not fit; before anything is written.
    AudioError
        The audio of a natural token cannot be used, for instance is silent.
    DataError
        A score is NaN or infinite.
    NetworkError
        The network fails, or a target has no gradient.
    StoreError
        The store holds other outcomes of this name, be it of other weights or options; or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.models import ConvolutionalEncoder, seeded
    >>> with seeded(0):
    ...     network = ConvolutionalEncoder(outputs=2, width=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     experiment = maximize_activations(network, ["0", "1"], f"{folder}/s.zarr", starts=2, steps=3)
    ...     outcome = experiment.outcome()
    ...     bool((outcome["objective_after"] > outcome["objective_before"]).all())
    True
    """
    plan = plan_maximization(network, targets, **options)
    who: dict[str, Any] = {"progress": progress, "workers": workers, "client": client}
    return write_outcomes(plan, store, block=block, name=name, overwrite=overwrite, **who)


def write_outcomes(
    plan: MaximizationPlan,
    store: str | os.PathLike[str],
    *,
    block: tuple[int, int] = (0, 1),
    name: str | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 1,
    client: Any = None,
) -> Experiment:
    """Run a plan, and keep what became of its starts in a store: parameters and errors of `maximize_activations`.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.models import ConvolutionalEncoder
    >>> plan = plan_maximization(ConvolutionalEncoder(outputs=2, width=1), ["0", "1"], starts=2, steps=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_outcomes(plan, f"{folder}/s.zarr").outcome()["steps"].to_numpy().tolist()
    [3, 3, 3, 3]
    """
    _check_block(block)
    check_count("workers", workers)
    if block[1] > 1 and (workers > 1 or client is not None):
        raise ArgumentError("A part of the blocks is maximized by this process alone: leave out workers and client.")
    name = name or outcome_name(str(plan.about["set_up"]), str(plan.about["network"]))
    with plan.ready() as place:
        plan.check(place)
        writing = _writing(plan, place, store, name, block[1])
        with OutcomeWriter(**writing, overwrite=overwrite) as writer:
            written = writer.written
            if written:
                first = written[0].start
                rows = slice(first, min(written[0].stop, first + plan.in_block(place, block[1])))
                check_unchanged(plan, place, store, name, rows)
            if workers > 1 or client is not None:
                write_elsewhere(plan, writer, writing, workers=workers, client=client, progress=progress)
            else:
                _write(plan, writer, place, block, progress)
            if not writer.lacking():
                writer.finish()
    return open_store(store, incomplete="allow")


def _writing(
    plan: MaximizationPlan, place: torch.device, store: str | os.PathLike[str], name: str, parts: int
) -> dict[str, Any]:
    """Return what the writer of the outcomes is told."""
    clips = plan.clips
    about = {} if clips is None else {"corpus_hash": clips.content_hash(), "torch_version": torch.__version__}
    return {
        "path": store,
        "name": name,
        "starts": plan.starts,
        "variables": plan.variables(),
        "key": plan.key(),
        "attrs": {**plan.attributes, "batch_size": plan.at_once(place), "device": place.type},
        "coords": plan.coordinates(),
        "tokens": None if clips is None else clips.tokens,
        "phones": None if clips is None else clips.phones,
        "store_attrs": None if clips is None else {**clips.attrs, **about},
        "shard_starts": plan.in_block(place, parts),
    }


def _write(
    plan: MaximizationPlan,
    writer: OutcomeWriter,
    place: torch.device,
    block: tuple[int, int],
    progress: Callable[[int, int], None] | None,
) -> None:
    done = sum(rows.stop - rows.start for rows in writer.written)
    for rows in writer.missing(block):
        writer.write(rows, plan.run(rows, place))
        done += rows.stop - rows.start
        if progress is not None:
            progress(done, len(plan.starts))


def plan_maximization(
    network: nn.Module,
    targets: Sequence[str],
    *,
    starts: int = 100,
    prior: str | Prior | None = None,
    settings: str | None = None,
    objective: str | None = None,
    optimiser: str | None = None,
    rate: float | None = None,
    steps: int | None = None,
    until: float | None = None,
    direction: str | None = None,
    paths: bool | None = None,
    start_from: str | None = None,
    start_deviation: float | None = None,
    corpus: Corpus | Clips | None = None,
    match: str | None = None,
    card: ModelCard | None = None,
    labels: Sequence[str] | None = None,
    hearing: Hearing | None = None,
    set_up: str | None = None,
    network_name: str | None = None,
    null: str = "",
    seed: int = 0,
    attrs: Mapping[str, object] | None = None,
    batch_size: int | None = None,
    device: str = "auto",
) -> MaximizationPlan:
    """Check all that determines a maximization, and return it; nothing has run and nothing is written.

    Parameters
    ----------
    network, targets
        As for `maximize_activations`.
    starts : int
        For each target.
    prior : str or Prior, optional
        What is optimised: "none", "smooth", "autoencoder:FILE", ... (`open_prior`), or an object of such a class; by
        default that of the settings, else "none".
    settings : str, optional
        Published ones, "soomro2019" or "krug2018" (neurons of any layer: Adam, L1 and L2 penalties); what else is given
        overrules them.
    objective : str, optional
        Of classes "log_probability" (the default), "probability" or "logit"; of units of layers "activation".
    optimiser, rate, steps, until, direction, paths
        See `AscentSettings`. By default 20 steps of the gradient by its root mean square, of .01 on features and .1 on
        codes; of Adam .05.
    start_from : str, optional
        "noise" (N(0, `start_deviation`) in what is heard), "xavier_uniform" (noise within Xavier's bounds), "data"
        (tokens of the corpus), "codes" (N(0, `start_deviation`)) or "own" (codes as the prior's network knows them, for
        instance the encoder's); by default codes where the prior has some, else noise.
    start_deviation : float, optional
        .1 by default.
    corpus : Corpus or Clips, optional
        Where starts from data come from; a Corpus is heard as `clips_for(network, corpus)`.
    match : {"own", "any"}, optional
        Whether a target's starts begin from tokens of its own word (the default) or of any.
    card : ModelCard, optional
        Of the network: labels of its classes, its name, its kind and seed.
    labels : sequence of str, optional
        Names of the classes in order, where there is no card; by default "0", "1", ...
    hearing : Hearing, optional
        What the network hears, where it is not one of this package's.
    set_up, network_name : str, optional
        Names, from which the outcomes have theirs; by default the prior's and the card's.
    null : str
        Of which null these outcomes are, "" for none; kept as an attribute.
    seed : int
        From which each start has a seed of its own.
    attrs : mapping, optional
        More to say of the outcomes, for instance `{"trained": False}`.
    batch_size : int, optional
        Starts that are maximized at once; by default as many as suit the device.
    device : str
        "auto" (a GPU where there is one), or a torch device.

    Returns
    -------
    MaximizationPlan

    Raises
    ------
    ArgumentError
        A target, layer, prior or setting does not exist or does not fit.
    AudioError
        The audio of a natural token cannot be used.

    Examples
    --------
    >>> from layerstats.models import ConvolutionalEncoder
    >>> plan = plan_maximization(ConvolutionalEncoder(outputs=2, width=1), ["0", "1"], starts=2, steps=3)
    >>> plan.settings.ascent.steps, plan.starts["start"].tolist()
    (3, ['0_00000', '0_00001', '1_00000', '1_00001'])
    """
    target_network = part(network)
    check_ready(target_network)
    if batch_size is not None:
        check_count("batch_size", batch_size)
    heard = hearing or hearing_of(target_network)
    names = _labels(network, target_network, heard, card, labels)
    units = {target: read_unit(target, target_network, names) for target in _listed(targets)}
    if getattr(network, "kind", None) == "fiwgan" and any(not unit.layer for unit in units.values()):
        raise ArgumentError("The outputs of a fiwGAN are bits, not classes: maximize 'logits:0', 'logits:1', ...")
    chosen = usual_prior(settings) if prior is None else prior
    opened = open_prior(chosen, heard) if isinstance(chosen, str) else chosen
    given = {
        "objective": objective,
        "optimiser": optimiser,
        "rate": rate,
        "steps": steps,
        "until": until,
        "direction": direction,
        "paths": paths,
        "start_from": start_from,
        "start_deviation": start_deviation,
        "match": match,
    }
    settled = settle(opened, list(units.values()), settings, given)
    clips = _clips(target_network, settled.start_from, corpus)
    about = {
        "set_up": set_up or opened.name,
        "network": network_name or (type(target_network).__name__ if card is None else card.name),
        "null": null,
        "seed": seed,
        **_network_facts(card),
        **(attrs or {}),
    }
    table = start_table(
        list(units),
        starts,
        seed=seed,
        set_up=str(about["set_up"]),
        tokens=None if clips is None else clips.tokens,
        match=settled.match,
    )
    options = {"clips": clips, "about": about, "batch_size": batch_size, "device": device}
    return MaximizationPlan(target_network, heard, opened, units, settled, table, names, **options)


def _network_facts(card: ModelCard | None) -> dict[str, object]:
    """Return what outcomes say of the network: its kind, its seed, and by which labels it was trained."""
    facts = {} if card is None else network_attributes(card)
    return {**facts, "trained": True, "labels": "true" if card is None else str(card.training.get("labels", "true"))}


def _listed(targets: Sequence[str]) -> list[str]:
    if isinstance(targets, str) or not targets:
        raise ArgumentError(f"The 'targets' parameter must list one or more targets, but got {targets!r} instead.")
    twice = [target for target in targets if list(targets).count(target) > 1]
    if twice:
        raise ArgumentError(f"The target {twice[0]!r} is there twice: name each once, and say how many starts it has.")
    return list(targets)


def _labels(
    network: nn.Module, target: nn.Module, hearing: Hearing, card: ModelCard | None, labels: Sequence[str] | None
) -> tuple[str, ...]:
    """Return the names of the classes, as many as the network gives; none where its output is no row of classes."""
    place = device_for(target, "cpu")
    with running(target, place):
        hear_window(target)
        output = call(target, torch.zeros((1, *hearing.shape), dtype=hearing.dtype, device=place))
    logits = classes_of_window(output, 1)
    classes = 0 if logits is None else logits.shape[1]
    named = labels if labels is not None else () if card is None else card.outputs
    if named and len(named) != classes:
        whose = "labels were given" if labels is not None else "outputs are on the card"
        raise ArgumentError(f"{len(named)} {whose}, but the {type(network).__name__} gives {classes} classes.")
    return tuple(map(str, named or range(classes)))


def _clips(network: nn.Module, start_from: str, corpus: Corpus | Clips | None) -> Clips | None:
    if start_from != "data":
        if corpus is not None:
            raise ArgumentError(
                f"A corpus is only used by starts from data, but these begin from {start_from!r}: leave it out, or say "
                "start_from='data' (--from data)."
            )
        return None
    if corpus is None:
        raise ArgumentError("Starts from data need natural tokens: give a corpus.")
    clips = corpus if isinstance(corpus, Clips) else clips_for(network, corpus)
    clips.one_length("A maximization from natural tokens")
    clips.check_audio()
    return clips


def _check_block(block: tuple[int, int]) -> None:
    number, parts = block
    if not 0 <= number < parts:
        raise ArgumentError(
            "The 'block' parameter must be the number of a part, from 0, and how many there are, as in (3, 64), but "
            f"got {block!r} instead."
        )
