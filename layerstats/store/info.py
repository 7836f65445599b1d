"""What a store holds, as tables that a person reads."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from layerstats.errors import StoreError
from layerstats.store.outcomes import listed
from layerstats.store.reading import StoreFiles
from layerstats.store.recordings import Recording
from layerstats.store.result_tables import result_tables
from layerstats.store.schema import JUDGEMENTS, OUTCOMES, SUMS

ABOUT = ["output_axes", "activation", "slope", "hop_s", "receptive_field_s", "offset_s", "geometry", "context"]
# Of clips of their own length.
ABOUT_LENGTHS = ["padding_difference", "batches"]
# What tells outcomes and judgements of them apart; the rest of their provenance is in their attributes.
ABOUT_OUTCOMES = ["name", "set_up", "network", "trained", "labels", "null", "objective", "start_from", "steps", "seed",
                  "starts", "written", "complete", "created_at"]  # fmt: skip
ABOUT_JUDGEMENTS = ["outcomes", "judge", "judge_kind", "judge_hears", "starts", "written", "complete", "created_at"]
ABOUT_SUMS = ["name", "recording", "quantity", "method", "rules", "target", "windows", "speakers", "written",
              "complete", "created_at"]  # fmt: skip
# Columns of more levels than these are counted only.
MOST_LEVELS = 12


def describe(path: str | os.PathLike[str]) -> dict[str, pd.DataFrame]:
    """Return what a store holds, finished or half-written, as tables under their headings.

    Returns
    -------
    dict of str to pandas.DataFrame
        "Store" (`property, value`), "Words" (`word, tokens, speakers`, most tokens first), "Columns" (`table, column,
        levels, are`: columns of text of tokens and phones, how many levels they have and, where these are few, which),
        "Recordings" (one row each), "Tables" (one row for each table of results), "Outcomes" and "Judgements" (one row
        for each set of outcomes of maximizations, and for each judge of one), "Sums" (over windows), "Layers" (of the
        first recording: `layer, samples, channels, output_axes, activation, slope, hop_s, receptive_field_s, offset_s,
        geometry, context`, and `fixed_by`, the module that fixes what is recorded of the channels, where there is one;
        of clips of their own length also `padding_difference, batches`).

    Raises
    ------
    StoreError
        There is no store, or it is of a newer schema.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from layerstats.store import store_arrays
    >>> tokens = pd.DataFrame({"token": ["a", "b"], "word": "ask", "speaker": ["s1", "s2"], "split": "test"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = store_arrays(f"{folder}/s.zarr", tokens, {"conv1": np.eye(2)}, time_s={"conv1": [0.0, 0.5]})
    ...     frames = describe(path)
    >>> sorted(frames)
    ['Columns', 'Judgements', 'Layers', 'Outcomes', 'Recordings', 'Store', 'Sums', 'Tables', 'Words']
    """
    files = StoreFiles(Path(path), incomplete="allow")
    return {
        "Store": _properties(files),
        "Words": _words(files.tokens),
        "Columns": _columns({"tokens": files.tokens, "phones": files.phones}),
        "Recordings": files.recordings,
        "Tables": result_tables(files.path),
        "Outcomes": _told(listed(files.path, OUTCOMES), ABOUT_OUTCOMES),
        "Judgements": _told(listed(files.path, JUDGEMENTS), ABOUT_JUDGEMENTS),
        "Sums": _told(listed(files.path, SUMS), ABOUT_SUMS),
        "Layers": _layers(files),
    }


def _told(listing: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return listing.loc[:, [column for column in columns if column in listing.columns]]


def _properties(files: StoreFiles) -> pd.DataFrame:
    size = sum(file.stat().st_size for file in files.path.rglob("*") if file.is_file())
    properties = {
        "path": str(files.path),
        "size_mb": f"{size / 1e6:.1f}",
        "tokens": len(files.tokens),
        "speakers": files.tokens["speaker"].nunique(),
        "phones": len(files.phones),
        **files.attributes,
    }
    return pd.DataFrame({"property": list(properties), "value": [str(value) for value in properties.values()]})


def _words(tokens: pd.DataFrame) -> pd.DataFrame:
    counted = tokens.groupby("word").agg(tokens=("token", "size"), speakers=("speaker", "nunique")).reset_index()
    return counted.sort_values(["tokens", "word"], ascending=[False, True], ignore_index=True)


def _columns(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    rows = []
    for table, frame in tables.items():
        for column in frame.columns.difference(["token", "token_row"], sort=False):
            levels = frame[column].dropna()
            if pd.api.types.is_numeric_dtype(levels):
                continue
            levels = sorted(map(str, levels.unique()))
            shown = ", ".join(levels) if len(levels) <= MOST_LEVELS else ""
            rows.append({"table": table, "column": column, "levels": len(levels), "are": shown})
    return pd.DataFrame(rows, columns=["table", "column", "levels", "are"])


def _layers(files: StoreFiles) -> pd.DataFrame:
    columns = ["layer", "samples", "channels", *ABOUT]
    names = files.recording_names
    if not names:
        return pd.DataFrame(columns=columns)
    recording = Recording(files.path, files.version, names[0])
    rows = []
    for layer in recording.layers:
        try:
            variables = recording.variables(layer)
            sizes = [_sizes(recording, layer, variable) for variable in variables]
        except StoreError:
            # Of what is half-written there need be no layer yet.
            if recording.complete:
                raise
            continue
        shape = {"layer": layer, "samples": next((size["sample"] for size in sizes if "sample" in size), None)}
        channels = [size["channel"] for size in sizes if "channel" in size]
        about = recording.layer_attributes(layer)
        told = {
            "output_axes": ",".join(map(str, about.get("output_axes") or [])),
            "fixed_by": next((about[name] for name in (f"fixed_{one}" for one in variables) if name in about), None),
            **({"channels": channels[0]} if channels else {}),
        }
        rows.append({**about, **shape, **told})
    if any(row["fixed_by"] for row in rows):
        columns.append("fixed_by")
    columns += [name for name in ABOUT_LENGTHS if any(name in row for row in rows)]
    return pd.DataFrame(rows, columns=columns)


def _sizes(recording: Recording, layer: str, variable: str) -> dict[str, int]:
    array = recording.array(layer, variable)
    return dict(zip(recording.dimensions(array), array.shape, strict=False))
