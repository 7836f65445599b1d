"""Checkpoints of priors: read with the hash by which stored codes find their decoder again."""

from __future__ import annotations

import hashlib
from pathlib import Path

from torch import nn

from layerstats.models import load_checkpoint


def read_checkpoint(path: str | Path) -> tuple[nn.Module, str]:
    """Return the network in a checkpoint of this package, and the SHA-256 of the file.

    Raises
    ------
    DataError
        The file is no such checkpoint.
    MissingFileError
        There is no such file.
    """
    network, _ = load_checkpoint(path)
    return network, hashlib.sha256(Path(path).read_bytes()).hexdigest()
