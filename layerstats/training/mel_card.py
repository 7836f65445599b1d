"""What the cards of networks that learned from mel spectrograms say of their training."""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch

from layerstats.training.epochs import EpochOptions
from layerstats.training.features import MelFeatures
from layerstats.training.utterances import UtteranceFeatures


def training_facts(
    features: MelFeatures | UtteranceFeatures, options: EpochOptions, history: pd.DataFrame, place: torch.device
) -> dict[str, Any]:
    """Return the plain facts: speech, settings, time and hardware."""
    learned = features.tokens.loc[features.tokens["split"] == "train"]
    last = history.to_dict("records")[-1]
    gpu = place.type == "cuda"
    return {
        "corpus": features.name,
        "corpus_hash": features.content_hash,
        "speakers": len(set(learned["speaker"])),
        "tokens": len(learned),
        "epochs": int(last["epoch"]),
        "steps": int(last["steps"]),
        "seed": options.seed,
        "batch_size": options.batch_size,
        "learning_rate": options.learning_rate,
        "optimiser": "Adam, learning rate "
        + ("up over the first tenth of the steps, then down along a half cosine", "constant")[
            options.schedule == "constant"
        ],
        "seconds": round(last["seconds"]),
        "hardware": torch.cuda.get_device_name(place) if gpu else f"CPU, {torch.get_num_threads()} threads",
        "torch": torch.__version__,
    }
