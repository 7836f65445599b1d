"""Linear centred kernel alignment (CKA) from features, in whole and without each speaker in turn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

# Vectors that differ by less than this share of them do not vary.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class CentredFeatures:
    """Vectors of one layer, centred, in no more columns than there are phones.

    Attributes
    ----------
    matrix
        (phone, feature)
    bounds
        (speaker + 1,) phones of a speaker stand together: of speaker s from ``bounds[s]`` to ``bounds[s + 1]``.
    """

    matrix: np.ndarray
    bounds: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, bounds: np.ndarray) -> CentredFeatures:
        """Centre vectors, (phone, channel); where channels are many, rotate them into the space of the phones.

        What follows depends on the products of vectors only, which a rotation keeps.
        """
        centred = values - values.mean(axis=0)
        # The size of units is no part of CKA; squares of squares of large ones would overflow.
        scale = np.sqrt(np.mean(centred**2))
        # What is left of channels that do not vary is rounding of their mean.
        varies = scale > _ROUNDING * np.abs(values).max()
        centred = centred / scale if varies else np.zeros_like(centred)
        if centred.shape[1] > len(centred):
            centred = np.asarray(np.linalg.qr(centred.T, mode="r")).T
        return cls(centred, bounds)

    @cached_property
    def squares(self) -> np.ndarray:
        """Squared length of each phone's vector, (phone,)."""
        return np.einsum("ij,ij->i", self.matrix, self.matrix)

    @cached_property
    def sums(self) -> np.ndarray:
        """Sum of each speaker's vectors, (speaker, feature)."""
        return self.by_speaker(self.matrix)

    def by_speaker(self, of_phones: np.ndarray) -> np.ndarray:
        """Return sums over the phones of each speaker, (speaker, ...)."""
        return np.add.reduceat(of_phones, self.bounds[:-1], axis=0)

    @property
    def counts(self) -> np.ndarray:
        """Phones of each speaker, (speaker,)."""
        return np.diff(self.bounds)


def squared_cross_product(first: np.ndarray, second: np.ndarray) -> float:
    """Return the sum of the squares of ``first.T @ second``, by features or by phones, whichever is less."""
    rows = len(first)
    if rows * (first.shape[1] + second.shape[1]) < first.shape[1] * second.shape[1]:
        return float(np.vdot(first @ first.T, second @ second.T))
    product = first.T @ second
    return float(np.vdot(product, product))


def independence(first: CentredFeatures, second: CentredFeatures, debiased: bool = True) -> np.ndarray:
    """Return the Hilbert-Schmidt independence criterion of two layers with linear kernels, (1 + speaker,).

    The first number is of all phones, the others each without one speaker. Debiased it is the unbiased estimator of
    Song et al. (2012, equation 5); else that of Gretton et al. (2005), but for its factor ``1 / (n - 1)**2``, which
    falls out of CKA.

    Neither needs a matrix of phones by phones. With centred features X and Y the biased one is the sum of the squares
    of ``X.T @ Y`` (Kornblith et al. 2019, section 3); what leaving out a speaker takes from it is computed from the
    vectors of this speaker.
    """
    cross = first.matrix.T @ second.matrix
    # Of each phone: how much of the sum of squares rests on it.
    rests_on = np.einsum("ij,ij->i", first.matrix @ cross, second.matrix)
    return (_debiased if debiased else _biased)(first, second, cross, rests_on)


def alignment(cross: np.ndarray, first: np.ndarray, second: np.ndarray, by_speaker: bool = True) -> np.ndarray:
    """Return CKA of all phones and without each speaker, (1 + speaker,); missing where a layer does not vary.

    Parameters
    ----------
    cross, first, second
        (1 + speaker,) the criterion of two layers, and that of each with itself.
    by_speaker
        Phones of one speaker are alike in both layers, so that even layers with nothing in common are alike in few
        speakers. That bias is all but inverse to the number of speakers, and is taken from each criterion of all
        phones by the jackknife (Quenouille 1956): ``S whole - (S - 1) mean(without)``.
    """
    criteria = np.stack([cross, first, second])
    if by_speaker:
        speakers = criteria.shape[1] - 1
        criteria[:, 0] = speakers * criteria[:, 0] - (speakers - 1) * criteria[:, 1:].mean(axis=1)
    varies = (criteria[1] > 0) & (criteria[2] > 0)
    return criteria[0] / np.sqrt(np.where(varies, criteria[1] * criteria[2], np.nan))


def _biased(first: CentredFeatures, second: CentredFeatures, cross: np.ndarray, rests_on: np.ndarray) -> np.ndarray:
    total = float(np.vdot(cross, cross))
    found = [total]
    phones = len(first.matrix)
    for speaker, (own, other) in enumerate(_parts(first, second)):
        # Without a speaker the mean moves: as if one phone more was left out, with the speaker's sum over a root.
        root = np.sqrt(phones - len(own))
        extra = first.sums[speaker] / root, second.sums[speaker] / root
        own, other = np.vstack([own, extra[0]]), np.vstack([other, extra[1]])
        shared = rests_on[first.bounds[speaker] : first.bounds[speaker + 1]].sum() + extra[0] @ cross @ extra[1]
        found.append(total - 2 * shared + squared_cross_product(own, other))
    return np.array(found)


def _debiased(first: CentredFeatures, second: CentredFeatures, cross: np.ndarray, rests_on: np.ndarray) -> np.ndarray:
    """Return the sums of Song et al.'s estimator, which does not change with the mean: nothing is centred again."""
    products = first.squares * second.squares
    left = [np.zeros(1), first.by_speaker(rests_on)]
    within = np.array([0.0, *(squared_cross_product(own, other) for own, other in _parts(first, second))])
    squares = np.vdot(cross, cross) - 2 * np.concatenate(left) + within
    remaining = {
        "n": _without(np.ones(len(products)), first),
        "products": _without(products, first),
        "first": _without(first.squares, first),
        "second": _without(second.squares, second),
        "weighted_first": _without(first.matrix * second.squares[:, None], first),
        "weighted_second": _without(second.matrix * first.squares[:, None], second),
    }
    sums = [np.vstack([np.zeros(one.matrix.shape[1]), -one.sums]) for one in (first, second)]
    n = remaining["n"]
    # Products of each phone's vector with the sum of all that remain, summed over the phones that remain.
    between = np.einsum("si,ij,sj->s", sums[0], cross, sums[1], optimize=True) - _of_own(first, second, sums)
    trace = squares - remaining["products"]
    totals = [
        np.einsum("si,si->s", own, own) - remaining[name] for own, name in zip(sums, ("first", "second"), strict=True)
    ]
    rows = (
        between
        - np.einsum("si,si->s", sums[0], remaining["weighted_first"])
        - np.einsum("si,si->s", sums[1], remaining["weighted_second"])
        + remaining["products"]
    )
    return (trace + totals[0] * totals[1] / ((n - 1) * (n - 2)) - 2 / (n - 2) * rows) / (n * (n - 3))


def _of_own(first: CentredFeatures, second: CentredFeatures, sums: list[np.ndarray]) -> np.ndarray:
    """Return what the phones that are left out would add to the products with the sums, (1 + speaker,)."""
    found = [0.0]
    for speaker, (own, other) in enumerate(_parts(first, second), start=1):
        found.append(float((own @ sums[0][speaker]) @ (other @ sums[1][speaker])))
    return np.array(found)


def _without(of_phones: np.ndarray, features: CentredFeatures) -> np.ndarray:
    """Return the sum over all phones, and over those that remain without each speaker, (1 + speaker, ...)."""
    total = of_phones.sum(axis=0)
    return np.concatenate([total[None], total - features.by_speaker(of_phones)])


def _parts(first: CentredFeatures, second: CentredFeatures):
    for start, stop in zip(first.bounds[:-1], first.bounds[1:], strict=True):
        yield first.matrix[start:stop], second.matrix[start:stop]
