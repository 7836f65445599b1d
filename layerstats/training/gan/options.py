"""What decides how a ciwGAN or fiwGAN is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass

from layerstats.checks import check_choice, check_positive
from layerstats.errors import ArgumentError, CorpusError
from layerstats.models.infowavegan import KINDS

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class GanOptions:
    """Hyperparameters: training is resumed with the same ones only.

    Parameters
    ----------
    kind, codes, latent, width, slope, phase_shuffle
        As for `InfoWaveGAN`.
    batch_size : int
        Clips in an update, over all processes.
    critic_updates : int
        Updates of the critic for each of the generator and the Q-network.
    penalty : float
        Weight of the gradient penalty.
    learning_rate : float
        Step size of Adam for the generator and the critic.
    code_learning_rate : float
        Step size of RMSProp for the Q-network and, through it, the generator.
    seed : int
        Seed of weights and everything drawn.
    precision : {"float32", "bfloat16"}
        In which activations are computed; weights and optimisers stay float32. GPUs round the factors of float32
        convolutions to TF32, unless torch is told not to.

    Raises
    ------
    ArgumentError
        A value is out of range.

    Examples
    --------
    >>> GanOptions("ciwgan", codes=8).penalty
    10.0
    """

    kind: str
    codes: int
    latent: int = 100
    width: int = 64
    slope: float = 0.2
    phase_shuffle: int = 2
    batch_size: int = 64
    critic_updates: int = 5
    penalty: float = 10.0
    learning_rate: float = 1e-4
    code_learning_rate: float = 1e-4
    seed: int = 0
    precision: str = "float32"

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, KINDS)
        check_choice("precision", self.precision, PRECISIONS)
        for name in ("batch_size", "critic_updates", "penalty", "learning_rate", "code_learning_rate"):
            check_positive(name, getattr(self, name))


def codes_for(kind: str, words: int, codes: int | None) -> int:
    """Return the number of categories or bits: one category a word, or as many bits as number the words.

    Raises
    ------
    ArgumentError
        `kind` is unknown.
    CorpusError
        There are more words than codes.

    Examples
    --------
    >>> codes_for("fiwgan", 48, None)
    6
    """
    check_choice("kind", kind, KINDS)
    needed = words if kind == "ciwgan" else max(1, math.ceil(math.log2(words)))
    if codes is None:
        return needed
    check_positive("codes", codes)
    if codes < needed:
        there_are = f"{codes} categories" if kind == "ciwgan" else f"{codes} bits ({2**codes} codes)"
        raise CorpusError(
            f"The corpus has {words} words, but only {there_are} to tell them apart. Pass codes={needed} or more, or "
            "fewer words."
        )
    return codes


def check_batch(batch_size: int, tokens: int, processes: int) -> None:
    """Raise `CorpusError` or `ArgumentError` where a batch cannot be filled or shared out evenly."""
    if tokens < batch_size:
        raise CorpusError(
            f"There are {tokens} tokens to learn from, too few for a batch of {batch_size}. "
            f"Pass batch_size={tokens} or less, or more speech."
        )
    if batch_size % processes:
        raise ArgumentError(
            f"The 'batch_size' parameter must be a multiple of the {processes} processes, but got {batch_size} instead."
        )
