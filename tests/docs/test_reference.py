"""Every public name stands in the reference, under what it is for, and with an example."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from pathlib import Path

import pytest

from layerstats import plots, stats
from layerstats.stats import gamm

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


def test_names_in_recipes_are_public_ones():
    text = (EXTENSIONS.parent / "statistics" / "recipes.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)(?:\([^`]*\))?`", text))
    assert {name for name in named if not hasattr(stats, name) and not hasattr(gamm, name)} == set()
    drawn = set(re.findall(r"`plots\.(\w+)`", text))
    assert len(drawn) > 10
    assert drawn <= set(plots.__all__)


def test_the_table_of_calibration_is_read_from_the_numbers():
    """Shares of one cell, found by hand in the file."""
    page = imported("calibration_pages").index_page(EXTENSIONS.parent / "statistics")
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) > 15
    (level,) = (row for row in rows if row[0] == "| `phone_contrast`, `word_contrasts`: level")
    assert level[1:6] == [".03\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}.06", "", "", "many speakers x label", "1000"]


def test_every_public_name_has_an_example():
    """Of its own, or of a function that returns it; exceptions, aliases and figures (of the gallery) need none."""
    assert imported("public_names").without_example() == [], "write an Examples section in the docstring of each"


def test_examples_import_public_names():
    """What a reader of an example types is what the reference has; `layerstats.resources` names bundled files."""
    found = []
    for public in imported("public_names").public_names():
        text = inspect.getdoc(getattr(importlib.import_module(public.room), public.name)) or ""
        for module, names in re.findall(r">>> from (layerstats[\w.]*) import (.+)", text):
            known = getattr(importlib.import_module(module), "__all__", ["bundled"])
            hidden = {name.strip(" ()").split(" as ")[0] for name in names.split(",")} - set(known)
            found += [f"{public.room}.{public.name}: {module}.{name}" for name in hidden]
    assert found == []


def test_examples_that_do_not_run_say_what_they_would_need():
    sources = Path(plots.__file__).parents[1].rglob("*.py")
    lines = [
        line for path in sources for line in path.read_text(encoding="utf-8").splitlines() if "doctest: +SKIP" in line
    ]
    assert [line for line in lines if not re.search(r"  # \w.+  # doctest: \+SKIP$", line)] == []
    assert len(lines) < 10
