"""Maximized items beside natural ones in one store: what a network gives of both, layer by layer."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence

import pandas as pd
from torch import nn

from layerstats.corpora import Clips, Corpus
from layerstats.errors import ArgumentError
from layerstats.models import part, untrained
from layerstats.probes.heard_items import natural_items, outcome_items
from layerstats.probes.maximization import Prior
from layerstats.probes.record_heard import record_heard
from layerstats.store import Experiment, open_store, untrained_name


def record_beside_natural(
    network: nn.Module,
    outcomes: Experiment,
    corpus: Corpus | Clips,
    store: str | os.PathLike[str],
    *,
    name: str | None = None,
    nulls: Collection[str] = ("random_direction",),
    words: Collection[str] | None = None,
    starts: int | None = None,
    prior: str | Prior | None = None,
    layers: str | Sequence[str] | None = None,
    untrained_seeds: Collection[int] = (),
    attrs: Mapping[str, object] | None = None,
    device: str = "auto",
) -> Experiment:
    """Record natural tokens, starts before and after maximization, and nulls of it, as one network hears them.

    The tokens of the store have a column ``condition``: "natural", "maximized", "before" (zero steps), the nulls, and,
    of a prior that is an autoencoder, "reconstructed": natural tokens through it.

    Parameters
    ----------
    network : torch.nn.Module
        The target network.
    outcomes : Experiment
        The store of the maximization.
    corpus : Corpus or Clips
        Natural speech with the classes as words.
    store : path
        The new store.
    name : str, optional
        Of the outcome set; may be left out where one of them is no null.
    nulls : collection of str
        Nulls of the same set-up and network that are taken along where the store has them.
    words : collection of str, optional
        By default all targets that the corpus has.
    starts : int, optional
        The first so many of every target.
    prior : str or Prior, optional
        Decodes stored codes: "autoencoder:FILE".
    layers : str or sequence of str, optional
        See `record_heard`.
    untrained_seeds : collection of int
        Untrained networks that hear the same items, recordings of their own.
    attrs : mapping, optional
        What recordings say of the network, from `network_attributes`.
    device : str
        "auto" (a GPU where there is one), or a torch device.

    Returns
    -------
    Experiment
        The store, seen through the recording of the network itself.

    Raises
    ------
    ArgumentError
        No outcome set, or several, are meant; a word is no target, or no word of the corpus is.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import CommandClassifier
    >>> from layerstats.probes import maximize_activations
    >>> network = CommandClassifier(outputs=2, channels=(1, 1, 1), hidden=(2, 2, 2))
    >>> speech = demo_corpus(words=["ask", "wash"], voices=2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     options = {"labels": ["ask", "wash"], "starts": 2, "steps": 2}
    ...     made = maximize_activations(network, ["wash"], f"{folder}/made.zarr", **options)
    ...     heard = record_beside_natural(network, made, speech, f"{folder}/heard.zarr", layers="conv1")
    ...     heard.tokens["condition"].value_counts().to_dict()
    {'natural': 2, 'maximized': 2, 'before': 2}
    """
    chosen = _outcome_name(outcomes.outcomes, name)
    outcome = outcomes.outcome(chosen)
    speech = corpus.corpus if isinstance(corpus, Clips) else corpus
    targets = set(map(str, outcome["target"].to_numpy()))
    used = sorted((targets if words is None else set(words)) & set(speech.words))
    strange = sorted(set(words or ()) - (targets & set(speech.words)))
    if strange or not used:
        raise ArgumentError(
            f"{', '.join(map(repr, strange or sorted(targets)))} must be targets of the outcomes and words of the "
            f"corpus. Targets: {', '.join(sorted(targets))}; words: {', '.join(speech.words)}."
        )
    natural = natural_items(network, speech.subset(words=used), device=device)
    parts = []
    if "codes_after" in outcome and outcome.attrs["prior"] == "autoencoder":
        parts.append(natural_items(network, speech.subset(words=used), through=prior, device=device))
    tokens = pd.concat([speech.tokens, outcomes.tokens]).drop_duplicates("token")
    taken = [(chosen, "after"), (chosen, "before")]
    listed = outcomes.outcomes
    here = (listed["set_up"] == outcome.attrs["set_up"]) & (listed["network"] == outcome.attrs["network"])
    taken += [(str(row["name"]), "after") for _, row in listed[here & listed["null"].isin(list(nulls))].iterrows()]
    for each, which in taken:
        found = outcomes.outcome(each)
        keep = pd.Series(found["target"].to_numpy().astype(object)).isin(used).to_numpy()
        given = found.isel(start=keep)
        parts.append(outcome_items(given, tokens, which=which, starts=starts, prior=prior, device=device))
    items = natural.joined(*parts)
    told = {"outcomes": chosen, "set_up": outcome.attrs["set_up"], **(attrs or {})}
    record_heard(network, items, store, layers, attrs=told, device=device)
    for seed in untrained_seeds:
        fresh, recording = untrained(part(network), seed), untrained_name(seed)
        fresh_told = {**told, "network_seed": seed}
        record_heard(fresh, items, store, layers, recording, trained=False, attrs=fresh_told, device=device)
    return open_store(store, recording="activations")


def _outcome_name(listed: pd.DataFrame, name: str | None) -> str:
    """Return the outcome set that is meant: the one of this name, or the only one that is no null."""
    known = listed["name"].astype(str)
    if name is not None:
        if name not in set(known):
            raise ArgumentError(f"There are no outcomes {name!r}. There are: {', '.join(known) or 'none'}.")
        return name
    own = known[(listed["null"].fillna("") == "").to_numpy()].tolist()
    if len(own) != 1:
        raise ArgumentError(f"Say which outcomes are meant: {', '.join(own or known) or 'the store has none'}.")
    return own[0]
