"""Every public name stands in the reference, under what it is for, and with an example."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

EXTENSIONS = Path(__file__).parents[2] / "docs" / "extensions"


def imported(name):
    pytest.importorskip("sphinx", reason="the site is built by `make docs`, which installs what it needs")
    sys.path.insert(0, str(EXTENSIONS))
    module = importlib.import_module(name)
    sys.path.remove(str(EXTENSIONS))
    return module


def test_every_name_has_a_heading():
    """Where groups of a room are written down, none of its names is left over, and none stands in two."""
    groups, names = imported("reference_groups").GROUPS, imported("public_names").public_names()
    for room, members in groups.items():
        placed = [name for text in members.values() for name in text.split()]
        assert {name for name in placed if placed.count(name) > 1} == set(), room
        assert {each.name for each in names if each.room == room} - set(placed) == set(), (
            f"{room}: put these under a heading in docs/extensions/reference_groups.py"
        )
