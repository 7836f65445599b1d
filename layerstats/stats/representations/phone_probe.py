"""What a linear probe reads of phones in the vectors of each layer, beside untrained networks and the sound alone."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from layerstats.checks import check_not_negative, check_seed, check_share, require
from layerstats.errors import DataError
from layerstats.parallel import run_tasks
from layerstats.stats.multiplicity import AdjustMethod
from layerstats.stats.one_thread import one_blas_thread
from layerstats.stats.representations.control_tasks import control_labels
from layerstats.stats.representations.labelled_vectors import ComparedNetworks, LayerVectors, compared_networks
from layerstats.stats.representations.nested_folds import EXTRA, ProbeOptions, predict_held_out, speaker_folds
from layerstats.stats.representations.probe_tables import Probed, ProbedLayer, probe_tables
from layerstats.stats.representations.speaker_estimates import SpeakerCounts
from layerstats.stats.resampling.exchange import Exchanger
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.tables import PrintedResult

if TYPE_CHECKING:
    from layerstats.stats.representations.labelled_vectors import Source

LEAST_SPEAKERS = 3
# What seeds are told apart by.
_PERMUTATIONS, _CONTROLS = 0, 1


@dataclass(frozen=True, eq=False, repr=False)
class PhoneProbe(PrintedResult):
    """What a linear probe reads of phones, a row a layer.

    Attributes
    ----------
    table
        The network: ``layer, measure, estimate, std_error, df, conf_low, conf_high, conf_level, chance, chance_low,
        chance_high, statistic, p_value, p_adjusted, adjust_method, family, tests, levels, phones, speakers``, for the
        measures "balanced accuracy" and "accuracy".
    comparisons
        The network minus its untrained twins' mean, minus the sound alone, and minus control tasks, always ``level_1 -
        level_2``: ``layer, measure, level_1, level_2, diff, std_error, df, statistic, p_value, conf_low, conf_high,
        conf_level, p_adjusted, ...``, which count speakers, and ``null_p_value, null_p_adjusted, null_recordings``,
        which count networks.
    networks
        Every recording: ``layer, recording, network_kind, trained, measure, estimate, conf_low, conf_high,
        conf_level``.
    confusions
        Of the network: ``layer, level, predicted, phones``.
    folds
        ``layer, recording, fold, speakers, phones, inverse_penalty``: whom each probe was scored on, and how it was
        penalised.
    notes
        In sentences, what was left out.
    """

    main_tables = ("table", "comparisons")
    table: pd.DataFrame
    comparisons: pd.DataFrame
    networks: pd.DataFrame
    confusions: pd.DataFrame
    folds: pd.DataFrame
    notes: tuple[str, ...] = ()


def phone_probe(
    source: Source,
    column: str = "phone_class",
    *,
    layers: Collection[str] | None = None,
    recording: str | None = None,
    options: ProbeOptions | None = None,
    permutations: int = 0,
    control_tasks: int = 0,
    conf_level: float = 0.95,
    adjust: AdjustMethod = "holm",
    seed: int = 0,
    workers: int = 1,
    client: Any = None,
    progress: Callable[[int, int], None] | None = None,
    keep: Path | None = None,
) -> PhoneProbe:
    """Predict a column of phones from their vectors by logistic regression, speakers held out.

    Each outer fold of speakers is predicted by a probe that learned from all others; its penalty was chosen by folds of
    these others, and channels were standardised by what it learned from. The balanced accuracy is the mean over levels
    of the share of their phones that were recognised. Its standard error counts speakers (linearised), widened for
    cross-validation (Nadeau & Bengio 2003); Student's intervals have the number of speakers minus one degrees of
    freedom. How often they cover is in ``docs/how-to/representations.md``.

    Parameters
    ----------
    source
        Vectors (phone, channel) of layers, as `phone_vectors` returns them, or experiments with vectors of phones.
        Recordings with ``trained`` false are untrained twins; network kind "acoustics" is the sound alone.
    column
        What is predicted: "phone_class", "label", "speaker"'s sex or any other coordinate of phones. Levels that are
        not in the learning part of every fold are left out, which `notes` say.
    layers, recording
        Of the network; see `compared_networks`.
    options
        Folds and penalties.
    permutations
        Times that labels are permuted within speakers (between them, where each has one level only), after which
        everything is done again: gives ``chance`` and its quantiles, ``p_value`` by their share, and ``p_adjusted`` by
        the step-down max-T method over layers. Without, chance is one over the number of levels, for balanced accuracy
        only, and p-values are Student's, adjusted by `adjust`.
    control_tasks
        Control tasks of Hewitt & Liang (2019): every context (``previous, label, following``) gets a random level, with
        the frequencies of the levels. What a probe reads beyond its control, its selectivity, is in `comparisons`.
    conf_level, adjust, seed
        Of intervals; of families of tests over layers; of permutations and control tasks.
    workers, client, progress, keep
        Layers and recordings are tasks of `layerstats.parallel.run_tasks`.

    Returns
    -------
    PhoneProbe

    Raises
    ------
    ArgumentError
        There is no such layer, or an option is out of range.
    DataError
        There are fewer than three speakers or two levels, or recordings are not of the same phones.
    MissingDependencyError
        scikit-learn is not installed.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> rng = np.random.default_rng(0)
    >>> label, speaker = np.tile(["s", "t"], 60), np.repeat(list("abcdef"), 20)
    >>> values = rng.normal(size=(120, 4)) + np.where(label == "s", 1.0, -1.0)[:, None]
    >>> array = xr.DataArray(
    ...     values, dims=("phone", "channel"), attrs={"layer": "conv1"},
    ...     coords={"label": ("phone", label), "speaker": ("phone", speaker)},
    ... )
    >>> probe = phone_probe(array, "label", options=ProbeOptions(folds=3))
    >>> probe.table[["layer", "measure", "speakers"]].values.tolist(), bool(probe.table.loc[0, "estimate"] > 0.9)
    ([['conv1', 'balanced accuracy', 6], ['conv1', 'accuracy', 6]], True)
    """
    require("sklearn", "probe vectors with logistic regression", EXTRA)
    check_share("conf_level", conf_level)
    check_seed(seed)
    check_not_negative("permutations", permutations)
    check_not_negative("control_tasks", control_tasks)
    options = ProbeOptions() if options is None else options
    networks = compared_networks(source, layers, recording)
    labelled, notes = _labelled(networks, column, options, int(permutations), int(control_tasks), seed)
    everything = networks.every()
    results = run_tasks(
        partial(_probe_layer, labelled, options),
        [(one, one.layer in networks.network and one is networks.network[one.layer]) for one in everything],
        workers=workers,
        client=client,
        progress=progress,
        describe=_described,
        keep=keep,
    )
    probed = Probed(networks, dict(zip([(one.recording, one.layer) for one in everything], results, strict=True)))
    unfinished = sum(one.unfinished for one in results)
    if unfinished:
        notes += [
            f"{unfinished} fits had not converged after {options.most_iterations} iterations: more ('most_iterations')"
            " or stronger penalties ('inverse_penalties') make sure of them."
        ]
    folds = len(np.unique(labelled.outer))
    return PhoneProbe(**probe_tables(probed, labelled.levels, column, folds, conf_level, adjust), notes=tuple(notes))


@dataclass(frozen=True, eq=False)
class _Labelled:
    """What the phones that are probed have, under every way to label them.

    Attributes
    ----------
    rows
        (kept,) which phones of the vectors.
    codes
        (labelling, kept) the true ones first, then permuted ones, then control tasks.
    speakers, outer
        (kept,) codes of speakers, and the fold of each phone.
    levels
        Names of codes.
    permutations
        How many labellings after the first are permutations.
    """

    rows: np.ndarray
    codes: np.ndarray
    speakers: np.ndarray
    outer: np.ndarray
    levels: tuple[str, ...]
    permutations: int


def _labelled(
    networks: ComparedNetworks, column: str, options: ProbeOptions, permutations: int, controls: int, seed: int
) -> tuple[_Labelled, list[str]]:
    """Choose the phones whose level every fold can learn, and label them."""
    labels, names = networks.first.column(column), networks.first.column("speaker")
    speakers, people = pd.factorize(names, sort=True)
    if len(people) < LEAST_SPEAKERS:
        raise DataError(
            f"Probes are scored on speakers that they have not heard: at least {LEAST_SPEAKERS} are needed, but the "
            f"vectors are of {len(people)}."
        )
    rows = _learnable(labels, speakers, options)
    if len(set(labels[rows])) < 2:
        raise DataError(
            f"Fewer than two levels of {column!r} are said by speakers of several folds: there is nothing to "
            "tell apart."
        )
    left_out = sorted(set(labels) - set(labels[rows]))
    notes = [f"Left out, said in one fold of speakers only: {', '.join(left_out)}."] if left_out else []
    if len(people) < options.folds:
        notes.append(f"There are {len(people)} speakers: each is a fold of its own.")
    codes, levels = pd.factorize(labels[rows], sort=True)
    speakers = pd.factorize(speakers[rows], sort=True)[0]
    exchanger = Exchanger.of(codes, speakers)
    drawn = [exchanger.draw(replicate_generator(seed, _PERMUTATIONS, number)) for number in range(permutations)]
    phones = networks.first.phones.iloc[rows]
    drawn += [control_labels(phones, codes, replicate_generator(seed, _CONTROLS, number)) for number in range(controls)]
    outer = speaker_folds(speakers, options.folds)
    _check_inner_folds(speakers, outer, options)
    return _Labelled(rows, np.stack([codes, *drawn]), speakers, outer, tuple(map(str, levels)), permutations), notes


def _check_inner_folds(speakers: np.ndarray, outer: np.ndarray, options: ProbeOptions) -> None:
    fewest = min(len(np.unique(speakers[outer != fold])) for fold in np.unique(outer))
    if fewest < 2 <= len(options.inverse_penalties):
        raise DataError(
            f"A penalty is chosen by speakers held out of those that are learned from, but with {options.folds} folds "
            "one probe learns from a single speaker. Make more 'folds', or name one penalty in 'inverse_penalties'."
        )


def _learnable(labels: np.ndarray, speakers: np.ndarray, options: ProbeOptions) -> np.ndarray:
    """Return the phones whose levels are in the learning part of every fold, (kept,); folds are of these phones."""
    rows = np.arange(len(labels))
    while len(rows):
        if len(np.unique(speakers[rows])) < LEAST_SPEAKERS:
            return rows[:0]
        outer = speaker_folds(speakers[rows], options.folds)
        places = pd.DataFrame({"level": labels[rows], "fold": outer}).drop_duplicates()["level"].value_counts()
        kept = pd.Series(labels[rows]).map(places).to_numpy() > 1
        if kept.all():
            break
        rows = rows[kept]
    return rows


def _probe_layer(labelled: _Labelled, options: ProbeOptions, task: tuple[LayerVectors, bool]) -> ProbedLayer:
    """Probe one layer under every labelling; others than the network itself are not permuted."""
    vectors, own = task
    values = vectors.values()[labelled.rows]
    levels = len(labelled.levels)
    counts, first, unfinished = [], None, 0
    with one_blas_thread():
        for codes in labelled.codes if own else labelled.codes[:1]:
            found = predict_held_out(values, codes, labelled.speakers, options)
            counts.append(_counts(codes, found.predicted, labelled.speakers, levels))
            unfinished += found.unfinished
            first = found if first is None else first
    assert first is not None
    confusions = np.zeros((levels, levels), dtype=int)
    np.add.at(confusions, (labelled.codes[0], first.predicted), 1)
    sizes = [
        (len(set(labelled.speakers[held])), held.sum()) for held in labelled.outer == np.unique(labelled.outer)[:, None]
    ]
    return ProbedLayer(
        counts[0],
        tuple(counts[1 : 1 + labelled.permutations]),
        tuple(counts[1 + labelled.permutations :]),
        confusions,
        np.array(sizes),
        first.chosen,
        unfinished,
    )


def _counts(codes: np.ndarray, predicted: np.ndarray, speakers: np.ndarray, levels: int) -> SpeakerCounts:
    shape = (int(speakers.max()) + 1, levels)
    hits, phones = np.zeros(shape, dtype=int), np.zeros(shape, dtype=int)
    np.add.at(hits, (speakers, codes), codes == predicted)
    np.add.at(phones, (speakers, codes), 1)
    return SpeakerCounts(hits, phones)


def _described(task: tuple[LayerVectors, bool]) -> str:
    return f"layer {task[0].layer} of {task[0].recording}"
