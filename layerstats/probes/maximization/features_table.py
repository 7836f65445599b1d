"""Features before maximization, after it, and their difference, as a tidy table: what Fig. 2 of Soomro et al. shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from layerstats.errors import ArgumentError
from layerstats.models.mel import band_centres_hz
from layerstats.probes.maximization.priors.protocol import Prior
from layerstats.probes.maximization.rendering import rendered, stored_hearing
from layerstats.store import Experiment


def features_table(
    experiment: Experiment,
    targets: Sequence[str] | None = None,
    *,
    set_ups: Sequence[str] | None = None,
    network: str | None = None,
    number: int = 0,
    priors: Sequence[str | Prior] = (),
) -> pd.DataFrame:
    """Return the mel features of one start of each target and set-up, before and after, and after minus before.

    Parameters
    ----------
    experiment : Experiment
        A store with outcomes of a network with a mel front end.
    targets : sequence of str, optional
        Classes, in the order of the rows of the figure; by default the first three.
    set_ups : sequence of str, optional
        By default all that are no null, in the order of the store.
    network : str, optional
        Target network, where there are several.
    number : int
        Which start of each target, from 0: the one of that number, whether it was successful or not.
    priors : sequence of str or Prior
        What decodes codes: "autoencoder:FILE", ...; each is used for the set-ups that were made with its kind.

    Returns
    -------
    DataFrame
        ``set_up, target, start, features, time_s, mel, frequency_hz, value``: `features` is "before", "after" or
        "difference", `mel` the number of the band from the lowest, 0, `frequency_hz` its centre; a row a value.

    Raises
    ------
    ArgumentError
        There is no such set-up, network, target or number; a prior is missing; or the network hears no mel features.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.models import CommandClassifier
    >>> from layerstats.probes import maximize_activations
    >>> network = CommandClassifier(outputs=2, channels=(2, 2, 2), hidden=(4, 4, 4))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     experiment = maximize_activations(network, ["1"], f"{folder}/s.zarr", starts=1, steps=1)
    ...     table = features_table(experiment, ["1"])
    >>> len(table), table["features"].unique().tolist()
    (21600, ['before', 'after', 'difference'])
    """
    listed = experiment.outcomes.loc[lambda table: table["null"].astype(str) == ""]
    chosen = list(dict.fromkeys(listed["set_up"])) if set_ups is None else list(set_ups)
    by_kind = {_kind(prior): prior for prior in priors}
    parts = []
    for set_up in chosen:
        mine = listed.loc[(listed["set_up"] == set_up) & ((network is None) | (listed["network"] == network))]
        if len(mine) != 1:
            there = ", ".join(listed["set_up"] + " of " + listed["network"])
            raise ArgumentError(
                f"{len(mine)} sets of outcomes are of the set-up {set_up!r}"
                + ("" if network is None else f" and the network {network!r}")
                + f". There are: {there}. Choose the set-ups and one network (set_ups=, network=)."
            )
        outcome = experiment.outcome(str(mine["name"].iloc[0]))
        prior = by_kind.get(str(outcome.attrs["prior"]))
        wanted = list(dict.fromkeys(outcome["target"].to_numpy().tolist()))[:3] if targets is None else targets
        parts += [_one(outcome, set_up, target, number, prior) for target in wanted]
    if not parts:
        raise ArgumentError(
            f"{experiment.path} has no outcomes to show. Make some: layerstats maximize CHECKPOINT STORE"
        )
    return pd.concat(parts, ignore_index=True)


def _kind(prior: str | Prior) -> str:
    return prior.partition(":")[0].partition("?")[0] if isinstance(prior, str) else prior.name


def _one(outcome: xr.Dataset, set_up: str, target: str, number: int, prior: str | Prior | None) -> pd.DataFrame:
    hearing = stored_hearing(outcome.attrs)
    if hearing.dims != ("time", "mel") or "hop" not in hearing.front_end:
        raise ArgumentError(
            f"The network {outcome.attrs['network']!r} of the set-up {set_up!r} hears ({', '.join(hearing.dims)}) and "
            "no mel features that could be drawn. Choose one with a mel front end."
        )
    targets, numbers = outcome["target"].to_numpy().astype(object), outcome["number"].to_numpy()
    rows = np.flatnonzero((targets == target) & (numbers == number))
    if len(rows) != 1:
        known = ", ".join(dict.fromkeys(targets.tolist()))
        raise ArgumentError(
            f"The set-up {set_up!r} has no start {number} of the target {target!r}. Its targets are {known}, with "
            f"starts from 0 to {numbers.max()}."
        )
    before, after = (rendered(outcome, rows, which, prior=prior)[0] for which in ("before", "after"))
    frames, mels = before.shape
    seconds = np.arange(frames) * float(hearing.front_end["hop"]) / float(hearing.front_end["rate_hz"])  # pyright: ignore[reportArgumentType]
    limits = [float(hearing.front_end[name]) for name in ("low_hz", "high_hz")]  # pyright: ignore[reportArgumentType]
    place = {
        "time_s": np.repeat(seconds, mels),
        "mel": np.tile(np.arange(mels), frames),
        "frequency_hz": np.tile(band_centres_hz(mels, *limits), frames),
    }
    values = {"before": before, "after": after, "difference": after - before}
    about = {"set_up": set_up, "target": target, "start": str(outcome["start"].to_numpy()[rows[0]])}
    return pd.concat(
        [
            pd.DataFrame({**place, "value": value.ravel()}).assign(**about, features=name)
            for name, value in values.items()
        ],
        ignore_index=True,
    ).loc[:, ["set_up", "target", "start", "features", "time_s", "mel", "frequency_hz", "value"]]
