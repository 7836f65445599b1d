"""Published fits in the engine's class: the numbers that were printed (data/gamm/published.md of the shared data)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from layerstats.stats.gamm.fit import fit

pytestmark = [pytest.mark.realdata, pytest.mark.slow]


@pytest.fixture(scope="module")
def words(real_data):
    return pd.read_csv(real_data("gamm", "soskuthy2017", "words_50.csv"))


@pytest.fixture(scope="module")
def simulated(real_data):
    return pd.read_csv(real_data("gamm", "itsadug", "simdat.csv.gz"))


def _parametric(result):
    return result.parametric[["estimate", "std_error"]].to_numpy()


def _smooths(result):
    return result.smooths[["edf", "ref_df"]].to_numpy()


def test_soskuthy_separate_curves(words):
    result = fit('f2 ~ word + s(measurement.no, by = word, bs = "cr")', words, engine="structured", method="ML")
    assert np.allclose(_parametric(result), [[1885.149, 5.755], [-67.372, 8.138]], atol=6e-4)
    assert np.allclose(_smooths(result), [[7.311, 8.258], [6.832, 7.871]], atol=1e-3)


def test_soskuthy_difference_curve(words):
    result = fit(
        'f2 ~ word_ord + s(measurement.no, bs = "cr") + s(measurement.no, by = word_ord, bs = "cr")',
        words,
        engine="structured",
        method="ML",
        ordered={"word_ord": ("word", "A")},
    )
    assert np.allclose(_parametric(result), [[1885.149, 5.735], [-67.372, 8.110]], atol=1e-3)
    assert np.allclose(_smooths(result)[0], [7.805, 8.594], atol=1e-3)
    # The difference curve is a straight line at the optimum; mgcv stopped on the way, at 1.040 and 1.079.
    assert np.allclose(_smooths(result)[1], 1, atol=1e-3)
    assert result.glance["score"][0] == pytest.approx(3296.538, abs=2e-3)
    assert result.smooths["p_value"][1] == pytest.approx(0.00098, abs=3e-4)
    alone = fit('f2 ~ s(measurement.no, bs = "cr")', words, engine="structured", method="ML")
    assert alone.glance["score"][0] == pytest.approx(3334.300, abs=1e-3)


def test_soskuthy_duration(words):
    result = fit(
        'f2 ~ word_ord + s(measurement.no, bs = "cr") + s(measurement.no, by = word_ord, bs = "cr") '
        '+ s(duration, bs = "cr") + ti(measurement.no, duration)',
        words,
        engine="structured",
        method="ML",
        ordered={"word_ord": ("word", "A")},
    )
    assert np.allclose(_parametric(result), [[1887.721, 5.315], [-72.516, 7.595]], atol=6e-3)
    expected = {
        "s(measurement.no)": (7.958, 8.681),
        "s(duration)": (3.339, 4.014),
        "ti(measurement.no,duration)": (6.409, 8.551),
        "s(measurement.no):word_ordB": (1.662, 2.062),
    }
    table = result.smooths.set_index("term")
    for term, numbers in expected.items():
        assert np.allclose(table.loc[term, ["edf", "ref_df"]].astype(float), numbers, atol=5e-3), term


def test_itsadug_random_slopes(simulated):
    result = fit(
        'Y ~ Group + s(Time, by = Group) + s(Subject, bs = "re") + s(Subject, Time, bs = "re")',
        simulated,
        engine="structured",
        factors={"Group": ["Children", "Adults"]},
    )
    assert np.allclose(_parametric(result), [[2.0575, 2.9497], [3.1264, 4.1715]], atol=1e-4)
    assert np.allclose(_smooths(result)[:2], [[8.6203, 8.9584], [8.8372, 8.9921]], atol=1e-4)
    assert np.allclose(_smooths(result)[2:], [[33.9912, 34], [33.9878, 34]], atol=1e-4)


def test_itsadug_surfaces(simulated):
    result = fit(
        'Y ~ Group + te(Time, Trial, by = Group) + s(Time, Subject, bs = "fs", m = 1, k = 5)',
        simulated,
        engine="structured",
        factors={"Group": ["Children", "Adults"]},
    )
    assert np.allclose(_parametric(result), [[2.0505, 0.6881], [3.1204, 0.9731]], atol=1e-4)
    expected = [[19.7347, 21.9398], [19.6302, 21.8781], [175.2256, 178]]
    assert np.allclose(_smooths(result), expected, atol=5e-4)


def test_itsadug_autoregressive(simulated):
    chosen = [f"{group}{number:02d}" for group in "ac" for number in range(3, 19, 3)]
    data = simulated[simulated["Subject"].isin(chosen)].copy()
    data["Event"] = data["Subject"].astype(str) + "." + data["Trial"].astype(str)
    # The order of R's interaction(Subject, Trial): bam() takes its bases from a sample of the rows by their number.
    data = data.sort_values(["Trial", "Subject", "Time"])
    result = fit(
        "Y ~ Group + s(Time, by = Group) + s(Condition, by = Group, k = 5) + ti(Time, Condition, by = Group) "
        '+ s(Time, Subject, bs = "fs", m = 1, k = 5) + s(Event, bs = "re")',
        data,
        engine="structured",
        rho=0.7203072236,
        series="Event",
        order="Time",
        factors={"Group": ["Children", "Adults"]},
    )
    assert np.allclose(_parametric(result), [[2.0815, 0.0782], [3.1233, 0.1106]], atol=1e-4)
    expected = [
        [8.1693, 8.8249],
        [8.5786, 8.9527],
        [3.5243, 3.6221],
        [3.7461, 3.8070],
        [15.4465, 15.9500],
        [15.3392, 15.9280],
    ]
    assert np.allclose(_smooths(result)[:6], expected, atol=2e-4)
    assert result.smooths["edf"][7] == pytest.approx(174.1518, abs=2e-3)
    assert result.smooths["ref_df"][7] == pytest.approx(248, abs=1)
    assert result.glance["score"][0] == pytest.approx(43393.16, abs=6e-3)
    assert result.glance["aic"][0] == pytest.approx(86484.49, abs=2e-2)
