"""Maps of a layer on disk, of which some tokens are read at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from layerstats.errors import StoreError
from layerstats.stats.one_length import check_one_length
from layerstats.stats.trust.map_measures import chosen_layer
from layerstats.store import Experiment

if TYPE_CHECKING:
    import zarr

MAPS = "maps"


@dataclass(frozen=True, eq=False)
class StoredMaps:
    """The maps of a layer on disk, and the rows of them that are meant.

    Attributes
    ----------
    array
        (token, band, sample), as it lies on disk.
    rows
        Of the array, (row,).
    bands
        Centres in Hz, or numbers of channels, (band,).
    band_name
        "frequency" or "channel".
    times
        Seconds of the samples, (sample,).
    """

    array: zarr.Array
    rows: np.ndarray
    bands: np.ndarray
    band_name: str
    times: np.ndarray

    @classmethod
    def of(cls, experiment: Experiment, layer: str | None) -> StoredMaps:
        """Find the maps of a layer of the tokens that are selected.

        Raises
        ------
        ArgumentError
            There is no such layer, or several and none was named.
        StoreError
            It was recorded without maps.
        """
        check_one_length(experiment, "Averages of aligned maps")
        chosen = chosen_layer(experiment, layer)
        dataset = experiment.layer(chosen)
        if MAPS not in dataset:
            raise StoreError(
                f"The layer {chosen!r} of {experiment.name!r} in {experiment.path} has no maps, of which averages are "
                "made. Record it with maps (maps=True, in the shell --maps)."
            )
        array = experiment.array(chosen, MAPS)
        if "channel_frequency_hz" in dataset.coords:
            bands, name = dataset["channel_frequency_hz"].to_numpy(), "frequency"
        else:
            bands, name = np.arange(array.shape[1]), "channel"
        return cls(array, experiment.token_rows, bands, name, experiment.times(chosen))

    @property
    def size(self) -> int:
        """How many samples there are."""
        return len(self.times)

    @property
    def hop_s(self) -> float:
        """Seconds from one sample to the next."""
        return float(np.diff(self.times).mean()) if self.size > 1 else 1.0

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return (row, band, sample) of some of the rows that are meant; each chunk is decoded once."""
        wanted, back = np.unique(self.rows[rows], return_inverse=True)
        if len(wanted) and wanted[-1] - wanted[0] + 1 == len(wanted):
            values = np.asarray(self.array[int(wanted[0]) : int(wanted[-1]) + 1])
        else:
            values = np.asarray(self.array.oindex[wanted])
        in_order = len(back) == len(wanted) and bool(np.all(np.diff(back) > 0))
        return values if in_order else values[back]
