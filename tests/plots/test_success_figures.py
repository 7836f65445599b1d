import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.plots import heard_classes, matrix_of_networks, set_up_differences, success_by_class


def matrix():
    cells = {
        ("a", "a"): 0.9,
        ("a", "b"): 0.5,
        ("b", "a"): 0.4,
        ("b", "b"): 1.0,
        ("a", "people"): 0.2,
        ("b", "people"): 0.3,
    }
    rows = [(network, judge, rate, rate - 0.1, min(rate + 0.1, 1)) for (network, judge), rate in cells.items()]
    table = pd.DataFrame(rows, columns=["network", "judge", "rate", "conf_low", "conf_high"])
    return table.assign(set_up="smooth", null_untrained=0.25, null_zero_steps=[0.1, np.nan, 0.1, 0.1, 0.1, 0.1])


def test_every_cell_has_its_rate_interval_and_null(built):
    figure = matrix_of_networks(matrix())
    tiles, line, frames, labels = built(figure)
    assert len(tiles) == 6
    assert line["xintercept"].tolist() == [2.5]
    assert sorted(zip(frames["x"], frames["y"], strict=True)) == [(1, 2), (2, 1)]
    assert labels["label"].tolist()[:2] == ["90\n80\N{EN DASH}100\n(10)", "50\n40\N{EN DASH}60"]
    assert list(figure.data["judge"].cat.categories) == ["a", "b", "people"]
    labels = built(matrix_of_networks(matrix(), null="untrained"))[-1]
    assert labels["label"].iloc[1].endswith("(25)")
    assert built(matrix_of_networks(matrix(), null=""))[-1]["label"].iloc[0].count("\n") == 1


def heard():
    rows = [("no", "no", 0.9, 0.7), ("no", "go", 0.1, 0.2), ("go", "go", 1.0, 0.8), ("go", "(nothing)", 0.0, np.nan)]
    table = pd.DataFrame(rows, columns=["target", "response", "rate", "mean_score"])
    return table.assign(set_up="smooth", network="a", judge="b")


def test_targets_lie_on_the_diagonal(built):
    figure = heard_classes(heard())
    assert list(figure.data["response"].cat.categories) == ["go", "no", "(nothing)"]
    assert list(figure.data["target"].cat.categories) == ["no", "go"]
    tiles, numbers = built(figure)
    assert len(tiles) == 4
    assert set(numbers["label"]) == {"90", "10", "100", "0"}
    tiles, numbers = built(heard_classes(heard(), value="mean_score"))
    assert set(numbers["label"]) == {"70", "20", "80"}


def test_classes_stand_in_the_order_of_success(built):
    rows = [(target, judge, rate) for target, rate in (("no", 0.2), ("go", 0.9)) for judge in ("target network", "b")]
    table = pd.DataFrame(rows, columns=["target", "judge", "rate"])
    table = table.assign(
        set_up="smooth", measure="marginal", conf_low=0.1, conf_high=0.95, null_untrained=0.15, null=""
    )
    figure = success_by_class(pd.concat([table, table.assign(null="untrained", rate=0.0)]))
    assert list(figure.data["target"].cat.categories) == ["no", "go"]
    _, points, nulls = built(figure)
    assert sorted(points["y"]) == [0.2, 0.2, 0.9, 0.9]
    assert set(nulls["y"]) == {0.15}


def test_bad_input_is_refused():
    with pytest.raises(DataError, match="'rate' is not in"):
        matrix_of_networks(matrix().drop(columns="rate"))
    with pytest.raises(DataError, match="'null_natural' is not in"):
        matrix_of_networks(matrix(), null="natural")
    with pytest.raises(ArgumentError, match="value"):
        heard_classes(heard(), value="count")
    with pytest.raises(DataError, match="nothing to draw"):
        heard_classes(heard().assign(mean_score=np.nan), value="mean_score")
    with pytest.raises(DataError, match="is not in"):
        set_up_differences(matrix())
    with pytest.raises(DataError, match="is not in"):
        success_by_class(matrix())
