"""How alike optimal inputs are: by correlations of inputs that are known."""

import itertools

import numpy as np
import pytest

from layerstats.errors import DataError
from layerstats.probes.maximization import start_table
from layerstats.stats import agreement_of_starts
from layerstats.store import OutcomeWriter, VariableSpec, open_store

FRONT_END = '{"hop": 128, "rate_hz": 16000}'


def stored(path, inputs, name="features", **attrs):
    """A store of inputs (start, time, mel), two targets with half of them each."""
    starts = start_table(["conv1:0", "conv1:1"], len(inputs) // 2)
    sizes = {"time": inputs.shape[1], "mel": inputs.shape[2]}
    numbers = {"objective_before": np.zeros(len(starts)), "objective_after": np.arange(len(starts), dtype=float)}
    variables = [
        *(VariableSpec(one, ("start",)) for one in numbers),
        VariableSpec(f"{name}_after", ("start", *sizes), sizes),
    ]
    values = {**numbers, f"{name}_after": inputs}
    about = {"set_up": "smooth", "network": "letters", "null": "", "prior": "smooth", "front_end": FRONT_END, **attrs}
    with OutcomeWriter(path, "smooth.letters", starts, variables, key="k", attrs=about) as writer:
        for rows in writer.missing():
            writer.write(rows, {each: array[rows].astype("float32") for each, array in values.items()})
        writer.finish()
    return open_store(path)


def test_agreement_is_the_mean_correlation_of_two_starts(tmp_path):
    draw = np.random.default_rng(3)
    inputs = draw.normal(size=(6, 20, 5))
    inputs[:3] = inputs[:1] * np.array([1.0, 2.0, -1.0])[:, None, None]
    inputs[3:, :12] = 0.0
    inputs[3:, 19] *= 1e-4
    table = agreement_of_starts(stored(tmp_path / "s.zarr", inputs)).set_index("target")
    assert table["starts"].tolist() == [3, 3]
    one = table.loc["conv1:0"]
    assert one["agreement"] == pytest.approx((1 - 1 - 1) / 3, abs=1e-6)
    assert (one["agreement_low"], one["agreement_high"]) == (pytest.approx(-1), pytest.approx(1))
    other = table.loc["conv1:1"]
    pairs = [np.corrcoef(inputs[a].ravel(), inputs[b].ravel())[0, 1] for a, b in itertools.combinations((3, 4, 5), 2)]
    assert other["agreement"] == pytest.approx(np.mean(pairs), abs=1e-6)
    assert other["objective_after"] == 4
    assert (one["window_s"], one["active_s"], other["active_s"]) == (
        0.16,
        pytest.approx(0.16),
        pytest.approx(7 * 0.008),
    )


def test_one_start_has_nothing_to_agree_with(tmp_path):
    table = agreement_of_starts(stored(tmp_path / "s.zarr", np.ones((2, 4, 3))), set_up="smooth")
    assert table[["agreement", "agreement_low"]].isna().all(axis=None)
    assert table["starts"].tolist() == [1, 1]


def test_codes_are_no_inputs(tmp_path):
    experiment = stored(tmp_path / "s.zarr", np.ones((2, 4, 3)), name="codes")
    with pytest.raises(DataError, match="optimised themselves"):
        agreement_of_starts(experiment)
    other = stored(tmp_path / "t.zarr", np.ones((2, 4, 3)))
    with pytest.raises(DataError, match="'none'"):
        agreement_of_starts(other, set_up="none")
