"""Opening what is on disk: the store, its tables (once) and its recordings."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import pandas as pd

from layerstats.checks import check_choice
from layerstats.errors import StoreError
from layerstats.store.groups import read_attributes
from layerstats.store.layout import recording_name, recording_names
from layerstats.store.query import check_known
from layerstats.store.recordings import Recording
from layerstats.store.schema import PHONE_COLUMNS, PHONES, TOKEN_COLUMNS, TOKENS, check_schema
from layerstats.store.tables import read_table

# What the table of recordings says of each; the network's seed is that of its weights where it was never trained.
RECORDING_COLUMNS = [
    *("recording", "quantity", "network", "network_kind", "part", "network_seed", "trained", "rule", "complete"),
    *("tokens", "layers", "variables", "maps", "seed", "model_hash", "key", "created_at"),
]


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

    @property
    def version(self) -> int:
        """The schema version of the store."""
        return int(self.attributes["schema_version"])

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
        """The names of all recordings: the main one first."""
        return recording_names(self.path, self.version)

    def attributes_of_recordings(self) -> pd.DataFrame:
        """Return one row per recording, with all attributes that any of them has."""
        rows = []
        for name in self.recording_names:
            recording = Recording(self.path, self.version, name)
            attributes = dict(recording.attributes)
            # Weights that were drawn have a seed of their own.
            seeds = [attributes.get(seed) for seed in ("network_seed", "seed")]
            seeds = seeds if attributes["trained"] else seeds[::-1]
            about = {
                "recording": name,
                "network_seed": next((seed for seed in seeds if seed is not None), None),
                "tokens": len(recording.written()),
                "layers": len(recording.layers),
                "variables": ", ".join(attributes["variables"]),
                "maps": "maps" in attributes["variables"],
            }
            rows.append({**attributes, **about})
        others = sorted({name for row in rows for name in row} - set(RECORDING_COLUMNS))
        return pd.DataFrame(rows, columns=[*RECORDING_COLUMNS, *others])

    @property
    def recordings(self) -> pd.DataFrame:
        """One row per recording."""
        return self.attributes_of_recordings().loc[:, RECORDING_COLUMNS]

    def recording(self, name: str) -> Recording:
        """Return a recording by its name.

        Raises
        ------
        ArgumentError
            There is none of this name.
        StoreError
            It is half-written, and that was not allowed.
        """
        name = recording_name(name)
        check_known("recording", [name], self.recording_names)
        recording = Recording(self.path, self.version, name)
        if not recording.complete and not self.allow_incomplete:
            raise StoreError(
                f"The recording {name!r} of {self.path} is half-written: {len(recording.written())} of "
                f"{recording.tokens} tokens. Run the call that recorded it again and it goes on from there, or "
                "say incomplete='allow' (in Python) to use what is there."
            )
        return recording
