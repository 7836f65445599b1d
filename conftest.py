"""Examples of docstrings run in a folder that has the files which they name."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent / "tests" / "example_folder.py"


@pytest.fixture(scope="session")
def _example_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("examples")


@pytest.fixture(autouse=True)
def _files_of_examples(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not isinstance(request.node, pytest.DoctestItem) or request.node.dtest is None:
        return
    text = "".join(example.source for example in request.node.dtest.examples)
    # What writes somewhere does so in a folder of its own.
    if '.zarr"' in text or any(word in text for word in ("read_", "write_page(", "create(")):
        folder = request.getfixturevalue("_example_folder")
        runpy.run_path(str(EXAMPLES))["write_examples"](folder, text)
        monkeypatch.chdir(folder)
