"""What a tutorial's page tells to do, done: its fences of sh and python, in order, in one folder.

`python tutorial_fences.py PAGE.md OUTPUTS.json` runs them in the folder that it is started in, and keeps what each
printed. Fences of python share their names, as in one session.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

FENCE = re.compile(r"^```(sh|python)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)


def run_shell(code: str) -> str:
    """Run lines of the shell; the first that fails ends them."""
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{code}\nended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def run_python(code: str, names: dict[str, object]) -> str:
    """Run lines of Python, which may use names of earlier ones."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "tutorial", "exec"), names)
    return printed.getvalue()


def run_page(page: Path) -> list[str]:
    """Run every fence of a page here, and return what each printed."""
    names: dict[str, object] = {"__name__": "__main__"}
    return [
        run_shell(code) if language == "sh" else run_python(code, names)
        for language, code in FENCE.findall(page.read_text(encoding="utf-8"))
    ]


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(run_page(Path(sys.argv[1]))), encoding="utf-8")
