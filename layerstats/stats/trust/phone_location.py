"""How much of a map lies inside the phone that people labelled, against phones that are put elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.one_length import check_one_length
from layerstats.stats.trust.interval_shares import PARTS, part_of, speaker_shares
from layerstats.stats.trust.map_measures import chosen_layer, measurement_frame
from layerstats.store import Experiment

# Tokens whose maps are read at once.
_TOKENS = 512


def phone_location(
    experiment: Experiment, *, layer: str | None = None, variable: str | None = None, part: str = "absolute"
) -> pd.DataFrame:
    """Measure the share of every map that lies inside its hand-labelled phone, and whether its maximum does.

    The share is the mass accuracy of Arras et al. (2022), the hit the pointing game of Zhang et al. (2018), both along
    time. Of windows, the phone is the one under the centre; of whole tokens it is every phone, or those that a query
    left (``experiment.select(phone="s")``).

    Chance is what the same map gives where the phone is put elsewhere. "shifted phones" are all places of the phone
    where it is shifted round the window (round the speech, where the tokens table says where that is), exactly: a map
    that has nothing to do with the phone has this share on average. Maps of windows are large about the centre, where
    the phone is too; "phones of other windows" keep that: the intervals that other windows of the same speaker have
    about theirs.

    Parameters
    ----------
    experiment
        A view of a recording of relevance, gradients or whatever has one value a sample.
    layer
        "input" by default, or the only one.
    variable
        (token, sample), or (token, frequency, sample), of which the part is taken before frequencies are added up; by
        default "sum", else the series of the recording.
    part
        "absolute", "positive" (what speaks for the target) or "negative" values.

    Returns
    -------
    pandas.DataFrame
        A row a map, measure and chance, see `measurement_frame`. The condition is the part.

    Raises
    ------
    ArgumentError
        There is no such layer, variable or part.
    DataError
        No phone lies under a map, or values are missing.

    References
    ----------
    Arras, Osman & Samek (2022), CLEVR-XAI, Information Fusion 81, 14-40. Zhang et al. (2018), Top-down neural
    attention by excitation backprop, Int. J. Comput. Vis. 126, 1084-1102.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.store import open_store, store_arrays
    >>> tokens = pd.DataFrame({"token": ["a"], "word": ["ask"], "speaker": ["s1"], "split": ["test"]})
    >>> phone = {"token": ["a"], "phone_index": [0], "label": ["s"], "onset_s": [0.2], "offset_s": [0.4]}
    >>> times = {"input": np.arange(10) / 10}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     maps = {"input": [[0.0, 0, 3, 1, 0, 0, 0, 0, 4, 0]]}
    ...     path = store_arrays(f"{folder}/s.zarr", tokens, maps, time_s=times, phones=pd.DataFrame(phone))
    ...     found = phone_location(open_store(path))
    >>> found[["measure", "value", "baseline_value"]].round(3).values.tolist()
    [['share inside the phone', 0.5, 0.2], ['pointing game', 0.0, 0.2]]
    """
    check_choice("part", part, PARTS)
    maps = _Maps.of(experiment, layer, variable, part)
    units = maps.units()
    if units.empty:
        raise DataError(
            f"No labelled phone lies under a map of {experiment.path.name}: the phones table has no phone at the "
            "centre of a window, or none that is as long as the distance between samples."
        )
    parts = []
    for _, own in units.groupby("speaker", sort=False):
        rows, place = np.unique(own["row"].to_numpy(), return_inverse=True)
        found = speaker_shares(maps.values(rows), own.assign(map=place), maps.of_windows)
        parts.append(own.iloc[found["row"].to_numpy()].reset_index(drop=True).join(found.drop(columns="row")))
    # The order of the tokens, whoever speaks.
    located = pd.concat(parts, ignore_index=True).sort_values("place", kind="stable")
    return measurement_frame(located.assign(condition=part))


@dataclass(frozen=True, eq=False)
class _Maps:
    """The maps of a layer and where they are in time."""

    experiment: Experiment
    layer: str
    variable: str
    part: str

    @classmethod
    def of(cls, experiment: Experiment, layer: str | None, variable: str | None, part: str) -> _Maps:
        check_one_length(experiment, "Shares of maps in phones")
        chosen = chosen_layer(experiment, layer)
        dataset = experiment.layer(chosen)
        name = variable or ("sum" if "sum" in dataset else experiment.summary)
        check_choice("variable", name, [str(known) for known in dataset.data_vars])
        dims = dataset[name].dims
        if dims[0] != "token" or dims[-1] != "sample" or len(dims) > 3:
            raise ArgumentError(f"The variable {name!r} must be by (token, ..., sample), but is by {dims}.")
        return cls(experiment, chosen, name, part)

    @property
    def of_windows(self) -> bool:
        """Whether tokens are windows of utterances."""
        return "utterance" in self.experiment.tokens.columns

    def units(self) -> pd.DataFrame:
        """Return a row a map and phone: the token, its row, and the samples from `first` to before `last`."""
        view, times = self.experiment, self.experiment.layer(self.layer)["time_s"].to_numpy()
        phones = view.phones
        if self.of_windows and not view.has_phone_query:
            centre = (times[0] + times[-1]) / 2
            phones = phones.loc[(phones["onset_s"] <= centre) & (phones["offset_s"] > centre)]
        first, last = (np.searchsorted(times, phones[name].to_numpy()) for name in ("onset_s", "offset_s"))
        wanted = [name for name in ("phone_index", "label", "phone_class", "token") if name in phones.columns]
        intervals = phones.loc[:, wanted].assign(first=first, last=last).rename(columns={"label": "phone"})
        joined = self._tokens(times).merge(intervals, on="token")
        long = joined["last"].to_numpy() > joined["first"].to_numpy()
        inside = (joined["first"] >= joined["low"]).to_numpy() & (joined["last"] <= joined["high"]).to_numpy()
        joined = joined.loc[long & inside].reset_index(drop=True)
        return joined.assign(place=range(len(joined)))

    def _tokens(self, times: np.ndarray) -> pd.DataFrame:
        """Return the names of tokens with their rows and the samples that phones can be shifted in."""
        tokens = self.experiment.tokens
        names = ["token", "speaker", *(["utterance"] if self.of_windows else [])]
        low, high = 0, len(times)
        if not self.of_windows and {"onset_s", "duration_s"} <= set(tokens.columns):
            onset = tokens["onset_s"].to_numpy(dtype=float)
            low = np.searchsorted(times, onset)
            high = np.searchsorted(times, onset + tokens["duration_s"].to_numpy(dtype=float))
        return tokens.loc[:, names].assign(row=range(len(tokens)), low=low, high=high)

    def values(self, rows: np.ndarray) -> np.ndarray:
        """Return the part of the maps that is looked at, (token, sample), none below zero."""
        stored = self.experiment.layer(self.layer)[self.variable]
        found = []
        for some in np.array_split(rows, -(-len(rows) // _TOKENS)):
            values = stored.isel(token=some).to_numpy().astype(float)
            if not np.isfinite(values).all():
                raise DataError(
                    f"The layer {self.layer!r} of {self.experiment.path.name} holds values that are not finite."
                )
            found.append(part_of(values, self.part))
        return np.concatenate(found)
