"""The model card of a ciwGAN or fiwGAN."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd
import torch

from layerstats.corpora import Clips
from layerstats.models import ModelCard
from layerstats.training.gan.monitor import MOST_WATCHED
from layerstats.training.gan.options import GanOptions

_LIMITS = (
    "Learned without word labels: nothing says that its codes are words. Measure that with stats.lexical before "
    "reading anything into it.",
    "Its speakers are those of the corpus named above; what it makes of other kinds of speech is not implied.",
)
_WATCHED = ("code_entropy", "code_information", "diversity", "spectral_distance", "held_out_gap", "lexical_accuracy")


def gan_card(
    clips: Clips,
    options: GanOptions,
    history: pd.DataFrame,
    best_step: int,
    stopped: str,
    place: torch.device,
    processes: int,
) -> ModelCard:
    """Say how a network was trained and what was seen of it at the step that is kept."""
    sides = {side: clips.tokens.loc[clips.tokens["split"] == side] for side in ("train", "test")}
    kept = history.loc[history["step"] == best_step].iloc[0]
    last = history.iloc[-1]
    codes = f"{options.codes} {'categories' if options.kind == 'ciwgan' else 'bits'}"
    name = torch.cuda.get_device_name(place) if place.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    told = asdict(options)
    for architecture in ("kind", "codes", "latent", "width", "slope", "phase_shuffle"):
        del told[architecture]
    return ModelCard(
        name=f"{options.kind}-{clips.corpus.name}",
        description=f"A {options.kind} with {codes} after Begus & Zhou (2022): generator, critic and Q-network, "
        f"trained without labels on clips of {clips.samples} samples at {clips.rate_hz} Hz.",
        training={
            "corpus": clips.corpus.name,
            "corpus_hash": clips.content_hash(),
            "words": len(set(sides["train"]["word"])),
            "speakers": len(set(sides["train"]["speaker"])),
            "tokens": len(sides["train"]),
            "steps": int(last["step"]),
            "step_kept": best_step,
            "kept_because": "largest code_information - spectral_distance on held-out speech among the steps looked "
            "at that had not collapsed; no label chose it",
            "ended": stopped,
            **told,
            "optimisers": "Adam (0.5, 0.9) for generator and critic, RMSProp for Q-network and generator",
            "seconds": round(float(last["seconds"])),
            "hardware": f"{name}, {processes} process{'es' * (processes > 1)}",
            "torch": torch.__version__,
        },
        evaluation={
            "held_out_speakers": len(set(sides["test"]["speaker"])),
            "held_out_tokens": len(sides["test"]),
            "of_which_watched": min(len(sides["test"]), MOST_WATCHED),
            **{name: round(float(kept[name]), 4) for name in _WATCHED},
        },
        limits=_LIMITS,
    )
