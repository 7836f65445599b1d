import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.stats.success import ATTEMPT_COLUMNS, attempts_from_frame


def test_what_is_missing_is_filled_in(make_frame):
    table = attempts_from_frame(make_frame()[["network", "target", "start", "judge", "response"]])
    assert tuple(table.columns) == ATTEMPT_COLUMNS
    assert table["set_up"].unique().tolist() == ["maximized"]
    assert table["score"].isna().all()
    assert table["trained"].all()
    again = attempts_from_frame(table)
    assert again.equals(table)


def test_classes_and_set_ups_are_chosen(make_frame):
    table = attempts_from_frame(make_frame(), targets=["word1"], set_ups=["smooth"])
    assert set(table["target"]) == {"word1"}


def test_bad_tables_are_refused(make_frame):
    frame = make_frame()
    cases = [
        (frame.drop(columns="judge"), {}, "'judge' is not in the table of attempts"),
        (frame.head(0), {}, "Nothing was attempted"),
        (frame.assign(response=None), {}, "NaN or infinite values present in required column 'response'"),
        (frame, {"targets": ["word1", "yes"]}, "Nobody attempted the class 'yes'"),
        (frame, {"set_ups": ["rough"]}, "Nobody attempted the set-up 'rough'"),
        (frame[frame["judge"] == "net0"], {}, "one judge only, 'net0'"),
        (frame[frame["judge"] == frame["network"]], {}, "one judge only"),
        (frame.assign(score=np.where(frame.index == 6, np.nan, frame["score"])), {}, "'net1' gives the start"),
        (frame.assign(score=np.inf), {}, "which is no number"),
        (frame.assign(null="noise"), {}, "The null 'noise' is not known"),
        (frame.assign(start="a"), {}, "asked twice about the start 'a'"),
    ]
    for table, options, message in cases:
        with pytest.raises(DataError, match=message):
            attempts_from_frame(table, **options)


def test_several_people_can_be_one_judge(make_frame):
    frame = make_frame(networks=1)
    people = [frame[frame["judge"] == "pocketsphinx"].assign(judge="people", rater=rater) for rater in ("r1", "r2")]
    table = attempts_from_frame(pd.concat([frame.assign(rater=""), *people]))
    assert (table["judge"] == "people").sum() == 2 * (frame["judge"] == "pocketsphinx").sum()
