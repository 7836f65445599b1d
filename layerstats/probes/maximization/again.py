"""One start of stored outcomes made again, alone, from its seed."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import xarray as xr
from torch import nn

from layerstats.corpora import Clips, Corpus
from layerstats.errors import ArgumentError, StoreError
from layerstats.models import ModelCard, part
from layerstats.probes.maximization.hearing import Hearing, hearing_of
from layerstats.probes.maximization.maximize import plan_maximization
from layerstats.probes.maximization.plan import MaximizationPlan
from layerstats.probes.maximization.priors.protocol import Prior
from layerstats.probes.maximization.rendering import prior_of
from layerstats.probes.recording.key import model_hash
from layerstats.store import open_store

# Attributes of outcomes that are settings.
_SETTINGS = (
    "objective",
    "optimiser",
    "rate",
    "steps",
    "until",
    "direction",
    "paths",
    "start_from",
    "start_deviation",
    "match",
    "set_up",
    "seed",
    "null",
)


def maximized_start(plan: MaximizationPlan, start: str) -> xr.Dataset:
    """Maximize one start of a plan, alone.

    Parameters
    ----------
    plan : MaximizationPlan
        As `plan_maximization` returns it.
    start : str
        Its name, for instance "yes_00017".

    Returns
    -------
    Dataset
        What the store would hold of it, with `start` of length 1.

    Raises
    ------
    ArgumentError
        There is no such start.

    Examples
    --------
    >>> from layerstats.models import ConvolutionalEncoder, seeded
    >>> with seeded(0):
    ...     network = ConvolutionalEncoder(outputs=2, width=1)
    >>> again = maximized_start(plan_maximization(network, ["1"], starts=20, steps=2), "1_00017")
    >>> again["target"].item(), again["steps"].item()
    ('1', 2)
    """
    rows = np.flatnonzero(plan.starts["start"] == start)
    if len(rows) != 1:
        first, last = plan.starts["start"].iloc[[0, -1]]
        raise ArgumentError(f"There is no start {start!r} among the {len(plan.starts)} from {first!r} to {last!r}.")
    with plan.ready() as place:
        values = plan.run(slice(int(rows[0]), int(rows[0]) + 1), place)
    dimensions = {variable.name: variable.dimensions for variable in plan.variables()}
    row = plan.starts.iloc[int(rows[0])]
    labels = {name: ("start", [row[name]]) for name in plan.starts.columns}
    arrays = {name: (dimensions[name], array) for name, array in values.items()}
    return xr.Dataset(arrays, coords={**labels, **plan.coordinates()}, attrs=plan.attributes)


def make_again(
    network: nn.Module,
    store: str | os.PathLike[str],
    start: str,
    *,
    name: str | None = None,
    set_up: str | None = None,
    network_name: str | None = None,
    prior: str | Prior | None = None,
    corpus: Corpus | Clips | None = None,
    card: ModelCard | None = None,
    hearing: Hearing | None = None,
    device: str = "auto",
) -> xr.Dataset:
    """Make one start of stored outcomes again, alone, with the settings that the store says of them.

    In double precision it is the same start to the last digits but a few. In single precision 20 steps enlarge the
    rounding that another batch or processor brings, so that its codes may differ by more than their step.

    Parameters
    ----------
    network : torch.nn.Module
        The target network; its weights must be those that the outcomes were made with.
    store : path
        The store.
    start : str
        Its name, for instance "yes_00017".
    name, set_up, network_name : str, optional
        Of the outcomes, where the store holds several.
    prior : str or Prior, optional
        Needed where the prior has a checkpoint.
    corpus : Corpus or Clips, optional
        Needed where the starts began from data.
    card, hearing, device
        As for `plan_maximization`.

    Returns
    -------
    Dataset
        As the store holds it, with `start` of length 1.

    Raises
    ------
    ArgumentError
        There is no such start, or its prior or corpus is missing.
    StoreError
        The outcomes were made by other weights, or the start began from another token.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.models import ConvolutionalEncoder, seeded
    >>> from layerstats.probes import maximize_activations
    >>> with seeded(0):
    ...     network = ConvolutionalEncoder(outputs=2, width=1).double()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stored = maximize_activations(network, ["0", "1"], f"{folder}/s.zarr", starts=2, steps=3).outcome()
    ...     again = make_again(network, f"{folder}/s.zarr", "1_00001")
    ...     bool(abs(again["objective_after"] - stored["objective_after"].sel(start="1_00001")).item() < 1e-6)
    True
    """
    outcome = open_store(store, incomplete="allow").outcome(name, set_up=set_up, network=network_name)
    attrs: dict[Any, Any] = dict(outcome.attrs)
    target_network = part(network)
    if model_hash(target_network) != attrs["network_hash"]:
        raise StoreError(
            f"The outcomes {name or attrs['set_up']!r} of {store} were made with other weights than those of this "
            f"{type(target_network).__name__}, so no start of them can be made again with it."
        )
    if attrs.get("null") == "natural":
        raise ArgumentError("Natural tokens were found, not made: there is nothing to make again.")
    names = outcome["start"].to_numpy().astype(object)
    if start not in names:
        raise ArgumentError(
            f"There is no start {start!r} in these outcomes; they are {names[0]!r} to {names[-1]!r} ({len(names)})."
        )
    there = outcome.isel(start=int(np.flatnonzero(names == start)[0]))
    heard = hearing or hearing_of(target_network)
    settings = {one: attrs[one] for one in _SETTINGS if one in attrs}
    plan = plan_maximization(
        network,
        [str(there["target"].item())],
        # So many that it is among them; from data, tokens are taken in the order of numbers.
        starts=int(there["number"].item()) + 1,
        prior=prior_of(attrs, prior, heard),
        corpus=corpus,
        card=card,
        labels=None if card is not None or "class" not in outcome.coords else outcome["class"].to_numpy().tolist(),
        hearing=heard,
        network_name=attrs["network"],
        device=device,
        **settings,
    )
    made = maximized_start(plan, start)
    for label in ("seed", "token"):
        if made[label].item() != there[label].item():
            raise StoreError(
                f"The start {start!r} had the {label} {there[label].item()!r}, and now has {made[label].item()!r}: "
                "give the corpus that it began from."
            )
    return made
