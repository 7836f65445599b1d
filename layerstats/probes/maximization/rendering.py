"""Stored outcomes as the network hears them: codes are decoded again, by the weights that they belong to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr

from layerstats.checks import check_choice, check_count
from layerstats.errors import ArgumentError, StoreError
from layerstats.probes.maximization.hearing import Hearing
from layerstats.probes.maximization.places import differentiating
from layerstats.probes.maximization.priors.protocol import Prior
from layerstats.probes.maximization.priors.registry import PRIORS, is_read_from_checkpoint, open_prior, options_of
from layerstats.store.schema import Attribute

PREFIX = "prior_"
_WEIGHTS = ("hash", "sha256")


def rendered(
    outcomes: xr.Dataset,
    rows: slice | Sequence[int] | np.ndarray = slice(None),
    which: str = "after",
    *,
    prior: str | Prior | None = None,
    device: str = "auto",
    batch_size: int = 64,
) -> np.ndarray:
    """Return what the target network heard of stored starts.

    Parameters
    ----------
    outcomes : Dataset
        As `Experiment.outcome` gives it.
    rows : slice or sequence of int
        Which starts.
    which : {"after", "before"}
        After maximization, or where it began.
    prior : str or Prior, optional
        Of codes: the prior that decodes them, "autoencoder:FILE" for instance. Features are there as they are.
    device : str
        "auto" (a GPU where there is one), or a torch device.
    batch_size : int
        Starts that are decoded at once.

    Returns
    -------
    ndarray
        float32, (start, time, mel) or (start, sample).

    Raises
    ------
    ArgumentError
        Codes were given no prior, or one of another kind.
    StoreError
        The prior has other weights than those that the codes were made with.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.models import ConvolutionalEncoder
    >>> from layerstats.probes import maximize_activations
    >>> network = ConvolutionalEncoder(outputs=2, width=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     outcome = maximize_activations(network, ["0", "1"], f"{folder}/s.zarr", starts=2, steps=3).outcome()
    ...     rendered(outcome, [0, 3]).shape
    (2, 16384)
    """
    check_choice("which", which, ("after", "before"))
    check_count("batch_size", batch_size)
    if f"features_{which}" in outcomes:
        return outcomes[f"features_{which}"].isel(start=rows).to_numpy().astype(np.float32)
    codes = outcomes[f"codes_{which}"].isel(start=rows).to_numpy()
    opened = prior_of(outcomes.attrs, prior)
    parts = [np.zeros((0, *stored_hearing(outcomes.attrs).shape), dtype=np.float32)]
    with differentiating(opened.modules, device) as place, torch.no_grad():
        for first in range(0, len(codes), batch_size):
            variables = torch.from_numpy(codes[first : first + batch_size]).to(place)
            parts.append(opened.render(variables).float().cpu().numpy())
    return np.concatenate(parts)


def stored_hearing(attrs: dict[Any, Any]) -> Hearing:
    """Return what the target network of stored outcomes hears."""
    shape = tuple(int(length) for length in attrs["heard_shape"])
    return Hearing(tuple(attrs["heard_dims"]), shape, json.loads(attrs["front_end"]))


def prior_of(attrs: dict[Any, Any], prior: str | Prior | None, hearing: Hearing | None = None) -> Prior:
    """Return the prior of stored outcomes: the given one, checked, or one that its attributes say all of.

    Parameters
    ----------
    attrs : dict
        Attributes of the outcomes.
    prior : str or Prior or None
        Needed where the prior has a checkpoint.
    hearing : Hearing, optional
        Of the network that it is for; by default what the attributes say, in single precision.

    Raises
    ------
    ArgumentError
        A checkpoint is needed, or the prior is of another kind.
    StoreError
        Its weights or settings are others than those of the outcomes.
    """
    told = prior_attributes(attrs)
    hearing = hearing or stored_hearing(attrs)
    if prior is None:
        kind = attrs["prior"]
        if kind not in PRIORS:
            raise ArgumentError(
                f"The outcomes {attrs.get('set_up')!r} were made with a prior of your own, {kind!r}: give an object of "
                "it, in Python (prior=, of judges priors=)."
            )
        if is_read_from_checkpoint(kind):
            raise ArgumentError(
                f"The outcomes {attrs.get('set_up')!r} were made with the prior {kind!r}, whose checkpoint is needed: "
                f"prior='{kind}:FILE', --prior or --priors (SHA-256 {told.get('sha256', 'unknown')})."
            )
        prior = open_prior(kind, hearing, **{name: told[name] for name in options_of(kind) if name in told})
    opened = open_prior(prior, hearing) if isinstance(prior, str) else prior
    if opened.name != attrs["prior"]:
        raise ArgumentError(f"These outcomes were made with the prior {attrs['prior']!r}, but got {opened.name!r}.")
    names = told.keys() | opened.attrs.keys()
    # A network that came without its file has no SHA-256, and other versions of torch may hash the weights otherwise.
    if any(name in told and told[name] == opened.attrs.get(name) for name in _WEIGHTS):
        names = names - set(_WEIGHTS)
    apart = [name for name in sorted(names) if told.get(name) != _plain(opened, name)]
    if apart:
        differences = "; ".join(f"{name}: {told.get(name)!r} there, {_plain(opened, name)!r} now" for name in apart)
        raise StoreError(
            f"The prior {opened.name!r} is another one than that of these outcomes ({differences}). Give the "
            "checkpoint and the options that they were made with."
        )
    return opened


def prior_attributes(attrs: dict[Any, Any]) -> dict[str, Attribute]:
    """Return what attributes of outcomes say of their prior, as its `attrs` did."""
    told = {str(name).removeprefix(PREFIX): value for name, value in attrs.items() if str(name).startswith(PREFIX)}
    return {name: list(value) if isinstance(value, tuple | np.ndarray) else value for name, value in told.items()}


def _plain(prior: Prior, name: str) -> object:
    value = prior.attrs.get(name)
    return list(value) if isinstance(value, tuple) else value
