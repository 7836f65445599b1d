"""Rules remove who they should, whatever was answered to what is compared, and say what that does."""

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.stats.ratings import clean
from layerstats.stats.ratings.cleaning.rule_registry import RULES
from layerstats.tables.answers import Answers

COLUMNS = ["rater", "clip", "role", "condition", "rating", "expected", "seconds", "session", "native_language",
           "headphones_correct"]  # fmt: skip
EVERY_RULE = [
    "catch_missed",
    "references_missed",
    "headphones_failed",
    "too_fast",
    "straight_lining",
    {"rule": "native_language", "languages": ["english"]},
    {"rule": "session_incomplete", "trials": 7},
    "session_cap",
    "rated_twice",
]


def session(rater, number=1, test=(2, 3, 4), catch=(4, 2), references=(5, 1), seconds=3.0, language="English", right=6):
    """A session of three test clips, two catch trials and two references; those after the first have other clips."""
    told = [("test", f"t{number}{place}", f"c{place % 2}", given, None) for place, given in enumerate(test)]
    told += [("catch", f"k{wanted}", None, given, wanted) for given, wanted in zip(catch, (4, 2), strict=True)]
    told += [("reference", f"r{wanted}", None, given, wanted) for given, wanted in zip(references, (5, 1), strict=True)]
    return [(rater, clip, role, condition, given, wanted, seconds, number, language, right)
            for role, clip, condition, given, wanted in told]  # fmt: skip


def table(*parts):
    return pd.DataFrame([row for part in parts for row in part], columns=COLUMNS)


FAULTY = table(
    session("good"),
    session("misses", catch=(4, 1)),
    session("silent", catch=(4, None)),
    session("off", references=(5, 3)),
    session("near", references=(4, 2)),
    session("deaf", right=4),
    session("quick", seconds=0.4),
    session("line", test=(3, 3, 3), catch=(3, 3), references=(3, 3)),
    session("even", test=(3, 3, 3)),
    session("foreign", language=" Welsh"),
    session("native", language="english "),
    session("early")[:4],
    session("eager") + session("eager", 2),
    session("twice") + session("twice", 1)[:1],
)


@pytest.mark.parametrize(
    ("rule", "who"),
    [
        ("catch_missed", {"misses", "silent", "line"}),
        ({"rule": "catch_missed", "most_share": 0.5}, {"line"}),
        ("references_missed", {"off", "line"}),
        ({"rule": "references_missed", "tolerance": 0}, {"off", "line", "near"}),
        ({"rule": "references_missed", "tolerance": 2}, set()),
        ("headphones_failed", {"deaf"}),
        ("too_fast", {"quick"}),
        ("straight_lining", {"line"}),
        # Expected are 4, 2, 5 and 1: "misses" gives 4, 1, 5, 1, and "near" 4, 2, 4, 2.
        ({"rule": "straight_lining", "least_distinct": 4}, {"misses", "near", "line"}),
        ({"rule": "native_language", "languages": ["English"]}, {"foreign"}),
        ({"rule": "session_incomplete", "trials": 7}, {"early"}),
        ({"rule": "session_incomplete", "trials": 7, "least_share": 0.5}, set()),
        ("session_cap", {"eager"}),
        ({"rule": "session_cap", "most": 2}, set()),
        ("rated_twice", {"eager", "twice"}),
    ],
)
def test_a_rule_removes_whom_it_should(rule, who):
    cleaned = clean(FAULTY, [rule])
    assert set(cleaned.removed["rater"]) == who
    assert set(cleaned.raters.loc[cleaned.raters["removed"], "rater"]) == who
    assert len(cleaned.table) + len(cleaned.removed) == len(FAULTY)


def test_a_slip_in_four_catch_trials_is_forgiven_and_none_in_fewer():
    # P.808 asks that the one trapping question of a session be right; of the ten of a long session one may be missed.
    rows = [
        (f"{missed} of {trials}", f"k{place}", "catch", 2 if place < missed else 4, 4)
        for trials in (1, 3, 4, 10)
        for missed in (0, 1, 2, 3)
        if missed <= trials
        for place in range(trials)
    ]
    given = pd.DataFrame(rows, columns=["rater", "clip", "role", "rating", "expected"])
    kept = set(clean(given, ["catch_missed"]).table["rater"])
    assert kept == {"0 of 1", "0 of 3", "0 of 4", "1 of 4", "0 of 10", "1 of 10", "2 of 10"}


def test_a_long_session_does_not_make_the_others_incomplete():
    # Of one rater ten times as many sessions may have been joined; only who knows the plan can judge.
    given = pd.DataFrame([(rater, f"c{clip}", 1, 3) for rater, clips in (("often", 50), ("once", 5), ("left", 3))
                          for clip in range(clips)], columns=["rater", "clip", "session", "rating"])  # fmt: skip
    unknown = clean(given, ["session_incomplete"])
    assert unknown.removed.empty
    assert any("nobody is judged" in note for note in unknown.notes)
    assert set(clean(given, [{"rule": "session_incomplete", "trials": 5}]).removed["rater"]) == {"left"}
    practised = given.assign(role=np.where(given["clip"] == "c0", "training", "test"))
    assert set(clean(practised, [{"rule": "session_incomplete", "trials": 5}]).removed["rater"]) == {"left", "once"}


def test_rows_are_removed_where_only_rows_are_at_fault():
    assert clean(FAULTY, ["session_cap"]).removed["session"].unique().tolist() == [2]
    twice = clean(FAULTY, ["rated_twice"]).removed
    # The second session of "eager" has other test clips, but the references again.
    assert twice.loc[twice["rater"] == "twice", "clip"].tolist() == ["t10"]
    assert twice.loc[twice["rater"] == "eager", "clip"].tolist() == ["r5", "r1"]
    neither = clean(FAULTY, [{"rule": "rated_twice", "keep": "none"}]).removed
    assert neither.loc[neither["rater"] == "twice", "clip"].tolist() == ["t10", "t10"]


@pytest.mark.parametrize("seed", range(3))
def test_what_is_compared_selects_nobody(seed):
    # The property that makes rules safe: other answers to test clips change no mask.
    generator = np.random.default_rng(seed)
    test = FAULTY["role"] == "test"
    other = FAULTY.assign(rating=FAULTY["rating"].mask(test, pd.Series(generator.integers(1, 6, len(FAULTY)))))
    assert not other["rating"].equals(FAULTY["rating"])
    first, second = (clean(each, EVERY_RULE) for each in (FAULTY, other))
    pd.testing.assert_frame_equal(first.masks, second.masks)
    pd.testing.assert_frame_equal(first.raters, second.raters)
    assert first.removed.index.tolist() == second.removed.index.tolist()
    assert len(first.removed) > 20


def test_masks_count_alone_and_after_the_ones_before_in_any_order():
    forth, back = (clean(FAULTY, rules) for rules in (EVERY_RULE, EVERY_RULE[::-1]))
    assert forth.table.index.tolist() == back.table.index.tolist()
    alone = [cleaned.masks.set_index("rule")[["raters", "answers"]] for cleaned in (forth, back)]
    pd.testing.assert_frame_equal(alone[0], alone[1].loc[alone[0].index])
    test_removed = int((forth.removed["role"] == "test").sum())
    for cleaned in (forth, back):
        assert cleaned.masks["answers_after"].sum() == test_removed < cleaned.masks["answers"].sum()
    of_references = forth.masks.set_index("rule").loc["references_missed"]
    # "line" is gone with the catch trials already.
    assert of_references[["raters", "answers", "raters_after", "answers_after"]].tolist() == [2, 6, 1, 3]


def test_without_says_what_would_be():
    cleaned = clean(FAULTY, EVERY_RULE)
    found = cleaned.without.set_index(["rules", "condition"])
    for name, rows in (("every rule", cleaned.table), ("no rule", FAULTY)):
        own = rows[rows["role"] == "test"].groupby("condition")["rating"]
        assert found.loc[name, "estimate"].to_dict() == pytest.approx(own.mean().to_dict())
        assert found.loc[name, "answers"].to_dict() == own.size().to_dict()
    for rule in EVERY_RULE:
        name = rule if isinstance(rule, str) else rule["rule"]
        others = clean(FAULTY, [other for other in EVERY_RULE if other is not rule])
        expected = others.table[others.table["role"] == "test"].groupby("condition")["rating"].mean()
        assert found.loc[f"all but {name}", "estimate"].to_dict() == pytest.approx(expected.to_dict())
    change = found["estimate"] - found.loc["every rule", "estimate"].reindex(found.index, level="condition")
    np.testing.assert_allclose(found["change"], change)


def test_other_tasks_have_other_measures():
    heard = pd.DataFrame(
        {
            "rater": ["ann", "ann", "bob", "bob", "ann"],
            "clip": ["x", "y", "x", "y", "pair"],
            "response": ["yes", "no", "YES ", "yes", "b"],
            "expected": ["yes", "yes", "yes", "yes", None],
        }
    )
    found = clean(heard, []).without
    means = found[found["rules"] == "every rule"].set_index("measure")["estimate"].to_dict()
    assert means == {"share right": 0.75, "share preferring a": 0.0}


def test_rules_are_held_against_those_of_the_design():
    same = clean(FAULTY, EVERY_RULE, fixed=EVERY_RULE)
    assert same.masks["fixed_before"].all()
    assert "fixed before looking (sha256" in same.notes[0]
    changed = clean(
        FAULTY, ["catch_missed", {"rule": "too_fast", "least_seconds": 2}], fixed=["too_fast", "session_cap"]
    )
    assert changed.masks["fixed_before"].tolist() == [False, False]
    assert (
        "catch_missed was added; session_cap was left out; least_seconds of too_fast was 1.0 and is 2.0."
        in (changed.notes[0])
    )
    assert "in another order" in clean(FAULTY, EVERY_RULE, fixed=EVERY_RULE[::-1]).notes[0]
    unknown = clean(FAULTY, ["catch_missed"])
    assert unknown.masks["fixed_before"].isna().all()
    assert "is not known" in unknown.notes[0]


def test_the_outcome_filter_does_as_published_and_warns():
    given = FAULTY.assign(rating=FAULTY["rating"].astype(float))
    with pytest.warns(UserWarning, match="builds differences where there are none"):
        cleaned = clean(given, [{"rule": "outcome_filter", "condition": "c0"}])
    own = given[(given["role"] == "test") & (given["condition"] == "c0")].groupby("rater")["rating"].max()
    assert set(cleaned.removed["rater"]) == set(own.index[own >= 4])
    assert cleaned.masks["judged_on"].tolist() == ["outcome"]
    assert any("outcome_filter" in note for note in cleaned.notes)


@pytest.mark.parametrize(("raters", "fires"), [(11, False), (12, True)])
def test_an_outlier_among_eleven_ratings_cannot_be_one(raters, fires):
    given = pd.DataFrame({"rater": [f"r{n}" for n in range(raters)], "clip": "a", "rating": [5] * (raters - 1) + [1]})
    with pytest.warns(UserWarning, match="outlying_ratings"):
        cleaned = clean(given, ["outlying_ratings"])
    assert cleaned.removed["rater"].tolist() == ([f"r{raters - 1}"] if fires else [])
    assert cleaned.raters["measured"].max() == pytest.approx(np.sqrt(raters - 1))
    assert any("fewer than 12 ratings" in note for note in cleaned.notes) is not fires


def test_references_of_a_condition_that_is_compared_are_named():
    given = FAULTY.assign(condition=FAULTY["condition"].where(FAULTY["role"] != "reference", "c1"))
    assert any("condition 'c1', which is compared too" in note for note in clean(given, ["references_missed"]).notes)
    assert not any("compared too" in note for note in clean(FAULTY, ["references_missed"]).notes)


@pytest.mark.parametrize(
    ("given", "rules", "message"),
    [
        (FAULTY.iloc[:0], ["catch_missed"], "nobody answered"),
        (FAULTY.drop(columns="rater"), [], "'rater' is not in the answers. Its columns are: clip"),
        (FAULTY.drop(columns="seconds"), ["too_fast"], "'seconds' is not in the answers"),
        (FAULTY.drop(columns="session"), ["session_cap"], "'session' is not in the answers"),
        (FAULTY.assign(rater=None), [], "required column 'rater'"),
        (FAULTY.assign(headphones_correct="well"), ["headphones_failed"], "neither how many answers were right"),
        (FAULTY.assign(native_language=FAULTY["clip"]), [{"rule": "native_language", "languages": ["a"]}], "Keep one"),
        (table(session("ann", catch=(1, 1))), ["catch_missed"], "catch_missed 3. Ask more raters"),
    ],
)
def test_bad_answers_are_refused(given, rules, message):
    with pytest.raises(DataError, match=message):
        clean(given, rules)


@pytest.mark.parametrize("said", [[True, False], ["TRUE", "false"], ["yes", "No"], [1, 0]])
def test_a_check_may_only_say_who_passed(said):
    given = pd.DataFrame({"rater": ["a", "b"], "clip": "x", "rating": 3, "headphones_passed": said})
    rule = {"rule": "headphones_failed", "column": "headphones_passed", "least": 1}
    assert clean(given, [rule]).removed["rater"].tolist() == ["b"]


def test_what_cannot_be_judged_is_kept_and_said():
    given = FAULTY.assign(headphones_correct=FAULTY["headphones_correct"].where(FAULTY["rater"] != "deaf"))
    cleaned = clean(given, ["headphones_failed"])
    assert cleaned.removed.empty
    assert any("Of 1 raters the headphone check is not known" in note for note in cleaned.notes)
    only_test = FAULTY[FAULTY["role"] == "test"]
    cleaned = clean(only_test, ["catch_missed", "references_missed", "too_fast"])
    assert cleaned.removed.empty
    assert cleaned.raters.empty
    assert sum("nobody can" in note for note in cleaned.notes) == 3


def test_answers_of_a_reader_are_cleaned_as_their_table():
    answers = Answers(FAULTY, pd.DataFrame(), (1, 5))
    pd.testing.assert_frame_equal(clean(answers, EVERY_RULE).table, clean(FAULTY, EVERY_RULE).table)
    assert len(EVERY_RULE) == sum(rule.sees != "outcome" for rule in RULES.values())
