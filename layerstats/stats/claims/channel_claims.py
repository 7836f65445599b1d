"""Claims of the channels of a layer: do any of them carry a contrast, and how many are found?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from layerstats.stats.claims.contrast_wording import contrast_words, count_words
from layerstats.stats.claims.findings import ALPHA, ClaimFinding
from layerstats.stats.contrasts.carrying import carrying_channels
from layerstats.stats.units import TOO_FEW

SOURCES = ("effects", "carriers")


def channel_findings(result: xr.Dataset, sources: Sequence[str] = SOURCES) -> list[ClaimFinding]:
    """Return whether channels of a layer carry a contrast, and how many were found.

    That any channel does is tested by the smallest p-value as Benjamini & Hochberg adjust it, which is Simes's test of
    all channels together. The estimate is how many were found, for which there is no interval.

    Parameters
    ----------
    result
        From `channel_contrasts`.
    sources
        Names of the tables and figures that show it.
    """
    joint = result.sel(term="joint")
    counts = carrying_channels(result, alpha=ALPHA).set_index("test").loc["joint"]
    layer, pair = result.attrs["layer"], (result.attrs["level_1"], result.attrs["level_2"])
    tested, found = int(counts["tested"]), int(counts["found_fdr"])
    adjusted = joint["p_fdr"].to_numpy()
    about = contrast_words(" - ".join(map(str, pair)))
    statuses = result["status"].to_numpy()
    unfinished = int(np.sum(statuses == "not converged"))
    checks = [part.partition(": see")[0] for part in str(result.attrs["note"]).split("; ") if TOO_FEW in part]
    checks += [f"models of {count_words(unfinished, 'channel')} did not converge"] if unfinished else []
    return [
        ClaimFinding(
            key=f"{layer}:{pair[0]}-{pair[1]}:channels",
            shown=f"{about} differ in {found} of {count_words(tested, 'channel')} of {layer}, of which "
            f"{100 * ALPHA:.3g} % may be false; {counts['carriers']:.0f} are estimated to carry the difference",
            not_shown=f"No channel of {tested} of {layer} was shown to differ between {about}",
            effect=f"channels found, false discovery rate {ALPHA:g}",
            estimate=float(found),
            conf_low=np.nan,
            conf_high=np.nan,
            conf_level=np.nan,
            p_value=float(np.nanmin(joint["p_value"].to_numpy())),
            p_adjusted=float(np.nanmin(adjusted)),
            family=f"{count_words(tested, 'channel')}, Benjamini-Hochberg",
            failed_checks=tuple(checks),
            sources=tuple(sources),
        )
    ]
