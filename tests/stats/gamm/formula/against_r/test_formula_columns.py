"""Random formulas: the columns of the parametric part are those of `model.matrix`, by name, order and value."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from layerstats.stats.gamm.data.prepare import prepare_data
from layerstats.stats.gamm.formula.parser import parse_formula
from layerstats.stats.gamm.structured.smooths import build_parametric

HERE = Path(__file__).parent


def numbers(text: str) -> np.ndarray:
    return np.array([float(part) for part in text.split("|")])


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return pd.read_csv(HERE / "rows.csv")


@pytest.mark.parametrize("part", range(8))
def test_columns_are_those_of_r(rows, part):
    known = pd.read_csv(HERE / "formulas.csv.gz", keep_default_na=False).iloc[part::8]
    place = np.arange(1, len(rows) + 1)
    for formula, names, first, second in known.itertuples(index=False):
        parsed = parse_formula(formula, list(rows.columns))
        prepared = prepare_data(parsed, rows)
        columns = build_parametric(parsed, prepared.frame)
        assert [coefficient.name for coefficient in columns.coefficients] == names.split("|"), formula
        matrix = columns.columns(prepared.frame)
        assert np.sin(place) @ matrix == pytest.approx(numbers(first), rel=1e-9, abs=1e-9), formula
        assert np.cos(2 * place) @ matrix == pytest.approx(numbers(second), rel=1e-9, abs=1e-9), formula
