"""Opening what is on disk: the store, its tables (once), its recordings and the arrays of a layer."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
import zarr

from layerstats.checks import check_choice
from layerstats.errors import StoreError
from layerstats.store.damage import open_group
from layerstats.store.groups import METADATA, read_attributes
from layerstats.store.query import check_known
from layerstats.store.recordings import check_times, count_tokens, layer_array, read_recording, variables
from layerstats.store.schema import (
    MAIN_RECORDING,
    PHONE_COLUMNS,
    PHONES,
    TOKEN_COLUMNS,
    TOKENS,
    UNTRAINED,
    check_schema,
)
from layerstats.store.tables import read_table

RECORDING_COLUMNS = ["recording", "complete", "tokens", "layers", "maps", "seed", "model_hash", "key", "created_at"]


class StoreFiles:
    """The files of one store. Tables are read on first use and shared by all views of the store.

    Raises
    ------
    StoreError
        There is no store at `path`, it is of a newer schema, or its tables are half-written.
    """

    def __init__(self, path: Path, incomplete: str = "error") -> None:
        check_choice("incomplete", incomplete, ["error", "allow"])
        self.path = path
        self.allow_incomplete = incomplete == "allow"
        self.attributes = read_attributes(path)
        check_schema(self.attributes, path)
        if not self.attributes.get("complete"):
            raise StoreError(
                f"The tables of {path} are half-written. Run the recording again: it will write them anew."
            )

    @cached_property
    def tokens(self) -> pd.DataFrame:
        """The tokens table."""
        return read_table(self.path, TOKENS, TOKEN_COLUMNS)

    @cached_property
    def phones(self) -> pd.DataFrame:
        """The phones table, with `token_row`: the row of its token in the tokens table."""
        phones = read_table(self.path, PHONES, PHONE_COLUMNS)
        rows = pd.Index(self.tokens["token"]).get_indexer(pd.Index(phones["token"]))
        return phones.assign(token_row=rows)

    @property
    def recording_names(self) -> list[str]:
        """The names of all recordings: the main one first, then the untrained ones by seed."""
        seeds = [folder.parent.name for folder in (self.path / UNTRAINED).glob(f"seed_*/{METADATA}")]
        seeds = sorted((seed for seed in seeds if re.fullmatch(r"seed_\d+", seed)), key=lambda seed: int(seed[5:]))
        main = [MAIN_RECORDING] if (self.path / MAIN_RECORDING / METADATA).exists() else []
        return main + [f"{UNTRAINED}/{seed}" for seed in seeds]

    @property
    def recordings(self) -> pd.DataFrame:
        """One row per recording."""
        rows = []
        for name in self.recording_names:
            attributes = read_recording(self.path, name)
            about = {"recording": name, "tokens": attributes["tokens_written"], "layers": len(attributes["layers"])}
            rows.append({**attributes, **about})
        return pd.DataFrame(rows, columns=RECORDING_COLUMNS)

    def recording(self, name: str) -> dict[str, Any]:
        """Return the attributes of a recording.

        Raises
        ------
        ArgumentError
            There is none of this name.
        StoreError
            It is half-written, and that was not allowed.
        """
        check_known("recording", [name], self.recording_names)
        attributes = read_recording(self.path, name)
        if not attributes["complete"] and not self.allow_incomplete:
            raise StoreError(
                f"The recording {name!r} of {self.path} is half-written: {attributes['tokens_written']} of "
                f"{count_tokens(self.path)} tokens. Run the call that recorded it again and it goes on from there, or "
                "say incomplete='allow' (in Python) to use what is there."
            )
        return attributes

    def array(self, recording: str, layer: str, variable: str) -> zarr.Array:
        """Return an array of a layer; its values stay on disk.

        Raises
        ------
        StoreError
            The recording was made without it, or it is damaged.
        """
        return layer_array(self.path, recording, read_recording(self.path, recording), layer, variable)

    def times(self, recording: str, layer: str) -> np.ndarray:
        """Return the centres of a layer's receptive fields, (sample,), seconds."""
        return check_times(self.path, recording, layer, np.asarray(self.array(recording, layer, "time_s")[:]))

    def dataset(self, recording: str, layer: str) -> xr.Dataset:
        """Return a layer as a dataset whose values stay on disk."""
        attributes = read_recording(self.path, recording)
        for variable in variables(attributes):
            layer_array(self.path, recording, attributes, layer, variable)
        return open_group(self.path, f"{recording}/{layer}", whole=attributes["complete"])
