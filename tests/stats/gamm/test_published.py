"""Published results, refitted through `fit()`: numbers agree with print."""

import numpy as np
import pandas as pd
import pytest

from layerstats.stats.gamm import FitTask, compare, fit, fit_many

pytestmark = [pytest.mark.r, pytest.mark.realdata]


def check_parametric(result, expected):
    """Compare term, estimate, SE and t with what was printed, to the last digit that was printed."""
    assert result.parametric["term"].tolist() == list(expected)
    for row, printed in zip(result.parametric.itertuples(), expected.values(), strict=True):
        for value, text in zip((row.estimate, row.std_error, row.statistic), printed, strict=True):
            assert_prints(value, text)


def check_smooths(result, expected):
    """Compare edf, Ref.df and F (None: F was not printed)."""
    assert result.smooths["term"].tolist() == list(expected)
    for row, printed in zip(result.smooths.itertuples(), expected.values(), strict=True):
        for value, text in zip((row.edf, row.ref_df, row.statistic), printed, strict=False):
            assert_prints(value, text)


def assert_prints(value, text):
    """Where the value is next to the middle between two numbers, rounding errors of mgcv choose which it prints."""
    decimals = len(text.partition(".")[2])
    assert abs(value - float(text)) <= 0.51 * 10**-decimals, f"{value} instead of {text}"


def p_value(frame, term):
    return float(frame.set_index("term").loc[term, "p_value"])


# Sóskuthy (2017): 50 trajectories, fitted by ML.

MODEL_1 = 'f2 ~ word + s(measurement.no, by = word, bs = "cr")'
MODEL_2 = 'f2 ~ word.ord + s(measurement.no, bs = "cr") + s(measurement.no, by = word.ord, bs = "cr")'
MODEL_4 = MODEL_2 + ' + s(duration, bs = "cr") + ti(measurement.no, duration)'


@pytest.fixture(scope="module")
def words(real_data):
    return pd.read_csv(real_data("gamm", "soskuthy2017", "words_50.csv"))


@pytest.fixture(scope="module")
def word_models(words):
    formulas = {
        "1": MODEL_1,
        "2": MODEL_2,
        "smooth only": 'f2 ~ s(measurement.no, bs = "cr")',
        "4": MODEL_4,
    }
    ordered = {name: {"word.ord": ("word", "A")} if "word.ord" in text else None for name, text in formulas.items()}
    tasks = [
        FitTask(text, words, engine="mgcv", method="ML", ordered=ordered[name], series="traj", order="measurement.no")
        for name, text in formulas.items()
    ]
    return dict(zip(formulas, fit_many(tasks, workers=2), strict=True))


def test_smooth_for_each_word(word_models):
    result = word_models["1"]
    check_parametric(result, {"(Intercept)": ("1885.149", "5.755", "327.588"), "wordB": ("-67.372", "8.138", "-8.278")})
    assert f"{p_value(result.parametric, 'wordB'):.2e}" == "1.01e-15"
    check_smooths(
        result,
        {
            "s(measurement.no):wordA": ("7.311", "8.258", "213.0"),
            "s(measurement.no):wordB": ("6.831", "7.871", "169.4"),
        },
    )


def test_difference_smooth(word_models):
    result = word_models["2"]
    check_parametric(
        result, {"(Intercept)": ("1885.149", "5.735", "328.713"), "word.ordB": ("-67.372", "8.110", "-8.307")}
    )
    assert f"{p_value(result.parametric, 'word.ordB'):.2e}" == "7.99e-16"
    difference_smooth = "s(measurement.no):word.ordB"
    check_smooths(
        result, {"s(measurement.no)": ("7.805", "8.594", "234.4"), difference_smooth: ("1.040", "1.079", "10.84")}
    )
    assert f"{p_value(result.smooths, difference_smooth):.5f}" == "0.00098"


def test_comparison_of_models(word_models):
    table = compare(word_models["smooth only"], word_models["2"])
    assert_prints(table["score"].iloc[0], "3334.300")
    assert_prints(table["score"].iloc[1], "3296.538")
    larger = table.iloc[1]
    assert_prints(larger["score_difference"], "37.762")
    assert larger["df_difference"] == 3
    assert f"{larger['p_value']:.3e}" == "2.798e-16"


def test_interaction_with_duration(word_models):
    result = word_models["4"]
    check_parametric(
        result, {"(Intercept)": ("1887.721", "5.315", "355.170"), "word.ordB": ("-72.516", "7.595", "-9.548")}
    )
    difference_smooth = "s(measurement.no):word.ordB"
    check_smooths(
        result,
        {
            "s(measurement.no)": ("7.958", "8.681", "267.519"),
            difference_smooth: ("1.662", "2.062", "10.137"),
            "s(duration)": ("3.339", "4.014", "7.821"),
            "ti(measurement.no,duration)": ("6.409", "8.551", "8.222"),
        },
    )
    # mgcv 1.8-41 gives 3.96e-05 for the same F and degrees of freedom: tail areas changed between its versions.
    assert p_value(result.smooths, difference_smooth) == pytest.approx(3.91e-05, rel=0.02)


def test_autocorrelation_of_residuals(word_models):
    residuals = word_models["4"].engine_fit.residuals
    centred = residuals - residuals.mean()
    # As R's acf(): over all neighbouring rows, also where one trajectory ends and the next begins.
    assert_prints(np.sum(centred[1:] * centred[:-1]) / np.sum(centred**2), "0.7896678")


# van Rij: simdat of itsadug, 75,600 rows, fitted by fREML.


@pytest.fixture(scope="module")
def simdat(real_data):
    return pd.read_csv(real_data("gamm", "itsadug", "simdat.csv.gz"))


GROUPS = {"Group": ["Children", "Adults"]}


def test_random_intercepts_and_slopes(simdat):
    formula = 'Y ~ Group + s(Time, by = Group) + s(Subject, bs = "re") + s(Subject, Time, bs = "re")'
    result = fit(formula, simdat, engine="mgcv", factors=GROUPS)
    check_parametric(
        result, {"(Intercept)": ("2.0575", "2.9497", "0.6975"), "GroupAdults": ("3.1264", "4.1715", "0.7495")}
    )
    check_smooths(
        result,
        {
            "s(Time):GroupChildren": ("8.6203", "8.9584", "1630.0297"),
            "s(Time):GroupAdults": ("8.8372", "8.9921", "8798.1199"),
            "s(Subject)": ("33.9912", "34.0000"),
            "s(Subject,Time)": ("33.9878", "34.0000"),
        },
    )


@pytest.mark.slow
def test_factor_smooths_and_tensor_products(simdat):
    formula = 'Y ~ Group + te(Time, Trial, by = Group) + s(Time, Subject, bs = "fs", m = 1, k = 5)'
    result = fit(formula, simdat, engine="mgcv", factors=GROUPS)
    parametric = result.parametric.set_index("term")
    for term, printed in {"(Intercept)": ("2.0505", "0.6881"), "GroupAdults": ("3.1204", "0.9731")}.items():
        assert_prints(parametric.loc[term, "estimate"], printed[0])
        assert_prints(parametric.loc[term, "std_error"], printed[1])
    assert_prints(p_value(result.parametric, "(Intercept)"), "0.0029")
    assert_prints(p_value(result.parametric, "GroupAdults"), "0.0013")
    check_smooths(
        result,
        {
            "te(Time,Trial):GroupChildren": ("19.7347", "21.9398", "1651.5571"),
            "te(Time,Trial):GroupAdults": ("19.6302", "21.8781", "1466.8432"),
            "s(Time,Subject)": ("175.2256", "178.0000", "5803.4508"),
        },
    )


@pytest.mark.slow
def test_autoregressive_residuals(simdat):
    subjects = [f"{group}{number:02d}" for group in "ac" for number in range(3, 19, 3)]
    # Beyond 10,000 rows bam() sets its bases up from a sample of rows that depends on their order; the published fit
    # had events in the order of R's interaction(Subject, Trial), the subject running fastest.
    table = simdat[simdat["Subject"].isin(subjects)].sort_values(["Trial", "Subject", "Time"], ignore_index=True)
    table["Event"] = table["Subject"] + "." + table["Trial"].astype(str)
    formula = (
        "Y ~ Group + s(Time, by = Group) + s(Condition, by = Group, k = 5) + ti(Time, Condition, by = Group) + "
        's(Time, Subject, bs = "fs", m = 1, k = 5) + s(Event, bs = "re")'
    )
    result = fit(
        formula, table, engine="mgcv", factors=GROUPS, rho=0.7203072236, series=["Subject", "Trial"], order="Time"
    )
    check_parametric(
        result, {"(Intercept)": ("2.0815", "0.0782", "26.6278"), "GroupAdults": ("3.1233", "0.1106", "28.2527")}
    )
    check_smooths(
        result,
        {
            "s(Time):GroupChildren": ("8.1693", "8.8249", "1879.7268"),
            "s(Time):GroupAdults": ("8.5786", "8.9527", "3689.4959"),
            "s(Condition):GroupChildren": ("3.5243", "3.6221", "226.4529"),
            "s(Condition):GroupAdults": ("3.7461", "3.8070", "481.1917"),
            "ti(Time,Condition):GroupChildren": ("15.4465", "15.9500", "1272.8526"),
            "ti(Time,Condition):GroupAdults": ("15.3392", "15.9280", "844.2478"),
            "s(Time,Subject)": ("0.0008", "56.0000"),
            "s(Event)": ("174.1518", "248.0000", "2.4845"),
        },
    )
    assert f"{p_value(result.smooths, 's(Time,Subject)'):.4f}" == "0.6981"
    assert_prints(result.glance["score"].iloc[0], "43393.16")
    assert_prints(result.glance["aic"].iloc[0], "86484.49")
