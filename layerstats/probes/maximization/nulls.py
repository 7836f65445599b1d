"""What maximization would give without what it is about: nulls with the same options, each a set of outcomes."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from layerstats.checks import check_choice
from layerstats.corpora import Clips, Corpus
from layerstats.errors import ArgumentError
from layerstats.models import load_checkpoint, part, untrained
from layerstats.probes.maximization.maximize import maximize_activations, plan_maximization, write_outcomes
from layerstats.probes.maximization.objectives import Objective
from layerstats.probes.maximization.plan import MaximizationPlan
from layerstats.probes.maximization.priors.protocol import needed
from layerstats.store import Experiment, open_store, outcome_name

NULLS = ("untrained", "shuffled", "zero_steps", "random_direction", "natural")
_BATCH = 64
# Options of the ascent and of the beginning, which natural tokens have none of.
_NOT_NATURAL = ("prior", "settings", "optimiser", "rate", "steps", "until", "direction", "paths", "start_from",
                "start_deviation", "corpus", "match")  # fmt: skip


def record_nulls(
    network: nn.Module,
    targets: Sequence[str],
    store: str | os.PathLike[str],
    nulls: Iterable[str] = ("untrained", "zero_steps", "random_direction"),
    *,
    untrained_seeds: Iterable[int] = (0,),
    shuffled: str | os.PathLike[str] | None = None,
    natural: Corpus | Clips | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 1,
    client: Any = None,
    **options: Any,
) -> Experiment:
    """Make the nulls of a maximization with its own options, so that each number has its null beside it.

    ``untrained``
        Networks of the same architecture with fresh weights are maximized. What judges hear then, the prior brings.
    ``shuffled``
        A network that was trained as well as the target network, but on labels dealt out at random, is maximized.
    ``zero_steps``
        The starts, left as they are. What a prior decodes of noise is not uniform over classes.
    ``random_direction``
        Each start is moved as far as its ascent went, in what is optimised, in a direction drawn at random.
    ``natural``
        The natural tokens that the target network gives the highest score of the target, whatever their word is:
        what maximization would have to surpass (Borowski et al. 2021).

    Each is a set of outcomes with the attribute `null`, of the set-up of what it is a null of, named
    "<set_up>.<network>.<null>"; an untrained network has the name of the target network, "untrained" and its seed, and
    one of shuffled labels that of its card. What is there already is passed over.

    Parameters
    ----------
    network, targets, store
        As for `maximize_activations`.
    nulls : iterable of str
        Which.
    untrained_seeds : iterable of int
        Seeds of the weights of untrained networks.
    shuffled : path, optional
        Checkpoint of the network of shuffled labels.
    natural : Corpus or Clips, optional
        Where natural exemplars are looked for.
    overwrite : bool
        Replace outcomes of the same names that were made otherwise.
    progress : callable, optional
        Called with (starts done, starts in all), over all nulls.
    workers, client
        Who shares the work, as for `maximize_activations`.
    **options
        Those that the maximization had: prior, starts, objective, settings, seed, card, ...

    Returns
    -------
    Experiment
        The store.

    Raises
    ------
    ArgumentError
        A null is not known, or what it needs is missing; or an option does not fit.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.models import ConvolutionalEncoder, seeded
    >>> with seeded(0):
    ...     network = ConvolutionalEncoder(outputs=2, width=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     experiment = record_nulls(network, ["0", "1"], f"{folder}/s.zarr", ["zero_steps"], starts=2)
    ...     experiment.outcomes[["name", "null", "starts"]].values.tolist()
    [['none.ConvolutionalEncoder.zero_steps', 'zero_steps', 4]]
    """
    chosen = list(dict.fromkeys(nulls))
    seeds = list(untrained_seeds)
    check_nulls(chosen, seeds, shuffled, natural)
    plan = plan_maximization(network, targets, **options)
    jobs = [job for null in chosen for job in _jobs(null, network, plan, seeds, shuffled, natural, options)]
    for number, (name, write) in enumerate(jobs):

        def moved(done: int, total: int, before: int = number) -> None:
            if progress is not None:
                progress(before * total + done, len(jobs) * total)

        write(targets, store, name=name, overwrite=overwrite, progress=moved, workers=workers, client=client)
    return open_store(store, incomplete="allow")


def check_nulls(
    nulls: Sequence[str],
    untrained_seeds: Sequence[int] = (0,),
    shuffled: str | os.PathLike[str] | None = None,
    natural: Corpus | Clips | None = None,
) -> None:
    """Raise `ArgumentError` where a null is not known, or what it needs is missing: arguments of `record_nulls`.

    Examples
    --------
    >>> check_nulls(["zero_steps", "untrained"], untrained_seeds=[0, 1])
    """
    for null in nulls:
        check_choice("nulls", null, NULLS)
    if "shuffled" in nulls and shuffled is None:
        raise ArgumentError(
            "The null 'shuffled' needs a network that was trained on shuffled labels: give the checkpoint, shuffled=."
        )
    if "shuffled" in nulls and shuffled is not None:
        _, card = load_checkpoint(Path(shuffled))
        if card.training.get("labels") == "true":
            raise ArgumentError(
                f"The null 'shuffled' needs a network that was trained on shuffled labels, but the card of "
                f"{Path(shuffled).name} says that its labels were true."
            )
    if "natural" in nulls and natural is None:
        raise ArgumentError("The null 'natural' looks for the best tokens of a corpus: give one, natural=.")
    if "untrained" in nulls and not untrained_seeds:
        raise ArgumentError("The null 'untrained' needs at least one seed, but 'untrained_seeds' holds none.")


def _jobs(
    null: str,
    network: nn.Module,
    plan: MaximizationPlan,
    seeds: Sequence[int],
    shuffled: str | os.PathLike[str] | None,
    natural: Corpus | Clips | None,
    options: Mapping[str, Any],
) -> list[tuple[str, Callable[..., Experiment]]]:
    """Return the name of each set of outcomes of a null, and what writes it."""
    set_up, whose = str(plan.about["set_up"]), str(plan.about["network"])
    known = {"set_up": set_up, "network_name": whose, "null": null}

    def name(network_name: str) -> str:
        return f"{outcome_name(set_up, network_name)}.{null}"

    def maximizing(other: nn.Module, **changed: Any) -> Callable[..., Experiment]:
        def write(targets: Sequence[str], store: Any, **where: Any) -> Experiment:
            return maximize_activations(other, targets, store, **{**options, **known, **changed}, **where)

        return write

    if null == "untrained":
        names = {seed: f"{whose}_untrained_{seed:02d}" for seed in seeds}
        return [
            (
                name(names[seed]),
                maximizing(
                    untrained(part(network), seed),
                    network_name=names[seed],
                    attrs={**(options.get("attrs") or {}), "trained": False, "network_seed": seed},
                    labels=plan.labels or None,
                    hearing=plan.hearing,
                ),
            )
            for seed in seeds
        ]
    if null == "shuffled":
        other, card = load_checkpoint(Path(shuffled or ""))
        about = {**(options.get("attrs") or {}), "labels": "shuffled"}
        return [(name(card.name), maximizing(other, card=card, labels=None, network_name=card.name, attrs=about))]
    if null == "natural":
        shown = {key: value for key, value in {**options, **known}.items() if key not in _NOT_NATURAL}
        return [(name(whose), _showing(network, natural, shown))]
    changed = {"steps": 0} if null == "zero_steps" else {"direction": "random", "paths": False}
    return [(name(whose), maximizing(network, **changed))]


def _showing(
    network: nn.Module, natural: Corpus | Clips | None, options: Mapping[str, Any]
) -> Callable[..., Experiment]:
    def write(targets: Sequence[str], store: Any, **where: Any) -> Experiment:
        plan = plan_maximization(
            network, targets, **options, prior="none", start_from="data", steps=0, match="any", corpus=natural
        )
        starts = inspect.signature(plan_maximization).parameters["starts"].default
        plan = replace(plan, starts=top_exemplars(plan, int(options.get("starts", starts))))
        return write_outcomes(plan, store, **where)

    return write


def top_exemplars(plan: MaximizationPlan, starts: int) -> pd.DataFrame:
    """Return the natural tokens of a plan to which its network gives the highest scores: a row a target and rank.

    Parameters
    ----------
    plan : MaximizationPlan
        Whose starts begin from data.
    starts : int
        Tokens for each target; all where the corpus has fewer.

    Returns
    -------
    DataFrame
        ``start, target, number, seed, token``: `number` is the rank, from 0; `seed` is 0, since nothing is drawn.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import ConvolutionalEncoder, seeded
    >>> speech = demo_corpus(words=["ask", "wash"], voices=4)
    >>> with seeded(0):
    ...     network = ConvolutionalEncoder(outputs=2, width=1)
    >>> plan = plan_maximization(network, ["ask"], start_from="data", corpus=speech, labels=["ask", "wash"], starts=2)
    >>> top_exemplars(plan, 2)[["target", "number"]].values.tolist()
    [['ask', 0], ['ask', 1]]
    """
    if plan.clips is None:
        raise ArgumentError("The best natural tokens are looked for in a corpus, and these starts begin from none.")
    tokens = plan.clips.tokens["token"].to_numpy(dtype=object)
    rows = []
    for target, values in _scores(plan, tokens).items():
        best = np.argsort(-values, kind="stable")[:starts]
        rows += [
            {"start": f"{target}_{rank:05d}", "target": target, "number": rank, "seed": 0, "token": tokens[row]}
            for rank, row in enumerate(best)
        ]
    return pd.DataFrame(rows)


def _scores(plan: MaximizationPlan, tokens: np.ndarray) -> dict[str, np.ndarray]:
    """Return the objective of every token, (token,), by target."""
    values: dict[str, list[np.ndarray]] = {target: [] for target in plan.units}
    with plan.ready() as place, torch.no_grad():
        for first in range(0, len(tokens), _BATCH):
            heard = needed(plan.given(pd.DataFrame({"token": tokens[first : first + _BATCH]}), place))
            for target, unit in plan.units.items():
                objective = Objective(plan.network, [unit] * len(heard), plan.settings.objective, place)
                values[target].append(objective(heard).objective.double().cpu().numpy())
    return {target: np.concatenate(parts) for target, parts in values.items()}
