"""Tables that users hand to a command, as a stored model knows them again."""

from __future__ import annotations

import hashlib
from pathlib import Path


def table_hash(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
