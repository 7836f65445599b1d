"""Which networks several stores hold: their kinds, their seeds, and which of them were trained together."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from layerstats.errors import ArgumentError, DataError
from layerstats.store import Experiment, open_store

UNTRAINED = "untrained"
# How the parts of a network are written in tables and figures.
PART_NAMES = {"q_network": "Q-network", "discriminator": "discriminator"}


@dataclass(frozen=True, eq=False)
class Network:
    """One network that heard the tokens.

    Attributes
    ----------
    kind
        What it is compared as, for instance "ciwgan Q-network", "supervised" or "untrained".
    seed
        Seed of its training, or of its random weights.
    run
        The training that it came from; a Q-network and a discriminator of one training share it.
    view
        Its recording.
    """

    kind: str
    seed: int
    run: tuple[str, int]
    view: Experiment


def list_networks(stores: Sequence[Experiment | str | os.PathLike[str]]) -> list[Network]:
    """List the networks in stores that were recorded on the same tokens.

    The main recording of each store is a network; its attributes `network_kind` and `network_seed` (and `part`, for
    parts of one network) say which. Untrained networks are taken from the first store that has any: where others hold
    twins of the same shape, they are the same networks again.

    Parameters
    ----------
    stores
        Paths, or views with a selection, the same one in all.

    Returns
    -------
    list of Network
        In the order of the stores; untrained ones last.

    Raises
    ------
    DataError
        A recording does not say what network it is of, two are of the same one, or the tokens differ.
    """
    if isinstance(stores, str | os.PathLike | Experiment):
        raise ArgumentError(f"The 'stores' parameter must be a list of stores, but got {stores!r} instead.")
    views = [store if isinstance(store, Experiment) else open_store(store) for store in stores]
    if not views:
        raise ArgumentError("The 'stores' parameter must list at least one store, but it is empty.")
    _check_same_tokens(views)
    trained = [_main(view) for view in views if view.name == "activations"]
    untrained = next((found for found in map(_untrained, views) if found), [])
    twice = [key for key, count in Counter((one.kind, one.seed) for one in trained).items() if count > 1]
    if twice:
        raise DataError(
            f"The network {twice[0][0]!r} with seed {twice[0][1]} occurs more than once. Give each store once, and "
            "each training a seed of its own (the attribute 'network_seed' of its recording)."
        )
    return [*trained, *untrained]


def _main(view: Experiment) -> Network:
    attributes = view.attrs
    missing = [name for name in ("network_kind", "network_seed") if name not in attributes]
    if missing:
        raise DataError(
            f"The recording in {view.path} does not say which network it is of: the attribute {missing[0]!r} is "
            "missing. 'layerstats record' writes it for layerstats's checkpoints; for other networks pass "
            "attrs={'network_kind': 'supervised', 'network_seed': 0} to record_activations."
        )
    kind, seed = str(attributes["network_kind"]), int(attributes["network_seed"])
    part = attributes.get("part")
    label = kind if part is None else f"{kind} {PART_NAMES.get(str(part), str(part))}"
    return Network(label, seed, (kind if part is not None else label, seed), view)


def _untrained(view: Experiment) -> list[Network]:
    recordings = view.recordings
    names = [
        str(name)
        for name, complete in zip(recordings["recording"], recordings["complete"], strict=True)
        if complete and str(name).startswith(f"{UNTRAINED}/")
    ]
    seeds = [int(name.rpartition("_")[2]) for name in names]
    return [
        Network(UNTRAINED, seed, (UNTRAINED, seed), view.recording(name))
        for name, seed in zip(names, seeds, strict=True)
    ]


def _check_same_tokens(views: Sequence[Experiment]) -> None:
    first = views[0]
    for view in views[1:]:
        different = [name for name in ("tables_hash", "corpus_hash") if first.attrs.get(name) != view.attrs.get(name)]
        if different or first.tokens["token"].tolist() != view.tokens["token"].tolist():
            raise DataError(
                f"Networks are compared on the same tokens, but those of {view.path} are not those of {first.path}. "
                "Record them on the same corpus, with the same split and clips, and select the same tokens."
            )
