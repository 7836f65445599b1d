"""A store as one sees it in an analysis: immutable, lazy, narrowed by queries."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
import zarr

from layerstats.store.query import Wanted, as_list, check_known, matching, narrowed, samples_within
from layerstats.store.reading import StoreFiles
from layerstats.store.recordings import summary_of
from layerstats.store.schema import MAIN_RECORDING, PHONES, TOKENS, unit_and_name


@dataclass(frozen=True, eq=False, repr=False)
class Experiment:
    """A store, or the part of it that queries have left; made by `open_store`.

    No query reads values or changes anything: it returns a narrower experiment. Values are read by `to_frame`, by
    `export`, and where the arrays of `layer` are used.
    """

    _files: StoreFiles = field()
    _recording: str = MAIN_RECORDING
    _token_rows: np.ndarray | None = None
    _phone_rows: np.ndarray | None = None
    _layers: tuple[str, ...] | None = None
    _time_s: tuple[float, float] | None = None

    def __repr__(self) -> str:
        return (
            f"<Experiment {self.path.name} {self._recording}: {len(self.token_rows)} tokens, "
            f"{len(self.phone_rows)} phones, layers {', '.join(self.layers)}>"
        )

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
        return np.arange(self._files.recording(self._recording)["tokens_written"])

    @property
    def phone_rows(self) -> np.ndarray:
        """Rows of the store's phones table that are selected, (phone,)."""
        if self._phone_rows is not None:
            return self._phone_rows
        return np.flatnonzero(np.isin(self._files.phones["token_row"], self.token_rows))

    @property
    def tree(self) -> xr.DataTree:
        """What is selected as a tree: `/tokens`, `/phones` and the recording with a dataset per layer, lazily."""
        nodes: dict[str, xr.Dataset] = {
            "/": xr.Dataset(attrs=self._files.attributes),
            f"/{TOKENS}": _dataset(self.tokens, "token").set_coords("token"),
            f"/{PHONES}": _dataset(self.phones, "phone"),
            f"/{self._recording}": xr.Dataset(attrs=self._files.recording(self._recording)),
        }
        nodes |= {f"/{self._recording}/{layer}": self.layer(layer) for layer in self.layers}
        return xr.DataTree.from_dict(nodes)

    def recording(self, name: str) -> Experiment:
        """Return the same selection in another recording, for instance `untrained/seed_03`.

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

    def select(
        self,
        *,
        word: Wanted | None = None,
        speaker: Wanted | None = None,
        split: Wanted | None = None,
        layer: Wanted | None = None,
        token: Wanted | None = None,
        phone: Wanted | None = None,
        phone_class: Wanted | None = None,
        previous: Wanted | None = None,
        following: Wanted | None = None,
        position: Wanted | None = None,
        time_s: tuple[float, float] | None = None,
    ) -> Experiment:
        """Return the part that meets every condition; each takes one value or several.

        Parameters
        ----------
        word, speaker, split, token
            Tokens by their columns.
        layer
            Layers by name, in the order given.
        phone, phone_class, previous, following, position
            Phones by label, class, neighbours ("#" at the edges of a token) and position ("initial", "medial", "final",
            "only"). Tokens without such a phone drop out, and `to_frame` keeps to the samples whose `time_s` lies in
            a phone's interval (onset <= time < offset).
        time_s
            Window in seconds on the clip's axis (start <= time < end).

        Raises
        ------
        ArgumentError
            The store has no such word, speaker, ...; the message lists those that exist.
        """
        by_token = {"word": word, "speaker": speaker, "split": split, "token": token}
        by_phone = {"label": phone, "phone_class": phone_class, "previous": previous, "following": following}
        by_phone["position"] = position
        wanted_tokens = {column: wanted for column, wanted in by_token.items() if wanted is not None}
        wanted_phones = {column: wanted for column, wanted in by_phone.items() if wanted is not None}
        tokens, phones, layers, window = self._token_rows, self._phone_rows, self._layers, self._time_s
        if wanted_tokens:
            tokens = self.token_rows[matching(self._files.tokens, wanted_tokens, "tokens")[self.token_rows]]
        if wanted_phones:
            phones = self.phone_rows[matching(self._files.phones, wanted_phones, "phones")[self.phone_rows]]
        if phones is not None:
            # Each table keeps only what the other one still has.
            tokens = self.token_rows if tokens is None else tokens
            token_of_phone = self._files.phones["token_row"].to_numpy()[phones]
            phones = phones[np.isin(token_of_phone, tokens)]
            tokens = tokens[np.isin(tokens, token_of_phone)]
        if layer is not None:
            layers = tuple(as_list(layer))
            check_known("layer", layers, self.layers)
        if time_s is not None:
            window = narrowed(window, time_s)
        return replace(self, _token_rows=tokens, _phone_rows=phones, _layers=layers, _time_s=window)

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

    def to_frame(
        self, layer: Wanted | None = None, *, values: str | None = None, columns: Iterable[str] = ()
    ) -> pd.DataFrame:
        """Return the tidy table: one row per layer, token and sample (per phone, after a phone query).

        Parameters
        ----------
        layer
            One layer or several; all that are selected by default.
        values
            "maps" for every channel (adds the column `channel`); by default the average over channels, or what was
            recorded in its place (see `summary`).
        columns
            More columns of the tokens table, for instance `duration_s`, or of the phones table after a phone query.

        Returns
        -------
        pandas.DataFrame
            `token, word, speaker, split, layer, sample, time_s, value`, in this order of sorting: layer, token (as in
            `tokens`), phone, channel, sample. After a phone query also `phone, phone_index, phone_onset_s,
            phone_offset_s`.

        Raises
        ------
        ArgumentError
            There is no such layer or column.
        DataError
            Nothing is selected.
        StoreError
            Maps were asked for and not recorded.
        """
        from layerstats.store.frames import frames

        chosen = self if layer is None else self.select(layer=layer)
        return pd.concat(frames(chosen, values=values, columns=columns), ignore_index=True)

    def export(
        self,
        path: str | os.PathLike[str],
        to: str = "csv",
        *,
        untrained: bool = False,
        padding: bool = False,
        spreadsheet: bool = False,
        overwrite: bool = False,
    ) -> list[Path]:
        """Write what is selected for other programs; memory does not grow with the number of tokens.

        Parameters
        ----------
        path
            For "csv" and "parquet" a folder, that gets `tokens`, `phones` and `activations` (the table of `to_frame`,
            without the padding). For "netcdf" a file, with the groups and variables of the store.
        to
            "csv", "parquet" or "netcdf".
        untrained
            Write the untrained recordings too: a table `untrained` with the column `seed`, or groups of the file.
        padding
            Keep the samples of tables that lie in the padding of their clip. Where the tokens table says where the
            speech is (`onset_s`, `duration_s`), only those are written whose time lies in it (onset <= time < end).
        spreadsheet
            Put an apostrophe before text of tables that a spreadsheet would take for a formula.
        overwrite
            Replace files that are there.

        Returns
        -------
        list of pathlib.Path
            The files written.

        Raises
        ------
        StoreError
            A file exists already, or the disk is full.
        DataError
            Nothing is selected, or there are no untrained recordings.
        """
        from layerstats.store.export import export

        options = {"untrained": untrained, "padding": padding, "spreadsheet": spreadsheet, "overwrite": overwrite}
        return export(self, path, to, **options)


def _dataset(table: pd.DataFrame, dimension: str) -> xr.Dataset:
    variables = {}
    for name, column in table.items():
        text = not pd.api.types.is_numeric_dtype(column.dtype)
        values = column.to_numpy(dtype=object if text else None)
        variables[name] = (dimension, values, unit_and_name(str(name)))
    return xr.Dataset(variables)


def open_store(
    path: str | os.PathLike[str], *, incomplete: str = "error", recording: str = MAIN_RECORDING
) -> Experiment:
    """Open a store; values stay on disk until they are asked for.

    Parameters
    ----------
    path
        The directory.
    incomplete
        "error" refuses a half-written recording and says how to finish it; "allow" shows the tokens that are there.
    recording
        The recording to show: the main one, or for instance `untrained/seed_03`.

    Raises
    ------
    StoreError
        There is no store, it is of a newer schema, damaged or half-written.

    Examples
    --------
    >>> import tempfile, numpy as np, pandas as pd
    >>> from layerstats.store import store_arrays
    >>> tokens = pd.DataFrame({"token": ["a", "b"], "word": ["ask", "dark"], "speaker": ["s1", "s2"], "split": "test"})
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = store_arrays(f"{folder.name}/s.zarr", tokens, {"conv1": np.eye(2)}, time_s={"conv1": [0.0, 0.5]})
    >>> experiment = open_store(path)
    >>> experiment
    <Experiment s.zarr activations: 2 tokens, 0 phones, layers conv1>
    >>> experiment.select(word="dark").to_frame()
      token  word speaker split  layer  sample  time_s  value
    0     b  dark      s2  test  conv1       0     0.0    0.0
    1     b  dark      s2  test  conv1       1     0.5    1.0
    >>> folder.cleanup()
    """
    files = StoreFiles(Path(path), incomplete)
    if incomplete == "error" and recording in files.recording_names:
        files.recording(recording)
    return Experiment(files, recording)
