"""Small speech and small networks for the tests of this room."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

SMALL_SPEECH = Path(__file__).with_name("small_speech.py")


@pytest.fixture(scope="session")
def small():
    """What small_speech.py defines."""
    return SimpleNamespace(**runpy.run_path(str(SMALL_SPEECH)))
