"""The history of a training as a figure."""

import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.plots import save_figure, training_curves
from layerstats.plots.training_curves import MEASURES
from layerstats.tables import check_frame

HISTORY = pd.DataFrame({"step": [10, 20, 30], **{name: [0.5, 0.25, 0.75] for name in MEASURES}})


def test_a_panel_for_each_measure_with_its_own_values(tmp_path):
    history = HISTORY.assign(penalty=[3.0, 2.0, 1.0])
    figure = training_curves(history)
    panel = figure.data.loc[figure.data["panel"] == "Gradient penalty"]
    assert dict(zip(panel["step"], panel["y"], strict=True)) == {10: 3.0, 20: 2.0, 30: 1.0}
    assert list(figure.data["panel"].cat.categories) == list(MEASURES.values())
    assert save_figure(figure, tmp_path / "history").png.stat().st_size > 10_000


def test_one_step_is_a_point(tmp_path):
    assert save_figure(training_curves(HISTORY.head(1)), tmp_path / "history").png.stat().st_size > 10_000


def test_columns_are_in_the_glossary():
    check_frame(HISTORY.assign(generator_loss=1.0, seconds=2.0), kind="training")


def test_what_is_missing_is_named():
    with pytest.raises(DataError, match="code_loss"):
        training_curves(HISTORY.drop(columns="code_loss"))
