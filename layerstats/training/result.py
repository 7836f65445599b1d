"""What training gives back."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from torch import nn

from layerstats.models import MelAutoencoder, ModelCard, Wav2Letter


@dataclass(frozen=True)
class TrainingResult:
    """A trained network and how it came about.

    Parameters
    ----------
    model : torch.nn.Module
        The network, in eval mode, on the CPU.
    card : ModelCard
        What a reader of the checkpoint has to know.
    accuracy : float
        Share of the tokens of held-out speakers that are recognised, 0 to 1.
    words : tuple of str
        What each output stands for, in order.
    history : DataFrame
        One row an epoch: `epoch, steps, loss, train_accuracy, held_out_accuracy, seconds`.
    confusion : DataFrame
        Tokens of held-out speakers: `word, recognised_as, tokens`.
    """

    model: nn.Module
    card: ModelCard
    accuracy: float
    words: tuple[str, ...]
    history: pd.DataFrame
    confusion: pd.DataFrame


@dataclass(frozen=True)
class AutoencoderResult:
    """A trained autoencoder and how it came about.

    Parameters
    ----------
    model : MelAutoencoder
        The network, in eval mode, on the CPU, with the distribution of its training speech's codes.
    card : ModelCard
        What a reader of the checkpoint has to know.
    held_out_loss : float
        Binary cross-entropy of the tokens of held-out speakers.
    history : DataFrame
        One row an epoch: `epoch, steps, loss, held_out_loss, held_out_error_db, seconds`; the error is the root mean
        square over frames and bands, in dB.
    """

    model: MelAutoencoder
    card: ModelCard
    held_out_loss: float
    history: pd.DataFrame


@dataclass(frozen=True)
class LettersResult:
    """A trained network that reads letters and how it came about.

    Parameters
    ----------
    model : Wav2Letter
        The network, in eval mode, on the CPU.
    card : ModelCard
        What a reader of the checkpoint has to know.
    history : DataFrame
        One row an epoch: `epoch, steps, loss`, `<side>_letter_error_rate` of some utterances of each side, `seconds`.
    error_rates : DataFrame
        Of all utterances, a row a side: `side, utterances, letters, words, letter_error_rate, word_error_rate`.
    """

    model: Wav2Letter
    card: ModelCard
    history: pd.DataFrame
    error_rates: pd.DataFrame
