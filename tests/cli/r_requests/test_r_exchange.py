"""Values that go between R and Python arrive as they were, to the last bit."""

import math
import struct
import subprocess

import numpy as np
import pandas as pd
import pytest

from layerstats.cli.r_requests.exchange import read_value, write_value
from layerstats.resources import bundled

TEXTS = ["plain", 'a "b"\n\\c\t', "ɔ̃ 😀", "", None, "plain"]
NUMBERS = [0.1, 1 / 3, math.pi * 1e300, 5e-324, -0.0, math.nan, math.inf, -math.inf]
LOADED = f'source("{bundled("R", "layerstats.R")}")\n'


def in_r(code, *arguments):
    done = subprocess.run(
        ["Rscript", "--vanilla", "-e", LOADED + code, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_python_reads_what_it_wrote(tmp_path):
    frame = pd.DataFrame({"x y": [1.5, math.nan], "n": [1, 2], "b": [True, False], "t": ["a", None]})
    value = {"frame": frame, "none": None, "list": [1.5, "x", [2.0]], "matrix": np.arange(6.0).reshape(2, 3)}
    write_value(tmp_path / "v", value)
    read = read_value(tmp_path / "v")
    pd.testing.assert_frame_equal(read["frame"], frame, check_dtype=False)
    assert read["frame"]["n"].dtype == np.int64
    assert read["frame"]["b"].dtype == bool
    assert read["none"] is None
    assert read["list"][1].tolist() == ["x"]
    np.testing.assert_array_equal(read["matrix"], value["matrix"])


@pytest.mark.r
def test_values_go_to_r_and_back_unchanged(tmp_path):
    empty = pd.DataFrame({"a": np.empty(0), "t": np.empty(0, dtype=object)})
    factor = pd.Categorical(["b", None, "a"], categories=["b", "a", 'un"used'])
    value = {
        "numbers": np.array(NUMBERS),
        "whole": np.array([1, -(2**40), 2**53]),
        "small": np.array([1, 2]),
        "texts": TEXTS,
        "truth": np.array([True, False]),
        "matrix": np.arange(6.0).reshape(2, 3),
        "frame": pd.DataFrame({"time (ms)": [1.0, 2.0], "é": ["x", None]}),
        "empty": empty,
        'odd "name"': {"deep": [None, "x"]},
        "factor": pd.DataFrame({"f": np.array(factor, dtype=object)}),
    }
    write_value(tmp_path / "v", value)
    code = """
    folder <- commandArgs(TRUE)
    value <- read_exchange(file.path(folder, "v"))
    stopifnot(is.integer(value$small), is.double(value$whole), is.logical(value$truth), is.data.frame(value$frame),
              identical(dim(value$matrix), c(2L, 3L)), value$matrix[2, 1] == 3, nrow(value$empty) == 0)
    write_exchange(file.path(folder, "w"), value)
    """
    in_r(code, tmp_path)
    read = read_value(tmp_path / "w")
    assert list(read) == list(value)
    for found, sent in zip(read["numbers"], NUMBERS, strict=True):
        assert struct.pack("d", found) == struct.pack("d", sent) or (math.isnan(found) and math.isnan(sent))
    assert read["whole"].tolist() == [1, -(2**40), 2**53]
    assert read["texts"].tolist() == TEXTS
    np.testing.assert_array_equal(read["matrix"], value["matrix"])
    pd.testing.assert_frame_equal(read["frame"], value["frame"], check_dtype=False)
    assert list(read["empty"].columns) == ["a", "t"]
    assert len(read["empty"]) == 0
    assert read['odd "name"']["deep"].tolist() == [None, "x"]


@pytest.mark.r
def test_factors_of_r_keep_their_levels(tmp_path):
    code = """
    frame <- data.frame(f = factor(c("b", NA, "a"), levels = c("b", "a", "un\\"used")), i = c(1L, NA, 3L),
                        l = c(TRUE, NA, FALSE), o = factor(c("x", "y", "x"), c("y", "x"), ordered = TRUE),
                        none = factor(c(NA, NA, NA), levels = character()))
    write_exchange(file.path(commandArgs(TRUE), "r"), list(frame = frame, nothing = list(), latin = "\\u00e4"))
    """
    in_r(code, tmp_path)
    read = read_value(tmp_path / "r")
    frame = read["frame"]
    assert frame["f"].cat.categories.tolist() == ["b", "a", 'un"used']
    assert frame["f"].isna().tolist() == [False, True, False]
    assert frame["o"].cat.ordered
    assert frame["o"].tolist() == ["x", "y", "x"]
    assert frame["none"].isna().all()
    assert math.isnan(frame["i"][1])
    assert frame["l"].tolist() == [True, None, False]
    assert read["nothing"] == []
    assert read["latin"].tolist() == ["ä"]
