"""What training gives back."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from torch import nn

from layerstats.models import ModelCard


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
