"""Fixtures that many tests share: where the real data are, whether R is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import defaultdict
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# On a bare machine, which runs tests/gpu only, it need not be there.
with suppress(ImportError):
    from hypothesis import settings

    # The same examples in every run: whether a change may land is not drawn by lot. "explore" draws others.
    settings.register_profile("layerstats", derandomize=True)
    settings.register_profile("explore", derandomize=False)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "layerstats"))


def _data_folder() -> Path | None:
    candidates = [os.environ.get("LAYERSTATS_DATA"), ROOT.parent / "shared" / "data"]
    for candidate in candidates:
        if candidate and Path(candidate).is_dir():
            return Path(candidate)
    return None


@pytest.fixture(scope="session")
def real_data():
    """Return a function that gives the path of a real data set, or skips the test where it is absent."""

    def find(*parts: str) -> Path:
        folder = _data_folder()
        path = folder.joinpath(*parts) if folder else None
        if path is None or not path.exists():
            pytest.skip(f"real data {'/'.join(parts)} is absent; point LAYERSTATS_DATA at a folder that holds it")
        return path

    return find


@pytest.fixture(scope="session")
def pretrained_folder() -> Path:
    """Return where `make pretrained` puts the packages that only tests need."""
    return Path(os.environ.get("LAYERSTATS_PRETRAINED", ROOT / "pretrained"))


@pytest.fixture
def compile_latex(tmp_path):
    """Return a function that sets tables on pages and names what LaTeX complains of, or skip without LaTeX."""
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is absent; apt install texlive-latex-recommended")
    return partial(_complaints_of_latex, tmp_path)


def _complaints_of_latex(folder: Path, files: list[Path]) -> list[str]:
    pages = "".join(rf"\typeout{{FILE {file}}}\input{{{file.with_suffix('')}}}\clearpage " for file in files)
    packages = r"\documentclass{article}\usepackage{booktabs,longtable,array}"
    paper = folder / "paper_of_the_test.tex"
    paper.write_text(rf"{packages}\begin{{document}}{pages}\end{{document}}", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", paper.name]
    # longtable knows the widths of its columns at the second run.
    for _ in range(2):
        run = subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False)
    text = run.stdout.decode(errors="replace")
    found = re.findall(r"^(?:Overfull .*|! .*|.*Float too large.*)$", text, re.MULTILINE)
    return found if run.returncode == 0 else [*found, text[-500:]]


def _has_gpu() -> bool:
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request):
    """Return the device that a test computes on: the CPU, and the GPU where there is one."""
    return request.param


def pytest_collection_modifyitems(items):
    """Skip the tests that need R where R is absent, and those that need a GPU where there is none."""
    needs = {
        "r": ("R is not installed", lambda: shutil.which("R") is not None),
        "gpu": ("torch sees no CUDA GPU here; run `pytest -m gpu` where there is one", _has_gpu),
    }
    for marker, (reason, is_there) in needs.items():
        marked = [item for item in items if item.get_closest_marker(marker)]
        if marked and not is_there():
            for item in marked:
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter):
    """Count and name the tests that were skipped, by reason: a run without real data, R or a GPU has shown less."""
    tests = defaultdict(list)
    for report in terminalreporter.stats.get("skipped", []):
        # The place of the skip, its line and "Skipped: ..."; a test that is known to fail has other text.
        if isinstance(report.longrepr, tuple):
            tests[report.longrepr[2].removeprefix("Skipped: ")].append(report.nodeid)
    if not tests:
        return
    count = sum(map(len, tests.values()))
    terminalreporter.section(f"{count} tests that did not run" if count > 1 else "1 test that did not run")
    for reason, names in sorted(tests.items(), key=lambda each: (-len(each[1]), each[0])):
        terminalreporter.write_line(f"{len(names)}: {reason}")
        files = defaultdict(list)
        for name in sorted(names):
            file, _, test = name.partition("::")
            files[file].append(test)
        for file, own in files.items():
            terminalreporter.write_line(f"   {file}: {', '.join(own)}")
