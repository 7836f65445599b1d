"""The same starts after several numbers of steps, under several priors: what a comparison of priors is made of."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from layerstats.errors import ArgumentError
from layerstats.models import part
from layerstats.probes.maximization.hearing import hearing_of
from layerstats.probes.maximization.maximize import maximize_activations, plan_maximization
from layerstats.probes.maximization.priors.protocol import Prior
from layerstats.probes.maximization.priors.registry import open_prior
from layerstats.store import Experiment, open_store, outcome_name

STEPS = (0, 5, 10, 20, 40)


def maximize_ladder(
    network: nn.Module,
    targets: Sequence[str],
    store: str | os.PathLike[str],
    priors: Sequence[str | Prior],
    *,
    steps: Sequence[int] = STEPS,
    random_directions: bool = True,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Experiment:
    """Maximize under several priors and keep the same starts after several numbers of steps, each a set of outcomes.

    A set is named "<set_up>.<network>.<steps>_steps"; its set-up is that of its prior, so that the same number under
    the same prior is the same start, and a set with more steps is where it went on to. So are random directions, the
    null of moving alone, "<set_up>.<network>.<steps>_steps.random_direction". The store is for
    `layerstats.stats.success_ladder` once judges have judged it.

    Parameters
    ----------
    network, targets, store
        As for `maximize_activations`.
    priors : sequence of str or Prior
        From the lowest rung; see `open_prior`.
    steps : sequence of int
        Numbers of steps; 0, where starts begin, is always among them.
    random_directions : bool
        Move the starts as far in random directions, too.
    progress : callable, optional
        Called with (starts done, starts in all), over all sets.
    **options
        As for `maximize_activations`; without a `rate` each prior has its own.

    Returns
    -------
    Experiment
        The store.

    Raises
    ------
    ArgumentError
        No or one number of steps, two priors of one name, or an option does not fit.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.models import ConvolutionalEncoder, seeded
    >>> with seeded(0):
    ...     network = ConvolutionalEncoder(outputs=2, width=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     experiment = maximize_ladder(network, ["0"], f"{folder}/s.zarr", ["none", "smooth"], steps=[2], starts=1)
    ...     experiment.outcomes[["set_up", "steps", "null"]].values.tolist()
    [['none', 0, ''], ['none', 0, 'random_direction'], ['none', 2, ''], ['none', 2, 'random_direction'],
     ['smooth', 0, ''], ['smooth', 0, 'random_direction'], ['smooth', 2, ''], ['smooth', 2, 'random_direction']]
    """
    numbers = sorted({0, *steps})
    if len(numbers) < 2:
        raise ArgumentError(f"A ladder needs at least one number of steps above 0, but got {list(steps)!r}.")
    hearing = options.get("hearing") or hearing_of(part(network))
    opened = [open_prior(prior, hearing) if isinstance(prior, str) else prior for prior in priors]
    names = [prior.name for prior in opened]
    if not names or len(set(names)) < len(names):
        raise ArgumentError(f"The 'priors' parameter must list one or more different priors, but got {names!r}.")
    sets = []
    for prior in opened:
        # Everything is checked before anything is made.
        about = plan_maximization(network, targets, prior=prior, **options).about
        name = outcome_name(str(about["set_up"]), str(about["network"]))
        for number in numbers:
            sets.append((f"{name}.{number:03d}_steps", {"prior": prior, "steps": number}))
            if random_directions:
                elsewhere = {"prior": prior, "steps": number, "direction": "random", "null": "random_direction"}
                sets.append((f"{name}.{number:03d}_steps.random_direction", elsewhere))
    for place, (name, changed) in enumerate(sets):

        def moved(done: int, total: int, before: int = place) -> None:
            if progress is not None:
                progress(before * total + done, len(sets) * total)

        maximize_activations(network, targets, store, name=name, progress=moved, **{**options, **changed})
    return open_store(store, incomplete="allow")
