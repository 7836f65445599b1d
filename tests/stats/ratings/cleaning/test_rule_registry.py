"""Rules for cleaning are checked when they are written, and hash the same however they are said."""

import dataclasses
import json

import pytest

from layerstats.errors import ArgumentError
from layerstats.stats.ratings import check_rules, cleaning_rules, rules_sha256
from layerstats.stats.ratings.cleaning.rule_registry import RULES

NEEDED = {"native_language": {"languages": ["English"]}, "outcome_filter": {"condition": "classifier"}}


def test_every_rule_opens_and_is_listed():
    rules = check_rules([{"rule": name, **NEEDED.get(name, {})} for name in RULES])
    assert [rule["rule"] for rule in rules] == list(RULES) == cleaning_rules()["rule"].tolist()
    for rule in rules:
        assert rule.keys() == {"rule", *(one.name for one in dataclasses.fields(RULES[rule["rule"]]))}
    assert cleaning_rules()["description"].str.startswith("Remove ").all()
    # As they stand in a design: through JSON and back they are the same.
    assert check_rules(json.loads(json.dumps(rules))) == rules


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("catch_missed", r"must be a list of rules, such as \['catch_missed'\]"),
        ([3], "A rule is a mapping with 'rule'"),
        ([{"most_share": 0}], "A rule is a mapping with 'rule'"),
        (["catch"], "There is no rule 'catch' for cleaning. The rules are: catch_missed, "),
        ([{"rule": "too_fast", "seconds": 1}], "no option 'seconds'. Its options are: least_seconds=1.0"),
        (["native_language"], "needs its option 'languages'"),
        ([{"rule": "native_language", "languages": []}], "names no language"),
        ([{"rule": "native_language", "languages": "English"}], "Invalid value 'English'"),
        ([{"rule": "too_fast", "least_seconds": -1}], "must be a positive number"),
        ([{"rule": "too_fast", "least_seconds": "soon"}], "Invalid value 'soon'"),
        ([{"rule": "catch_missed", "most_share": 2}], "from 0 to 1"),
        ([{"rule": "rated_twice", "keep": "last"}], "'last'"),
        ([{"rule": "straight_lining", "least_distinct": 1}], "must be 2 or more"),
        ([{"rule": "session_incomplete", "least_share": 0}], "above 0 and at most 1"),
        (["catch_missed", {"rule": "catch_missed", "most_share": 0.5}], "named twice"),
    ],
)
def test_wrong_rules_are_refused(rules, message):
    with pytest.raises(ArgumentError, match=message):
        check_rules(rules)


def test_the_hash_is_that_of_what_will_be_done():
    said = [{"rule": "too_fast"}, "catch_missed"]
    assert rules_sha256(said) == rules_sha256([{"rule": "too_fast", "least_seconds": 1}, {"rule": "catch_missed"}])
    assert rules_sha256(said) == "242f3648bc23bb1343daf760498f7be5fd1b3493a1c0557fa337aebc49f4b14e"
    assert rules_sha256(said) != rules_sha256(said[::-1])
    assert rules_sha256(said) != rules_sha256([{"rule": "too_fast", "least_seconds": 1.5}, "catch_missed"])
    assert len(rules_sha256([])) == 64
