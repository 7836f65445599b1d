"""The part of `layerstats demo` that asks where answers come from: in the sound, and in the spectrogram of letters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layerstats.cli.progress import Steps
    from layerstats.corpora import Clips

# A small cut: relevance at the input alone, by one rule, beside a few untrained networks.
METHOD, UNTRAINED = "epsilon", 5
LETTERS, WINDOWS, UTTERANCES = "e", 2, 4
ANALYSES = ("relevance_contrasts", "relevance_maps")


def record_small_relevance(step: Steps, clips: Clips, checkpoint: Path, folder: Path) -> list[Path]:
    """Record what the decisions of a network rest on, of a GAN those of both its encoders; returns a store for each."""
    from layerstats.models import load_checkpoint, part
    from layerstats.probes import Relevance, decision, network_attributes, record_relevance, record_untrained

    network, card = load_checkpoint(checkpoint)
    parts = ("q_network", "discriminator") if hasattr(network, "generator") else (None,)
    step(f"recording relevance, with {UNTRAINED} untrained networks")
    stores = []
    for done, name in enumerate(parts, start=1):
        module, store = part(network, name) if name else network, folder / f"{name or checkpoint.stem}.zarr"
        attrs = network_attributes(card, name) if name else network_attributes(card)
        options = {"layers": "input", "attrs": attrs}
        record_relevance(module, clips, store, decision, METHOD, summary="mean", **options)
        quantity = Relevance(decision, method=METHOD, summary="mean")
        record_untrained(module, clips, store, range(UNTRAINED), quantity=quantity, **options)
        stores.append(store)
        step.move(done, len(parts))
    return stores


def relevance_jobs(stores: list[Path], *, letters: bool) -> dict[str, list[str]]:
    """Return the arguments of the scripts of `analyses/` on relevance; of letters only where they were learned."""
    from layerstats.resources import bundled

    jobs = {"relevance_contrasts": [str(store) for store in stores]}
    if letters:
        network = bundled("data", "checkpoints", "wav2letter.safetensors")
        few = ["--letters", LETTERS, "--windows", str(WINDOWS), "--utterances", str(UTTERANCES)]
        jobs["relevance_maps"] = [str(network), "--corpus", "demo:sentences", *few]
    return jobs
