"""A selection for other programs: CSV and Parquet tables, netCDF."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from layerstats.checks import check_choice
from layerstats.errors import DataError, StoreError
from layerstats.files import replacing
from layerstats.spreadsheets import safe_for_spreadsheets
from layerstats.store.frames import frames
from layerstats.store.netcdf_process import write_netcdf_apart
from layerstats.store.outcome_frames import block_frames, finished_groups
from layerstats.store.result_tables import tables_of
from layerstats.store.schema import MAIN_RECORDING, PHONES, SUMS, TOKENS
from layerstats.store.selection import Selection

# Large enough for the cost of a block not to be felt, small enough for memory not to be.
BLOCK_TOKENS = 64
# Name of the table of untrained networks.
UNTRAINED = "untrained"
ADVICE = "The file was not written, and the store is as it was: make room, or choose another place."
Table = tuple[str, Callable[[], Iterable[pd.DataFrame]]]


def export(
    selection: Selection,
    path: str | os.PathLike[str],
    to: str,
    *,
    untrained: bool,
    padding: bool,
    sums: bool,
    spreadsheet: bool,
    overwrite: bool,
) -> list[Path]:
    """Write what is selected; see `Experiment.export`."""
    check_choice("to", to, ["csv", "parquet", "netcdf"])
    path = Path(path)
    recorded = selection.has_recording
    if (selection.tokens.empty or not selection.layers) if recorded else not finished_groups(selection.path):
        raise DataError("There is nothing to export: no token or layer meets all conditions of the query. Widen it.")
    others = _untrained(selection) if untrained else {}
    if to == "netcdf":
        path = path if path.suffix == ".nc" else path.with_name(f"{path.name}.nc")
        _check_absent([path], overwrite)
        with replacing(path, StoreError, full=ADVICE) as beside:
            write_netcdf_apart([selection, *others.values()], beside)
        return [path]
    tables: list[Table] = [(TOKENS, lambda: [selection.tokens]), (PHONES, lambda: [selection.phones])]
    if recorded:
        values = partial(frames, selection, block_tokens=BLOCK_TOKENS, padding=padding)
        tables.append((name_of_values(selection), values))
    tables += [(f"{kind}_{name}", partial(_rows, table)) for kind, name, table in tables_of(selection)]
    # Sums are as many rows as speakers, letters, alignments and places of a map together: gigabytes of text.
    groups = [group for group in finished_groups(selection.path) if sums or not recorded or group.kind != SUMS]
    tables += [(f"{group.kind}_{group.name}", partial(block_frames, group)) for group in groups]
    if others:
        tables.append((UNTRAINED, lambda: _seeds(others, padding)))
    written = [path / f"{name}.{to}" for name, _ in tables]
    _check_absent(written, overwrite)
    with ExitStack() as files:
        # All or none, so that the same call can be made again when there is room.
        for file, (_, blocks) in zip(written, tables, strict=True):
            beside = files.enter_context(replacing(file, StoreError, full=ADVICE))
            _write_table(map(safe_for_spreadsheets, blocks()) if spreadsheet else blocks(), beside, to)
    return written


def name_of_values(selection: Selection) -> str:
    """Return what the table of values is called: activations, or another quantity."""
    return MAIN_RECORDING if selection.quantity == "activation" else selection.quantity


def _rows(table: pd.DataFrame) -> list[pd.DataFrame]:
    return [table]


def _untrained(selection: Selection) -> dict[int, Selection]:
    """Return the same selection in every recording of the same quantity by an untrained network, by seed."""
    table = selection.recordings
    alike = (table["quantity"] == selection.quantity) & ~table["trained"].astype(bool)
    alike &= table["recording"] != selection.name
    found = table[alike & table["network_seed"].notna()]
    if found.empty:
        raise DataError(
            f"{selection.path} has no untrained networks to export. Record some: untrained seeds of "
            "`record_untrained`, in the shell `layerstats record ... --untrained 10`."
        )
    pairs = zip(found["network_seed"], found["recording"], strict=True)
    return {int(seed): selection.in_recording(str(name)) for seed, name in sorted(pairs)}


def _seeds(recordings: Mapping[int, Selection], padding: bool) -> Iterator[pd.DataFrame]:
    for seed, recording in recordings.items():
        for block in frames(recording, block_tokens=BLOCK_TOKENS, padding=padding):
            yield block.assign(seed=seed)


def _check_absent(files: list[Path], overwrite: bool) -> None:
    there = [file for file in files if file.exists()]
    if there and not overwrite:
        raise StoreError(
            f"{there[0]} exists already. Choose another place, or replace it: overwrite=True, in the shell --overwrite."
        )


def _write_table(blocks: Iterable[pd.DataFrame], file: Path, to: str) -> None:
    prepared = (_with_r_logicals(block) for block in blocks) if to == "csv" else blocks
    tables = (pa.Table.from_pandas(block, preserve_index=False) for block in prepared)
    first = next(tables)
    if to == "csv":
        options = pyarrow.csv.WriteOptions(quoting_style="needed")
        writer = pyarrow.csv.CSVWriter(file, first.schema, write_options=options)
    else:
        writer = pyarrow.parquet.ParquetWriter(file, first.schema)
    with closing(writer):
        writer.write_table(first)
        for table in tables:
            writer.write_table(table.cast(first.schema))


def _with_r_logicals(block: pd.DataFrame) -> pd.DataFrame:
    """Write truth values as TRUE and FALSE: R's read.csv takes "true" for text, and pandas reads both."""
    logical = block.select_dtypes(bool).columns
    return block.assign(**{name: np.where(block[name], "TRUE", "FALSE") for name in logical})
