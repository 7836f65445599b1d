"""How much of the variance of codes words and speakers account for: shares, by jackknife and permutation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerstats.errors import DataError

FACTORS = ("word", "speaker")


@dataclass(frozen=True, eq=False)
class Partition:
    """Sums of squares of codes about two factors, each adjusted for the other.

    Attributes
    ----------
    squares
        (factor,) sums of squares of words and of speakers.
    df
        (factor,) their degrees of freedom.
    residual, residual_df, total
        Sum of squares and degrees of freedom that are left, and the sum about the mean.
    """

    squares: np.ndarray
    df: np.ndarray
    residual: float
    residual_df: int
    total: float

    @property
    def shares(self) -> np.ndarray:
        """Shares of the variance, corrected for what as many random groups would take (epsilon squared), (factor,)."""
        return (self.squares - self.df * self.residual / self.residual_df) / self.total


class TwoFactors:
    """The design of words and speakers, whose projections are made once for all codes and permutations."""

    def __init__(self, words: np.ndarray, speakers: np.ndarray) -> None:
        self.count = len(words)
        self.bases = [group_basis(words), group_basis(speakers), group_basis(words, speakers)]
        ranks = [basis.shape[1] for basis in self.bases]
        self.df = np.array([ranks[2] - ranks[1], ranks[2] - ranks[0]])
        self.residual_df = self.count - ranks[2]
        if self.residual_df < 1 or (self.df < 1).any():
            raise DataError(
                f"{self.count} starts of {len(set(words))} words by {len(set(speakers))} speakers do not tell words "
                "from speakers: more starts, or words by several speakers each, are needed."
            )

    def partition(self, codes: np.ndarray) -> Partition:
        """Return the sums of squares of codes (start, code)."""
        mean = codes.mean(axis=0)
        total = float(np.sum(codes**2) - self.count * np.sum(mean**2))
        words, speakers, both = (float(np.sum((basis.T @ codes) ** 2)) for basis in self.bases)
        residual = float(np.sum(codes**2)) - both
        return Partition(np.array([both - speakers, both - words]), self.df, residual, self.residual_df, total)


def group_basis(*labels: np.ndarray) -> np.ndarray:
    """Return orthonormal columns that span the groups of all labels, (start, rank)."""
    columns = [(one[:, None] == np.unique(one)).astype(float) for one in labels]
    left, values, _ = np.linalg.svd(np.concatenate(columns, axis=1), full_matrices=False)
    return left[:, values > 1e-9 * values[0]]


def permuted_p_values(
    codes: np.ndarray, words: np.ndarray, speakers: np.ndarray, permutations: int, rng: np.random.Generator
) -> np.ndarray:
    """Return the p-values of words, permuted within speakers, and of speakers, permuted within words, (factor,).

    The statistic is the ratio of a factor's sum of squares to the residual one (Anderson 2001), which counts the
    observed order as one more permutation.
    """
    design = TwoFactors(words, speakers)
    observed = _ratios(design.partition(codes))
    found = np.zeros(2)
    for factor, blocks in enumerate((speakers, words)):
        groups = [np.flatnonzero(blocks == one) for one in np.unique(blocks)]
        for _ in range(permutations):
            order = np.arange(len(codes))
            for group in groups:
                order[group] = rng.permutation(group)
            # An order that gives the same ratio counts, also where rounding has moved it.
            found[factor] += _ratios(design.partition(codes[order]))[factor] >= observed[factor] * (1 - 1e-9)
    return (1 + found) / (1 + permutations)


def _ratios(partition: Partition) -> np.ndarray:
    return partition.squares / partition.residual


def jackknifed_shares(
    codes: list[np.ndarray], words: np.ndarray, speakers: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares of each set of codes, (set, factor), and without one speaker each, (speaker, set, factor).

    Raises
    ------
    DataError
        Without one of the speakers, words and speakers cannot be told apart.
    """
    design = TwoFactors(words, speakers)
    whole = np.array([design.partition(one).shares for one in codes])
    without = []
    for speaker in np.unique(speakers):
        keep = speakers != speaker
        reduced = TwoFactors(words[keep], speakers[keep])
        without.append([reduced.partition(one[keep]).shares for one in codes])
    return whole, np.array(without)
