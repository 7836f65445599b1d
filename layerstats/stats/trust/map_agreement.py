"""How alike two maps of the same input are, against maps of other inputs of the same speaker."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd
from scipy import stats

from layerstats.checks import check_choice, check_columns
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.one_length import check_one_length
from layerstats.stats.trust.map_measures import NAMES, chosen_layer, measurement_frame
from layerstats.store import Experiment

CORRELATION = "correlation"
RANKS = "rank correlation"
ABSOLUTE_RANKS = "rank correlation, absolute"
SAME_MAXIMUM = "same time of the maximum"
AGREEMENTS = (CORRELATION, RANKS, ABSOLUTE_RANKS, SAME_MAXIMUM)
OTHER_MAPS = "maps of other tokens"
# Tokens whose maps are in memory at once.
_TOKENS = 512
# Inputs below it, of standard deviation 1, are taken for zero.
_ZERO = 1e-6


def agreements(first: np.ndarray, second: np.ndarray) -> dict[str, np.ndarray]:
    """Return how alike maps are, one by one, by name of the measure, (map,).

    "correlation" is Pearson's of the values with their signs, "rank correlation" Spearman's, "rank correlation,
    absolute" Spearman's of what is left without signs (both of Adebayo et al. 2018, section 3), and "same time of the
    maximum" 1 where the largest value summed over frequency stands at the same sample. A map whose values are all the
    same is like no other: missing.

    Parameters
    ----------
    first, second
        (map, ..., sample) maps of the same inputs. Missing values, in either, are left out.

    Raises
    ------
    ArgumentError
        Shapes differ.
    DataError
        A value is infinite.

    References
    ----------
    Adebayo et al. (2018), Sanity checks for saliency maps, NeurIPS 31.

    Examples
    --------
    >>> first, second = np.array([[1.0, -2.0, 4.0]]), np.array([[1.0, -4.0, 9.0]])
    >>> {name: round(float(value[0]), 3) for name, value in agreements(first, second).items()}
    {'correlation': 0.991, 'rank correlation': 1.0, 'rank correlation, absolute': 1.0, 'same time of the maximum': 1.0}
    """
    if first.shape != second.shape or first.ndim < 2:
        raise ArgumentError(
            f"Maps of the same shape (map, ..., sample) are compared, not {first.shape}, {second.shape}."
        )
    one, two = (values.reshape(len(values), -1).astype(float) for values in (first, second))
    if np.isinf(one).any() or np.isinf(two).any():
        raise DataError("Maps hold infinite values, which are like nothing: leave these maps out, or make them NaN.")
    missing = np.isnan(one) | np.isnan(two)
    one, two = np.where(missing, np.nan, one), np.where(missing, np.nan, two)
    peaks = []
    for values, flat in ((first, one), (second, two)):
        by_time = np.nan_to_num(flat).reshape(len(values), -1, values.shape[-1]).sum(axis=1)
        peaks.append(np.where(by_time.any(axis=1), by_time.argmax(axis=1), np.nan))
    same = np.where(np.isnan(peaks[0] + peaks[1]), np.nan, peaks[0] == peaks[1])
    return {
        CORRELATION: correlations(one, two),
        RANKS: correlations(_ranks(one), _ranks(two)),
        ABSOLUTE_RANKS: correlations(_ranks(np.abs(one)), _ranks(np.abs(two))),
        SAME_MAXIMUM: same,
    }


def measure_agreement(
    first: np.ndarray, second: np.ndarray, tokens: pd.DataFrame, condition: str, *, map_name: str = "R", what: str = ""
) -> pd.DataFrame:
    """Measure how alike maps are, and how alike to maps of another input of the same speaker, which is the baseline.

    Parameters
    ----------
    first, second
        (token, ..., sample) as in `agreements`.
    tokens
        A row a token: ``token, speaker`` and, where known, ``utterance, phone, phone_class``.
    condition
        What the second maps are of: another rule, or a layer with random weights.
    map_name
        "R", or "R/x" where maps were divided by the input.
    what
        Stands before the measures' names, which are a family of tests each: "random weights, cascading".

    Returns
    -------
    pandas.DataFrame
        A row a token and measure, see `measurement_frame`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> maps = rng.normal(size=(4, 10))
    >>> tokens = pd.DataFrame({"token": list("abcd"), "speaker": ["s1", "s1", "s2", "s2"]})
    >>> found = measure_agreement(maps, -maps, tokens, "gradient")
    >>> found.groupby("measure")["value"].mean().round(6).to_dict()
    {'correlation': -1.0, 'rank correlation': -1.0, 'rank correlation, absolute': 1.0, 'same time of the maximum': 0.0}
    """
    check_columns(tokens, ["token", "speaker"], "the table of tokens")
    if len(tokens) != len(first):
        raise ArgumentError(f"There are {len(first)} maps of {len(tokens)} tokens: give a row a map.")
    other = other_tokens(tokens["speaker"].astype(str).to_numpy())
    # Nothing is compared with itself: a speaker's only map has no baseline.
    alone = other == np.arange(len(other))
    own, others = agreements(first, second), agreements(first, second[other])
    names = tokens.loc[:, [name for name in NAMES if name in tokens.columns]].reset_index(drop=True)
    tables = [
        names.assign(
            measure=f"{what}: {measure}" if what else measure,
            map=map_name,
            condition=condition,
            baseline=OTHER_MAPS,
            value=own[measure],
            baseline_value=np.where(alone, np.nan, others[measure]),
        )
        for measure in AGREEMENTS
    ]
    return measurement_frame(pd.concat(tables, ignore_index=True))


def map_agreement(
    experiment: Experiment, recordings: Collection[str], *, layer: str | None = None, variable: str | None = None
) -> pd.DataFrame:
    """Compare the maps of a recording with those that other rules, or other epsilons, give of the same tokens.

    Parameters
    ----------
    experiment
        A view of the recording that is compared with the others.
    recordings
        Names of the others in the same store; tokens that one of them lacks are left out there.
    layer
        "input" by default, or the only one.
    variable
        By default "maps", where both have it, else "sum", else the series of the recording.

    Returns
    -------
    pandas.DataFrame
        A row a token, measure and other recording, whose name is the condition: see `measure_agreement`.

    Raises
    ------
    ArgumentError
        There is no such recording, layer or variable.
    DataError
        A recording has none of the tokens, or other samples.

    Examples
    --------
    >>> from layerstats.store import open_store
    >>> store = open_store("letters.zarr", recording="adapted")
    >>> map_agreement(store, ["adapted_untrained_00"])["measure"].unique().tolist()
    ['correlation', 'rank correlation', 'rank correlation, absolute', 'same time of the maximum']
    """
    check_one_length(experiment, "Comparisons of maps")
    chosen = chosen_layer(experiment, layer)
    tables = []
    for name in recordings:
        other = experiment.in_recording(name)
        check_choice("layer", chosen, other.layers)
        tokens = other.tokens.reset_index(drop=True)
        if not len(tokens):
            raise DataError(f"The recording {name!r} has none of the tokens of {experiment.name!r}.")
        mine = experiment.select(token=tokens["token"].tolist())
        what = variable or _common(mine, other, chosen)
        for rows in _by_speaker(tokens):
            first, second = (view.layer(chosen)[what].isel(token=rows).to_numpy() for view in (mine, other))
            tables.append(measure_agreement(first, second, tokens.iloc[rows], name))
    return pd.concat(tables, ignore_index=True)


def random_weights_agreement(
    features: np.ndarray, maps: np.ndarray, random_maps: Iterable[tuple[str, str, np.ndarray]], tokens: pd.DataFrame
) -> pd.DataFrame:
    """Compare maps with those of networks with random weights, of R and of R over the input.

    The more alike they are, the less a map tells of what the network has learned (Adebayo et al. 2018); R over the
    input leaves out what both share because the input is the same.

    Parameters
    ----------
    features
        (token, ..., sample) the input; where it is zero R/x is missing.
    maps
        (token, ..., sample) R of the network.
    random_maps
        How weights were randomised, the layer, and the maps (token, ..., sample); one network at a time.
    tokens
        A row a token, as for `measure_agreement`.

    Returns
    -------
    pandas.DataFrame
        A row a token, measure, layer and map, see `measure_agreement`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> tokens = pd.DataFrame({"token": list("abcd"), "speaker": ["s1", "s1", "s2", "s2"]})
    >>> features, maps, randomised = rng.normal(size=(3, 4, 10))
    >>> found = random_weights_agreement(features, maps, [("cascading", "conv1", randomised)], tokens)
    >>> found["map"].unique().tolist(), found["condition"].unique().tolist()
    (['R', 'R/x'], ['conv1'])
    """
    over = np.where(np.abs(features) > _ZERO, features, np.nan)
    tables = []
    for mode, layer, found in random_maps:
        what = f"random weights, {mode}"
        tables.append(measure_agreement(maps, found, tokens, layer, what=what))
        tables.append(measure_agreement(maps / over, found / over, tokens, layer, map_name="R/x", what=what))
    return pd.concat(tables, ignore_index=True)


def _common(one: Experiment, two: Experiment, layer: str) -> str:
    both = [str(name) for name in one.layer(layer).data_vars if name in two.layer(layer)]
    usual = next((name for name in ("maps", "sum", one.summary) if name in both), None)
    if usual is None:
        raise ArgumentError(f"The recordings {one.name!r} and {two.name!r} have no map of {layer!r} in common.")
    return usual


def _by_speaker(tokens: pd.DataFrame) -> list[np.ndarray]:
    """Return rows of one speaker at a time, and not more than fit in memory."""
    speakers = tokens["speaker"].astype(str).to_numpy()
    rows = [np.flatnonzero(speakers == speaker) for speaker in dict.fromkeys(speakers)]
    return [part for own in rows for part in np.array_split(own, -(-len(own) // _TOKENS))]


def other_tokens(speakers: np.ndarray) -> np.ndarray:
    """Return for each token another one of its speaker, half of them further on: neighbours are of one utterance.

    Examples
    --------
    >>> other_tokens(np.array(["s1", "s1", "s1", "s2"])).tolist()
    [1, 2, 0, 3]
    """
    other = np.empty(len(speakers), dtype=int)
    for speaker in dict.fromkeys(speakers):
        own = np.flatnonzero(speakers == speaker)
        other[own] = np.roll(own, -(-len(own) // 2) if len(own) > 1 else 0)
    return other


def _ranks(values: np.ndarray) -> np.ndarray:
    return stats.rankdata(values, axis=1, nan_policy="omit")


def correlations(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Return Pearson's correlation of each row over what neither lacks, (map,); missing where a row does not vary."""
    first, second = (values - _row_means(values) for values in (one, two))
    product, lengths = np.nansum(first * second, axis=1), [np.nansum(values**2, axis=1) for values in (first, second)]
    size = [np.nansum(values**2, axis=1) for values in (one, two)]
    # What rounding leaves of values that are all the same.
    still = (lengths[0] <= 1e-12 * size[0]) | (lengths[1] <= 1e-12 * size[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(still, np.nan, np.clip(product / np.sqrt(lengths[0] * lengths[1]), -1, 1))


def _row_means(values: np.ndarray) -> np.ndarray:
    present = np.maximum(np.isfinite(values).sum(axis=1, keepdims=True), 1)
    return np.nansum(values, axis=1, keepdims=True) / present
