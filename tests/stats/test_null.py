import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from layerstats.errors import DataError
from layerstats.stats.null import compare_with_untrained, descriptive_effect_size


def simulated(difference: float, tokens: int = 200, points: int = 20, seed: int = 0) -> pd.DataFrame:
    """Tokens with their own level (sd 1) in two groups whose curves differ by a constant."""
    rng = np.random.default_rng(seed)
    level = rng.normal(size=tokens)
    group = np.arange(tokens) % 2
    time = np.linspace(0, 1, points)
    value = np.sin(time * 5)[None] + level[:, None] + difference * group[:, None]
    return pd.DataFrame(
        {
            "token": np.repeat([f"t{n}" for n in range(tokens)], points),
            "set": np.repeat(np.where(group == 1, "sh", "s"), points),
            "time": np.tile(time, tokens),
            "value": value.ravel(),
        }
    )


def effects(trained: float, untrained: list[float], layer: str = "conv1") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "layer": layer,
            "recording": ["activations", *(f"untrained_{n:02}" for n in range(len(untrained)))],
            "trained": [True, *[False] * len(untrained)],
            "effect_size": [trained, *untrained],
        }
    )


def test_recovers_a_planted_difference():
    frame = simulated(2.0, tokens=1000)
    assert descriptive_effect_size(frame, group="set", identifier="token") == pytest.approx(2.0, rel=0.1)


def test_is_the_plain_definition_where_grids_agree():
    frame = simulated(1.0, tokens=30, points=10)
    cells = frame.pivot(index=["set", "token"], columns="time", values="value")
    first, second = cells.loc["s"].to_numpy(), cells.loc["sh"].to_numpy()
    difference = first.mean(axis=0) - second.mean(axis=0)
    pooled = (first.var(axis=0, ddof=1) * 14 + second.var(axis=0, ddof=1) * 14) / 28
    expected = np.sqrt(np.mean(difference**2) / np.mean(pooled))
    assert descriptive_effect_size(frame, group="set", identifier="token") == pytest.approx(expected)


def test_does_not_depend_on_the_units_or_the_direction():
    frame = simulated(1.0)
    size = descriptive_effect_size(frame, group="set", identifier="token")
    turned = frame.assign(value=-7 * frame["value"] + 3)
    assert descriptive_effect_size(turned, group="set", identifier="token") == pytest.approx(size)


def test_series_of_different_length_share_bins():
    frame = simulated(1.0, points=24)
    short = frame[(frame["token"] != "t0") | (frame.groupby("token").cumcount() % 4 == 0)]
    size = descriptive_effect_size(short, group="set", identifier="token")
    assert size == pytest.approx(descriptive_effect_size(frame, group="set", identifier="token"), rel=0.01)


def test_p_value_counts_the_network_itself():
    table = compare_with_untrained(effects(3.0, [1.0, 3.0, 2.0, 5.0]))
    assert table["null_p_value"].item() == pytest.approx(3 / 5)
    assert table["null_effect_median"].item() == pytest.approx(2.5)
    assert table["null_recordings"].item() == 4


def test_p_values_are_uniform_where_training_does_nothing():
    rng = np.random.default_rng(2)
    raw, adjusted = [], []
    for _ in range(400):
        draws = np.exp(rng.normal(size=(4, 20)) + np.arange(4)[:, None])
        frames = [effects(row[0], list(row[1:]), f"conv{n}") for n, row in enumerate(draws)]
        table = compare_with_untrained(pd.concat(frames))
        raw.append(table["null_p_value"].iloc[0])
        adjusted.append(table["null_p_adjusted"].min())
    assert kstest(np.array(raw) - rng.uniform(0, 1 / 20, 400), "uniform").pvalue > 0.01
    assert np.mean(np.array(adjusted) <= 0.05) <= 0.08


def test_adjusted_p_can_reach_the_smallest_possible_value():
    rng = np.random.default_rng(3)
    frames = [effects(9.0 if n == 2 else 1.0, list(rng.uniform(0.5, 1.5, 19)), f"conv{n}") for n in range(5)]
    table = compare_with_untrained(pd.concat(frames))
    assert table["null_p_adjusted"].iloc[2] == pytest.approx(1 / 20)
    assert (table["null_p_adjusted"] >= table["null_p_value"] - 1e-12).all()
    assert table["layer"].tolist() == [f"conv{n}" for n in range(5)]


def test_bad_input_is_refused():
    with pytest.raises(DataError, match="got 1 trained, 0 untrained"):
        compare_with_untrained(effects(1.0, []))
    frame = pd.concat([effects(1.0, [0.5, 0.7]), effects(1.0, [0.5], "conv2")])
    with pytest.raises(DataError, match="1 gaps"):
        compare_with_untrained(frame)
    with pytest.raises(DataError, match="Two groups"):
        descriptive_effect_size(simulated(1.0).assign(set="s"), group="set", identifier="token")
    flat = simulated(1.0).assign(value=lambda data: (data["set"] == "s").astype(float))
    with pytest.raises(DataError, match="do not vary"):
        descriptive_effect_size(flat, group="set", identifier="token")
