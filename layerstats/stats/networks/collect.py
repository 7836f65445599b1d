"""Which networks several stores hold: their kinds, their seeds, and which of them were trained together."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.contrasts.untrained import MEASURED, SCORE, agree
from layerstats.store import Experiment, open_store
from layerstats.tables.readable_names import WRITTEN

UNTRAINED = "untrained"


@dataclass(frozen=True, eq=False)
class Network:
    """One network that heard the tokens.

    Attributes
    ----------
    kind
        What it is compared as, for instance "ciwGAN Q-network", "supervised" or "untrained ciwGAN".
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


def list_networks(stores: Sequence[Experiment | str | os.PathLike[str]], quantity: str = "activation") -> list[Network]:
    """List the networks in stores that were recorded on the same tokens.

    Each recording of the quantity by a trained network is one; its attributes `network_kind` and `network_seed` (and
    `part`, for parts of one network) say which; those that others trained, of which no seed is known, are told apart by
    `network` and numbered in the order of the stores. Untrained networks are those of the first store of each
    `network_kind` that has any: a Q-network's and a discriminator's are the same networks again. Those of different
    kinds are kept apart, since networks whose weights are drawn in another way differ before they have learned
    anything.

    Parameters
    ----------
    stores
        Paths, of which all such recordings are meant, or views of one recording each, with the same selection in all.
    quantity
        What is recorded: "activation", "relevance", "gradient", ...; views of one recording say it themselves.

    Returns
    -------
    list of Network
        In the order of the stores; untrained ones last.

    Raises
    ------
    DataError
        A recording does not say what network it is of, two are of the same one, or the tokens differ.

    Examples
    --------
    >>> [(network.kind, network.seed) for network in list_networks(["q_0.zarr", "words_0.zarr"])]
    [('ciwGAN Q-network', 0), ('supervised', 0)]
    """
    if isinstance(stores, str | os.PathLike | Experiment):
        raise ArgumentError(f"The 'stores' parameter must be a list of stores, but got {stores!r} instead.")
    views = [view for store in stores for view in _views(store, quantity)]
    if not views:
        raise ArgumentError("The 'stores' parameter must list at least one store, but it is empty.")
    _check_same_tokens(views)
    called: dict[str, dict[str, int]] = {}
    trained = [_main(view, called) for view in views if view.trained]
    twice = [key for key, count in Counter((one.kind, one.seed) for one in trained).items() if count > 1]
    if twice:
        raise DataError(
            f"The network {twice[0][0]!r} with seed {twice[0][1]} occurs more than once. Give each store once, and "
            "each training a seed of its own (the attribute 'network_seed' of its recording). Where a store holds "
            "several recordings of a network, of other scores, give one of them: open_store(path, recording=...)."
        )
    return [*trained, *_untrained(views)]


def _views(store: Experiment | str | os.PathLike[str], quantity: str) -> list[Experiment]:
    """Return a view of a recording as it is, and of a store what it has of a quantity of its trained networks."""
    if isinstance(store, Experiment) and store.has_recording:
        return [store]
    opened = store if isinstance(store, Experiment) else open_store(store)
    table = opened.recordings
    chosen = table[table["complete"].astype(bool) & (table["quantity"] == quantity)]
    if chosen.empty:
        known = ", ".join(sorted(set(table["quantity"].astype(str)))) or "nothing"
        raise ArgumentError(f"{opened.path} has no finished recording of {quantity!r}. It holds: {known}.")
    trained = chosen.loc[chosen["trained"].astype(bool), "recording"].tolist()
    # Of a store of untrained networks any one stands for it.
    return [opened.recording(str(name)) for name in trained or chosen["recording"].tolist()[:1]]


def _main(view: Experiment, called: dict[str, dict[str, int]]) -> Network:
    """Return a network; one of which a name is known and no seed is numbered among those of its kind, in `called`."""
    attributes = dict(view.attrs)
    if "network_seed" not in attributes and {"network", "network_kind"} <= attributes.keys():
        names = called.setdefault(str(attributes["network_kind"]), {})
        attributes["network_seed"] = names.setdefault(str(attributes["network"]), len(names))
    missing = [name for name in ("network_kind", "network_seed") if name not in attributes]
    if missing:
        raise DataError(
            f"The recording in {view.path} does not say which network it is of: the attribute {missing[0]!r} is "
            "missing. 'layerstats record' writes it for layerstats's checkpoints; for other networks pass "
            "attrs={'network_kind': 'supervised', 'network_seed': 0} to record_activations."
        )
    kind, seed = _kind(view), int(attributes["network_seed"])
    part = attributes.get("part")
    label = kind if part is None else f"{kind} {WRITTEN.get(str(part), str(part))}"
    return Network(label, seed, (kind if part is not None else label, seed), view)


def _kind(view: Experiment) -> str:
    kind = str(view.attrs["network_kind"])
    return WRITTEN.get(kind, kind)


def _untrained(views: Sequence[Experiment]) -> list[Network]:
    """Return the untrained networks of the first store of each kind that has any."""
    found: dict[str, dict[int, Experiment]] = {}
    first: dict[str, Path] = {}
    for view in views:
        for seed, other in _untrained_recordings(view):
            kind = _kind(other if "network_kind" in other.attrs else view)
            if first.setdefault(kind, view.path) == view.path:
                found.setdefault(kind, {})[seed] = other
    # Where there is one sort only, its name needs no more.
    labels = {kind: UNTRAINED if len(found) == 1 else f"{UNTRAINED} {kind}" for kind in found}
    return [
        Network(labels[kind], seed, (labels[kind], seed), view)
        for kind, recordings in found.items()
        for seed, view in recordings.items()
    ]


def _untrained_recordings(view: Experiment) -> list[tuple[int, Experiment]]:
    """Return the same selection in every untrained network that the view's store has of the same, with its seed."""
    table = view.recordings
    alike = table["complete"].astype(bool) & (table["quantity"] == view.quantity) & table["network_seed"].notna()
    chosen = table[alike & ~table["trained"].astype(bool)]
    pairs = zip(chosen["network_seed"], chosen["recording"], strict=True)
    others = [(int(seed), view.recording(str(name))) for seed, name in pairs]
    return [(seed, other) for seed, other in others if agree(view, other, (*MEASURED, *SCORE))]


def _check_same_tokens(views: Sequence[Experiment]) -> None:
    first = views[0]
    for view in views[1:]:
        if view.quantity != first.quantity or not agree(first, view, MEASURED):
            told = [{"quantity": one.quantity, **_measured(one)} for one in (first, view)]
            raise DataError(
                f"Networks are compared in the same quantity, but {first.path} holds {told[0]} and {view.path} "
                f"{told[1]}. Where a store holds several, give the one that is meant: open_store(path, recording=...)."
            )
        if view.summary != first.summary:
            raise DataError(
                f"{first.path} holds the {first.summary} over channels and {view.path} the {view.summary}: these are "
                "not the same quantity. Record both with the same 'summary'."
            )
        different = [name for name in ("tables_hash", "corpus_hash") if first.attrs.get(name) != view.attrs.get(name)]
        if different or first.tokens["token"].tolist() != view.tokens["token"].tolist():
            raise DataError(
                f"Networks are compared on the same tokens, but those of {view.path} are not those of {first.path}. "
                "Record them on the same corpus, with the same split and clips, and select the same tokens."
            )


def _measured(view: Experiment) -> dict[str, object]:
    return {name: view.recording_attrs[name] for name in MEASURED if name in view.recording_attrs}
