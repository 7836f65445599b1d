"""People are one more judge: their answers find their starts, and stand in the matrix as those of machines do."""

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.stats import success_matrix, success_rates
from layerstats.stats.success import attempts_from_frame, with_people


def answers_to(frame, raters=4, seed=0):
    """Every rater hears every start of a table of attempts, and says its target or another word."""
    generator = np.random.default_rng(seed)
    starts = frame.drop_duplicates(["set_up", "network", "target", "start"])
    parts = [
        starts[["set_up", "network", "start"]].assign(
            rater=f"r{rater}", clip=starts["network"] + starts["start"], role="test", task="identification",
            null=np.nan,
            response=np.where(generator.random(len(starts)) < 0.7, starts["target"], "noise"),
        )
        for rater in range(raters)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_people_stand_in_the_matrix_as_machines_do(make_frame):
    frame = make_frame(networks=3, starts=8)
    answers = answers_to(frame)
    table = with_people(attempts_from_frame(frame), answers)
    heard = success_matrix(table).heard
    rows = heard[heard["judge"] == "people"]
    assert len(rows) == 3 * 4 * 2
    targets = frame.drop_duplicates(["network", "start"]).set_index(["network", "start"])["target"]
    own = answers.assign(target=targets.reindex(pd.MultiIndex.from_frame(answers[["network", "start"]])).to_numpy())
    shares = own.groupby(["network", "target", "response"]).size() / 32
    found = rows.set_index(["network", "target", "response"])["rate"]
    for place, share in shares.items():
        assert found[place] == pytest.approx(share)
    # Machines are what they were.
    before = success_matrix(attempts_from_frame(frame)).heard
    after = heard[heard["judge"] != "people"].reset_index(drop=True)
    pd.testing.assert_frame_equal(before, after)
    summary = success_rates(table).summary.set_index(["measure", "judge"])
    assert "raters" in summary.loc[("marginal", "people"), "drawn"]


def test_what_is_no_answer_to_a_start_is_left_out(make_frame):
    frame = make_frame(networks=1, starts=3)
    answers = answers_to(frame, raters=2)
    more = pd.concat(
        [
            answers,
            answers[:1].assign(role="catch", response="four", rater="r9"),
            answers[:1].assign(start=np.nan, rater="r9"),
            answers[:1].assign(response=np.nan, rater="r9"),
            answers[:1].assign(task="opinion", rater="r9"),
        ]
    )
    tables = [with_people(attempts_from_frame(frame), one) for one in (answers, more)]
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda answers: answers.drop(columns="start"), "'start' is not in the answers"),
        (lambda answers: answers.assign(start="elsewhere"), "no start of the attempts, first set_up 'smooth'"),
        (lambda answers: answers.assign(response=None), "Nobody said what they heard in a start"),
        (lambda answers: answers.drop(columns=["network", "set_up"]), "need 'set_up', 'network' to say"),
        (lambda answers: answers.assign(rater=None), "required column 'rater'"),
        (lambda answers: pd.concat([answers, answers[:1]]), "was asked twice about the start"),
    ],
)  # fmt: skip
def test_answers_that_do_not_fit_are_refused(make_frame, change, message):
    frame = make_frame(networks=2, starts=3)
    with pytest.raises(DataError, match=message):
        with_people(attempts_from_frame(frame), change(answers_to(frame, raters=1)))
