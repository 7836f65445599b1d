import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.tables import check_frame, glossary


def parametric(**changes):
    columns = {
        "term": ["(Intercept)", "wordB"],
        "estimate": [1885.149, -67.372],
        "std_error": [5.735, 8.110],
        "statistic": [328.713, -8.307],
        "p_value": [0.0, 7.99e-16],
    }
    return pd.DataFrame(columns | changes)


def test_a_good_frame_comes_back_as_it_is():
    frame = parametric()
    assert check_frame(frame, "parametric") is frame


def test_missing_values_and_frames_without_rows_are_allowed():
    check_frame(parametric(p_value=[np.nan, np.nan]))
    check_frame(parametric(p_value=[None, None]))
    check_frame(pd.DataFrame(columns=list(glossary().frames["regions"])), "regions")


def test_unknown_column_names_near_matches():
    with pytest.raises(DataError, match=r"'std\.error' is not in the glossary\. Did you mean 'std_error'"):
        check_frame(parametric().rename(columns={"std_error": "std.error"}))
    with pytest.raises(DataError, match=r"'Estimate' is not in the glossary\. Did you mean 'estimate'"):
        check_frame(parametric().rename(columns={"estimate": "Estimate"}))


def test_user_columns_may_hold_anything():
    frame = parametric(Sample=[0.5, 1.5], time=[120.0, 350.0])
    check_frame(frame, user_columns=["Sample", "time"])
    with pytest.raises(DataError, match="Sample"):
        check_frame(frame)
    with pytest.raises(DataError, match=r"'time' of the table must be at most 1, but row 0 has .*120"):
        check_frame(frame, user_columns=["Sample"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"p_value": ["<0.001***", "0.2"]}, r"'p_value'.* without stars or strings.*'<0.001\*\*\*'"),
        ({"estimate": [True, False]}, "'estimate'.*numbers"),
        ({"term": [1, 2]}, "'term'.*text"),
        ({"p_value": [0.5, 1.5]}, r"'p_value'.*at most 1, but row 1 has .*1.5.*1 of 2 rows"),
        ({"p_value": [-0.1, 0.5]}, "'p_value'.*at least 0"),
        ({"std_error": [-1.0, 1.0]}, "'std_error'.*at least 0"),
        ({"nobs": [1.5, 2.0]}, "'nobs'.*whole numbers"),
        ({"interval": ["pointwise", "credible"]}, "'interval'.*'simultaneous'.*row 1 has 'credible'"),
        ({"conf_low": [0.0, 2.0], "conf_high": [1.0, 1.0]}, "'conf_low' must not be above 'conf_high'.*row 1"),
    ],
)
def test_values_that_the_glossary_does_not_allow(changes, message):
    with pytest.raises(DataError, match=message):
        check_frame(parametric(**changes))


def test_whole_numbers_beside_missing_ones_are_integers():
    check_frame(parametric(nobs=[550, np.nan]))


def test_text_may_be_categorical_or_object():
    check_frame(parametric(term=pd.Categorical(["a", "b"])))
    check_frame(parametric(term=pd.Series(["a", "b"], dtype=object)))


def test_a_kind_needs_its_columns():
    with pytest.raises(DataError, match="Column 'std_error' is not in the parametric table"):
        check_frame(parametric().drop(columns="std_error"), "parametric")
    with pytest.raises(ArgumentError, match="'kind'"):
        check_frame(parametric(), "parametrics")


def test_a_column_that_appears_twice():
    frame = pd.concat([parametric(), parametric()[["term"]]], axis=1)
    with pytest.raises(DataError, match="'term' appears more than once"):
        check_frame(frame)


def test_whole_numbers_are_whole_numbers():
    frame = pd.DataFrame({"layer": ["a", "b"], "speakers": [16.0, np.nan], "tokens": [3.0, 4.0], "df": [15.0, 14.5]})
    found = check_frame(frame)
    assert found["speakers"].dtype == "Int64"
    assert found["tokens"].dtype == "int64"
    assert found["df"].dtype == "float64"
    assert frame["tokens"].dtype == "float64"  # the caller's frame stays as it was
    assert check_frame(pd.DataFrame({"time": [1.0]}), user_columns=["time"])["time"].dtype == "float64"
