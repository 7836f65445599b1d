import subprocess
import sys

import pandas as pd
import pytest

from layerstats.resources import bundled
from layerstats.tables import check_frame

CELL = ("--worlds", "3", "--truths", "none", "--replicates", "5", "--resampled", "0")


def calibrate(out, datasets):
    script = str(bundled("analyses", "calibration.py"))
    size = ("--datasets", str(datasets), "--refitted", str(datasets))
    subprocess.run(
        [sys.executable, script, "--out", str(out), *CELL, *size], check=True, capture_output=True, timeout=300
    )
    return check_frame(pd.read_csv(out / "calibration.csv"))


@pytest.mark.slow
def test_a_longer_run_goes_on_where_a_shorter_one_stopped(tmp_path):
    short = calibrate(tmp_path / "continued", 2)
    assert set(short["datasets"]) == {2}
    continued, whole = calibrate(tmp_path / "continued", 3), calibrate(tmp_path / "whole", 3)
    assert set(continued["datasets"]) == {3}
    keys = ["recipe", "quantity"]
    pd.testing.assert_frame_equal(*(table.sort_values(keys, ignore_index=True) for table in (continued, whole)))
