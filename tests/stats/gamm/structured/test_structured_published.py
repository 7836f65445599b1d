"""The eight published fits, all in the engine's class: the numbers in print (data/gamm/published.md).

F of smooths is left out: it depends on signs of eigenvectors.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from layerstats.stats.gamm import compare, fit

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


def _p_value(frame, term):
    return float(frame.set_index("term").loc[term, "p_value"])


def _prints(value, text):
    """Whether `value` rounds to what was printed."""
    return f"{value:.{len(text.partition('.')[2])}f}" == text


SOSKUTHY = {"engine": "structured", "method": "ML", "series": "traj", "order": "measurement.no"}
ORDERED = {"ordered": {"word_ord": ("word", "A")}}
DIFFERENCE = 'f2 ~ word_ord + s(measurement.no, bs = "cr") + s(measurement.no, by = word_ord, bs = "cr")'
INTERACTION = DIFFERENCE + ' + s(duration, bs = "cr") + ti(measurement.no, duration)'


def test_1_separate_curves(words):
    result = fit('f2 ~ word + s(measurement.no, by = word, bs = "cr")', words, **SOSKUTHY)
    assert np.allclose(_parametric(result), [[1885.149, 5.755], [-67.372, 8.138]], atol=6e-4)
    assert np.allclose(result.parametric["statistic"], [327.588, -8.278], atol=6e-4)
    assert _p_value(result.parametric, "wordB") == pytest.approx(1.01e-15, rel=5e-3)
    assert np.allclose(_smooths(result), [[7.311, 8.258], [6.832, 7.871]], atol=1e-3)


def test_2_difference_curve(words):
    result = fit(DIFFERENCE, words, **SOSKUTHY, **ORDERED)
    assert np.allclose(_parametric(result), [[1885.149, 5.735], [-67.372, 8.110]], atol=1e-3)
    assert np.allclose(result.parametric["statistic"], [328.713, -8.307], atol=1e-2)
    assert _p_value(result.parametric, "word_ordB") == pytest.approx(7.99e-16, rel=2e-2)
    assert np.allclose(_smooths(result)[0], [7.805, 8.594], atol=1e-3)
    # The difference curve is a straight line at the optimum; mgcv stopped on the way, at 1.040 and 1.079.
    assert np.allclose(_smooths(result)[1], 1, atol=1e-3)
    assert result.smooths["p_value"][1] == pytest.approx(0.00098, abs=3e-4)


def test_3_comparison_of_models(words):
    alone = fit('f2 ~ s(measurement.no, bs = "cr")', words, **SOSKUTHY)
    table = compare(alone, fit(DIFFERENCE, words, **SOSKUTHY, **ORDERED))
    assert table["score"].to_numpy() == pytest.approx([3334.300, 3296.538], abs=2e-3)
    larger = table.iloc[1]
    assert larger["score_difference"] == pytest.approx(37.762, abs=2e-3)
    assert larger["df_difference"] == 3
    assert larger["p_value"] == pytest.approx(2.798e-16, rel=3e-3)


def test_4_interaction_with_duration(words):
    result = fit(INTERACTION, words, **SOSKUTHY, **ORDERED)
    assert np.allclose(_parametric(result), [[1887.721, 5.315], [-72.516, 7.595]], atol=6e-3)
    assert np.allclose(result.parametric["statistic"], [355.170, -9.548], atol=5e-2)
    expected = {
        "s(measurement.no)": (7.958, 8.681),
        "s(duration)": (3.339, 4.014),
        "ti(measurement.no,duration)": (6.409, 8.551),
        "s(measurement.no):word_ordB": (1.662, 2.062),
    }
    table = result.smooths.set_index("term")
    for term, numbers in expected.items():
        assert np.allclose(table.loc[term, ["edf", "ref_df"]].astype(float), numbers, atol=5e-3), term
    assert _p_value(result.smooths, "s(measurement.no):word_ordB") == pytest.approx(3.91e-05, rel=0.03)


def test_5_autocorrelation_of_residuals(words):
    residuals = fit(INTERACTION, words, **SOSKUTHY, **ORDERED).engine_fit.residuals
    centred = residuals - residuals.mean()
    # As R's acf(): over all neighbouring rows, also where one trajectory ends and the next begins.
    assert np.sum(centred[1:] * centred[:-1]) / np.sum(centred**2) == pytest.approx(0.7896678, abs=2e-5)


def test_6_random_slopes(simulated):
    result = fit(
        'Y ~ Group + s(Time, by = Group) + s(Subject, bs = "re") + s(Subject, Time, bs = "re")',
        simulated,
        engine="structured",
        factors={"Group": ["Children", "Adults"]},
    )
    assert np.allclose(_parametric(result), [[2.0575, 2.9497], [3.1264, 4.1715]], atol=1e-4)
    assert np.allclose(result.parametric["statistic"], [0.6975, 0.7495], atol=1e-4)
    assert np.allclose(_smooths(result)[:2], [[8.6203, 8.9584], [8.8372, 8.9921]], atol=1e-4)
    assert np.allclose(_smooths(result)[2:], [[33.9912, 34], [33.9878, 34]], atol=1e-4)


def test_7_surfaces(simulated):
    result = fit(
        'Y ~ Group + te(Time, Trial, by = Group) + s(Time, Subject, bs = "fs", m = 1, k = 5)',
        simulated,
        engine="structured",
        factors={"Group": ["Children", "Adults"]},
    )
    assert np.allclose(_parametric(result), [[2.0505, 0.6881], [3.1204, 0.9731]], atol=1e-4)
    assert _prints(_p_value(result.parametric, "(Intercept)"), "0.0029")
    assert _prints(_p_value(result.parametric, "GroupAdults"), "0.0013")
    expected = [[19.7347, 21.9398], [19.6302, 21.8781], [175.2256, 178]]
    assert np.allclose(_smooths(result), expected, atol=5e-4)


def test_8_autoregressive_residuals(simulated):
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
    assert np.allclose(result.parametric["statistic"], [26.6278, 28.2527], atol=1e-2)
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
