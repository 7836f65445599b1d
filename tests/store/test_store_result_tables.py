"""Judgements, averages and ratings: written whole or not at all, checked, and read as they were given."""

import os
import signal
import subprocess
import sys
import textwrap

import pandas as pd
import pytest
import zarr
from small_store import CREATED, make_store

from layerstats.errors import ArgumentError, DataError, StoreError
from layerstats.store import check_store, describe, open_store, store_table
from layerstats.store.result_tables import TABLE_KINDS
from layerstats.store.schema import RESULT_KINDS

HEARD = pd.DataFrame(
    {
        "token": ["tok00", "tok00", "tok01"],
        "judge": ["classifier", "pocketsphinx", "classifier"],
        "response": ["ask", None, "wäsche"],
        "score": [0.9, float("nan"), 0.4],
        "rank": [1, 2, 1],
    }
)
FRAMES = {
    "judgements": HEARD,
    "averages": pd.DataFrame({"speaker": ["s0", "s1"], "label": ["s", "s"], "count": [4, 5], "mean": [0.1, 0.2]}),
    "ratings": pd.DataFrame({"token": ["tok02"], "rater": ["r1"], "rating": [5]}),
}


@pytest.fixture
def path(tmp_path):
    return make_store(tmp_path / "small.zarr")


def contents(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def test_kinds_are_those_of_the_schema():
    assert set(RESULT_KINDS) == {"outcomes", "sums", *TABLE_KINDS}
    assert tuple(TABLE_KINDS) == tuple(FRAMES)


@pytest.mark.parametrize("kind", FRAMES)
def test_tables_come_back_as_given(path, kind):
    store_table(path, kind, "first", FRAMES[kind], attrs={"recording": "activations", "seed": 3}, created_at=CREATED)
    table = open_store(path).table(kind, "first")
    pd.testing.assert_frame_equal(table, FRAMES[kind].astype(table.dtypes.to_dict()))
    assert table.attrs["recording"] == "activations"
    listed = open_store(path).tables
    assert listed[["kind", "name", "rows", "created_at"]].to_numpy().tolist() == [[kind, "first", len(table), CREATED]]
    assert describe(path)["Tables"].equals(listed)
    array = zarr.open_array(path / kind / "first" / FRAMES[kind].columns[0], mode="r")
    assert array.metadata.dimension_names == (kind,)
    assert check_store(path) == []


def test_the_same_call_does_nothing_and_another_key_is_refused(path):
    store_table(path, "judgements", "words", HEARD, attrs={"judge_hash": "a"})
    before = contents(path)
    store_table(path, "judgements", "words", HEARD, attrs={"judge_hash": "a"}, created_at=CREATED)
    assert contents(path) == before
    with pytest.raises(StoreError, match=r"another table 'words' of judgements \(judge_hash: 'a' there, 'b' now;"):
        store_table(path, "judgements", "words", HEARD, attrs={"judge_hash": "b"})
    store_table(path, "judgements", "words", HEARD.iloc[:1], key="k", overwrite=True)
    assert len(open_store(path).table("judgements", "words")) == 1
    assert not list(path.rglob("*.partial"))
    store_table(path, "judgements", "words", HEARD, key="k")
    assert len(open_store(path).table("judgements", "words")) == 1


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("judgements", lambda t: t.drop(columns="score"), "Column 'score' is not in the table 'x' of judgements"),
        ("judgements", lambda t: t.assign(judge=None), "judge"),
        ("judgements", lambda t: t.assign(token="tok99"), "names the token 'tok99', which .* does not have"),
        ("judgements", lambda t: t.iloc[:0], "The table 'x' of judgements has no rows"),
    ],
)
def test_what_a_table_must_hold(path, kind, change, message):
    with pytest.raises(DataError, match=message):
        store_table(path, kind, "x", change(FRAMES[kind]))
    assert not (path / kind).exists()


def test_what_does_not_exist(path, tmp_path):
    store_table(path, "judgements", "words", HEARD)
    with pytest.raises(ArgumentError, match="'judgements', 'averages', 'ratings', but got 'heard'"):
        store_table(path, "heard", "x", HEARD)
    with pytest.raises(ArgumentError, match="A table cannot be called 'a/b'"):
        store_table(path, "judgements", "a/b", HEARD)
    with pytest.raises(StoreError, match="There is no store at"):
        store_table(tmp_path / "nothing", "judgements", "x", HEARD)
    with pytest.raises(StoreError, match=r"has no table 'x' of judgements. There are: 'words'"):
        open_store(path).table("judgements", "x")
    with pytest.raises(StoreError, match=r"has no table 'x' of ratings. There are: none"):
        open_store(path).table("ratings", "x")


def test_damage_is_found(path):
    store_table(path, "judgements", "words", HEARD)
    array = zarr.open_array(path / "judgements/words/score", mode="r+")
    array[2] = 0.5
    (problem,) = check_store(path)
    assert "judgements/words holds other values than were written" in problem
    assert "run the call that wrote the table again" in problem


@pytest.mark.parametrize("renames", [0, 1, 2, 3])
def test_a_kill_leaves_the_old_table_the_new_one_or_none(path, renames):
    """Killed at each renaming of a folder while a table is replaced; the same call then ends as an unbroken one."""
    store_table(path, "judgements", "words", HEARD, created_at=CREATED)
    script = textwrap.dedent(f"""
        import os, pathlib, signal
        import pandas as pd
        from layerstats.store import store_table
        frame = pd.DataFrame({{"token": ["tok05"], "judge": "J", "response": "x", "score": 1.0}})
        replace, left = os.replace, [{renames}]
        def killing(source, target):
            if pathlib.Path(source).is_dir():
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1
            replace(source, target)
        os.replace = killing
        store_table({str(path)!r}, "judgements", "words", frame, overwrite=True, created_at={CREATED!r})
        """)
    ended = subprocess.run([sys.executable, "-c", script], check=False, env=dict(os.environ))
    assert ended.returncode == (-signal.SIGKILL if renames < 2 else 0)
    found = open_store(path).tables["rows"].tolist()
    assert found == {0: [3], 1: []}.get(renames, [1])
    again = script.replace("os.replace = killing", "")
    assert subprocess.run([sys.executable, "-c", again], check=False).returncode == 0
    assert open_store(path).table("judgements", "words")["token"].tolist() == ["tok05"]
    assert not list(path.rglob("*.partial"))
    assert check_store(path) == []
