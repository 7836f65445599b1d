"""One policy for starts and stopping: where penalties compete, one fit, channels and refits give the same answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from layerstats.stats.gamm import FitTask, GammResult, fit_many, smoothing_selection
from layerstats.stats.gamm.batched.curves.fitted import fit_design
from layerstats.stats.gamm.batched.rows import channel_design, fit_channels

MODELS = 40
# Of 150, the one whose first start ends in the higher of two minima.
TWO_MINIMA = 125
LABELS = 6
TOKEN = "s(time, token, bs='fs', m=1, k={k})"
# Each has coefficients with more than one penalty.
SMOOTHS = (
    "te(time, height, k=c({k}, 3))",
    "te(time, height, bs='cr', k=c({k}, 4))",
    "te(time, height, bs=c('ps', 'cr'), k=c(5, 3))",
    "te(time, height, bs=c('tp', 'cr'), k=c({k}, 3))",
    "s(time, k={k}) + s(height, k=4) + ti(time, height, k=c({k}, 3))",
    "te(time, height, bs=c('cr', 'ps'), k=c({k}, 4))",
)


@dataclass(frozen=True)
class RandomModel:
    """A formula and data of tokens on one grid of time; `height` is a number that their label decides."""

    formula: str
    data: pd.DataFrame
    rho: float

    @property
    def task(self) -> FitTask:
        return FitTask(self.formula, self.data, engine="structured", rho=self.rho, series="token", order="time")

    @classmethod
    def draw(cls, seed: int) -> RandomModel:
        generator = np.random.default_rng(seed)
        tokens, points = int(generator.integers(18, 40)), int(generator.integers(9, 15))
        label = np.arange(tokens) % LABELS
        heights = np.sort(generator.uniform(0, 3, LABELS))[generator.permutation(LABELS)]
        time = np.linspace(0, 1, points)
        wave, tilt, noise = generator.choice([0.0, 0.2, 1.0], 3) + 0.05
        height = heights[label][:, None]
        curves = wave * np.sin(5 * time + height) + tilt * height * time
        curves = curves + 0.4 * generator.normal(size=(tokens, 1)) + 0.3 * generator.normal(size=(tokens, 1)) * time
        values = curves + noise * generator.normal(size=curves.shape)
        smooth = SMOOTHS[seed % len(SMOOTHS)].format(k=int(generator.integers(4, 7)))
        data = pd.DataFrame(
            {
                "token": np.repeat([f"t{number:02}" for number in range(tokens)], points),
                "label": np.repeat([f"l{number}" for number in label], points),
                "height": np.repeat(heights[label], points),
                "time": np.tile(time, tokens),
                "value": values.ravel() + generator.choice([0.0, 100.0]),
            }
        )
        random = TOKEN.format(k=int(generator.integers(4, 6)))
        return cls(f"value ~ {smooth} + {random}", data, float(generator.choice([0.0, 0.4])))


def score_of(result: GammResult) -> float:
    return float(result.glance["score"].iloc[0])


@pytest.mark.parametrize("seed", [*range(MODELS), TWO_MINIMA])
def test_one_fit_channels_and_refits_are_the_same(seed):
    model = RandomModel.draw(seed)
    single = fit_many([model.task])[0]
    design = channel_design(model.task)
    assert design.penalties.compete
    values = model.data["value"].to_numpy()
    one = fit_channels(design, values[None])
    # Beside others a channel takes its own steps all the same.
    among = fit_channels(design, np.stack([values[::-1], values, values + 1]))
    refits = fit_design(model.task, "label", speaker=None)
    assert refits.design.penalties_compete
    scores = [one.score[0], among.score[1], refits.fit.score[0]]
    np.testing.assert_allclose(scores, score_of(single), rtol=1e-9, atol=1e-6)

    rows = model.data.iloc[design.positions]
    expected = single.predict(rows, exclude=["s(time,token)"])
    own, tolerance = refits.design, 1e-5 * values.std()
    at = own.columns[own.label_of].reshape(len(rows), -1)
    for columns, coefficients, covariance in (
        (design.model.dense_columns(rows), one.coefficients[0], one.covariance[0]),
        (design.model.dense_columns(rows), among.coefficients[1], among.covariance[1]),
        (at, refits.fit.coefficients[0] + own.offset * (np.arange(at.shape[1]) == 0), refits.fit.covariance[0]),
    ):
        np.testing.assert_allclose(columns @ coefficients, expected["fit"], atol=tolerance)
        error = np.sqrt(np.sum((columns @ covariance) * columns, axis=1))
        np.testing.assert_allclose(error, expected["std_error"], atol=tolerance)


def test_the_second_start_is_tried_by_all(monkeypatch):
    model = RandomModel.draw(TWO_MINIMA)
    values = model.data["value"].to_numpy()[None]

    def scores() -> list[float]:
        design = channel_design(model.task)
        return [
            score_of(fit_many([model.task])[0]),
            float(fit_channels(design, values).score[0]),
            float(fit_design(model.task, "label", None).fit.score[0]),
        ]

    both = scores()
    monkeypatch.setattr(smoothing_selection, "SECOND_START", 0.0)
    first = scores()
    assert np.ptp(both) < 1e-6
    assert min(first) > max(both) + 1e-4
