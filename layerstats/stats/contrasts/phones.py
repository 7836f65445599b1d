"""Is a contrast between two sets of phones encoded at a layer, in level or in shape (Begus & Zhou 2022, Fig. 4)?"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.contrasts.curves import IntervalOptions
from layerstats.stats.contrasts.fits import FitOptions
from layerstats.stats.contrasts.layers import LayerContrasts, layer_contrasts
from layerstats.stats.contrasts.models import SpeakerTerms
from layerstats.stats.multiplicity import AdjustMethod
from layerstats.stats.series import SAMPLES

if TYPE_CHECKING:
    from layerstats.store import Experiment

# The name that results of phones had before any other column could be compared.
PhoneContrast = LayerContrasts


def phone_contrast(
    experiment: Experiment,
    set_1: str | Collection[str],
    set_2: str | Collection[str] | None = None,
    *,
    layers: Collection[str] | None = None,
    speakers: SpeakerTerms = "auto",
    samples: int | None = SAMPLES,
    k: int | None = None,
    adjust: AdjustMethod = "holm",
    intervals: IntervalOptions | None = None,
    fits: FitOptions | None = None,
) -> LayerContrasts:
    """Test a contrast between two sets of phones on the stretches of each layer's series that lie under them.

    One model a layer, on normalised time with AR(1) residuals where these fit better, a factor smooth a phone token,
    and factor smooths of speakers, and of speakers' versions of each set, where they repeat: ``value ~ phone_set +
    s(time) + s(time, by=phone_set_ordered) + ...``. Three tests: the joint one of level and shape, which is the one to
    rely on for "is there any difference"; the level, by t with as many degrees of freedom as speakers, less one (or
    less the number of sets, where each speaker says one of them only); and the shape.
    ``docs/statistics/calibration.md`` has how often each errs. The effect size is the root mean square of the
    difference curve over the standard deviation of phone tokens, see `layerstats.stats.effect_size`.

    Untrained networks in the store are measured by a descriptive effect size that needs no model, and the trained
    network by the same, so that their ranks are fair: see `layerstats.stats.null`. It is `layer_contrasts` of
    `Contrast.of_phones`.

    Parameters
    ----------
    experiment
        A store whose corpus has phones; a selection (of words, speakers, neighbouring phones) narrows the contrast.
    set_1, set_2
        Labels of phones: ``"s"``, ``"p,t,k"`` or a list; or both sets in the first, ``"p,t,k:b,d,g"``.
    layers
        All by default; a layer with too few samples under the phones gets a row that says so.
    speakers, samples, k, adjust, intervals, fits
        As in `word_contrasts`. Each of the three tests is a family over layers.

    Raises
    ------
    ArgumentError
        A phone does not exist (the message lists those that do), the sets overlap, a layer does not exist.
    DataError
        One speaker only, or no layer has enough samples under the phones.

    Notes
    -----
    Phones of different words differ in their neighbours too: the published [s] of *ask* and [ʃ] of *wash* stand in
    different places. Select by word or by neighbouring phone to hold them equal.

    Examples
    --------
    >>> from layerstats.store import open_store
    >>> contrast = phone_contrast(open_store("results/demo/store.zarr"), "s:sh", layers=["conv3"])
    >>> table = contrast.table
    >>> table["layer"].item(), table["joint_p_adjusted"].item() < 0.01, table["effect_size"].item() > 1
    ('conv3', True, True)
    """
    contrast = Contrast.of_phones(set_1, set_2)
    options = {"speakers": speakers, "samples": samples, "k": k, "adjust": adjust}
    return layer_contrasts(experiment, contrast, layers=layers, intervals=intervals, fits=fits, **options)
