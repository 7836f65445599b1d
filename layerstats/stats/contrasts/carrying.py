"""How many channels carry a contrast, and a table of all of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from layerstats.errors import ArgumentError
from layerstats.tables import check_frame

# By test, columns of the table that others have not, and the variables that they are.
_OWN_COLUMNS = {
    "level": {
        **{"level_difference": "estimate", "level_std_error": "std_error"},
        **{"conf_low": "conf_low", "conf_high": "conf_high"},
    },
    "shape": {"shape_edf": "edf", "shape_ref_df": "ref_df"},
    "joint": {"joint_df": "ref_df"},
}


def channel_table(contrasts: xr.Dataset) -> pd.DataFrame:
    """Return the result of `channel_contrasts` or `vector_contrasts` as a table, one row a channel.

    Returns
    -------
    pandas.DataFrame
        ``layer, channel, level_1, level_2, status``; ``level_difference, level_std_error, level_statistic``, of vectors
        also ``conf_low, conf_high``; ``shape_edf, shape_ref_df, shape_statistic``; ``joint_df, joint_statistic``; for
        each test ``..._p_value, ..._p_holm, ..._p_fdr``; ``effect_size, token_sd, scale, score, gradient, iterations``.
        Of vectors there is the level only.

    Examples
    --------
    >>> from layerstats.stats import vector_contrasts
    >>> values = np.array([[1.0, 0.0], [2.0, 0.0], [4.0, 1.0], [2.0, 1.0]])
    >>> labels = {"label": ("phone", ["s", "sh", "s", "sh"]), "speaker": ("phone", ["a", "a", "b", "b"])}
    >>> found = vector_contrasts(xr.DataArray(values, dims=("phone", "channel"), coords=labels), "s:sh")
    >>> channel_table(found)[["channel", "level_difference"]].values.tolist()
    [[0.0, 0.5], [1.0, 0.0]]
    """
    columns: dict[str, object] = {"layer": contrasts.attrs["layer"], "channel": contrasts["channel"].to_numpy()}
    columns |= {name: contrasts.attrs[name] for name in ("level_1", "level_2")}
    columns["status"] = contrasts["status"].to_numpy().astype(object)
    tests = {str(term): contrasts.sel(term=term) for term in contrasts["term"].to_numpy()}
    for test, names in _OWN_COLUMNS.items():
        for column, variable in names.items():
            if test in tests and variable in contrasts:
                columns[column] = tests[test][variable].to_numpy()
    for name, test in tests.items():
        for number in ("statistic", "p_value", "p_holm", "p_fdr"):
            columns[f"{name}_{number}"] = test[number].to_numpy()
    for name in ("effect_size", "token_sd", "scale", "score", "gradient", "iterations"):
        if name in contrasts:
            columns[name] = contrasts[name].to_numpy()
    return check_frame(pd.DataFrame(columns), "channel_contrasts" if "joint" in tests else None)


def carrying_channels(contrasts: xr.Dataset, *, alpha: float = 0.05, threshold: float = 0.5) -> pd.DataFrame:
    """Say how many channels carry a contrast: those found, and an estimate of all there are.

    Parameters
    ----------
    contrasts
        From `channel_contrasts` or `vector_contrasts`.
    alpha
        Channels found have an adjusted p-value up to it: the share of false ones among those of Benjamini & Hochberg,
        or the probability of any false one among those of Holm.
    threshold
        Where p-values are taken to come from channels without a difference.

    Returns
    -------
    pandas.DataFrame
        For each test (level, shape, joint) ``test, channels, tested, found_fdr, found_holm, alpha, null_share,
        carriers``.

    Notes
    -----
    `null_share` is the estimate of Storey (2002, J. R. Statist. Soc. B 64, 479-498) of the proportion of channels
    without any difference: p-values of such channels are uniform, so that it is the number of p-values above the
    threshold, over what that would be if no channel differed, and 1 where that is more. `carriers` is the rest of the
    channels tested. It counts channels whose differences are too small to be found one by one, and is cautious:
    p-values of carriers that lie above the threshold count for the null. Channels hear the same tokens, so that their
    tests depend on each other; that leaves the estimate cautious on average but makes it vary more from one sample of
    tokens to another.

    Examples
    --------
    >>> p = np.append(np.full(40, 1e-6), (np.arange(60) + 0.5) / 60)[:, None]
    >>> adjusted = np.where(p < 1e-3, p, 1.0)
    >>> tests = {"p_value": p, "p_holm": adjusted, "p_fdr": adjusted}
    >>> tests = xr.Dataset({name: (("channel", "term"), values) for name, values in tests.items()})
    >>> carrying_channels(tests.assign_coords(term=["joint"]))[["tested", "found_fdr", "carriers"]]
       tested  found_fdr  carriers
    0     100         40      40.0
    """
    for name, value in (("alpha", alpha), ("threshold", threshold)):
        if not 0 < value < 1:
            raise ArgumentError(f"The {name!r} parameter must lie between 0 and 1, but got {value!r} instead.")
    rows = []
    for test in contrasts["term"].to_numpy():
        one = contrasts.sel(term=test)
        p = one["p_value"].to_numpy()
        p = p[np.isfinite(p)]
        share = min(1.0, float(np.sum(p > threshold)) / (len(p) * (1 - threshold))) if len(p) else np.nan
        rows.append(
            {
                "test": str(test),
                "channels": contrasts.sizes["channel"],
                "tested": len(p),
                "found_fdr": int(np.sum(one["p_fdr"].to_numpy() <= alpha)),
                "found_holm": int(np.sum(one["p_holm"].to_numpy() <= alpha)),
                "alpha": alpha,
                "null_share": share,
                "carriers": len(p) * (1 - share),
            }
        )
    return check_frame(pd.DataFrame(rows))
