"""A store as one sees it in an analysis: immutable, lazy, narrowed by queries."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from layerstats.store.export import export
from layerstats.store.frames import frames
from layerstats.store.query import Wanted, as_list, by_table, check_known, matching, matching_recording, narrowed
from layerstats.store.reading import StoreFiles
from layerstats.store.schema import MAIN_RECORDING, PHONES, RECORDINGS, TOKENS, unit_and_name
from layerstats.store.selection import Selection
from layerstats.store.stored_results import StoredResults


@dataclass(frozen=True, eq=False, repr=False)
class Experiment(Selection, StoredResults):
    """A store, or the part of it that queries have left; made by `open_store`.

    No query reads values or changes anything: it returns a narrower experiment. Values are read by `to_frame`, by
    `export`, and where the arrays of `layer` are used.
    """

    def __repr__(self) -> str:
        size = f"{len(self.token_rows)} tokens, {len(self.phone_rows)} phones"
        if self._recording is None:
            names = ", ".join(self._files.recording_names) or "none"
            return f"<Experiment {self.path.name}: {size}, recordings {names}>"
        return f"<Experiment {self.path.name} {self.name}: {size}, layers {', '.join(self.layers)}>"

    @property
    def tree(self) -> xr.DataTree:
        """What is selected as a tree: `/tokens`, `/phones` and the recording with a dataset per layer, lazily."""
        nodes: dict[str, xr.Dataset] = {
            "/": xr.Dataset(attrs=self._files.attributes),
            f"/{TOKENS}": _dataset(self.tokens, "token").set_coords("token"),
            f"/{PHONES}": _dataset(self.phones, "phone"),
        }
        if self._recording is not None:
            place = f"/{RECORDINGS}/{self.name}"
            nodes[place] = xr.Dataset(attrs=self.recording_attrs)
            nodes |= {f"{place}/{layer}": self.layer(layer) for layer in self.layers}
        return xr.DataTree.from_dict(nodes)

    def recording(
        self,
        name: str | None = None,
        *,
        quantity: str | None = None,
        network: str | None = None,
        network_kind: str | None = None,
        part: str | None = None,
        seed: int | None = None,
        trained: bool | None = None,
        **attributes: str | bool | float,
    ) -> Experiment:
        """Return the same selection in another recording: the one of that name, or the only one of which all is true.

        Parameters
        ----------
        name
            As in `recordings`; names of earlier versions (``untrained/seed_03``) are understood.
        quantity
            What is recorded: "activation", "relevance", "gradient", "input", ...
        network, network_kind, part
            Which network it is of.
        seed
            The network's: of its training, or of its random weights.
        trained
            Whether the network was trained.
        **attributes
            Any other attribute of recordings, for instance `rule`.

        Raises
        ------
        ArgumentError
            None or several recordings are so, or it lacks a layer that is selected; the message lists what there is.
        StoreError
            It is half-written.

        Examples
        --------
        >>> import tempfile
        >>> from layerstats.store import store_arrays
        >>> tokens = pd.DataFrame({"token": ["a", "b"], "word": "ask", "speaker": ["s1", "s2"], "split": "test"})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path, times = f"{folder}/s.zarr", {"conv1": [0.0, 0.5]}
        ...     _ = store_arrays(path, tokens, {"conv1": np.eye(2)}, time_s=times)
        ...     about = {"quantity": "relevance", "rule": "epsilon"}
        ...     _ = store_arrays(path, tokens, {"conv1": np.eye(2)}, time_s=times, name="epsilon", attrs=about)
        ...     open_store(path).recording(quantity="relevance").name
        'epsilon'
        """
        wanted = {"quantity": quantity, "network": network, "network_kind": network_kind, "part": part}
        wanted |= {"network_seed": seed, "trained": trained, **attributes}
        asked = {column: value for column, value in wanted.items() if value is not None}
        if name is None or asked:
            name = matching_recording(self._files.attributes_of_recordings(), {"recording": name, **asked}, self.path)
        return self.in_recording(name)

    def select(
        self,
        *,
        layer: Wanted | None = None,
        phone: Wanted | None = None,
        time_s: tuple[float, float] | None = None,
        **columns: Wanted | None,
    ) -> Experiment:
        """Return the part that meets every condition; each takes one value or several, and None is no condition.

        Parameters
        ----------
        layer
            Layers by name, in the order given.
        phone
            Phones by label.
        time_s
            Window in seconds on the clip's axis (start <= time < end).
        **columns
            Tokens or phones by any column of the tokens or the phones table: ``word="ask"``, ``speaker=["s1", "s2"]``,
            ``sex="F"``, ``phone_class="plosive"``, ``previous="#"`` (the edge of a token), ``position="initial"``. A
            column that both tables have is that of the tokens; ``phone_`` before its name asks for the phones'
            (``phone_onset_s``). Tokens without such a phone drop out, and `to_frame` keeps to the samples whose
            `time_s` lies in a phone's interval (onset <= time < offset).

        Raises
        ------
        ArgumentError
            The store has no such layer, column or value; the message lists those that exist.

        Examples
        --------
        >>> import tempfile
        >>> from layerstats.store import store_arrays
        >>> tokens = pd.DataFrame({"token": ["a", "b"], "word": "ask", "speaker": ["s1", "s2"], "split": "test"})
        >>> tokens["sex"] = ["f", "m"]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = store_arrays(f"{folder}/s.zarr", tokens, {"conv1": np.eye(2)}, time_s={"conv1": [0.0, 0.5]})
        ...     open_store(path).select(sex="m").tokens["token"].tolist()
        ['b']
        """
        tokens_table, phones_table = self._files.tokens, self._files.phones.drop(columns="token_row")
        wanted = {column: values for column, values in columns.items() if values is not None}
        of_tokens, of_phones = by_table(wanted, tokens_table, phones_table)
        if phone is not None:
            of_phones = {"label": phone, **of_phones}
        tokens, phones, layers, window = self._token_rows, self._phone_rows, self._layers, self._time_s
        if of_tokens:
            tokens = self.token_rows[matching(tokens_table, of_tokens, "tokens")[self.token_rows]]
        if of_phones:
            phones = self.phone_rows[matching(phones_table, of_phones, "phones")[self.phone_rows]]
        if phones is not None:
            # Each table keeps only what the other one still has.
            tokens = self.token_rows if tokens is None else tokens
            token_of_phone = self._files.phones["token_row"].to_numpy()[phones]
            phones = phones[np.isin(token_of_phone, tokens)]
            tokens = tokens[np.isin(tokens, token_of_phone)]
        if layer is not None:
            layers = tuple(dict.fromkeys(map(str, as_list(layer))))
            check_known("layer", layers, self.layers)
        if time_s is not None:
            window = narrowed(window, time_s)
        return replace(self, _token_rows=tokens, _phone_rows=phones, _layers=layers, _time_s=window)

    def to_frame(
        self, layer: Wanted | None = None, *, values: str | None = None, columns: Iterable[str] = ()
    ) -> pd.DataFrame:
        """Return the tidy table: one row per layer, token and sample (per phone, after a phone query).

        Parameters
        ----------
        layer
            One layer or several; all that are selected by default.
        values
            A variable by token and sample, for instance "maps" for every channel (adds the column `channel`) or "input"
            (adds `frequency`); by default the average over channels, or what was recorded in its place (see `summary`).
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
        chosen = self if layer is None else self.select(layer=layer)
        return pd.concat(frames(chosen, values=values, columns=columns), ignore_index=True)

    def export(
        self,
        path: str | os.PathLike[str],
        to: str = "csv",
        *,
        untrained: bool = False,
        padding: bool = False,
        sums: bool = False,
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
        sums
            Write sums over windows of letters as tables, too: a row a speaker, letter, alignment and place of the map,
            which may be gigabytes. Of a store that has nothing else they are written anyhow.
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
        options = {"untrained": untrained, "padding": padding, "sums": sums}
        options |= {"spreadsheet": spreadsheet, "overwrite": overwrite}
        return export(self, path, to, **options)


def _dataset(table: pd.DataFrame, dimension: str) -> xr.Dataset:
    variables = {}
    for name, column in table.items():
        text = not pd.api.types.is_numeric_dtype(column.dtype)
        values = column.to_numpy(dtype=object if text else None)
        variables[name] = (dimension, values, unit_and_name(str(name)))
    return xr.Dataset(variables)


def open_store(
    path: str | os.PathLike[str],
    *,
    incomplete: str = "error",
    recording: str | None = None,
    quantity: str | None = None,
    network: str | None = None,
    network_kind: str | None = None,
    part: str | None = None,
    seed: int | None = None,
    trained: bool | None = None,
    **attributes: str | bool | float,
) -> Experiment:
    """Open a store; values stay on disk until they are asked for.

    Parameters
    ----------
    path
        The directory.
    incomplete
        "error" refuses a half-written recording and says how to finish it; "allow" shows the tokens that are there.
    recording
        The recording to show, by name: `activations` by default, else the only one there is.
    quantity, network, network_kind, part, seed, trained, **attributes
        Or by what it is, as for `Experiment.recording`.

    Raises
    ------
    ArgumentError
        None or several recordings are so.
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
    asked = {"quantity": quantity, "network": network, "network_kind": network_kind, "part": part}
    asked |= {"seed": seed, "trained": trained, **attributes}
    if recording is not None or any(value is not None for value in asked.values()):
        return Experiment(files).recording(recording, **asked)  # pyright: ignore[reportArgumentType]
    names = files.recording_names
    usual = MAIN_RECORDING if MAIN_RECORDING in names else names[0] if len(names) == 1 else None
    if usual is not None and incomplete == "error":
        files.recording(usual)
    return Experiment(files, usual)
