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


def test_epochs_of_several_networks_have_a_line_each(tmp_path):
    history = pd.DataFrame(
        {"network": ["a", "a", "b", "b"], "epoch": [1, 2, 1, 2], "steps": [5, 10, 5, 10], "loss": [4.0, 2.0, 3.0, 1.0]}
    ).assign(train_accuracy=0.5, held_out_accuracy=[0.1, 0.2, 0.3, 0.4], seconds=1.0)
    check_frame(history, kind="epochs")
    figure = training_curves(history)
    assert list(figure.data["panel"].cat.categories) == ["Loss (training)", "Accuracy, training", "Accuracy, held out"]
    lines = figure.data.loc[figure.data["panel"] == "Loss (training)"].groupby("network", observed=True)["y"].agg(list)
    assert lines.to_dict() == {"a": [4.0, 2.0], "b": [3.0, 1.0]}
    assert save_figure(figure, tmp_path / "epochs").png.stat().st_size > 10_000
    alone = training_curves(history.loc[history["network"] == "a"].drop(columns="network"))
    assert save_figure(alone, tmp_path / "alone").png.stat().st_size > 10_000
    with pytest.raises(DataError, match="loss"):
        training_curves(history.drop(columns="loss"))
