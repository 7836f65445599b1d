import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.plots import channel_effects


def channels():
    return pd.DataFrame(
        {
            "layer": "conv4",
            "channel": range(5),
            "level_1": "s",
            "level_2": "sh",
            "level_difference": [1.0, -0.5, 0.0, 0.1, np.nan],
            "token_sd": [2.0, 1.0, 1.0, 0.5, np.nan],
            "joint_p_value": [1e-10, 1e-3, 0.0, 0.5, np.nan],
            "joint_p_fdr": [2e-10, 2e-3, 0.0, 0.5, np.nan],
        }
    )


def test_channels_stand_at_their_difference_and_p_value(built):
    _, line, points = built(channel_effects(channels()))
    assert points["x"].tolist() == [0.5, -0.5, 0.0, 0.2]
    assert points["y"].tolist() == pytest.approx([10, 3, 300, -np.log10(0.5)])
    assert points["fill"].tolist() == ["black", "black", "black", "white"]
    assert line["yintercept"].tolist() == pytest.approx([3])


def test_channels_without_numbers_are_counted():
    assert channel_effects(channels()).labels.caption == "4 channels; 1 that could not be fitted is left out."


def test_layers_are_panels(panels):
    both = pd.concat([channels(), channels().assign(layer="conv5")], ignore_index=True)
    assert panels(channel_effects(both)) == [("conv4",), ("conv5",)]


def test_without_any_found_there_is_no_line(built):
    nothing = channels().assign(joint_p_fdr=1.0)
    assert len(built(channel_effects(nothing))) == 2


def test_bad_input_is_refused():
    with pytest.raises(ArgumentError, match="'test'"):
        channel_effects(channels(), test="curve")
    with pytest.raises(ArgumentError, match="'alpha'"):
        channel_effects(channels(), alpha=5)
    with pytest.raises(DataError, match="shape_p_value"):
        channel_effects(channels(), test="shape")
    with pytest.raises(DataError, match="no channel has numbers"):
        channel_effects(channels().assign(joint_p_value=np.nan))
