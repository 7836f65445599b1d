"""The checklist for reviewers is filled in from what is there, and says what is not known."""

import pandas as pd
import pytest

from layerstats.errors import ArgumentError
from layerstats.listening import ListeningDesign, ScalePoint, reviewer_checklist
from layerstats.listening.checklist import ITEMS, UNKNOWN
from layerstats.stats import clean

ANSWERS = pd.DataFrame(
    {
        "rater": ["ann", "ann", "ann", "bob", "bob", "bob"],
        "clip": ["a", "b", "four", "a", "b", "four"],
        "task": "opinion",
        "role": ["test", "test", "catch"] * 2,
        "condition": ["new", "old", None] * 2,
        "rating": [4, 2, 4, 5, 5, 1],
        "expected": [None, None, 4] * 2,
        "native_language": ["English"] * 3 + ["english "] * 3,
        "headphones_passed": [True] * 3 + [False] * 3,
    }
)
DESIGN = ListeningDesign(
    title="A test",
    task="opinion",
    question="How clear is the speech?",
    clips=pd.DataFrame(
        {"clip": ["a", "b", "four"], "role": ["test", "test", "catch"], "file": ["a.wav", "b.wav", "four.wav"],
         "prompt": ["yes", "no", None], "expected": [None, None, "4"], "condition": ["new", "old", None]}
    ),
    trials=pd.DataFrame({"session": [1] * 3 + [2] * 3, "position": [1, 2, 3] * 2, "clip": ["a", "b", "four"] * 2}),
    scale=tuple(ScalePoint(value, str(value), "unclear" if value == 1 else "") for value in range(1, 6)),
    rules=({"rule": "catch_missed", "most_share": 0.0},),
    contrasts=("new - old",),
    equivalence_margin=0.3,
    seed=7,
    texts={"consent": "You agree.", "instructions": "Listen."},
)  # fmt: skip


def filled(*arguments, **options):
    return reviewer_checklist(*arguments, **options).set_index("item")


def test_what_files_know_is_filled_in():
    cleaned = clean(ANSWERS, DESIGN.rules, fixed=DESIGN.rules)
    found = filled(ANSWERS, design=DESIGN, cleaned=cleaned)
    expected = {
        "task": 'opinion: "How clear is the speech?"',
        "scale": "1 1 (unclear); 2 2; 3 3; 4 4; 5 5.",
        "instructions": 'The page said: "Listen."',
        "word shown": "Yes: ratings are of primed speech.",
        "conditions": "new (1 clips), old (1 clips).",
        "references": "0 hidden references, 1 catch trials, 0 training clips.",
        "loudness": "To one root mean square of what is not silent.",
        "raters": "2 raters, 1 of whom count.",
        "native language": "english 2.",
        "ethics": 'The page said: "You agree."',
        "listening": "Headphones were checked by listening: 1 of 2 raters passed.",
        "answers a clip": "2 clips with 1 to 1 raters each (mean 1.0); a rater heard 2 to 2 clips.",
        "exclusions": "catch_missed: 2 answers of 1 raters.",
        "comparisons": "Fixed in the design: new - old. Equivalent within 0.3 points.",
    }
    assert found.loc[list(expected), "answer"].to_dict() == expected
    assert "2 sessions" in found.loc["order", "answer"]
    assert "fixed before looking" in found.loc["fixed before", "answer"]
    assert found.loc["other tests", "source"] == "analysis"
    unknown = found.index[found["source"] == "unknown"].tolist()
    assert unknown == ["claim", "baselines", "material", "recruitment", "expertise", "payment", "size", "availability"]
    assert found.loc[unknown, "answer"].eq(UNKNOWN).all()


def test_a_bare_table_says_little_and_authors_say_the_rest():
    bare = ANSWERS[["rater", "clip", "rating"]]
    found = filled(bare)
    assert found.index.tolist() == list(ITEMS)
    assert found.loc["raters", "answer"] == "2 raters, all of whom count."
    assert set(found["source"]) == {"answers", "analysis", "unknown"}
    said = filled(bare, said={"payment": "12 an hour.", "raters": "Students."})
    assert said.loc[["payment", "raters"], "answer"].tolist() == [
        "12 an hour.",
        "2 raters, all of whom count. Students.",
    ]
    assert said.loc[["payment", "raters"], "source"].tolist() == ["authors", "answers, authors"]
    with pytest.raises(ArgumentError, match="said"):
        filled(bare, said={"salary": "12"})
