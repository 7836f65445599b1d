"""A model prints as R's summary does; coefficients have the interval of their test."""

import numpy as np
import pandas as pd
import pytest

from layerstats.stats.gamm import difference, fit


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(2)
    time = np.tile(np.linspace(0, 1, 12), 40)
    word = np.repeat(generator.permutation(np.repeat(["ask", "dark"], 20)), 12)
    value = np.sin(5 * time) + (word == "dark") * (0.3 + time) + generator.normal(scale=0.4, size=480)
    return pd.DataFrame({"time": time, "word": word, "y": value, "heard": (value > 0.5).astype(int)})


@pytest.mark.parametrize("engine", ["structured", "pygam", pytest.param("mgcv", marks=pytest.mark.r)])
def test_limits_of_coefficients_are_those_of_their_t(table, engine):
    model = fit("y ~ word + s(time, by = word)", table, engine=engine)
    row, freedom = model.parametric.iloc[1], model.glance["df_residual"][0]
    assert row["conf_low"] < row["estimate"] < row["conf_high"]
    from scipy import stats

    critical = stats.t(freedom).ppf(0.975)
    assert row["conf_high"] - row["estimate"] == pytest.approx(critical * row["std_error"], rel=1e-6)
    assert row["estimate"] - row["conf_low"] == pytest.approx(critical * row["std_error"], rel=1e-6)


@pytest.mark.parametrize("engine", ["structured", pytest.param("mgcv", marks=pytest.mark.r)])
def test_limits_are_normal_where_the_scale_is_known(table, engine):
    row = fit("heard ~ word + s(time)", table, family="binomial", engine=engine).parametric.iloc[1]
    assert (row["conf_high"] - row["estimate"]) / row["std_error"] == pytest.approx(1.959964, abs=1e-6)


def test_a_coefficient_that_was_left_out_has_no_interval(table):
    copied = table.assign(twice=table["word"])
    left_out = fit("y ~ word + twice + s(time)", copied).parametric.set_index("term").loc["twicedark"]
    assert left_out["estimate"] == 0
    assert np.isnan(left_out[["statistic", "conf_low", "conf_high"]].to_numpy(dtype=float)).all()


def test_a_model_prints_as_a_summary(table):
    model = fit("y ~ word + s(time, by = word)", table)
    text = repr(model)
    assert text == model.summary() == str(model)
    lines = text.splitlines()
    assert "Formula: y ~ word + s(time, by = word)" in lines
    assert [line.split()[0] for line in lines if line.startswith(("(Intercept)", "worddark"))] == [
        "(Intercept)",
        "worddark",
    ]
    assert any(line.startswith("s(time):wordask") for line in lines)
    assert f"n = {len(table)}" in text
    assert "Note: word is a factor with levels in sorted order: ask, dark." in lines
    assert "t value" in text
    assert "z value" in repr(fit("heard ~ word + s(time)", table, family="binomial"))
    assert len(lines) < 40


def test_a_difference_prints_its_regions(table):
    found = difference(fit("y ~ word + s(time, by = word)", table), "word", "dark", "ask")
    lines = repr(found).splitlines()
    assert lines[0] == "DifferenceResult"
    assert "Other tables: curve (100 rows)" in lines
    assert any("positive" in line for line in lines)
