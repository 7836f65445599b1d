import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.plots import effect_by_layer


def effects():
    return pd.DataFrame(
        {
            "layer": ["conv1", "conv2", "conv10"],
            "effect_size": [0.2, 0.5, 1.0],
            "effect_conf_low": [0.1, 0.4, np.nan],
            "effect_conf_high": [0.3, 0.7, np.nan],
            "joint_p_adjusted": [0.2, 0.01, np.nan],
        }
    )


def untrained(seeds=6):
    return pd.DataFrame(
        [{"layer": layer, "effect_size": 0.1 * seed} for layer in ("conv1", "conv2", "conv10") for seed in range(seeds)]
    )


def test_layers_stand_in_the_order_of_the_table_and_points_are_filled_where_significant(built):
    bars, points, _ = built(effect_by_layer(effects()))
    assert points["x"].tolist() == [0, 1, 2]
    assert points["y"].tolist() == [0.2, 0.5, 1.0]
    assert points["fill"].tolist() == ["white", "black", "white"]  # no p-value is no significance
    assert bars[["ymin", "ymax"]].to_numpy().tolist() == [[0.1, 0.3], [0.4, 0.7]]


def test_untrained_networks_stand_beside_with_a_box(built):
    box, null, _, points, _ = built(effect_by_layer(effects(), untrained()))
    assert len(null) == 18
    for layer in range(3):
        beside = null[null["x"].between(layer, layer + 0.5)]
        assert sorted(beside["y"].round(1)) == [0, 0.1, 0.2, 0.3, 0.4, 0.5]
        assert beside["x"].min() > points["x"].iloc[layer] + 0.1
    assert box["middle"].tolist() == pytest.approx([0.25] * 3)


def test_a_few_networks_get_no_box(built):
    assert (
        len(built(effect_by_layer(effects(), untrained(seeds=4))))
        == len(built(effect_by_layer(effects(), untrained()))) - 1
    )


def test_without_p_values_and_intervals(built):
    points, _ = built(effect_by_layer(effects()[["layer", "effect_size"]], p_column=None, interval=None))
    assert points["fill"].tolist() == ["black"] * 3


def test_a_layer_without_a_number_keeps_its_place(built):
    frame = effects().assign(effect_size=[0.2, np.nan, 1.0])
    _, points, _ = built(effect_by_layer(frame))
    assert points["x"].tolist() == [0, 2]


def test_layers_whose_models_fail_are_marked():
    verdicts = ["passed", "fails normality", ""]
    figure = effect_by_layer(effects().assign(model_checks=verdicts))
    assert figure.scales.get_scales("x").labels == ["conv1", "conv2\N{DAGGER}", "conv10"]
    assert "Checks of the model's residuals fail" in figure.labels.caption
    assert figure.labels.y != effect_by_layer(effects(), untrained()).labels.y


def test_panels(panels):
    two = pd.concat([effects().assign(contrast="s \N{MINUS SIGN} ʃ"), effects().assign(contrast="p \N{MINUS SIGN} b")])
    titles = panels(effect_by_layer(two, facet="contrast"))
    assert titles == [("s \N{MINUS SIGN} ʃ",), ("p \N{MINUS SIGN} b",)]


def test_bad_input():
    with pytest.raises(DataError, match="'joint_p_adjusted' is not in"):
        effect_by_layer(effects().drop(columns="joint_p_adjusted"))
    with pytest.raises(DataError, match="effects at 'logits', but the trained network has only 'conv1'"):
        effect_by_layer(effects(), untrained().replace("conv2", "logits"))
    with pytest.raises(ArgumentError, match="'alpha'"):
        effect_by_layer(effects(), alpha=5)
