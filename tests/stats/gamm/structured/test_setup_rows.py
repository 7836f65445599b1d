"""The sample of rows from which bam() builds bases, against R's own sample()."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from layerstats.stats.gamm import fit
from layerstats.stats.gamm.structured.r_sample import RSample
from layerstats.stats.gamm.structured.setup_rows import setup_rows


def test_samples_are_those_of_r():
    """set.seed(66); a <- sample(1:75600, 10000); b <- sample(1:75600, 75600): the first three, and a checksum."""
    sample = RSample(66)
    first = sample.draw(75600, 10000) + 1
    second = sample.draw(75600, 75600) + 1
    assert first[:3].tolist() == [54375, 27332, 55215]
    assert second[:3].tolist() == [29827, 55354, 26007]
    assert first @ np.arange(1, 10001) == 1903790360842
    assert np.array_equal(np.sort(second), np.arange(1, 75601))


def test_small_tables_are_taken_whole(make_request, make_tokens):
    request = make_request("y ~ s(x, k = 4)", make_tokens())
    assert setup_rows(request) is request.frame


def test_samples_hold_extremes_and_every_level(make_request):
    generator = np.random.default_rng(5)
    data = pd.DataFrame({"x": generator.normal(size=10_500), "word": "a", "y": generator.normal(size=10_500)})
    data.loc[7, "word"] = "b"
    rows = setup_rows(make_request("y ~ word + s(x, k = 4)", data))
    assert len(rows) == 10_000
    assert set(rows["word"].astype(str)) == {"a", "b"}
    assert rows["x"].min() == data["x"].min()
    assert rows["x"].max() == data["x"].max()


@pytest.mark.parametrize("engine", ["structured", pytest.param("mgcv", marks=pytest.mark.r)])
def test_models_of_more_rows_say_that_their_order_counts(engine):
    generator = np.random.default_rng(6)
    data = pd.DataFrame({"x": generator.normal(size=10_500), "y": generator.normal(size=10_500)})
    first, second = (fit("y ~ s(x, k = 4)", table, engine=engine) for table in (data, data.iloc[::-1]))
    assert first.parametric["estimate"].item() != pytest.approx(second.parametric["estimate"].item(), rel=1e-9)
    for result in (first, second):
        assert sum("depend a little on the order of the rows" in note for note in result.notes) == 1
    assert not any("order of the rows" in note for note in fit("y ~ s(x, k = 4)", data[:10_000], engine=engine).notes)
    assert not any("order of the rows" in note for note in fit("y ~ x", data, engine=engine).notes)
