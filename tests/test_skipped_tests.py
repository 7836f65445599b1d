"""The end of a run says which tests were skipped, and why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

FILE = """
import pytest

@pytest.mark.realdata
@pytest.mark.parametrize("word", ["ask", "wash"])
def test_speech(real_data, word):
    real_data("timit")

@pytest.mark.realdata
def test_table(real_data):
    real_data("tables", "published.csv")

def test_module():
    pytest.importorskip("no_such_module")

def test_that_runs():
    pass
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_skipped_tests_are_counted_and_named(workers, tmp_path, monkeypatch):
    (tmp_path / "conftest.py").write_text((HERE / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "test_some.py").write_text(FILE, encoding="utf-8")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("LAYERSTATS_DATA", str(tmp_path / "empty"))
    settings = f"markers = realdata: reads real speech\ntestpaths = {tmp_path}"
    (tmp_path / "pytest.ini").write_text(f"[pytest]\n{settings}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *workers, "test_some.py"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stdout
    lines = run.stdout.splitlines()
    start = next(number for number, line in enumerate(lines) if "tests that did not run" in line)
    assert [line for line in lines[start + 1 :] if line and not line.startswith("=")] == [
        "2: real data timit is absent; point LAYERSTATS_DATA at a folder that holds it",
        "   test_some.py: test_speech[ask], test_speech[wash]",
        "1: could not import 'no_such_module': No module named 'no_such_module'",
        "   test_some.py: test_module",
        "1: real data tables/published.csv is absent; point LAYERSTATS_DATA at a folder that holds it",
        "   test_some.py: test_table",
    ]


def test_nothing_is_said_where_nothing_is_skipped(tmp_path):
    (tmp_path / "conftest.py").write_text((HERE / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "test_some.py").write_text("def test_that_runs():\n    pass\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_some.py"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stdout
    assert "did not run" not in run.stdout
