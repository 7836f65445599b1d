"""The part of `layerstats demo` that asks what layers know of phones: vectors of phones, ABX, a probe, similarity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layerstats.cli.progress import Steps

# A small cut: some layers, few untrained networks, and phones that most voices say several times.
LAYERS, UNTRAINED = ("conv1", "conv4", "conv8", "conv11"), 3
PHONES = "s,z,t,d,k,n,r,l,ih,iy,eh,ae"
PROBE = ["--column", "label", "--folds", "3"]
ANALYSES = ("phone_layers",)
# Processes that record, where there is more than one shard or network; one would write the same numbers.
WORKERS = 2


def record_small_vectors(step: Steps, store: Path) -> Path:
    """Record phones in layers of the shipped network of letters, of untrained twins, and the sound alone; returns it.

    The network has heard neither the voices nor the sentences.
    """
    from layerstats.corpora import clips_for, open_corpus
    from layerstats.models import load_checkpoint
    from layerstats.probes import Activation, network_attributes, record, record_acoustics, record_untrained
    from layerstats.resources import bundled

    network, card = load_checkpoint(bundled("data", "checkpoints", "wav2letter.safetensors"))
    speech = open_corpus("demo:sentences")
    unheard = speech.tokens.loc[(speech.tokens[["voice_split", "sentence_split"]] == "test").all(axis=1), "token"]
    # Sentences as long as they are: the zeros that fill a clip would be heard.
    clips = clips_for(network, speech.subset(tokens=unheard.tolist()), samples=None)
    shared = {"quantity": Activation(phones=True), "progress": step.move, "workers": WORKERS}
    of_network = {"layers": list(LAYERS), "attrs": network_attributes(card), **shared}
    step(f"recording vectors of phones, {UNTRAINED} untrained networks on {WORKERS} worker processes")
    record(network, clips, store, **of_network)
    record_untrained(network, clips, store, range(UNTRAINED), **of_network)
    record_acoustics(clips, store, quantity=shared["quantity"], progress=step.move)
    return store


def phone_vector_jobs(store: Path) -> dict[str, list[str]]:
    """Return the arguments of the script of `analyses/` on vectors of phones."""
    return {"phone_layers": [str(store), "--phones", PHONES, *PROBE, "--workers", "1"]}


def about_phones() -> str:
    """Say in words whose phones are looked at, in which network."""
    return (
        f"\n\nPhones in layers: {len(PHONES.split(','))} phones of synthetic voices in the network that ships for "
        "reading letters, which learned from other voices and sentences, beside the sound alone and "
        f"{UNTRAINED} untrained networks. A small cut: so few networks have no rank with a p-value below "
        f"{1 / (UNTRAINED + 1):.2f}."
    )
