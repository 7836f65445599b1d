"""What a store says about how it was made."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime

import numpy as np
import xarray as xr
import zarr

from layerstats.store.schema import PACKAGE_VERSION, SCHEMA_VERSION


def timestamp() -> str:
    """Return the time now in UTC (ISO 8601, seconds), or that of the variable SOURCE_DATE_EPOCH where it is set."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def git_revision() -> str | None:
    """Return the commit of the working directory, or None outside a repository or without git.

    Asked anew for every store: a session may change its directory, or commit.
    """
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
            stdin=subprocess.DEVNULL,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def software() -> dict[str, object]:
    """Return the schema version and the versions of what writes the store; torch is the caller's to add."""
    return {
        "schema_version": SCHEMA_VERSION,
        "layerstats_version": PACKAGE_VERSION,
        "python_version": platform.python_version(),
        "numpy_version": np.__version__,
        "xarray_version": xr.__version__,
        "zarr_version": zarr.__version__,
        "git_revision": git_revision(),
    }
