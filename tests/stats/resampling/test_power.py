"""Power by simulation, where it is known by calculation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from layerstats.errors import ArgumentError
from layerstats.stats.gamm import FitTask
from layerstats.stats.resampling import power

TOKEN, SPEAKER, CELL = (f's(time, {column}, bs="fs", m=1, k=6)' for column in ("token", "speaker", "cell"))


def t_test_power(size: int, difference: float) -> float:
    """Return the power of the t test of two groups of `size`, standard deviation one."""
    freedom, critical = 2 * size - 2, stats.t.isf(0.025, 2 * size - 2)
    moved = difference * np.sqrt(size / 2)
    return float(stats.nct.sf(critical, freedom, moved) + stats.nct.cdf(-critical, freedom, moved))


@pytest.mark.parametrize("size", [8, 20])
def test_one_point_a_token_is_a_t_test(size):
    values = np.concatenate([stats.norm.ppf((np.arange(30) + 0.5) / 30), stats.norm.ppf((np.arange(30) + 0.5) / 30)])
    values = values / np.sqrt(np.sum(values**2) / 58)
    data = pd.DataFrame({"token": np.arange(60).astype(str), "time": 0.0, "value": values})
    data = data.assign(label=np.repeat(["a", "b"], 30))
    task = FitTask("value ~ label", data, series="token", order="time")
    table = power(
        task, "label", "b", "a", speaker=None, speakers=[1], tokens=[size], tests=["level"], difference=[0.9],
        replicates=3000,
    )  # fmt: skip
    assert table["power"][0] == pytest.approx(t_test_power(size, 0.9), abs=4 * table["std_error"][0])


def test_grows_with_tokens_speakers_and_effect(make, curves):
    task = make.level_and_shape(curves, TOKEN, SPEAKER)
    table = power(task, "label", "b", "a", speakers=[2, 8], tokens=[2, 6], replicates=60, effect=0.25)
    by_size = table.pivot(index="speakers", columns="tokens_per_cell", values="power")
    assert by_size.loc[8, 6] > by_size.loc[2, 2]
    none = power(task, "label", "b", "a", speakers=[8], tokens=[4], replicates=100, effect=0.0)
    assert none["power"][0] < 0.2


def test_levels_of_few_planned_speakers_count_these(make, curves):
    """By residual degrees of freedom a tenth of the studies without a difference would find one."""
    task = make.level_and_shape(curves, TOKEN, SPEAKER, CELL)
    table = power(task, "label", "b", "a", speakers=[3], tokens=[2], tests=["level"], effect=0.0, replicates=400)
    assert table["power"][0] < 0.05


def test_refused(make, curves):
    task = make.level_and_shape(curves, TOKEN)
    with pytest.raises(ArgumentError, match="'tokens'"):
        power(task, "label", "b", "a", speakers=[2], tokens=[0])
    with pytest.raises(ArgumentError, match="'alpha'"):
        power(task, "label", "b", "a", speakers=[2], tokens=[2], alpha=5)
    with pytest.raises(ArgumentError, match="must have 9 values"):
        power(task, "label", "b", "a", speakers=[2], tokens=[2], difference=[1.0, 2.0])
    with pytest.raises(ArgumentError, match="no parametric term"):
        power(make.joint(curves, TOKEN), "label", "b", "a", speakers=[4], tokens=[2], tests=["level"], replicates=2)


def test_an_unbalanced_pilot_plans_balanced_studies(make, curves):
    full, shorter = (make.level_and_shape(one, TOKEN) for one in (curves, curves.iloc[1:]))
    tables = [
        power(task, "label", "b", "a", speakers=[3], tokens=[3], replicates=60, effect=0.2) for task in (full, shorter)
    ]
    assert tables[1]["power"][0] == pytest.approx(tables[0]["power"][0], abs=0.1)
