import numpy as np
import pandas as pd
import pytest

from layerstats.corpora.phones import PHONE_COLUMNS, check_within, empty_phones, phones_table
from layerstats.errors import CorpusError, DataError


def intervals(*rows):
    return pd.DataFrame(rows, columns=["token", "label", "onset_s", "offset_s"])


def test_context_agrees_with_a_walk_over_the_phones():
    rng = np.random.default_rng(0)
    rows = []
    for token, count in zip("cab", (1, 2, 5), strict=True):
        edges = np.sort(rng.uniform(0, 1, count + 1))
        labels = rng.choice(["s", "iy", "t"], count)
        rows.extend((token, label, a, b) for label, a, b in zip(labels, edges, edges[1:], strict=False))
    shuffled = [rows[0], *[rows[index] for index in [2, 1]], *[rows[index] for index in [5, 3, 7, 4, 6]]]
    table = phones_table(intervals(*shuffled))
    assert tuple(table.columns) == PHONE_COLUMNS
    assert list(table[["token", "label", "onset_s", "offset_s"]].itertuples(index=False, name=None)) == rows
    for row in table.itertuples():
        neighbours = [r for r in rows if r[0] == row.token]
        place = neighbours.index((row.token, row.label, row.onset_s, row.offset_s))
        assert row.phone_index == place
        assert row.previous == (neighbours[place - 1][1] if place else "#")
        assert row.following == (neighbours[place + 1][1] if place + 1 < len(neighbours) else "#")
        ends = (place == 0, place == len(neighbours) - 1)
        expected = {(True, True): "only", (True, False): "initial", (False, True): "final", (False, False): "medial"}
        assert row.position == expected[ends]


def test_classes_and_source_labels():
    table = phones_table(intervals(("a", "s", 0, 1), ("a", "ɬ", 1, 2)).assign(source_label=["S", "ɬ"]))
    assert table["phone_class"].tolist() == ["voiceless_fricative", "other"]
    assert table["source_label"].tolist() == ["S", "ɬ"]


def test_empty_table_has_the_columns_and_types_of_a_full_one():
    full = phones_table(intervals(("a", "s", 0.0, 1.0)))
    empty = phones_table(intervals())
    assert list(empty.columns) == list(full.columns) == list(empty_phones().columns)
    assert list(empty.dtypes) == list(full.dtypes)


@pytest.mark.parametrize("offset", [0.5, 0.4])
def test_phone_that_ends_before_it_starts(offset):
    with pytest.raises(CorpusError, match=r"Phone 's' of token 'a' ends"):
        phones_table(intervals(("a", "s", 0.5, offset)))


def test_overlapping_phones():
    with pytest.raises(CorpusError, match=r"Phone 's' of token 'a' .* after the next"):
        phones_table(intervals(("a", "s", 0.0, 0.5), ("a", "t", 0.4, 0.6)))
    phones_table(intervals(("a", "s", 0.0, 0.5), ("b", "t", 0.4, 0.6)))


def test_labels_are_text():
    with pytest.raises(CorpusError, match=r"must be text, but got .*3.* \(int"):
        phones_table(intervals(("a", 3, 0.0, 0.5), ("a", 4, 0.5, 0.6)))


def test_missing_boundary():
    with pytest.raises(DataError, match="onset_s"):
        phones_table(intervals(("a", "s", np.nan, 0.5)))


def test_phones_outside_their_token():
    table = phones_table(intervals(("a", "s", 0.0, 0.5)))
    check_within(table, {"a": 0.5})
    with pytest.raises(CorpusError, match=r"outside its token, which lasts 0\.4000 s"):
        check_within(table, {"a": 0.4})
    with pytest.raises(CorpusError, match="unknown tokens, for instance 'a'"):
        check_within(table, {"b": 1.0})
