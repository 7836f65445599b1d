"""The small store that the tests of this room read."""

import sys
from pathlib import Path

import pytest

from layerstats.store import open_store

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "archive")]


@pytest.fixture(scope="session")
def store_path(tmp_path_factory):
    from small_store import make_store

    return make_store(tmp_path_factory.mktemp("store") / "small.zarr")


@pytest.fixture(scope="session")
def experiment(store_path):
    return open_store(store_path)
