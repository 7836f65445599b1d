"""How alike the layers of one network are, or those of two, by linear centred kernel alignment (CKA)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_not_negative, check_seed, check_share
from layerstats.errors import DataError
from layerstats.parallel import run_tasks
from layerstats.stats.multiplicity import AdjustMethod
from layerstats.stats.representations.kernel_alignment import CentredFeatures, alignment, independence
from layerstats.stats.representations.labelled_vectors import LayerVectors, check_same_phones, compared_networks
from layerstats.stats.representations.similarity_tables import PairOfLayers, Similar, similarity_tables
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.tables import PrintedResult

if TYPE_CHECKING:
    from layerstats.stats.representations.labelled_vectors import Source

SimilarityMeasure = Literal["cka", "debiased cka", "biased cka"]
CKA, DEBIASED, BIASED = "cka", "debiased cka", "biased cka"
MEASURES = (CKA, DEBIASED, BIASED)
LEAST_SPEAKERS = 3
# The unbiased estimator divides by n - 3, also without one speaker.
_LEAST_PHONES = 4


@dataclass(frozen=True, eq=False, repr=False)
class LayerSimilarity(PrintedResult):
    """How alike layers are, a row a pair.

    Attributes
    ----------
    table
        Pairs of the network's layers, with the sound alone too: ``recording_1, layer_1, recording_2, layer_2, measure,
        estimate, std_error, df, conf_low, conf_high, conf_level, chance, chance_low, chance_high, statistic, p_value,
        p_adjusted, adjust_method, family, tests, phones, speakers``.
    comparisons
        The network minus its untrained twins' mean, the same pairs: ``layer_1, recording_2, layer_2, measure, level_1,
        level_2, diff, std_error, df, statistic, p_value, conf_low, conf_high, conf_level, p_adjusted, ...``, which
        count speakers, and ``null_p_value, null_p_adjusted, null_recordings``, which count networks, both ways. No rows
        where there are no twins.
    networks
        Every network: ``recording_1, layer_1, recording_2, layer_2, trained, measure, estimate, conf_low, conf_high,
        conf_level``.
    """

    main_tables = ("table", "comparisons")
    table: pd.DataFrame
    comparisons: pd.DataFrame
    networks: pd.DataFrame


def layer_similarity(
    a: Source,
    b: Source | None = None,
    measure: SimilarityMeasure = CKA,
    *,
    layers: Collection[str] | None = None,
    recording: str | None = None,
    permutations: int = 0,
    within: Sequence[str] = ("speaker",),
    conf_level: float = 0.95,
    adjust: AdjustMethod = "holm",
    seed: int = 0,
    workers: int = 1,
    client: Any = None,
    progress: Callable[[int, int], None] | None = None,
    keep: Path | None = None,
) -> LayerSimilarity:
    """Measure how alike layers represent the same phones.

    Linear CKA (Kornblith et al. 2019) is the Hilbert-Schmidt independence criterion of two layers, divided by the root
    of the product of that of each with itself: 1 where one layer is the other but for a rotation and a size, 0 where
    nothing of one is in the other. The biased criterion grows with the number of channels where phones are few;
    debiased with Song et al.'s (2012, equation 5) estimator, as Murphy et al. (2024) advise, it does not, and may fall
    below 0. But that takes phones for independent, and those of one speaker are alike in any two layers: "cka" takes
    out what follows from few speakers too, by the jackknife (Quenouille 1956). Intervals are Student's about the
    estimate with the jackknife's standard error over speakers: a bootstrap draws phones twice, which are perfectly
    alike, and so is biased. How often they cover is in ``docs/how-to/representations.md``.

    Parameters
    ----------
    a
        Vectors (phone, channel) of layers, as `phone_vectors` returns them, or experiments with vectors of phones.
        Recordings with ``trained`` false are untrained twins; network kind "acoustics" is the sound alone.
    b
        Another network, on the same phones: then pairs are of one layer of `a` and one of `b`. Without, of layers of
        `a` with each other, and of each with the sound alone.
    measure
        "cka", debiased for phones and for speakers; "debiased cka" and "biased cka", to compare with published numbers.
    layers, recording
        Of the network `a`; see `compared_networks`.
    permutations
        Times that the phones of the second layer are permuted `within`: gives ``chance`` and its quantiles, ``p_value``
        by their share, and ``p_adjusted`` by the step-down max-T method over pairs. Without, p-values are Student's
        against 0, which is cautious, adjusted by `adjust`.
    within
        Columns of phones; they are permuted among those who agree in all of them. ("speaker",): is there more in common
        than who speaks? ("speaker", "label"): than who says what?
    conf_level, adjust, seed
        Of intervals; of families of tests over pairs; of permutations.
    workers, client, progress, keep
        Pairs are tasks of `layerstats.parallel.run_tasks`.

    Returns
    -------
    LayerSimilarity

    Raises
    ------
    ArgumentError
        There is no such layer, or an option is out of range.
    DataError
        There is one layer only, there are fewer than three speakers, or vectors are not of the same phones.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> rng = np.random.default_rng(0)
    >>> values, speaker = rng.normal(size=(90, 8)), np.repeat(list("abcdef"), 15)
    >>> one, other = (
    ...     xr.DataArray(
    ...         matrix, dims=("phone", "channel"), coords={"speaker": ("phone", speaker)}, attrs={"layer": name}
    ...     )
    ...     for name, matrix in (("conv1", values), ("conv2", 3 * values[:, ::-1]))
    ... )
    >>> layer_similarity([one, other]).table[["layer_1", "layer_2", "speakers"]].values.tolist()
    [['conv1', 'conv2', 6]]
    >>> round(float(layer_similarity([one, other]).table.loc[0, "estimate"]), 6)
    1.0
    """
    check_choice("measure", measure, MEASURES)
    check_share("conf_level", conf_level)
    check_not_negative("permutations", permutations)
    check_seed(seed)
    pairs = _pairs(a, b, layers, recording)
    every = {_key(one): one for pair in pairs for one in (pair.first, pair.second)}
    grouped = _Grouped.of(next(iter(every.values())), within, int(permutations), seed, measure != BIASED)
    shown, more = _in_two_steps(progress, len(every), len(pairs))
    options = {"workers": workers, "client": client, "keep": keep}
    own = run_tasks(
        partial(_own_criterion, grouped), list(every.values()), describe=_described, progress=shown, **options
    )
    alone = dict(zip(every, own, strict=True))
    by_speaker = measure == CKA
    for key, one in every.items():
        if not np.isfinite(alignment(alone[key], alone[key], alone[key], by_speaker)).all():
            raise DataError(
                f"Layer {one.layer!r} of {one.recording!r} hardly differs between phones, or only in one speaker's: it "
                "cannot be compared. Leave it out with 'layers', or leave out the recording."
            )
    found = run_tasks(
        partial(_criteria, grouped),
        [(pair.first, pair.second, pair.untrained == "") for pair in pairs],
        describe=_described_pair,
        progress=more,
        **options,
    )
    similar = []
    for pair, criteria in zip(pairs, found, strict=True):
        first, second = alone[_key(pair.first)], alone[_key(pair.second)]
        values = [alignment(own, first, second, by_speaker) for own in criteria]
        similar.append(Similar(pair, values[0], np.array([own[0] for own in values[1:]])))
    return LayerSimilarity(**similarity_tables(similar, measure, int(grouped.bounds[-1]), conf_level, adjust))


def _key(vectors: LayerVectors) -> tuple[str, str]:
    return vectors.recording, vectors.layer


def _pairs(a: Source, b: Source | None, layers: Collection[str] | None, recording: str | None) -> list[PairOfLayers]:
    """Return the pairs of the network, then those of each untrained twin."""
    networks = compared_networks(a, layers, recording)
    mine = networks.network
    sounds = list(networks.acoustics.values())
    others = None if b is None else _apart(compared_networks(b).network, {one.recording for one in networks.every()})
    pairs = []
    for name, own in {"": mine, **networks.untrained}.items():
        if others is None:
            chosen = [*combinations(own.values(), 2), *product(own.values(), sounds)]
        else:
            chosen = list(product(own.values(), others.values()))
        pairs += [PairOfLayers(first, second, name) for first, second in chosen]
    if not pairs:
        raise DataError("There is one layer only, which nothing is compared with: give several, or another network.")
    check_same_phones([networks.first, *(others or {}).values()])
    return pairs


def _apart(layers: Mapping[str, LayerVectors], taken: Collection[str]) -> dict[str, LayerVectors]:
    """Give recordings of another store, where they are often called the same, a name of their own."""
    return {
        layer: LayerVectors(one.array.assign_attrs(recording=f"{one.recording} (b)")) if one.recording in taken else one
        for layer, one in layers.items()
    }


@dataclass(frozen=True, eq=False)
class _Grouped:
    """Phones with those of a speaker together, and the permutations of them.

    Attributes
    ----------
    order
        (phone,) rows of the vectors.
    bounds
        (speaker + 1,) where the phones of each speaker begin.
    exchanged
        (phone,) codes of the groups that phones are permuted in.
    """

    order: np.ndarray
    bounds: np.ndarray
    exchanged: np.ndarray
    permutations: int
    seed: int
    debiased: bool

    @classmethod
    def of(cls, vectors: LayerVectors, within: Sequence[str], permutations: int, seed: int, debiased: bool) -> _Grouped:
        speakers, people = pd.factorize(vectors.column("speaker"), sort=True)
        counts = np.bincount(speakers, minlength=len(people))
        if len(people) < LEAST_SPEAKERS or len(speakers) - counts.max() < _LEAST_PHONES:
            raise DataError(
                f"Intervals count speakers: at least {LEAST_SPEAKERS} are needed, with {_LEAST_PHONES} phones without "
                f"any of them, but the vectors are of {len(people)} speakers and {len(speakers)} phones."
            )
        order = np.argsort(speakers, kind="stable")
        groups = pd.DataFrame({name: vectors.column(name)[order] for name in within}, index=pd.RangeIndex(len(order)))
        exchanged = groups.groupby(list(within), sort=True).ngroup().to_numpy() if within else np.zeros(len(order), int)
        return cls(order, np.concatenate([[0], np.cumsum(counts)]), exchanged, permutations, seed, debiased)

    def features(self, vectors: LayerVectors) -> CentredFeatures:
        return CentredFeatures.of(vectors.values()[self.order], self.bounds)

    def permuted(self, number: int) -> np.ndarray:
        """Return rows in a random order within groups, (phone,)."""
        generator = replicate_generator(self.seed, number)
        place = np.argsort(self.exchanged, kind="stable")
        shuffled = np.lexsort((generator.random(len(place)), self.exchanged))
        rows = np.empty(len(place), dtype=int)
        rows[place] = shuffled
        return rows


def _own_criterion(grouped: _Grouped, vectors: LayerVectors) -> np.ndarray:
    """Return the criterion of a layer with itself, of all phones and without each speaker."""
    features = grouped.features(vectors)
    return independence(features, features, grouped.debiased)


def _criteria(grouped: _Grouped, task: tuple[LayerVectors, LayerVectors, bool]) -> list[np.ndarray]:
    """Return the criterion of two layers, (1 + speaker,), and that of permuted phones; twins are not permuted."""
    first, second = (grouped.features(one) for one in task[:2])
    found = [independence(first, second, grouped.debiased)]
    vectors = second.matrix
    for number in range(grouped.permutations if task[2] else 0):
        shuffled = CentredFeatures(vectors[grouped.permuted(number)], second.bounds)
        found.append(independence(first, shuffled, grouped.debiased))
    return found


def _in_two_steps(
    progress: Callable[[int, int], None] | None, first: int, second: int
) -> tuple[Callable[[int, int], None] | None, Callable[[int, int], None] | None]:
    """Return displays of two lots of tasks that one display shows as one."""
    if progress is None:
        return None, None
    total = first + second
    return (lambda done, _: progress(done, total)), (lambda done, _: progress(first + done, total))


def _described(vectors: LayerVectors) -> str:
    return f"layer {vectors.layer} of {vectors.recording}"


def _described_pair(task: tuple[LayerVectors, LayerVectors, bool]) -> str:
    return " and ".join(map(_described, task[:2]))
