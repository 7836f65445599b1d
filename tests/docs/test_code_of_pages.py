"""What Python of the pages takes from layerstats is there, and is called with arguments that it has.

Tutorials are run as a whole. The other pages show code that needs corpora, networks or hours: it is read, not run.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import layerstats.plots

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Recipes for contributors make the names that they use.
PAGES = [page for page in PAGES if not {"_build", "contributing"} & set(page.parts)]
FENCED = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^ {4}.*\n|^\n)+", re.MULTILINE)


def trees_of(page: str) -> Iterator[ast.Module]:
    """Return the Python of a page: what is fenced as such, and what is indented and takes something from layerstats."""
    for language, body in FENCED.findall(page):
        if language == "python":
            yield ast.parse(body)
    for body in INDENTED.findall(FENCED.sub("", page)):
        if re.search(r"^ {4}from layerstats", body, re.MULTILINE):
            yield ast.parse(textwrap.dedent(body))


def taken(tree: ast.Module) -> dict[str, Any]:
    """Import what a block imports from layerstats; raises where it is not there."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "layerstats":
            module = importlib.import_module(node.module or "")
            for alias in node.names:
                found[alias.asname or alias.name] = (
                    getattr(module, alias.name)
                    if hasattr(module, alias.name)
                    else importlib.import_module(f"{node.module}.{alias.name}")
                )
    return found


def misfits(tree: ast.Module, known: dict[str, Any]) -> Iterator[str]:
    """Name calls whose arguments the function does not have."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        function = call.func
        if isinstance(function, ast.Name):
            found = known.get(function.id)
        elif isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            owner = known.get(function.value.id)
            if not inspect.ismodule(owner):
                continue
            found = getattr(owner, function.attr)
        else:
            continue
        if found is None or (inspect.isclass(found) and issubclass(found, Exception)):
            continue
        arguments = [each for each in call.args if not isinstance(each, ast.Starred)]
        named = {each.arg: None for each in call.keywords if each.arg}
        whole = len(arguments) + len(named) == len(call.args) + len(call.keywords)
        signature = inspect.signature(found)
        try:
            (signature.bind if whole else signature.bind_partial)(*arguments, **named)
        except TypeError as error:
            yield f"{ast.unparse(call)}: {error}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_of_a_page_fits_the_package(page):
    known: dict[str, Any] = {}
    wrong = []
    for tree in trees_of(page.read_text(encoding="utf-8")):
        known |= taken(tree)
        for node in ast.walk(tree):  # a name that a page gives to something of its own
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                known.pop(node.id, None)
        wrong += misfits(tree, known)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_figures_that_a_page_names_are_there(page):
    named = re.findall(r"\bplots\.(\w+)", page.read_text(encoding="utf-8"))
    assert [name for name in named if not hasattr(layerstats.plots, name)] == []
