"""The answers of a listening test are people as a judge, as they are."""

import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.judges import People
from layerstats.judges.people import open_people
from layerstats.judges.protocol import JudgeOptions

ANSWERS = pd.DataFrame(
    {
        "rater": ["r1", "r2", "r1", "r1", "r2", "r2"],
        "clip": ["a", "a", "b", "four", "b", "natural yes"],
        "task": "identification",
        "role": ["test", "test", "test", "catch", "test", "test"],
        "response": ["yes", "no", "yes", "four", None, "yes"],
    }
)


def test_answers_that_count_become_shares():
    people = People.from_answers(ANSWERS)
    assert people.shares.to_dict("index") == {
        "a": {"no": 0.5, "yes": 0.5},
        "b": {"no": 0.0, "yes": 1.0},
        "natural yes": {"no": 0.0, "yes": 1.0},
    }
    assert people.attrs["raters"] == 2


def test_outcomes_are_called_by_their_starts():
    table = ANSWERS.assign(
        start=["yes_0", "yes_0", "yes_1", None, "yes_1", None], set_up="smooth", network="net", null=None, token="x"
    )
    people = People.from_answers(table, name="listeners")
    assert people.name == "listeners"
    assert people.places == ["set_up", "network", "null"]
    assert people.shares.index.tolist() == [("yes_0", "smooth", "net", ""), ("yes_1", "smooth", "net", "")]


def test_a_file_of_answers_opens_as_one_of_identifications_does(tmp_path):
    ANSWERS.to_csv(tmp_path / "answers.csv", index=False)
    opened = open_people(JudgeOptions(path=str(tmp_path / "answers.csv")))
    assert opened.attrs == People.from_answers(ANSWERS).attrs


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (ANSWERS.drop(columns="response"), "'response' is not in the answers"),
        (ANSWERS.assign(task="opinion"), "Nobody identified anything"),
        (pd.concat([ANSWERS, ANSWERS[:1]]), "heard 'a' twice"),
    ],
)
def test_answers_without_identifications_are_refused(table, message):
    with pytest.raises(DataError, match=message):
        People.from_answers(table)
