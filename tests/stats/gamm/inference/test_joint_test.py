"""The joint test of level and shape is that of the uncentred binary smooth of another model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from layerstats.errors import ArgumentError
from layerstats.stats.gamm import fit
from layerstats.stats.gamm.inference.joint_test import joint_test

TOKEN = 's(time, token, bs="fs", m=1, k=5)'


def curves(seed: int = 0) -> pd.DataFrame:
    """Thirty series of three labels."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, 9)
    rows = []
    for token in range(30):
        label = "abc"[token % 3]
        level, slope = 0.4 * rng.normal(size=2)
        value = np.sin(3 * time) + level + slope * time + 0.2 * rng.normal(size=9)
        value += {"a": 0.0, "b": 0.3, "c": 0.5 * np.sin(6 * time)}[label]
        rows.append(pd.DataFrame({"token": f"t{token:02}", "label": label, "time": time, "value": value}))
    return pd.concat(rows, ignore_index=True).assign(is_b=lambda one: (one["label"] == "b") * 1.0)


@pytest.mark.parametrize("engine", ["structured", pytest.param("mgcv", marks=pytest.mark.r)])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_that_of_the_binary_smooth(engine, weighted):
    data = curves()
    data = data[data["label"] != "c"].reset_index(drop=True)
    data = data.assign(weight=np.random.default_rng(1).uniform(0.5, 2, len(data)))
    options = {"engine": engine} | ({"weights": "weight"} if weighted else {})
    one = fit(
        f"value ~ label + s(time, k=6) + s(time, by=label_ordered, k=6) + {TOKEN}", data, series="token", order="time",
        rho=0.3, factors={"label": ["a", "b"]}, ordered={"label_ordered": ("label", "a")}, **options,
    )  # fmt: skip
    other = fit(
        f"value ~ s(time, k=6) + s(time, by=is_b, k=6) + {TOKEN}",
        data,
        series="token",
        order="time",
        rho=0.3,
        **options,
    )
    expected = other.smooths.set_index("term").loc["s(time):is_b"]
    edf, test = joint_test(one, "labelb", "s(time):label_orderedb")
    assert edf == pytest.approx(expected["edf"], abs=1e-5)
    assert test.reference_df == pytest.approx(expected["ref_df"], abs=1e-5)
    assert test.p_value == pytest.approx(expected["p_value"], abs=1e-6)


def test_other_levels_and_other_degrees_of_freedom():
    data = curves()
    result = fit(
        f"value ~ label + s(time, k=6) + s(time, by=label_ordered, k=6) + {TOKEN}", data, engine="structured",
        series="token", order="time", factors={"label": ["a", "b", "c"]}, ordered={"label_ordered": ("label", "a")},
    )  # fmt: skip
    p_values = {label: joint_test(result, f"label{label}", f"s(time):label_ordered{label}")[1] for label in "bc"}
    assert p_values["c"].p_value < 0.01
    few = joint_test(result, "labelc", "s(time):label_orderedc", residual_freedom=5)[1]
    assert few.statistic == p_values["c"].statistic
    assert few.p_value > p_values["c"].p_value
    whole = int(few.reference_df)
    assert stats.f.sf(few.statistic, whole + 1, 5) < 2 * few.p_value < 4 * stats.f.sf(few.statistic, whole, 5)


def test_what_does_not_exist_is_refused():
    data = curves()
    result = fit("value ~ label + s(time, k=6)", data, engine="structured", series="token", order="time")
    with pytest.raises(ArgumentError, match="'coefficient'"):
        joint_test(result, "labelz", "s(time)")
    with pytest.raises(ArgumentError, match="'smooth'"):
        joint_test(result, "labelb", "s(time):b")
