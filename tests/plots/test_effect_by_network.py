import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.plots import effect_by_network


def kinds(names=("Q-network", "supervised", "untrained")):
    rows = [
        {"contrast": contrast, "layer": layer, "network": name, "effect_size": place + 0.1 * index}
        for contrast in ("8 words", "s - sh")
        for place, layer in enumerate(("conv1", "conv2", "conv10"))
        for index, name in enumerate(names)
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(effect_conf_low=frame["effect_size"] - 0.2, effect_conf_high=frame["effect_size"] + 0.2)


def singles(frame):
    parts = [frame.assign(network_seed=seed, effect_size=frame["effect_size"] + 0.05 * seed) for seed in range(3)]
    return pd.concat(parts, ignore_index=True).drop(columns=["effect_conf_low", "effect_conf_high"])


def test_kinds_stand_beside_each_other_around_their_layer_in_the_order_of_the_table(built, panels):
    figure = effect_by_network(kinds(), singles(kinds()))
    _, single, bars, points, _ = built(figure)
    assert panels(figure) == [("8 words",), ("s - sh",)]
    first = points[(points["PANEL"] == 1) & points["x"].between(-0.5, 0.5)].sort_values("x")
    assert first["y"].round(2).tolist() == [0.0, 0.1, 0.2]
    assert first["x"].round(2).tolist() == [-0.24, 0.0, 0.24]
    assert (bars["ymax"] - bars["ymin"]).round(6).eq(0.4).all()
    assert points["fill"].nunique() == 3
    # Single networks stand right of their mean and left of the next kind.
    assert len(single) == 3 * len(kinds())
    first = single[single["PANEL"] == 1].sort_values("x").head(3)
    assert first["x"].between(-0.24, -0.06).all()
    assert first["y"].round(2).tolist() == [0.0, 0.05, 0.1]


def test_single_networks_can_be_left_out(built):
    assert len(built(effect_by_network(kinds()))) == len(built(effect_by_network(kinds(), singles(kinds())))) - 1


def test_bad_tables_are_refused():
    with pytest.raises(DataError, match="effect_conf_low"):
        effect_by_network(kinds().drop(columns="effect_conf_low"))
    with pytest.raises(DataError, match="no rows"):
        effect_by_network(kinds().head(0))
    with pytest.raises(DataError, match="has no mean"):
        effect_by_network(kinds(("Q-network",)), singles(kinds()))
    with pytest.raises(ArgumentError, match="At most 8 groups"):
        effect_by_network(kinds(tuple(f"kind {index}" for index in range(9))))
