"""Values taken apart for R, without R."""

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.rbridge.from_r import from_r
from layerstats.rbridge.messages import NA_INTEGER, RValue
from layerstats.rbridge.to_r import to_r


def ints(value):
    return np.frombuffer(value.payload, dtype=np.int32).tolist()


def test_missing_boolean_is_na_and_missing_number_is_nan():
    frame = pd.DataFrame({"b": pd.array([True, None], dtype="boolean"), "i": pd.array([1, None], dtype="Int64")})
    boolean, whole = to_r(frame).payload
    assert boolean.kind == "logical"
    assert ints(boolean) == [1, NA_INTEGER]
    assert whole.kind == "double"
    assert np.isnan(np.frombuffer(whole.payload)[1])


def test_factor_codes_count_from_one_and_missing_is_na():
    value = to_r(pd.Categorical(["b", "a", None], categories=["b", "a"]))
    assert ints(value) == [1, 2, NA_INTEGER]
    assert value.attributes["levels"].payload == ["b", "a"]
    assert "contrasts" not in value.attributes


def test_ordered_factor_has_treatment_contrasts():
    value = to_r(pd.Categorical(["b"], categories=["b", "a"], ordered=True))
    assert value.attributes["class"].payload == ["ordered", "factor"]
    assert value.attributes["contrasts"].payload == ["contr.treatment"]


def test_matrix_is_column_major():
    value = to_r(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert np.frombuffer(value.payload).tolist() == [1.0, 3.0, 2.0, 4.0]
    assert ints(value.attributes["dim"]) == [2, 2]


@pytest.mark.parametrize(("number", "kind"), [(2**31 - 1, "integer"), (2**31, "double"), (-(2**31), "double")])
def test_whole_numbers_beyond_r_integers_become_doubles(number, kind):
    assert to_r(number).kind == kind


def test_whole_number_that_a_double_cannot_hold_is_refused():
    with pytest.raises(ArgumentError, match="too large for R"):
        to_r(2**60)


def test_column_of_dates_is_refused_by_name():
    with pytest.raises(DataError, match="'day' has type datetime64"):
        to_r(pd.DataFrame({"day": pd.to_datetime(["2024-01-01"])}))


def test_mixed_column_is_refused():
    with pytest.raises(DataError, match="mixed, for instance 3"):
        to_r(pd.DataFrame({"x": ["a", 3]}))


def test_object_of_unknown_type_is_refused():
    with pytest.raises(ArgumentError, match="type object cannot"):
        to_r(object())


def test_na_integer_comes_back_as_nan():
    value = RValue("integer", np.array([1, NA_INTEGER], dtype=np.int32).tobytes(), {})
    assert np.array_equal(from_r(value), [1.0, np.nan], equal_nan=True)


def test_vector_of_one_is_a_scalar_unless_marked():
    one = np.array([2.5]).tobytes()
    marked = RValue("double", one, {"class": RValue("character", ["AsIs"], {})})
    assert from_r(RValue("double", one, {})) == 2.5
    assert from_r(marked).tolist() == [2.5]
