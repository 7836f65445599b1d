"""Long steps of scripts are shown, can be stopped at any moment, and go on."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import time

import pytest
from rich.console import Console
from rich.progress import Progress

from layerstats.cli.progress import Steps

SCRIPT = '''
import time
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli import LongWork, run_script
from layerstats.errors import DataError
from layerstats.parallel import RunOptions


def square(folder: str, number: int) -> int:
    with open(f"{folder}/log", "a") as log:
        log.write(f"{number}\\n")
    while number == 3 and not Path(folder, "go").exists():
        time.sleep(0.05)
    return number**2


def main(
    out: Annotated[Path, typer.Option(help="Folder.")],
    work: LongWork,
    count: Annotated[int, typer.Option(help="How many.")] = 5,
):
    """Square numbers."""
    found = RunOptions(threads=True, **work("squares")).run(partial(square, str(out)), range(count))
    if count > 5:
        raise DataError("Too many.")
    return found


if __name__ == "__main__":
    run_script(main)
'''


@pytest.fixture
def start(tmp_path):
    """Return a function that starts the script."""
    script = tmp_path / "squares.py"
    script.write_text(SCRIPT)
    folder = tmp_path / "out"
    folder.mkdir()

    def start(*options: str) -> subprocess.Popen:
        given = [sys.executable, str(script), "--out", str(folder), *options]
        return subprocess.Popen(given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    start.folder = folder
    return start


def wait_until(true) -> None:
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_script_that_was_stopped_goes_on(start, workers):
    log, kept = start.folder / "log", start.folder / ".unfinished"
    first = start("--workers", workers)
    # The last task that can be done is, and the one that waits has begun.
    wait_until(lambda: log.exists() and "3" in log.read_text())
    wait_until(lambda: kept.exists() and len(list(kept.glob("*.pickle"))) >= 3)
    first.send_signal(signal.SIGTERM)
    told = first.communicate(timeout=60)[1]
    assert first.returncode == 130
    assert told.splitlines()[-1].startswith("Stopped. The same command")
    assert "Traceback" not in told
    log.unlink()
    (start.folder / "go").touch()
    second = start("--workers", workers)
    assert second.communicate(timeout=120)[0] == "[0, 1, 4, 9, 16]\n"
    assert second.returncode == 0
    again = set(log.read_text().split())
    assert "3" in again
    assert not again & {"0", "1", "2"}
    assert not kept.exists()


def test_an_error_keeps_what_was_finished(start):
    (start.folder / "go").touch()
    script = start("--count", "6")
    assert script.communicate(timeout=120)[1].splitlines()[-1] == "Too many."
    assert script.returncode == 2
    assert len(list((start.folder / ".unfinished").glob("*.pickle"))) == 6


def test_without_a_terminal_only_long_steps_have_a_line():
    written = io.StringIO()
    steps = Steps(Progress(console=Console(file=written), disable=True), quiet_s=0.2)
    steps("short")
    steps.finish()
    time.sleep(0.4)
    assert written.getvalue() == ""
    steps("long")
    wait_until(lambda: written.getvalue() == "long ...\n")
    steps.move(1, 2)
    steps.finish()
    assert written.getvalue() == "long ...\n"
