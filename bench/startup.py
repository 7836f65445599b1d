"""How long the import and the help take, against a bare interpreter; aim: under 0.4 s, no torch, no R."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import layerstats": [sys.executable, "-c", "import layerstats"],
    "layerstats --help": [sys.executable, "-m", "layerstats.cli", "--help"],
}


def median_seconds(command: list[str], runs: int = 9) -> float:
    """Median wall time of a command over several runs after a warm-up."""
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


if __name__ == "__main__":
    baseline = median_seconds(COMMANDS["python -c pass"])
    for name, command in COMMANDS.items():
        seconds = median_seconds(command)
        print(f"{name:20} {seconds:.3f} s   {seconds / baseline:.1f} x a bare interpreter")
