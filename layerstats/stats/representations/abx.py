"""ABX: is a phone nearer to another of its kind than to a phone of another kind?"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_share
from layerstats.corpora import phone_set
from layerstats.errors import ArgumentError, DataError
from layerstats.parallel import run_tasks
from layerstats.stats.multiplicity import AdjustMethod
from layerstats.stats.representations.abx_counting import DISTANCES, MODES, AbxMode, Distance
from layerstats.stats.representations.abx_design import AbxDesign, AbxSampling
from layerstats.stats.representations.abx_measurement import ModeRates, measured_rates
from layerstats.stats.representations.abx_tables import comparison_table, detail_table, network_table, rate_table
from layerstats.stats.representations.labelled_vectors import ComparedNetworks, compared_networks
from layerstats.tables import PrintedResult, check_frame

if TYPE_CHECKING:
    from layerstats.stats.representations.labelled_vectors import Source

_CLASS = "phone_class"


@dataclass(frozen=True, eq=False, repr=False)
class AbxResult(PrintedResult):
    """How well phones can be told apart at each layer.

    Attributes
    ----------
    table
        A row a layer and mode: ``layer, recording, abx_mode, error_rate, conf_low, conf_high, conf_level, std_error,
        df, chance, statistic, p_value, p_adjusted, ..., phones, pairs, speakers, triplets, note``. The test is against
        chance.
    comparisons
        A row a layer, mode and what it is held against: ``level_1, level_2, diff`` (level_1 - level_2, so that a
        negative number is what training gained), ``std_error, ..., p_adjusted``, which count speakers; of untrained
        networks ``null_error_median, null_p_value, null_p_adjusted, null_recordings``, which count networks.
    networks
        Every network and the sound alone: ``layer, abx_mode, recording, network_kind, trained,
        error_rate``.
    pairs
        A row a layer, mode and pair of phones: ``phone_1, phone_2``, both directions together.
    classes
        A row a layer, mode and pair of phone classes: ``phone_class_1, phone_class_2, pairs``.
    speakers
        A row a layer, mode and speaker: the mean over pairs of phones of what the speaker has a part in.
    notes
        In sentences, what was left out.
    """

    main_tables = ("table", "comparisons")
    table: pd.DataFrame
    comparisons: pd.DataFrame
    networks: pd.DataFrame
    pairs: pd.DataFrame
    classes: pd.DataFrame
    speakers: pd.DataFrame
    notes: tuple[str, ...]


def abx(
    source: Source,
    *,
    layers: Collection[str] | None = None,
    recording: str | None = None,
    phones: str | Collection[str] | None = None,
    by: str = "label",
    modes: Sequence[AbxMode] = MODES,
    context: str = "any",
    distance: Distance = "angular",
    sampling: AbxSampling | None = None,
    adjust: AdjustMethod = "holm",
    conf_level: float = 0.95,
    workers: int = 1,
    client: Any = None,
    progress: Callable[[int, int], None] | None = None,
    keep: str | os.PathLike[str] | None = None,
) -> AbxResult:
    """Measure how often a phone X is nearer to a phone B of another label than to A of its own, at each layer.

    Of every triplet (A, B, X) an error is counted where d(B, X) < d(A, X), half of one where they are equal. Errors are
    averaged over the triplets of two phones, speakers and a context; then over contexts; then over speakers (across:
    over pairs of speakers); then over ordered pairs of phones, (A, B) and (B, A), each of which counts the same. That
    is how Schatz et al. (2013) and the ZeroSpeech challenges do it. All triplets are counted, by sorting similarities.

    Speakers are the units of intervals and tests: the jackknife leaves out all triplets that a speaker has a part in,
    whether of A and B or of X. Intervals of rates are Wilson's with the number of trials that makes this variance,
    those of differences Student's, with as many degrees of freedom as speakers, less one. Phones are those that were
    asked for, not a sample of phones.

    Parameters
    ----------
    source
        Vectors of phones, `xarray.DataArray` (phone, channel) with the coordinates ``label, speaker`` (``previous,
        following`` for contexts, ``phone_class`` for classes), of several layers and recordings, or an experiment.
        Untrained networks (attribute ``trained`` false) and the sound alone (``network_kind`` "acoustics") are what the
        network is held against.
    layers, recording
        Which layers of which network, where there are several.
    phones
        Labels, or a text such as "p,t,k" or "vowel" (see `layerstats.corpora.phone_set`); all but silence if not given.
    by
        What is told apart: a coordinate of phones.
    modes
        "within": one speaker says A, B and X. "across": one says A and B, another X.
    context
        "any", or "same": A, B and X have the same phones before and behind them, as in the challenges.
    distance
        "angular" (of the cosine) or "euclidean".
    sampling
        How large sets are thinned, see `AbxSampling`.
    adjust
        How p-values are adjusted, over the layers of a mode.
    conf_level
        Of the intervals.
    workers, client, progress, keep
        See `layerstats.parallel.run_tasks`: a layer of a recording is a task.

    Raises
    ------
    ArgumentError
        A parameter has a value that is not allowed.
    DataError
        There are no triplets, or vectors are not of the same phones.

    References
    ----------
    Schatz, Peddinti, Bach, Jansen, Hermansky & Dupoux (2013), Evaluating speech features with the minimal-pair ABX
    task, Interspeech, 1781-1785. Cameron, Gelbach & Miller (2011), Robust inference with multiway clustering, Journal
    of Business & Economic Statistics 29, 238-249.

    Examples
    --------
    >>> import xarray as xr
    >>> vectors = xr.DataArray(
    ...     [[1.0, 0.0], [0.9, 0.1], [0.2, 1.0], [0.8, 0.2], [1.0, 0.1], [0.0, 1.0]], dims=("phone", "channel"),
    ...     coords={"label": ("phone", list("ssttss")), "speaker": ("phone", ["f1"] * 4 + ["f2"] * 2)},
    ... )
    >>> result = abx(vectors, modes=["within"])
    >>> result.table[["abx_mode", "error_rate", "triplets"]].values.tolist()
    [['within', 0.25, 8]]
    """
    _check(modes, context, distance, conf_level)
    compared = compared_networks(source, layers=layers, recording=recording)
    wanted = phone_set(phones) if isinstance(phones, str) else phones
    about = compared.first.phones
    design = AbxDesign.of(about, by=by, wanted=wanted, context=context, sampling=sampling)
    possible: list[AbxMode] = [mode for mode in modes if mode == "within" or len(design.speakers) > 1]
    if not possible:
        raise DataError("Across speakers needs two speakers or more, but all phones are of one.")
    measure = partial(
        measured_rates, design=design, modes=tuple(possible), classes=_classes(about, design), distance=distance
    )
    every = compared.every()
    done = run_tasks(
        measure, every, workers=workers, client=client, threads=True, progress=progress, keep=keep,
        describe=lambda one: f"layer {one.layer} of {one.recording}",
    )  # fmt: skip
    found = {key: rates for rates_of_layer in done for key, rates in rates_of_layer.items()}
    if not found:
        raise DataError(_no_triplets(context, possible))
    own = [rates for (recorded, _, _), rates in found.items() if recorded == compared.first.recording]
    return AbxResult(
        table=rate_table(own, conf_level, adjust),
        comparisons=comparison_table(compared, found, conf_level, adjust),
        networks=network_table(every, found),
        pairs=detail_table(own, "pairs", conf_level),
        classes=detail_table(own, "classes", conf_level),
        speakers=check_frame(pd.concat([one.speakers for one in own], ignore_index=True)),
        notes=_notes(design, compared, own, modes),
    )


def _check(modes: Sequence[str], context: str, distance: str, conf_level: float) -> None:
    if isinstance(modes, str) or not modes:
        raise ArgumentError(f"'modes' must be a list of 'within', 'across' or both, but got {modes!r} instead.")
    for mode in modes:
        check_choice("modes", mode, MODES)
    check_choice("context", context, ("any", "same"))
    check_choice("distance", distance, DISTANCES)
    check_share("conf_level", conf_level)


def _classes(phones: pd.DataFrame, design: AbxDesign) -> np.ndarray | None:
    """Return the class of each label, (label,), where every label has one."""
    if _CLASS not in phones:
        return None
    own = pd.DataFrame({"label": design.label, "kind": phones[_CLASS].astype(str).to_numpy()[design.rows]})
    kinds = own.drop_duplicates()
    return None if kinds["label"].duplicated().any() else kinds.sort_values("label")["kind"].to_numpy()


def _notes(
    design: AbxDesign, compared: ComparedNetworks, own: Sequence[ModeRates], modes: Sequence[str]
) -> tuple[str, ...]:
    notes = [*design.notes]
    if "across" in modes and len(design.speakers) == 1:
        notes.append("All phones are of one speaker: there is nothing across speakers.")
    elif missing := sorted(set(modes) - {one.mode for one in own}):
        notes.append(f"There are no triplets {' or '.join(missing)} speakers in which all is given.")
    for one in {one.mode: one for one in own}.values():
        single = int((one.pairs[1].speakers < 2).sum())
        if single and len(design.speakers) > 1:
            notes.append(
                f"{single} of {len(one.pairs[0])} pairs of phones {one.mode} speakers are told of too few speakers to "
                "be told without one of them: they have no interval of their own."
            )
    if not compared.untrained:
        notes.append("There are no untrained networks: what any network of this architecture gives is not known.")
    if design.sampling.speakers is not None:
        notes.append(f"X is said by at most {design.sampling.speakers} other speakers, chosen at random.")
    return tuple(notes)


def _no_triplets(context: str, modes: Sequence[str]) -> str:
    what = "with the same phones before and behind them" if context == "same" else "in any context"
    return (
        f"There are no triplets {' or '.join(modes)} speakers {what}: a speaker must say two phones of one label and "
        "one of another (within), or two speakers the same label (across)."
        + (" Use context='any', or more speech." if context == "same" else "")
    )
