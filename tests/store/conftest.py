"""The small store that the tests of this room read."""

import sys
from pathlib import Path

import pytest

from layerstats.store import open_store

sys.path.insert(0, str(Path(__file__).parent / "archive"))


@pytest.fixture(scope="session")
def store_path(tmp_path_factory):
    from small_store import make_store

    return make_store(tmp_path_factory.mktemp("store") / "small.zarr")


@pytest.fixture(scope="session")
def experiment(store_path):
    return open_store(store_path)
