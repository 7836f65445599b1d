"""Which tokens, phones, layers and samples of a recording are meant, and reading them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import xarray as xr
import zarr

from layerstats.errors import ArgumentError, StoreError
from layerstats.store.query import check_known, samples_within
from layerstats.store.reading import StoreFiles
from layerstats.store.recordings import Recording


@dataclass(frozen=True, eq=False, repr=False)
class Selection:
    """A recording of a store, or the part of it that queries have left; `Experiment` adds the queries."""

    _files: StoreFiles = field()
    _recording: str | None = None
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
        """Name of the recording that this view shows.

        Raises
        ------
        ArgumentError
            The store has several recordings, or none, and it was not said which one is meant.
        """
        if self._recording is None:
            names = ", ".join(map(repr, self._files.recording_names))
            if not names:
                raise ArgumentError(f"{self.path} holds no recordings: `layerstats record NETWORK STORE` makes some.")
            raise ArgumentError(f"{self.path}: say which recording is meant, by its name. There are: {names}.")
        return self._recording

    @property
    def has_recording(self) -> bool:
        """Whether this view shows one recording, or the store as a whole."""
        return self._recording is not None

    @property
    def attrs(self) -> dict[str, Any]:
        """Provenance of the store and of the recording that this view shows, if it shows one."""
        return {**self._files.attributes, **(self.recording_attrs if self.has_recording else {})}

    @property
    def recording_attrs(self) -> dict[str, Any]:
        """Provenance of the recording that this view shows, without that of the store."""
        return dict(self._shown.attributes)

    @property
    def folder(self) -> Path:
        """Where the recording that this view shows lies."""
        return self._shown.folder

    @property
    def quantity(self) -> str:
        """What is recorded: "activation", "relevance", "gradient", "input", ..."""
        return self._shown.attributes["quantity"]

    @property
    def trained(self) -> bool:
        """Whether the network was trained; otherwise its weights are random."""
        return self._shown.attributes["trained"]

    @property
    def ragged(self) -> bool:
        """Whether clips have lengths of their own, so that NaN follows the last sample of those that are shorter."""
        return bool(self._shown.attributes.get("ragged", False))

    @property
    def summary(self) -> str:
        """The series (token, sample) that stands for a layer: "mean", "root_mean_square" or another variable.

        Raises
        ------
        StoreError
            No variable of the recording is a series.
        """
        found = self._shown.summary()
        if found is None:
            raise StoreError(
                f"The recording {self.name!r} of {self.path} has no series (token, sample). Its variables are "
                f"{', '.join(self.variables)}."
            )
        return found

    @property
    def value_label(self) -> str:
        """What axes call the values of `summary`, for instance "Activation (mean over channels)"."""
        name = str(self.layer(self.layers[0])[self.summary].attrs.get("long_name", self.quantity))
        if name.startswith("activation "):
            # Arrays from elsewhere are stored under the usual names, whatever they are.
            name = self.quantity + name.removeprefix("activation")
        plain = name.replace(" averaged over channels", " (mean over channels)")
        return plain[:1].upper() + plain[1:]

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables that layers have."""
        return tuple(self._shown.attributes["variables"])

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers, in their order in the network."""
        return tuple(self._shown.layers) if self._layers is None else self._layers

    @property
    def recordings(self) -> pd.DataFrame:
        """One row per recording of the store: its name and what it says of itself.

        `recording, quantity, network, network_kind, part, network_seed, trained, rule, complete, tokens, layers,
        variables, maps, seed, model_hash, key, created_at`; `network_seed` is that of the training or, of an untrained
        network, that of its weights.
        """
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
        recording = self._files.recording(name)
        check_known("layer", self._layers or (), recording.layers)
        rows = self._token_rows
        if rows is not None:
            rows = rows[np.isin(rows, recording.written())]
        return replace(self, _recording=recording.name, _token_rows=rows)

    @property
    def _shown(self) -> Recording:
        return self._files.recording(self.name)

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
        return np.arange(len(self._files.tokens)) if self._recording is None else self._shown.written()

    @property
    def phone_rows(self) -> np.ndarray:
        """Rows of the store's phones table that are selected, (phone,)."""
        if self._phone_rows is not None:
            return self._phone_rows
        return np.flatnonzero(np.isin(self._files.phones["token_row"], self.token_rows))

    def layer(self, name: str) -> xr.Dataset:
        """Return a layer with all of its variables, read when used.

        They have the dimensions that were recorded: `mean` or `root_mean_square` (token, sample), `maps` (token,
        channel, sample), `phones` (phone, channel), `input` (token, frequency, sample), or others. The tokens, the
        phones and the time window of the selection apply; a phone query does not narrow the samples, since phones have
        other times in every token (`to_frame` does that). `word`, `speaker` and `split` label the tokens, `phone_token`
        and `label` the phones.

        Raises
        ------
        ArgumentError
            The selection has no such layer.
        """
        check_known("layer", [name], self.layers)
        dataset = self._shown.dataset(name)
        chosen: dict[str, Any] = {}
        labels: dict[str, tuple[str, np.ndarray]] = {}
        if "token" in dataset.sizes:
            chosen["token"] = self.token_rows
            labels |= _labels(
                self.tokens, "token", {column: column for column in ("token", "word", "speaker", "split")}
            )
        if "phone" in dataset.sizes:
            chosen["phone"] = self.phone_rows
            labels |= _labels(self.phones, "phone", {"phone_token": "token", "label": "label"})
        if "sample" in dataset.sizes:
            start, stop = self.sample_range(dataset["time_s"].to_numpy())
            chosen["sample"] = slice(start, stop)
            labels["sample"] = ("sample", np.arange(start, stop))
        narrowed = {
            dimension: rows
            for dimension, rows in chosen.items()
            if (rows.stop - rows.start if isinstance(rows, slice) else len(rows)) < dataset.sizes[dimension]
        }
        return dataset.isel(narrowed).assign_coords(labels)

    def array(self, layer: str, variable: str | None = None) -> zarr.Array:
        """Return the whole array of a layer as it lies on disk, whatever is selected: for reading block by block."""
        return self._shown.array(layer, variable or self.summary)

    def dimensions(self, layer: str, variable: str) -> tuple[str, ...]:
        """Return the names of a variable's dimensions."""
        return self._shown.dimensions(self.array(layer, variable))

    def times(self, layer: str) -> np.ndarray:
        """Return the centres of all receptive fields of a layer, (sample,), seconds on the clip's axis."""
        return self._shown.times(layer)

    def sample_range(self, time_s: np.ndarray) -> tuple[int, int]:
        """Return the first sample of the time window in a layer with `time_s` (sample,), and the one after its last."""
        start, stop = samples_within(time_s, *(self._time_s or (-np.inf, np.inf)))
        return int(start), int(stop)


def _labels(table: pd.DataFrame, dimension: str, columns: dict[str, str]) -> dict[str, tuple[str, np.ndarray]]:
    return {name: (dimension, table[column].to_numpy(dtype=object)) for name, column in columns.items()}
