"""What training of a ciwGAN or fiwGAN gives back."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from layerstats.models import InfoWaveGAN, ModelCard


@dataclass(frozen=True)
class GanResult:
    """A trained ciwGAN or fiwGAN and how it came about.

    Parameters
    ----------
    model : InfoWaveGAN
        The network of the best step, in eval mode, on the CPU.
    card : ModelCard
        What a reader of the checkpoint has to know.
    history : DataFrame
        One row for every time it was looked at: `step, critic_gap, penalty, generator_loss, code_loss, code_entropy,
        code_information, diversity, spectral_distance, held_out_gap, lexical_accuracy, seconds`. Losses are means since
        the row before.
    best_step : int
        The step whose network is kept.
    stopped : str
        Why training ended.
    first_process : bool
        Whether this is the process that writes files, where torchrun started several.
    """

    model: InfoWaveGAN
    card: ModelCard
    history: pd.DataFrame
    best_step: int
    stopped: str
    first_process: bool = True
