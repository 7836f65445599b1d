"""Data frames that R code makes, as pandas has them: what R reads of a store is held against what Python reads."""

import os
import subprocess
import tempfile
from pathlib import Path

import pandas as pd

from layerstats.resources import bundled

WRITE = """
write_frame <- function(frame, file) {
  numeric <- vapply(frame, is.double, logical(1))
  frame[numeric] <- lapply(frame[numeric], function(x) ifelse(is.na(x), NA, sprintf("%.17g", x)))
  logical <- vapply(frame, is.logical, logical(1))
  frame[logical] <- lapply(frame[logical], function(x) ifelse(x, "True", "False"))
  text <- vapply(frame, is.character, logical(1)) & !numeric & !logical
  connection <- file(file, "w", encoding = "UTF-8")
  write.csv(frame, connection, row.names = FALSE, na = "", quote = which(text))
  close(connection)
}
"""


def run_r(code, *arguments):
    """Run R code with the package loaded; warnings are errors."""
    start = f'options(warn = 2)\nsource("{bundled("R", "layerstats.R")}")\n'
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.R"
        script.write_text(start + code, encoding="utf-8")
        return subprocess.run(
            ["Rscript", "--vanilla", script, *map(str, arguments)],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )


def frames_from_r(code, *arguments):
    """Return by name the data frames of the list that is the last value of some R code, whose `arguments` are text."""
    with tempfile.TemporaryDirectory() as folder:
        whole = (
            f"{WRITE}\narguments <- commandArgs(TRUE)\nframes <- local({{\n{code}\n}})\n"
            f'for (name in names(frames)) write_frame(frames[[name]], file.path("{folder}", paste0(name, ".csv")))\n'
        )
        done = run_r(whole, *arguments)
        assert done.returncode == 0, done.stderr
        files = sorted(Path(folder).glob("*.csv"))
        return {file.stem: pd.read_csv(file, engine="python", keep_default_na=False, na_values=[""]) for file in files}


def assert_same(found, expected):
    """Hold a frame of R's against one of Python's: the same names, rows and numbers, to the last bit."""
    assert list(found.columns) == list(expected.columns)
    pd.testing.assert_frame_equal(found, expected.reset_index(drop=True), check_dtype=False, check_exact=True)
