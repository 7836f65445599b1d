"""Fixtures that many tests share: where the real data are, whether R is there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _data_folder() -> Path | None:
    candidates = [os.environ.get("LAYERSTATS_DATA"), ROOT.parent / "shared" / "data"]
    for candidate in candidates:
        if candidate and Path(candidate).is_dir():
            return Path(candidate)
    return None


@pytest.fixture(scope="session")
def real_data():
    """Return a function that gives the path of a real data set, or skips the test where it is absent."""

    def find(*parts: str) -> Path:
        folder = _data_folder()
        path = folder.joinpath(*parts) if folder else None
        if path is None or not path.exists():
            pytest.skip(f"real data {'/'.join(parts)} is absent; point LAYERSTATS_DATA at a folder that holds it")
        return path

    return find


def pytest_collection_modifyitems(items):
    """Skip the tests that need R where R is absent."""
    if shutil.which("R") is not None:
        return
    for item in items:
        if item.get_closest_marker("r"):
            item.add_marker(pytest.mark.skip(reason="R is not installed"))
