"""Tutorials with what their commands print and draw: each page is run once, and again when it or the package changes.

A page of docs/tutorials has plain fences of sh and python. They are run in order in an empty folder,
docs/_build/tutorials/PAGE, and what each prints stands below it on the site. Pictures they made are shown by links
into made/PAGE, as in `![What it shows](made/own-table/results/f2/difference.png)`. `LAYERSTATS_TUTORIALS=no` leaves
all that out.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from tutorial_fences import FENCE

HERE = Path(__file__).parent
TUTORIALS = HERE.parent / "tutorials"
RUNS = HERE.parent / "_build" / "tutorials"
MOST_LINES = 40


def _key(page: Path, version: str) -> str:
    parts = [page.read_bytes(), version.encode(), (HERE / "tutorial_fences.py").read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def run_tutorial(page: Path, version: str) -> tuple[Path, list[str]]:
    """Run a page unless that was done; return its folder and what each fence printed."""
    folder, outputs = RUNS / page.stem, RUNS / f"{page.stem}.json"
    key = _key(page, version)
    if outputs.exists() and (kept := json.loads(outputs.read_text(encoding="utf-8")))["key"] == key:
        return folder, kept["printed"]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    printed = RUNS / f"{page.stem}.printed.json"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, str(HERE / "tutorial_fences.py"), str(page.resolve()), str(printed.resolve())]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ExtensionError(f"The tutorial {page.name} does not run: {done.stderr[-3000:]}")
    lines = json.loads(printed.read_text(encoding="utf-8"))
    outputs.write_text(json.dumps({"key": key, "printed": lines}), encoding="utf-8")
    return folder, lines


def _with_outputs(text: str, printed: list[str]) -> str:
    """Put what each fence printed below it."""
    given = iter(printed)

    def below(fence) -> str:
        lines = next(given).rstrip().splitlines()
        if len(lines) > MOST_LINES:
            lines = [*lines[: MOST_LINES // 2], "...", *lines[-MOST_LINES // 2 :]]
        return fence.group(0) + ("\n\n```text\n" + "\n".join(lines) + "\n```" if lines else "")

    return FENCE.sub(below, text)


def _copy_pictures(folder: Path, to: Path) -> None:
    for picture in folder.rglob("*.png"):
        copy = to / picture.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, copy)


def show_outputs(app: Sphinx, docname: str, source: list[str]) -> None:
    """Run a tutorial when its page is read."""
    page = Path(app.srcdir) / f"{docname}.md"
    if page.parent != TUTORIALS or page.stem == "index" or os.environ.get("LAYERSTATS_TUTORIALS") == "no":
        return
    folder, printed = run_tutorial(page, app.config.version)
    _copy_pictures(folder, TUTORIALS / "made" / page.stem)
    source[0] = _with_outputs(source[0], printed)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect with Sphinx."""
    if os.environ.get("LAYERSTATS_TUTORIALS") == "no":
        app.config.suppress_warnings = [*app.config.suppress_warnings, "image.not_readable"]
    app.connect("source-read", show_outputs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
