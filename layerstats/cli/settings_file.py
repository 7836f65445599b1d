"""Settings that are too long for the command line: JSON or TOML files."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from layerstats.cli.arguments import listed
from layerstats.errors import DataError, MissingFileError


def read_settings(file: Path, what: str) -> Any:
    """Read a JSON or TOML file, by its name's end.

    Raises
    ------
    MissingFileError
        There is no such file.
    DataError
        It is neither, or damaged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "texts.toml").write_text('thanks = "Thank you."')
    ...     read_settings(Path(folder, "texts.toml"), "texts")
    {'thanks': 'Thank you.'}
    """
    if not file.is_file():
        raise MissingFileError(f"There is no file {file} with {what}.")
    try:
        text = file.read_text(encoding="utf-8")
        return tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    except ValueError as error:  # of both, and of other encodings
        kind = "TOML" if file.suffix == ".toml" else "JSON"
        raise DataError(f"The file {file} with {what} cannot be read as {kind}: {error}.") from error


def read_rules(text: str | None) -> Any:
    """Return rules for cleaning: names separated by commas, or what a JSON or TOML file holds; None stays None."""
    if text is not None and Path(text).suffix in (".json", ".toml"):
        read = read_settings(Path(text), "rules")
        return read.get("rules", read) if isinstance(read, dict) else read
    return listed(text)
