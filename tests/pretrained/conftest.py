"""Where `make pretrained` put the packages that carry networks."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def trained():
    """What trained_networks.py defines."""
    return SimpleNamespace(**runpy.run_path(str(HERE / "trained_networks.py")))


@pytest.fixture(scope="session")
def package(pretrained_folder):
    """Return a function that gives the folder that holds a package, or skips the test where it is absent."""

    def find(name: str) -> Path:
        if not (pretrained_folder / name).is_dir():
            pytest.skip(f"{name}, a network that others trained, is absent; `make pretrained` fetches it")
        return pretrained_folder

    return find
