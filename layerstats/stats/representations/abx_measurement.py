"""What is measured of the vectors of one layer: rates of all phones, of pairs, of pairs of classes, of speakers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.stats.one_thread import one_blas_thread
from layerstats.stats.representations.abx_counting import AbxMode, Distance, PairErrors, count_errors
from layerstats.stats.representations.abx_design import AbxDesign
from layerstats.stats.representations.abx_rates import JackknifedRates, class_groups, jackknifed_rates, pair_groups
from layerstats.stats.representations.labelled_vectors import LayerVectors

# (recording, layer, mode).
RateKey = tuple[str, str, str]


@dataclass(frozen=True, eq=False)
class ModeRates:
    """What was measured of a layer in one mode.

    Attributes
    ----------
    layer, recording, mode
        Of what.
    overall
        The rate of all pairs of phones.
    pairs, classes
        Names of pairs, and their rates.
    speakers
        ``speaker, error_rate, layer, abx_mode``.
    phones, triplets
        How many there are.
    """

    layer: str
    recording: str
    mode: AbxMode
    overall: JackknifedRates
    pairs: tuple[pd.DataFrame, JackknifedRates]
    classes: tuple[pd.DataFrame, JackknifedRates]
    speakers: pd.DataFrame
    phones: int
    triplets: int

    @property
    def names(self) -> dict[str, str]:
        """What a table calls it."""
        return {"layer": self.layer, "recording": self.recording, "abx_mode": self.mode}


def measured_rates(
    vectors: LayerVectors,
    design: AbxDesign,
    modes: tuple[AbxMode, ...],
    classes: np.ndarray | None,
    distance: Distance,
) -> dict[RateKey, ModeRates]:
    """Measure one layer in each mode that has triplets.

    Parameters
    ----------
    vectors
        Of all phones; those of the design are read.
    classes
        (label,) class of each label of the design.
    """
    values = LayerVectors(vectors.array.isel(phone=design.rows)).values()
    found = {}
    for mode in modes:
        with one_blas_thread():
            errors = count_errors(values, design, mode, distance)
        if errors.triplets:
            found[vectors.recording, vectors.layer, mode] = ModeRates(
                vectors.layer,
                vectors.recording,
                mode,
                jackknifed_rates(errors, np.where(errors.cells > 0, 0, -1)),
                *_rates_of_pairs(errors, design, classes),
                _rates_of_speakers(errors, design).assign(layer=vectors.layer, abx_mode=mode),
                len(values),
                errors.triplets,
            )
    return found


def _rates_of_pairs(
    errors: PairErrors, design: AbxDesign, classes: np.ndarray | None
) -> tuple[tuple[pd.DataFrame, JackknifedRates], tuple[pd.DataFrame, JackknifedRates]]:
    """Return the rates of unordered pairs of phones, and of classes where these are known."""
    there = errors.cells > 0
    by_pair, names = pair_groups(there), np.array(design.labels)
    first, second = np.nonzero(np.triu(by_pair >= 0))
    pairs = pd.DataFrame({"phone_1": names[first], "phone_2": names[second]})
    by_class, known = (np.full(there.shape, -1), []) if classes is None else class_groups(there, classes)
    # A pair of phones may have triplets in one direction only.
    class_of_pair = np.maximum(by_class, by_class.T)[first, second]
    kinds = pd.DataFrame(known, columns=["phone_class_1", "phone_class_2"])
    kinds["pairs"] = np.bincount(class_of_pair[class_of_pair >= 0], minlength=len(known))
    return (pairs, jackknifed_rates(errors, by_pair)), (kinds, jackknifed_rates(errors, by_class))


def _rates_of_speakers(errors: PairErrors, design: AbxDesign) -> pd.DataFrame:
    rates = [
        (name, float((own[cells > 0] / cells[cells > 0]).mean()))
        for name, own, cells in zip(design.speakers, errors.with_speaker, errors.cells_with, strict=True)
        if cells.any()
    ]
    return pd.DataFrame(rates, columns=["speaker", "error_rate"])
