"""What all paths through a few frames are."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest


@pytest.fixture(scope="session")
def all_paths():
    """What all_paths.py defines."""
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("all_paths.py"))))
