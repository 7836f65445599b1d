"""Every tutorial works as its page says, command by command, and prints and draws what the page shows.

`LAYERSTATS_PAGES=write python -m pytest -q tests/docs/test_tutorials.py` puts what came out in place of what is shown;
look at it.
"""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

HERE = Path(__file__).parent
DOCS = HERE.parent.parent / "docs"
PAGES = sorted([*(DOCS / "tutorials").glob("*.md"), *(DOCS / "start").glob("*.md"), DOCS / "how-to" / "r.md"])
PAGES = [page for page in PAGES if page.stem != "index"]
WRITE = os.environ.get("LAYERSTATS_PAGES") == "write"
runner = SimpleNamespace(**runpy.run_path(str(HERE / "page_runner.py"), run_name="page_runner"))


def drawn_by() -> str:
    return ", ".join(f"{name} {version(name)}" for name in ("matplotlib", "plotnine"))


def minor(text: str) -> list[str]:
    return [each.rpartition(".")[0] for each in text.split(", ")]


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """Make this Python's commands the first on the path, and name a folder for R's packages."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    settings = {"COLUMNS": "100", "NO_COLOR": "1", "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
    library = tmp_path_factory.mktemp("library")
    return {**os.environ, **settings, "PATH": path, "R_LIBS": str(library)}


@pytest.fixture(scope="session")
def r_package(environment):
    """Install the R package of the repository where the pages' R finds it."""
    if shutil.which("R") is None:
        pytest.skip("pages run R, which is absent here")
    command = [
        "R",
        "CMD",
        "INSTALL",
        "--no-docs",
        "--no-test-load",
        f"--library={environment['R_LIBS']}",
        DOCS.parent / "R",
    ]
    subprocess.run(command, env=environment, check=True, capture_output=True)


@pytest.mark.slow
@pytest.mark.r
@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_a_page_does_what_it_says(page, tmp_path, environment, request):
    text = page.read_text(encoding="utf-8")
    if "```r\n" in text:
        request.getfixturevalue("r_package")
    run = runner.run_page(text, tmp_path, environment)
    if WRITE:
        text = runner.with_output(text, run)
        page.write_text(text, encoding="utf-8")
        print(f"{page.name}: {run.cpu_s:.1f} CPU-seconds")
    wrong = runner.disagreements(text, run)
    for _, file, path, title in runner.pictures(text):
        if WRITE:
            runner.keep_picture(tmp_path / path, page.parent / file, drawn_by())
        if minor(runner.drawer_of(page.parent / file)) == minor(drawn_by()):
            wrong.append(runner.looks_different(tmp_path / path, page.parent / file, title))
    assert [each for each in wrong if each] == []


def test_pictures_are_said_to_show_something():
    shown = [(page, *picture) for page in PAGES for picture in runner.pictures(page.read_text(encoding="utf-8"))]
    files = {str(page.parent / file) for page, _, file, *_ in shown}
    kept = {str(file) for folder in ("tutorials", "start") for file in (DOCS / folder / "shown").rglob("*.png")}
    assert all(len(shows.split()) > 4 for _, shows, *_ in shown)
    assert files == kept
    assert all(Path(file).stat().st_size < 120_000 for file in files)


def test_fences_are_read():
    page = "a\n```sh\nls\n```\nprints\n```text\nb\n```\n```sh not-run\nsbatch\n```\n```python\nx\n```\n"
    found = runner.blocks(page)
    assert [(block.language, block.code, block.line, block.shown) for block in found] == [
        ("sh", "ls\n", 2, "b\n"),
        ("python", "x\n", 12, None),
    ]


@pytest.mark.parametrize(
    ("shown", "found", "same"),
    [
        ("a 1.23 b", "a  1.24\nb", True),
        ("a 1.23 b", "a 1.3 b", False),
        ("conv3", "conv4", False),
        ("12 rows", "13 rows", False),
        ("word ... p 0.04", "word x y 3 p 0.041", True),
        ("word ... p 0.04 ...", "word p", False),
        ("... b ... c", "a b d", False),
        ("a ...", "b a", False),
        ("1.2e-05", "1.3e-05", True),
        ("1.2e-05", "1.9e-05", False),
        ("-0.5", "0.5", False),
        ("", "a", False),
    ],
)
def test_what_is_printed_is_compared(shown, found, same):
    assert runner.agrees(shown, found) is same


SPOKEN = """
```sh
name=there
echo $name > a.txt
```
```python
text = open("a.txt").read()
```
```python
# b.py
print("b")
```
```sh
cat a.txt; python b.py
```
```text
there b
```
```python
text
```
```text
elsewhere
```
"""


def test_a_page_is_run_in_order_and_in_each_language(tmp_path, environment):
    page = SPOKEN
    run = runner.run_page(page, tmp_path, environment)
    assert run.printed == ["", "", "", "there\nb\n", "there\n\n"]
    (wrong,) = runner.disagreements(page, run)
    assert "elsewhere" in wrong
    assert runner.disagreements(runner.with_output(page, run), run) == []


def test_code_that_fails_is_named_by_its_line(tmp_path, environment):
    with pytest.raises(AssertionError, match=r"line 2: it failed:\nfalse"):
        runner.run_page("\n```sh\nfalse\n```\n", tmp_path, environment)
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        runner.run_page("```python\n1 / 0\n```\n", tmp_path, environment)
