"""Simulated studies give the same numbers wherever their blocks run, and go on where they were stopped."""

from __future__ import annotations

import pickle

import pandas as pd
import pytest

from layerstats.parallel import RunOptions
from layerstats.stats import (
    calibrate,
    calibrate_averages,
    calibrate_claims,
    calibrate_interactions,
    calibrate_shares,
    calibrate_trust,
)
from layerstats.stats.ratings import calibrate_answers, calibrate_ratings
from layerstats.stats.resampling.calibration import RECIPES
from layerstats.stats.success import calibrate_success
from layerstats.stats.success.variance_study import calibrate_variance

# Two blocks each, of a few data sets.
STUDIES = {
    "calibrate": lambda **how: calibrate(["0"], RECIPES[:2], ["none"], datasets=3, resampled=0, **how),
    "calibrate_averages": lambda **how: calibrate_averages(["0"], ["none", "inserted"], 2, permutations=19, **how),
    "calibrate_claims": lambda **how: calibrate_claims(["0"], ["none", "level"], 2, **how),
    "calibrate_interactions": lambda **how: calibrate_interactions(["0"], ["none", "level"], 3, **how),
    "calibrate_answers": lambda **how: calibrate_answers(["0"], ["none", "level"], 1, **how),
    "calibrate_ratings": lambda **how: calibrate_ratings(["0"], ["none", "level"], 1, **how),
    "calibrate_shares": lambda **how: calibrate_shares(["0"], ["none", "level"], 3, **how),
    "calibrate_success": lambda **how: calibrate_success(["0"], ["none", "level"], 2, **how),
    "calibrate_trust": lambda **how: calibrate_trust(["0"], ["none", "level"], 2, **how),
    "calibrate_variance": lambda **how: calibrate_variance(("nothing varies",), datasets=2, **how),
}


class Pickling(RunOptions):
    """Runs tasks here, after a journey through pickle, as a cluster does."""

    def run(self, function, tasks, describe=None, received=None):
        function = pickle.loads(pickle.dumps(function))
        tasks = [pickle.loads(pickle.dumps(task)) for task in tasks]
        for task in tasks if describe is not None else ():
            assert isinstance(describe(task), str)
        return super().run(function, tasks, describe, received)


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_studies_do_not_depend_on_where_they_run(name, tmp_path):
    study, tables = STUDIES[name], []
    here = study(progress=tables.append)
    pd.testing.assert_frame_equal(tables[-1], here)
    for run in (RunOptions(2, threads=True), Pickling(), RunOptions(keep=tmp_path)):
        pd.testing.assert_frame_equal(here, study(run=run), check_exact=True)
    written = [file.stat().st_mtime_ns for file in sorted(tmp_path.iterdir())]
    assert len(written) == 2
    told = []
    again = study(run=RunOptions(keep=tmp_path, progress=lambda *done: told.append(done)))
    pd.testing.assert_frame_equal(here, again, check_exact=True)
    assert told == [(2, 2)]
    assert [file.stat().st_mtime_ns for file in sorted(tmp_path.iterdir())] == written


def test_blocks_of_a_study_are_written_in_their_order(tmp_path):
    asked = {"worlds": ["0", "1"], "recipes": RECIPES[:2], "truths": ["none"], "datasets": 3, "resampled": 0}
    calibrate(**asked, blocks=tmp_path / "one.csv")
    calibrate(**asked, blocks=tmp_path / "two.csv", run=RunOptions(3, threads=True))
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
