"""Areas under curves of deletion and insertion."""

import itertools

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.stats import perturbation_areas, trust_table


@pytest.fixture
def curves():
    rng = np.random.default_rng(0)
    rows = [
        (f"t{token}", f"s{token % 3}", direction, replacement, order, fraction, rng.random())
        for token, direction, replacement, order, fraction in itertools.product(
            range(9), ("deletion", "insertion"), ("noise", "mean spectrum"), ("relevance", "random order", "energy"),
            (0.0, 0.1, 0.5, 1.0),
        )
    ]  # fmt: skip
    columns = ["token", "speaker", "direction", "replacement", "order", "fraction", "score"]
    return pd.DataFrame(rows, columns=columns)


def test_areas_are_trapezoids(curves):
    found = perturbation_areas(curves.sample(frac=1, random_state=1))
    assert len(found) == 9 * 2 * 2 * 2
    for row in found.sample(10, random_state=0).to_dict("records"):
        keep = (curves[["token", "direction", "replacement"]] == [row["token"], row["measure"], row["condition"]]).all(
            axis=1
        )
        for order, value in (("relevance", row["value"]), (row["baseline"], row["baseline_value"])):
            own = curves[keep & (curves["order"] == order)]
            x, y = own["fraction"].to_numpy(), own["score"].to_numpy()
            assert value == pytest.approx(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))
    assert found.groupby("token")["speaker"].nunique().eq(1).all()


def test_a_table_has_a_row_a_direction_replacement_and_baseline(curves):
    table = trust_table(perturbation_areas(curves), recording="adapted").table
    assert len(table) == 8
    assert (table["by"] == "all").all()
    assert table["family"].nunique() == 4
    assert (table["tests"] == 2).all()
    assert table["diff"].to_numpy() == pytest.approx((table["estimate"] - table["baseline_estimate"]).to_numpy())


def test_curves_that_cannot_be_compared_are_refused(curves):
    with pytest.raises(DataError, match="same fractions"):
        perturbation_areas(curves.drop(index=3))
    with pytest.raises(DataError, match="of another one"):
        perturbation_areas(curves[curves["order"] == "relevance"])
    with pytest.raises(DataError, match="'score'"):
        perturbation_areas(curves.drop(columns="score"))


def test_points_that_are_there_twice_are_not_averaged(curves):
    with pytest.raises(DataError, match="points twice, for instance deletion of 't0' in the order 'relevance'"):
        perturbation_areas(pd.concat([curves, curves.assign(score=0.5)]))


def test_curves_go_from_nothing_to_all(curves):
    with pytest.raises(DataError, match=r"of 0 to 1, but these from 0 to 0\.5"):
        perturbation_areas(curves[curves["fraction"] < 1])
