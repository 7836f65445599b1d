"""The effect size of a contrast in every network of a store, trained and untrained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.fixed_summary import why_fixed
from layerstats.stats.null import descriptive_effect_size
from layerstats.stats.series import Series
from layerstats.tables import check_frame

if TYPE_CHECKING:
    from layerstats.store import Experiment

COLUMNS = ["layer", "recording", "trained", "effect_size"]


def network_effects(
    experiment: Experiment,
    series: Mapping[str, Series],
    contrast: Contrast,
    samples: int | None,
) -> pd.DataFrame:
    """Measure every complete recording by the same descriptive effect size, on the same intervals.

    Parameters
    ----------
    experiment
        The view of the trained network; untrained ones are the other recordings of the store.
    series
        The trained network's series of the contrast, by layer.
    contrast, samples
        Two levels, and the bins, as for the trained network.

    Returns
    -------
    pandas.DataFrame
        ``layer, recording, trained, effect_size``; no rows where there is no untrained recording, and a missing number
        where what is recorded of the channels is fixed.
    """
    recordings = experiment.recordings
    others = [
        str(name)
        for name, complete in zip(recordings["recording"], recordings["complete"], strict=True)
        if complete
        and str(name).startswith("untrained/")
        and name != experiment.name
        # A mean and a root mean square are not the same quantity.
        and experiment.recording(str(name)).summary == experiment.summary
    ]
    rows = []
    if others:
        for layer, one in series.items():
            effect = descriptive_effect_size(one.frame, group=contrast.group, identifier=one.identifier)
            rows.append((layer, experiment.name, True, effect))
    for name in others:
        view = experiment.recording(name)
        for layer, trained in series.items():
            if why_fixed(view, layer):
                rows.append((layer, name, False, np.nan))
                continue
            one = contrast.series(view, layer, samples=samples)
            effect = descriptive_effect_size(one.frame, group=contrast.group, identifier=trained.identifier)
            rows.append((layer, name, False, effect))
    return check_frame(pd.DataFrame(rows, columns=COLUMNS))
