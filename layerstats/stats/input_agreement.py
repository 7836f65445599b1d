"""Whether a neuron has one optimal input: how alike the inputs are that maximize it from several starts."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import xarray as xr

from layerstats.errors import DataError
from layerstats.store import Experiment
from layerstats.tables import check_frame


def agreement_of_starts(experiment: Experiment, set_up: str | None = None) -> pd.DataFrame:
    """Measure the optimal inputs of units: what they reach, how alike they are, and how much of the window they fill.

    One picture of one start does not say whether another start would have found another picture. `agreement` is the
    mean correlation between the inputs of two starts, over all pairs: 1 where the unit has one optimal input, near 0
    where each start finds its own. Untrained networks in the store (`record_nulls`) are measured beside the trained
    one: what they reach, and where, is the architecture's.

    Parameters
    ----------
    experiment : Experiment
        A store with outcomes whose inputs were optimised themselves (of priors without codes).
    set_up : str, optional
        By default all.

    Returns
    -------
    DataFrame
        ``set_up, network, null, target, starts, objective_before, objective_after`` (means over starts),
        ``agreement, agreement_low, agreement_high`` (mean, smallest and largest correlation of two starts; missing of
        a single start, or where an input is constant), ``active_s``, how many seconds of the input hold values above a
        hundredth of its largest, and ``window_s``, how many there are.

    Raises
    ------
    DataError
        There are no such outcomes.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.models import CommandClassifier
    >>> from layerstats.probes import maximize_activations
    >>> network = CommandClassifier(outputs=2, channels=(2, 2, 2), hidden=(4, 4, 4))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     experiment = maximize_activations(network, ["conv1:0:3/3"], f"{folder}/s.zarr", starts=2, steps=2)
    ...     agreement_of_starts(experiment)[["target", "starts"]].values.tolist()
    [['conv1:0:3/3', 2]]
    """
    rows = []
    for name in experiment.outcomes["name"]:
        outcome = experiment.outcome(str(name))
        if "features_after" not in outcome or set_up not in (None, outcome.attrs["set_up"]):
            continue
        targets = outcome["target"].to_numpy().astype(object)
        for target in dict.fromkeys(targets.tolist()):
            rows.append(_measured(outcome.isel(start=np.flatnonzero(targets == target)), target))
    if not rows:
        raise DataError(
            f"{experiment.path} has no outcomes whose inputs were optimised themselves"
            f"{f' under the set-up {set_up!r}' if set_up else ''}. Make some: layerstats maximize NETWORK STORE "
            "--settings krug2018"
        )
    return check_frame(pd.DataFrame(rows), "agreement_of_starts")


def _measured(outcome: xr.Dataset, target: str) -> dict[str, object]:
    inputs = outcome["features_after"].to_numpy().astype(float)
    flat = inputs.reshape(len(inputs), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    sizes = np.linalg.norm(flat, axis=1)
    pairs = [
        float(np.clip(flat[one] @ flat[other] / (sizes[one] * sizes[other]), -1, 1))
        for one, other in itertools.combinations(range(len(flat)), 2)
        if sizes[one] and sizes[other]
    ]
    across = tuple(range(2, inputs.ndim))
    largest = np.abs(inputs).max(axis=across) if across else np.abs(inputs)
    active = (largest > largest.max(axis=1, keepdims=True) / 100).sum(axis=1).mean()
    frame_s = _frame_s(outcome)
    return {
        **{name: str(outcome.attrs[name]) for name in ("set_up", "network", "null")},
        "target": target,
        "starts": len(inputs),
        **{name: float(outcome[name].to_numpy().mean()) for name in ("objective_before", "objective_after")},
        "agreement": float(np.mean(pairs)) if pairs else np.nan,
        "agreement_low": min(pairs, default=np.nan),
        "agreement_high": max(pairs, default=np.nan),
        "active_s": float(active) * frame_s,
        "window_s": inputs.shape[1] * frame_s,
    }


def _frame_s(outcome: xr.Dataset) -> float:
    """Return the seconds from one value to the next along the first axis of what is heard; NaN where it is not time."""
    front_end = json.loads(str(outcome.attrs.get("front_end") or "{}"))
    if not {"hop", "rate_hz"} <= front_end.keys():
        return float("nan")
    return float(front_end["hop"]) / float(front_end["rate_hz"])
