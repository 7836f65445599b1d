"""Which channels (units) of a layer carry a contrast, and how many?"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from layerstats.checks import check_choice, check_positive
from layerstats.errors import ArgumentError, DataError
from layerstats.parallel import Progress, RunOptions
from layerstats.stats.contrasts.channel_effects import ChannelEffects
from layerstats.stats.contrasts.channel_models import channel_model
from layerstats.stats.contrasts.channel_values import (
    ChannelRows,
    channel_blocks,
    channel_count,
    on_common_times,
    rows_of_series,
)
from layerstats.stats.contrasts.contrast import Contrast, one_contrast
from layerstats.stats.contrasts.models import SpeakerTerms, check_groups, level_and_shape_model
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.one_thread import one_blas_thread
from layerstats.stats.series import SAMPLES, Series
from layerstats.stats.units import Units

if TYPE_CHECKING:
    from layerstats.stats.gamm.batched.rows import ChannelFits
    from layerstats.store import Experiment

TESTS = ("level", "shape", "joint")
Times = Literal["common", "own"]
LEAST_SERIES = 3
# Enough to know a mean autocorrelation to two digits, and read in one pass.
AUTOCORRELATION_CHANNELS = 64
ADJUSTED: dict[str, AdjustMethod] = {"p_holm": "holm", "p_fdr": "fdr_bh"}


def channel_contrasts(
    experiment: Experiment,
    layer: str,
    contrast: str | Contrast | None = None,
    *,
    words: Sequence[str] | None = None,
    phones: str | Sequence[str | Sequence[str]] | None = None,
    times: Times = "common",
    speakers: SpeakerTerms = "auto",
    samples: int | None = SAMPLES,
    k: int | None = None,
    rho: float | Literal["auto"] | None = "auto",
    workers: int = 2,
    client: Any = None,
    progress: Progress | None = None,
    keep: str | os.PathLike[str] | None = None,
    memory_mb: float = 128.0,
) -> xr.Dataset:
    """Test a contrast between two words, two sets of phones, or two levels of any column in every channel of a layer.

    Each channel gets the model of `phone_contrast`, with smoothing parameters of its own, and its three tests: a
    parametric term tests the level, a difference smooth the shape, and both together whether there is any difference.
    The numbers are those of ``fit(engine="structured")`` on that channel.

    Parameters
    ----------
    experiment
        A store that was recorded with every channel (``maps=True``); a selection narrows the contrast.
    layer
        The layer.
    contrast
        A contrast of two levels, or its string: ``"s:sh"``, ``"sex=F:M"``; see `Contrast.read`.
    words
        Instead, two words: ``("ask", "wash")`` is *ask* minus *wash*, on all samples of the clip.
    phones
        Instead, two sets of phones: ``"s:sh"``, ``("p,t,k", "b,d,g")``, on the samples under them.
    times
        Phones differ in length, and their samples lie at different normalised times. "common" interpolates every series
        linearly to as many equally spaced times as the median series has points, which is fast but makes neighbouring
        points more alike; "own" keeps each at its own, which is exact and slower: bases are built on all different
        times, of which a few thousand take a minute and gigabytes. Words need neither.
    speakers
        "auto" for factor smooths of speakers where they repeat, as in `word_contrasts`; "none" for none. On the CPU and
        where series share their times, speakers cost little, however many there are. Otherwise a channel takes more
        than a second with 64 speakers, and some 80 are the most that "auto" can take.
    samples, k
        As in `word_contrasts`.
    rho
        AR(1) parameter of the residuals, the same for all channels: a number, None, or "auto": the mean over 64 evenly
        spaced channels of the lag-1 autocorrelation of the residuals without AR(1).
    workers, client, progress, keep
        See `layerstats.parallel.run_tasks`; `workers` are threads. Numbers depend on none of them.
    memory_mb
        What the values of the channels in memory may need, in megabytes; results do not depend on it. Whatever a
        layer's size, its store is read once to estimate `rho` and once to fit. Only where a store of schema version 1,
        or memory for less than a chunk of channels (64 at most), leaves no choice, chunks are read again for every
        block.

    Returns
    -------
    xarray.Dataset
        By (channel, term), term one of level, shape, joint: ``estimate, std_error, df`` (of the level difference,
        always the first minus the second; degrees of freedom as in `phone_contrast`), ``statistic`` (t, else F),
        ``edf, ref_df`` (of smooths), ``p_value``, and adjusted over the channels that could be tested ``p_holm`` (Holm)
        and ``p_fdr`` (Benjamini & Hochberg), each term a family of its own. By channel: ``effect_size`` (root mean
        square of the difference curve over the standard deviation of tokens, corrected for bias; see `effect_size`),
        ``token_sd, scale, score, gradient, iterations``, and ``status``: "fitted", "dead" (the channel never varies),
        "not finite", or "not converged" (the numbers are those of the last step). See `channel_table` and
        `carrying_channels`.

    Raises
    ------
    ArgumentError
        Not exactly one of `contrast`, `words` and `phones`, unknown levels, or a model that is too large.
    DataError
        One speaker only, too few series or samples, or nothing but dead channels.
    StoreError
        The store has no maps of this layer.

    Examples
    --------
    >>> from layerstats.store import open_store
    >>> from layerstats.stats import channel_table
    >>> channels = channel_contrasts(open_store("results/demo/store.zarr"), "conv4", phones="s:sh")
    >>> channel_table(channels)[["channel", "level_1", "level_2"]].values.tolist()
    [[0, 's', 'sh'], [1, 's', 'sh']]
    """
    check_choice("times", times, ("common", "own"))
    check_positive("memory_mb", memory_mb)
    total = channel_count(experiment, layer)
    contrast = one_contrast(contrast, words, phones)
    series, rows = _series(experiment.select(layer=layer), layer, contrast, times, samples)
    check_groups(series.frame, contrast.group, speakers)
    model = level_and_shape_model(
        series, contrast.group, contrast.reference_first, k=k, speakers=speakers, items=contrast.items
    )
    # Stands for the estimate until there is one.
    fitted = channel_model(model, series, contrast.group, 0.5 if rho == "auto" else _number(rho))
    parts = []
    with one_blas_thread():
        blocks, maps = channel_blocks(experiment, layer, rows, memory_mb), experiment.array(layer, "maps")
        # Where all channels are one block they are read, and decompressed, once.
        whole = rows.read(maps, blocks[0]) if len(blocks) == 1 else None
        if rho == "auto":
            some = _some_channels(total)
            rho = fitted.autocorrelation(rows.read(maps, some) if whole is None else whole[some])
            fitted = fitted.with_rho(rho)
        curves, joint = fitted.difference(series), _joint(contrast, series)
        run = RunOptions(workers, client, threads=True, progress=progress, keep=keep)
        for number, block in enumerate(blocks):
            values = rows.read(maps, block) if whole is None else whole
            fits = fitted.fit(values, joint, run.share(number, len(blocks)))
            parts.append(_block(fits, curves.effects(fits, values), model.units, joint, contrast.sign))
            # Before the next block is read.
            del values, fits
    about = {"layer": layer, "recording": experiment.name, **_about(contrast, series, layer, times, model.units)}
    return _dataset(parts, about | {"formula": model.formula, "rho": float(rho or 0.0)})


def _joint(contrast: Contrast, series: Series) -> tuple[str, str]:
    """Return the coefficient and the smooth of the difference."""
    group, other = contrast.group, contrast.reference_first[1]
    return f"{group}{other}", f"s({series.covariate}):{group}_ordered{other}"


def _about(contrast: Contrast, series: Series, layer: str, times: Times, units: Units) -> dict[str, object]:
    return {
        "level_1": contrast.level_1,
        "level_2": contrast.level_2,
        "family": f"{contrast.name} over the channels of {layer}; level, shape and joint test each by itself",
        "series": len(set(series.frame[series.identifier])),
        "dropped": len(series.dropped),
        "level_units": str(units),
        "note": units.note,
        "times": times if series.covariate == "time" else "the clip's",
    }


def _series(
    experiment: Experiment, layer: str, contrast: Contrast, times: Times, samples: int | None
) -> tuple[Series, ChannelRows]:
    """Return the series of a contrast, and where the values of a channel come from."""
    raw = contrast.series(experiment, layer, samples=None)
    labels = raw.frame.drop_duplicates(raw.identifier)[contrast.group].to_numpy()
    for name in contrast.names:
        count = int(np.sum(labels == name))
        if count < LEAST_SERIES:
            raise DataError(
                f"At layer {layer!r} there are {count} series of {name} with enough samples; at least {LEAST_SERIES} "
                "are needed. Choose an earlier layer, or other levels."
            )
    series, rows = rows_of_series(experiment, layer, raw, samples)
    if series.covariate == "time" and times == "common":
        return on_common_times(series, rows)
    return series, rows


def _number(rho: object) -> float:
    if rho is None:
        return 0.0
    if isinstance(rho, int | float | np.number) and -1 < float(rho) < 1:
        return float(rho)
    raise ArgumentError(
        f"Invalid value for the 'rho' parameter. Allowed values are None, 'auto' and numbers between -1 and 1, but got "
        f"{rho!r} instead."
    )


def _some_channels(channels: int) -> np.ndarray:
    return np.linspace(0, channels - 1, min(channels, AUTOCORRELATION_CHANNELS)).round().astype(int)


def _block(fits: ChannelFits, effects: ChannelEffects, units: Units, joint: tuple[str, str], sign: float) -> xr.Dataset:
    """Return the table of one block of channels."""
    from layerstats.stats.gamm.batched.rows import JOINT

    coefficient, smooth = joint
    level = fits.parametric_terms.index(coefficient)
    shape, both = fits.smooth_terms.index(smooth), fits.smooth_terms.index(JOINT)
    none = np.full(len(fits.status), np.nan)
    ratio = fits.statistic[:, level]
    freedom = np.where(np.isfinite(ratio), units.freedom, np.nan)
    by_term = {
        "estimate": (sign * fits.estimate[:, level], none, none),
        "std_error": (fits.std_error[:, level], none, none),
        "df": (freedom, none, none),
        "statistic": (sign * ratio, fits.smooth_statistic[:, shape], fits.smooth_statistic[:, both]),
        "edf": (none, fits.edf[:, shape], fits.edf[:, both]),
        "ref_df": (none, fits.ref_df[:, shape], fits.ref_df[:, both]),
        "p_value": (
            2 * stats.t.sf(np.abs(ratio), freedom),
            fits.smooth_p_value[:, shape],
            fits.smooth_p_value[:, both],
        ),
    }
    by_channel = {
        "effect_size": effects.effect_size,
        "token_sd": effects.token_sd,
        "scale": fits.scale,
        "score": fits.score,
        "gradient": fits.gradient_norm,
        "iterations": fits.iterations,
        "status": fits.status,
    }
    variables: dict[str, tuple] = {name: (("channel", "term"), np.stack(v, axis=1)) for name, v in by_term.items()}
    return xr.Dataset(
        variables | {name: ("channel", values) for name, values in by_channel.items()}, coords={"term": list(TESTS)}
    )


def _dataset(parts: Sequence[xr.Dataset], about: Mapping[str, object]) -> xr.Dataset:
    """Put blocks together and adjust p-values over all channels."""
    whole = xr.concat(parts, dim="channel", data_vars="minimal", coords="minimal", compat="override", join="exact")
    adjusted = {name: np.full(whole["p_value"].shape, np.nan) for name in ADJUSTED}
    for number, test in enumerate(TESTS):
        frame = pd.DataFrame({"p_value": whole["p_value"].to_numpy()[:, number]})
        for name, method in ADJUSTED.items():
            adjusted[name][:, number] = adjust_p_values(frame, test, method=method)["p_adjusted"]
    channels = {"channel": np.arange(whole.sizes["channel"])}
    whole = whole.assign({name: (("channel", "term"), values) for name, values in adjusted.items()})
    return whole.assign_coords(channels).assign_attrs(dict(about))
