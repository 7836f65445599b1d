"""Hashes tell contents apart, and nothing else."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerstats.store import content_hash

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(values, values)
def test_equal_hash_means_equal_content(one, two):
    # repr tells 1 from True and 0.0 from -0.0, and dicts are compared without their order
    same = repr(_sorted(one)) == repr(_sorted(two))
    assert (content_hash(one) == content_hash(two)) == same


def _sorted(value):
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def test_structures_do_not_run_together():
    distinct = [("ab", "c"), ("a", "bc"), (["ab", "c"],), ("abc",), ([["ab"], "c"],), ([], ["ab", "c"]), ({"ab": "c"},)]
    assert len({content_hash(*parts) for parts in distinct}) == len(distinct)


def test_arrays_and_frames():
    array = np.arange(6.0).reshape(2, 3)
    assert content_hash(array) == content_hash(np.asfortranarray(array)) == content_hash(array.astype(">f8"))
    different = [array, array.T, array.astype("float32"), array.reshape(3, 2), array + 1, array[:0], array.ravel()]
    assert len({content_hash(other) for other in different}) == len(different)
    frame = pd.DataFrame({"a": ["x", "tʃ"], "b": [1.0, np.nan]})
    assert content_hash(frame) == content_hash(frame.set_axis([7, 8]))
    assert content_hash(frame) != content_hash(frame.rename(columns={"a": "c"}))
    assert content_hash(frame) != content_hash(frame.iloc[::-1])
    assert content_hash(frame) == content_hash(frame.astype({"a": object}))


def test_the_same_in_another_process():
    code = (
        "from layerstats.store import content_hash; print(content_hash({'b': [1, 2.5], 'a': 'tʃ'}, {'x', 'y'} and 'z'))"
    )
    answers = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert answers == {content_hash({"a": "tʃ", "b": [1, 2.5]}, "z") + "\n"}


def test_what_has_no_content():
    with pytest.raises(TypeError, match="content of a function cannot be hashed"):
        content_hash(lambda: None)
