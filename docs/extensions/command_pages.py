"""The commands of the shell, as `--help` of each shows them: options, and the tables and figures that it makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from sphinx.application import Sphinx
from typer.testing import CliRunner
from written_pages import keep_only, write_page

from layerstats.cli.main import app as layerstats_app

HEAD = """# Commands

What `layerstats COMMAND --help` says. Those that analyse stores are the scripts of `analyses/` by name: `layerstats
phones STORE --out DIR` runs `analyses/phones.py`, which is for reading and changing.
"""


def _help(*words: str) -> str:
    found = CliRunner().invoke(layerstats_app, [*words, "--help"], prog_name="layerstats")
    if found.exit_code:
        raise RuntimeError(f"layerstats {' '.join(words)} --help ended with {found.exit_code}: {found.output}")
    return found.output.strip()


def _command(words: list[str], command: Any) -> list[str]:
    below = getattr(command, "commands", None)
    if below:
        return [part for name, one in below.items() for part in _command([*words, name], one)]
    return [f"### layerstats {' '.join(words)}", f"```text\n{_help(*words)}\n```"]


def commands_page() -> str:
    """Write the help of every command, under the headings that `layerstats --help` has."""
    group = typer.main.get_command(layerstats_app)
    context = group.make_context("layerstats", [], resilient_parsing=True)
    parts = [HEAD]
    for heading, sources in group.headings.items():
        parts.append(f"## {heading}")
        for name in sources():
            parts += _command([name], group.get_command(context, name))
    return "\n\n".join(parts) + "\n"


def write_commands(app: Sphinx) -> None:
    """Write the page of commands."""
    folder = Path(app.srcdir) / "reference" / "shell"
    keep_only(folder, [write_page(folder / "commands.md", commands_page())])


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect with Sphinx."""
    app.connect("builder-inited", write_commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
