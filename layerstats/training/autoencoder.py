"""Training of the autoencoder of mel spectrograms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from layerstats.corpora import Clips, Corpus
from layerstats.models import MelAutoencoder, ModelCard, choose_device, repeatable, seeded
from layerstats.models.mel import open_front_end
from layerstats.training.augment import vary_features
from layerstats.training.epochs import EpochOptions, EpochTraining
from layerstats.training.features import MelFeatures, mel_features
from layerstats.training.mel_card import training_facts
from layerstats.training.result import AutoencoderResult

_LIMITS = (
    "Its codes are those of the speech named above; other speech is rebuilt as far as it is like it.",
    "A code drawn from a normal distribution need not be that of any speech: look at what it decodes to.",
)


def train_autoencoder(
    speech: Corpus | Clips | MelFeatures,
    *,
    codes: int = 256,
    channels: Sequence[int] = (16, 32, 64, 128),
    front_end: dict[str, Any] | None = None,
    epochs: int = 50,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    schedule: str = "constant",
    seed: int = 0,
    augment: bool = False,
    held_out: int | None = None,
    device: str = "auto",
    folder: str | Path | None = None,
    resume: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> AutoencoderResult:
    """Train the autoencoder of Soomro et al. (2019), and measure how it rebuilds speakers that it has not heard.

    Binary cross-entropy between mel spectrograms (between 0 and 1) and what comes out, Adam. Words play no part. Sides,
    seeds and resuming are those of `train_commands`. At the end the mean and the covariance of the training speech's
    codes are put into the network.

    Parameters
    ----------
    speech : Corpus, Clips or MelFeatures
        A Corpus is heard as `clips_for` says.
    codes, channels, front_end
        As for `MelAutoencoder`.
    epochs, batch_size, learning_rate, schedule, seed
        As for `EpochOptions`.
    augment : bool
        Change place, tempo, tract, level and microphone of spectrograms while training (`vary_features` without rooms
        and noise); the paper's were not.
    held_out, device, folder, resume, progress
        As for `train_commands`.

    Returns
    -------
    AutoencoderResult

    Raises
    ------
    ArgumentError
        A parameter is out of range; the features have another front end; or the folder holds another training.
    AudioError
        The audio of a token cannot be used; before anything is trained.
    CorpusError
        There are fewer than two speakers, or a speaker is on both sides.
    FitError
        The loss became NaN or infinite.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> speech = demo_corpus(words=["yes"], voices=4)
    >>> result = train_autoencoder(speech, codes=4, channels=(1, 1, 1, 1), epochs=1)
    >>> result.history["epoch"].tolist()
    [1]
    """
    options = EpochOptions(epochs, batch_size, learning_rate, schedule, seed)
    place = choose_device(device)
    ears = open_front_end(front_end)
    features = mel_features(speech, ears).held_out(seed, held_out)
    learned, tested = features.rows("train"), features.rows("test")
    with seeded(seed, place), repeatable():
        model = MelAutoencoder(codes, channels, ears).to(place)
        heard = min(ears.frames, 1 + ears.samples // ears.hop)

        def loss(batch: Tensor, random: torch.Generator) -> Tensor:
            mels = features.batch(learned[batch]).to(place)
            if augment:
                mels = vary_features(mels, random, heard, noise=False)
            return _loss(model, mels)

        def look() -> dict[str, float]:
            return rebuilding(model, features, tested)

        told = {"held_out": features.told_sides(), "augmentation": augment, **model.configuration}
        training = EpochTraining(model, len(learned), loss, look, options)
        history = training.run(None if folder is None else Path(folder), resume, told, features.content_hash, progress)
        model.eval()
        _keep_distribution(model, features, learned)
    facts = {**training_facts(features, options, history, place), "augmentation": augment}
    card = _card(features, history, facts, codes)
    return AutoencoderResult(model.cpu(), card, float(history["held_out_loss"].iloc[-1]), history)


def _loss(model: MelAutoencoder, mels: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(model.decode_logits(model.encode(mels)), mels)


@torch.no_grad()
def rebuilding(model: MelAutoencoder, features: MelFeatures, rows: Tensor) -> dict[str, float]:
    """Return `held_out_loss` and `held_out_error_db` (root mean square, in dB) over tokens by their positions."""
    place = model.code_mean.device
    losses, squares = 0.0, 0.0
    for batch in rows.split(256):
        mels = features.batch(batch).to(place)
        losses += float(_loss(model, mels)) * len(batch)
        squares += float((model(mels) - mels).square().mean()) * len(batch)
    return {
        "held_out_loss": losses / len(rows),
        "held_out_error_db": float(features.front_end["range_db"]) * (squares / len(rows)) ** 0.5,
    }


@torch.no_grad()
def _keep_distribution(model: MelAutoencoder, features: MelFeatures, rows: Tensor) -> None:
    """Put mean and symmetric root of the covariance of these tokens' codes into the network."""
    place = model.code_mean.device
    codes = torch.cat([model.encode(features.batch(batch).to(place)) for batch in rows.split(256)]).double().cpu()
    mean = codes.mean(dim=0)
    covariance = (codes - mean).mT @ (codes - mean) / max(len(codes) - 1, 1)
    values, vectors = torch.linalg.eigh(covariance)
    model.code_mean.copy_(mean)
    model.code_root.copy_((vectors * values.clamp_min(0).sqrt()) @ vectors.mT)


def _card(features: MelFeatures, history: pd.DataFrame, facts: dict[str, Any], codes: int) -> ModelCard:
    last = history.to_dict("records")[-1]
    held_out = features.tokens.loc[features.tokens["split"] == "test"]
    return ModelCard(
        name=f"autoencoder-{features.name}",
        description=f"Rebuilds mel spectrograms from {codes} codes: the autoencoder of Soomro et al. (2019), a "
        "prior over speech for activation maximization, and its mel front end.",
        training=facts,
        evaluation={
            "held_out_speakers": len(set(held_out["speaker"])),
            "held_out_tokens": len(held_out),
            "held_out_cross_entropy": round(last["held_out_loss"], 4),
            "held_out_root_mean_square_error_db": round(last["held_out_error_db"], 2),
        },
        limits=_LIMITS,
    )
