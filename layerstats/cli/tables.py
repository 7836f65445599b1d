"""Tables that users hand to a command: how they are read, and how a stored model knows them again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from layerstats.errors import ArgumentError, DataError

if TYPE_CHECKING:
    import pandas as pd


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV (also gzipped) or Parquet file.

    Raises
    ------
    DataError
        There is no such file, or it is damaged.
    ArgumentError
        Its name does not say what it is.
    """
    import pandas as pd
    import pyarrow as pa

    name = path.name.lower()
    if not path.is_file():
        raise DataError(f"There is no file {str(path)!r}.")
    try:
        if name.endswith(".parquet"):
            return pd.read_parquet(path)
        if name.endswith((".csv", ".csv.gz")):
            # Only what R writes for a missing value is one: "null" and "None" are words.
            return pd.read_csv(path, keep_default_na=False, na_values=["", "NA", "NaN", "nan"])
    except (ValueError, EOFError, pa.ArrowException) as error:
        raise DataError(f"{str(path)!r} cannot be read as a table: {error}") from error
    raise ArgumentError(f"Invalid table {str(path)!r}: its name must end in .csv, .csv.gz or .parquet.")


def table_hash(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
