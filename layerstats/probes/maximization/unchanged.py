"""Whether a network still gives what a store holds of the same starts: weights are hashed, code cannot be."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import torch

from layerstats.errors import StoreError
from layerstats.probes.maximization.plan import MaximizationPlan
from layerstats.store import open_store

# Scores and objectives of the same start differ by rounding between batches, devices and versions of torch.
TOLERANCE = 1e-3
_COMPARED = ("objective_before", "scores_before")


def check_unchanged(
    plan: MaximizationPlan, place: torch.device, store: str | os.PathLike[str], name: str, rows: slice
) -> None:
    """Raise where the starts of some rows, before any step, are not what is stored of them.

    Parameters
    ----------
    plan : MaximizationPlan
        Whose outcomes are gone on with, inside `ready`.
    place : torch.device
        Where it runs.
    store, name
        The outcomes.
    rows : slice
        Rows that are written.

    Raises
    ------
    StoreError
        The network's code, or the prior's, was changed since.
    """
    settings = replace(plan.settings, ascent=replace(plan.settings.ascent, steps=0))
    now = replace(plan, settings=settings).run(rows, place)
    stored = open_store(store, incomplete="allow").outcome(name).sel(start=plan.starts["start"].iloc[rows].tolist())
    for variable in (one for one in _COMPARED if one in stored):
        there = np.asarray(stored[variable], dtype=np.float64).reshape(len(stored["start"]), -1)
        apart = np.abs(there - now[variable].reshape(there.shape)) / np.maximum(1.0, np.abs(there))
        if not np.all(apart <= TOLERANCE):
            first = int(np.argmax(~(apart <= TOLERANCE).all(axis=1)))
            raise StoreError(
                f"{store} already holds other outcomes {name!r}: before any step the network gives something else now "
                f"({variable} of the start {str(stored['start'].to_numpy()[first])!r} differs by "
                f"{apart[first].max():.1g}). Its code, or the prior's, was changed since. Choose another name, or "
                f"remove the folder outcomes/{name} of the store to maximize anew."
            )
