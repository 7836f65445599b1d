"""Every `layerstats ...` line of the pages is one that its command takes: with its options, and no argument too few.

Most pages show lines that need corpora, networks or hours, so that they are parsed here and not run.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from layerstats.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if "_build" not in page.parts]
FENCED = re.compile(r"^```(?:sh|bash|console|none)?(?: not-run)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^(?: {4}.*\n)+", re.MULTILINE)
ENDS = {"&&", "||", "|", ";", "&", ">", "2>", ">>", "<"}


def commands_of(page: str) -> list[list[str]]:
    """Return the words of each call of layerstats in the shell, without what the shell does with it."""
    code = [*FENCED.findall(page), *INDENTED.findall(FENCED.sub("", page))]
    lines = iter("\n".join(code).replace("\\\n", " ").splitlines())
    found = []
    for line in lines:
        call = line.strip().removeprefix("$ ")
        if not call.startswith("layerstats "):
            continue
        while call.partition("#")[0].count("'") % 2:  # a formula of several lines
            call += f" {next(lines)}"
        words = shlex.split(call, comments=True)
        end = next((place for place, word in enumerate(words) if word in ENDS), len(words))
        if "..." not in words:  # what is left out there is said elsewhere on the page
            found.append(words[1:end])
    return found


def parsed(words: list[str]) -> None:
    """Parse a call as the shell would; raises what the command line says of it."""
    command: Any = typer.main.get_command(app)
    context = None
    while hasattr(command, "resolve_command"):
        if not words or words[-1] == "--help":
            return
        context = command.make_context("layerstats", list(words), parent=context)
        _, command, words = command.resolve_command(context, list(words))
    if "--help" not in words:
        command.make_context(command.name, list(words), parent=context)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page_are_taken(page):
    wrong = []
    for words in commands_of(page.read_text(encoding="utf-8")):
        try:
            parsed(list(words))
        except Exception as error:  # noqa: BLE001 - click's, which may be typer's own and then cannot be named
            wrong.append(f"layerstats {shlex.join(words)}: {getattr(error, 'message', repr(error))}")
    assert not wrong, "\n".join(wrong)
