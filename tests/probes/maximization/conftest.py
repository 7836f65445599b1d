"""Small networks for the tests of maximization."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

SMALL_NETWORKS = Path(__file__).with_name("small_networks.py")


@pytest.fixture(scope="session")
def nets():
    """What small_networks.py defines."""
    return SimpleNamespace(**runpy.run_path(str(SMALL_NETWORKS)))
