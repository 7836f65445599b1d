"""`layerstats listen power`: plans on the command line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.errors import ArgumentError
from layerstats.stats.ratings import RatingVariances, rating_power

SMALL = ("--raters", "8,16", "--clips", "6", "--raters-per-clip", "4", "--replicates", "40")


def run(*arguments):
    return CliRunner().invoke(app, ["listen", "power", *map(str, arguments)], catch_exceptions=False)


def test_the_table_is_that_of_the_function(tmp_path):
    done = run("--difference", 0.8, *SMALL, "--standard-deviations", "0.4,0,0.2,0.6", "--margin", 0.5, "--reach", 0.5,
               "--out", tmp_path / "power.csv")  # fmt: skip
    expected = rating_power(0.8, [8, 16], [6], raters_per_clip=4, replicates=40, margin=0.5,
                            variances=RatingVariances(0.4, 0.0, 0.2, 0.6))  # fmt: skip
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "power.csv"), expected, check_dtype=False)
    assert "Fewest raters with a power of 0.5:" in done.output


def test_variances_of_a_pilot_are_taken_and_told(tmp_path):
    rng = np.random.default_rng(2)
    rater, clip = (each.ravel() for each in np.indices((12, 12)))
    ratings = np.clip(np.rint(3 + rng.normal(0, 1, 12)[rater] + rng.normal(0, 0.6, rater.size)), 1, 5)
    table = pd.DataFrame({"rater": rater, "clip": clip, "system": clip % 2, "rating": ratings})
    table.to_csv(tmp_path / "pilot.csv", index=False)
    done = run("--difference", 0.8, *SMALL, "--pilot", tmp_path / "pilot.csv", "--by", "system")
    assert str(RatingVariances.of(table, "system")) in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--standard-deviations", "0.5,x,1,1"), "takes four numbers"),
        (("--standard-deviations", "1,1"), "takes four numbers"),
        (("--raters", "ten"), "whole numbers"),
        (("--standard-deviations", "1,1,1,1", "--pilot", "p.csv"), "not both"),
    ],
)
def test_what_is_wrong_is_said(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        run("--difference", 0.5, *SMALL, *arguments)
