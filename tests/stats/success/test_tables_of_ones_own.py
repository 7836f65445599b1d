"""Tables that people bring: numbers as labels, files of tables, people without networks, nulls alone."""

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.success import (
    attempts_from_frame,
    compare_set_ups,
    success_as_published,
    success_matrix,
    success_rates,
)


@pytest.fixture
def frame():
    generator = np.random.default_rng(5)
    rows = [
        (set_up, null, network, target, f"{target}_{number}", judge, int(generator.choice([target, 0, 1, 2])))
        for set_up in ("from data", "none")
        for null in ("", "zero_steps")
        for network in ("net 1", "net 2", "net 3")
        for target in range(3)
        for number in range(6)
        for judge in ("net 1", "net 2", "net 3", "people")
    ]
    return pd.DataFrame(rows, columns=["set_up", "null", "network", "target", "start", "judge", "response"])


@pytest.mark.parametrize("kind", [float, str, "category", "Int64"])
def test_a_whole_number_is_one_label_in_every_kind_of_column(frame, kind):
    other = frame.assign(response=frame["response"].astype(kind))
    right = float(np.mean(frame.loc[frame["null"] == "", "response"] == frame.loc[frame["null"] == "", "target"]))
    published = success_as_published(attempts_from_frame(other))
    assert np.average(published["rate"], weights=published["starts"]) == pytest.approx(right)
    pd.testing.assert_frame_equal(
        success_rates(attempts_from_frame(other)).summary, success_rates(attempts_from_frame(frame)).summary
    )


def test_a_table_in_a_file_is_read_as_it_was_written(frame, tmp_path):
    frame.assign(token="").to_csv(tmp_path / "attempts.csv", index=False)
    again = pd.read_csv(tmp_path / "attempts.csv")
    attempts = attempts_from_frame(frame)
    for function in (
        lambda table: success_rates(table).summary,
        lambda table: success_matrix(table).heard,
        lambda table: compare_set_ups(table, "none", "from data"),
        success_as_published,
    ):
        pd.testing.assert_frame_equal(function(again), function(attempts))


def test_people_alone_have_marginal_success_and_no_joint(frame):
    heard = frame.loc[frame["judge"] == "people"]
    attempts = attempts_from_frame(pd.concat([heard, heard.assign(judge="others")]))
    result = success_rates(attempts)
    assert set(result.summary["measure"]) == {"marginal"}
    assert set(result.summary["judge"]) == {"people", "others"}
    assert result.summary["rate"].notna().all()
    assert any("no joint success" in note for note in result.notes)
    assert set(success_matrix(attempts).networks["judge"]) == {"people", "others"}


def test_nulls_alone_are_counted(frame):
    result = success_rates(attempts_from_frame(frame.loc[frame["null"] != ""]))
    assert set(result.summary["null"]) == {"zero_steps"}
    assert result.nulls.empty


def test_a_score_that_is_text_and_targets_that_are_one_text_are_refused(frame):
    with pytest.raises(DataError, match="'score'"):
        attempts_from_frame(frame.assign(score="high"))
    with pytest.raises(ArgumentError, match="'targets' must be a list"):
        attempts_from_frame(frame, targets="yes")
