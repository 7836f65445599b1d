"""Which tokens, phones, layers and samples of a recording are meant, and reading them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import xarray as xr
import zarr

from layerstats.store.query import check_known, samples_within
from layerstats.store.reading import StoreFiles
from layerstats.store.recordings import summary_of
from layerstats.store.schema import MAIN_RECORDING


@dataclass(frozen=True, eq=False, repr=False)
class Selection:
    """A recording of a store, or the part of it that queries have left; `Experiment` adds the queries."""

    _files: StoreFiles = field()
    _recording: str = MAIN_RECORDING
    _token_rows: np.ndarray | None = None
    _phone_rows: np.ndarray | None = None
    _layers: tuple[str, ...] | None = None
    _time_s: tuple[float, float] | None = None

    @property
    def path(self) -> Path:
        """Where the store is."""
        return self._files.path

    @property
    def name(self) -> str:
        """Name of the recording that this view shows."""
        return self._recording

    @property
    def attrs(self) -> dict[str, Any]:
        """Provenance of the store and of the recording that this view shows."""
        return {**self._files.attributes, **self.recording_attrs}

    @property
    def summary(self) -> str:
        """What is recorded of the channels: "mean" or "root_mean_square"."""
        return summary_of(self._files.recording(self._recording))

    @property
    def recording_attrs(self) -> dict[str, Any]:
        """Provenance of the recording that this view shows, without that of the store."""
        return self._files.recording(self._recording)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers, in their order in the network."""
        return tuple(self._files.recording(self._recording)["layers"]) if self._layers is None else self._layers

    @property
    def recordings(self) -> pd.DataFrame:
        """One row per recording of the store: `recording, complete, tokens, layers, maps, seed, model_hash, ...`."""
        return self._files.recordings

    def in_recording(self, name: str) -> Self:
        """Return the same selection in another recording.

        Raises
        ------
        ArgumentError
            There is no such recording, or it lacks a layer that is selected.
        StoreError
            It is half-written.
        """
        attributes = self._files.recording(name)
        check_known("layer", self._layers or (), attributes["layers"])
        rows = self._token_rows
        if rows is not None:
            rows = rows[rows < attributes["tokens_written"]]
        return replace(self, _recording=name, _token_rows=rows)

    @property
    def tokens(self) -> pd.DataFrame:
        """The tokens that are selected."""
        return self._files.tokens.iloc[self.token_rows].reset_index(drop=True)

    @property
    def phones(self) -> pd.DataFrame:
        """The phones that are selected: those of the phone query, or all phones of the selected tokens."""
        return self._files.phones.iloc[self.phone_rows].drop(columns="token_row").reset_index(drop=True)

    @property
    def has_phone_query(self) -> bool:
        """Whether phones were asked for, so that `to_frame` keeps to their intervals."""
        return self._phone_rows is not None

    @property
    def time_s(self) -> tuple[float, float] | None:
        """The time window (start <= time < end, seconds), or None."""
        return self._time_s

    @property
    def token_rows(self) -> np.ndarray:
        """Rows of the store's tokens table that are selected, (token,)."""
        if self._token_rows is not None:
            return self._token_rows
        if self._recording == MAIN_RECORDING and not self._files.recording_names:
            return np.arange(len(self._files.tokens))  # a store of judgements, say
        return np.arange(self._files.recording(self._recording)["tokens_written"])

    @property
    def phone_rows(self) -> np.ndarray:
        """Rows of the store's phones table that are selected, (phone,)."""
        if self._phone_rows is not None:
            return self._phone_rows
        return np.flatnonzero(np.isin(self._files.phones["token_row"], self.token_rows))

    def layer(self, name: str) -> xr.Dataset:
        """Return a layer, read when used: `mean` or what `summary` says, and `maps` where they were recorded.

        They are (token, sample) and (token, channel, sample). The tokens and the time window of the selection apply; a
        phone query narrows the tokens but not the samples, since phones have other times in every token (`to_frame`
        does that).

        Raises
        ------
        ArgumentError
            The selection has no such layer.
        """
        check_known("layer", [name], self.layers)
        dataset = self._files.dataset(self._recording, name)
        start, stop = self.sample_range(dataset["time_s"].to_numpy())
        tokens = self.tokens
        about = {
            column: ("token", tokens[column].to_numpy(dtype=object)) for column in ("token", "word", "speaker", "split")
        }
        if len(tokens) < dataset.sizes["token"] or stop - start < dataset.sizes["sample"]:
            dataset = dataset.isel(token=self.token_rows, sample=slice(start, stop))
        return dataset.assign_coords(about).assign_coords(sample=("sample", np.arange(start, stop)))

    def array(self, layer: str, variable: str | None = None) -> zarr.Array:
        """Return the whole array of a layer as it lies on disk, whatever is selected: for reading block by block."""
        return self._files.array(self._recording, layer, variable or self.summary)

    def times(self, layer: str) -> np.ndarray:
        """Return the centres of all receptive fields of a layer, (sample,), seconds on the clip's axis."""
        return self._files.times(self._recording, layer)

    def sample_range(self, time_s: np.ndarray) -> tuple[int, int]:
        """Return the first sample of the time window in a layer with `time_s` (sample,), and the one after its last."""
        start, stop = samples_within(time_s, *(self._time_s or (-np.inf, np.inf)))
        return int(start), int(stop)
