"""Answer the requests of an R session until it ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main(folder: Path) -> None:
    """Read the number of a request from each line of the standard input, and write its reply."""
    from layerstats.cli.r_requests.exchange import read_value, write_value
    from layerstats.cli.r_requests.kept_models import KeptModels

    models = KeptModels()
    # What anything prints is for the file of errors, not for R.
    sys.stdout = sys.stderr
    _written_whole(folder / "ready", str(os.getpid()))
    for line in sys.stdin:
        number = line.strip()
        reply = models.answer(read_value(folder / f"request-{number}"))
        write_value(folder / f"reply-{number}", reply)
        _written_whole(folder / f"done-{number}", "")


def _written_whole(file: Path, text: str) -> None:
    """Write a file that appears at once: R looks whether it is there."""
    partial = file.with_name(f"{file.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.rename(file)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(130)
