"""What mgcv says on this machine: an Rscript that never heard of the bridge, with the same libraries under it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

import pandas as pd

from layerstats.rbridge.home import worker_environment

from .models import FOLDER, Case


class PlainR:
    """One R process that fits models by bam(), one after another."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["Rscript", str(FOLDER / "live_answers.R")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Threads and kernels of BLAS as the bridge's R has them.
            env=worker_environment(),
        )

    def answered(self, case: Case, folder: Path) -> Case:
        """Return the case with the answers of this machine; `folder` is an empty one."""
        arguments = case.arguments
        specification = {
            "formula": case.formula,
            "method": arguments["method"],
            "family": case.family,
            "rho": arguments["rho"],
            "weighted": str("weights" in arguments).upper(),
            "reference": arguments.get("ordered", {"word_o": ("word", "")})["word_o"][1],
        }
        _exact(pd.DataFrame([specification])).to_csv(folder / "model.csv", index=False)
        _exact(case.data).to_csv(folder / "data.csv", index=False)
        cast("IO[str]", self._process.stdin).write(f"{folder}\n")
        cast("IO[str]", self._process.stdin).flush()
        said = cast("IO[str]", self._process.stdout).readline().strip()
        assert said == "done", f"R said: {said}"
        answers = pd.read_csv(folder / "answers.csv", dtype=str, keep_default_na=False)
        return replace(case, answers=answers.assign(value=answers["value"].map(_number)))

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def _exact(table: pd.DataFrame) -> pd.DataFrame:
    """Return numbers as text that both languages read to the last bit."""
    numbers = table.select_dtypes("floating").columns
    return table.assign(**{column: table[column].map(float.hex) for column in numbers})


def _number(text: str) -> float:
    return float("nan") if text in ("NA", "NaN") else float.fromhex(text)
