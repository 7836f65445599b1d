"""What is said of listeners: who rated what higher, and that simulated raters are none."""

import numpy as np
import pandas as pd
import pytest

from layerstats.stats import (
    OtherChoice,
    PreferenceShares,
    RatingComparison,
    claims_of,
    clmm,
    compare_conditions,
    identification_rates,
    judge_agreement,
)
from layerstats.stats.claims.listener_claims import SIMULATED

NUMBERS = ("estimate", "conf_low", "conf_high", "conf_level", "p_adjusted")


@pytest.fixture(scope="module")
def ratings():
    rng = np.random.default_rng(0)
    rows = pd.MultiIndex.from_product([range(8), range(6), ["natural", "made", "same"]]).to_frame(index=False)
    rows.columns = ["rater", "number", "condition"]
    level = rows["condition"].map({"natural": 4.0, "made": 2.6, "same": 2.6})
    noise = rng.normal(0, 0.7, len(rows)) + rng.normal(0, 0.3, 8)[rows["rater"]]
    rating = np.clip(np.round(level + noise), 1, 5).astype(int)
    return rows.assign(
        rater=rows["rater"].astype(str), rating=rating, clip=rows["condition"] + rows["number"].astype(str)
    )


@pytest.fixture(scope="module")
def compared(ratings):
    pairs = [("natural", "made"), ("made", "same")]
    return compare_conditions(ratings, pairs=pairs, margin=0.5, draws=200, permutations=99, scale=(1, 5))


def test_numbers_are_those_of_the_table(compared):
    table = claims_of(compared).table
    first, other = (table.set_index("claim_key").loc[f"rating:{pair}"] for pair in ("natural-made", "made-same"))
    for row, number in ((first, 0), (other, 1)):
        assert [row[name] for name in NUMBERS] == [compared.table.loc[number, name] for name in NUMBERS]
    assert first["claim"] == "Listeners rate clips of “natural” higher than clips of “made”"
    assert first["verdict"] == "holds"
    assert other["claim"] == "Listeners were not shown to rate clips of “made” and of “same” differently"
    assert other["verdict"] == "not shown"


def test_equivalence_is_a_claim_of_its_own(compared):
    rows = claims_of(compared).table.set_index("claim_key")
    # Of conditions that differ it is not asked.
    assert rows.index.tolist() == ["rating:natural-made", "rating:made-same", "rating:made-same:equivalent"]
    assert rows.loc["rating:made-same:equivalent", "p_adjusted"] == compared.table.loc[1, "p_equivalence_adjusted"]
    assert "within 0.5 points" in rows.loc["rating:made-same:equivalent", "claim"]


def test_simulated_raters_are_named_in_the_sentence(compared):
    claims = claims_of(compared, raters=SIMULATED).table["claim"]
    assert claims.str.startswith("Simulated raters (nobody listened) ").all()


def test_exchanged_labels_and_the_mixed_model_are_other_choices(compared, ratings):
    model = clmm("rating ~ condition + (1 | rater) + (1 | clip)", ratings)
    pairs = [("natural", "made"), ("made", "same")]
    contrasts = model.contrasts("condition", pairs=pairs, at="mean", distribution="t")
    others = [
        OtherChoice("method", "mixed model", "means", contrasts),
        OtherChoice("engine", "ordinal", "layerstats", "R has no package ordinal"),
    ]
    rows = claims_of(compared, others=others).sensitivity.query("claim_key == 'rating:natural-made'")
    assert dict(zip(rows["choice"], rows["option"], strict=True)) == {
        "test": "labels of clips exchanged", "method": "mixed model", "engine": "ordinal",
    }  # fmt: skip
    assert rows["reported"].tolist() == [True, False] * 3
    assert rows["p_value"].iloc[1] == compared.table.loc[0, "p_permutation"]
    assert rows["estimate"].iloc[3] == contrasts.loc[0, "estimate"]
    assert rows["note"].iloc[5] == "R has no package ordinal"
    assert np.isnan(rows["estimate"].iloc[5])


def test_of_a_reversed_difference_the_sentence_is_reversed(ratings):
    turned = compare_conditions(ratings, pairs=[("made", "natural")], draws=200, permutations=0)
    assert claims_of(turned).table["claim"].tolist() == ["Listeners rate clips of “made” lower than clips of “natural”"]


def test_without_an_interval_nothing_is_claimed(compared):
    without = RatingComparison(compared.table.assign(conf_low=np.nan), ())
    claims = claims_of(without)
    assert claims.table.empty
    assert claims.notes[0].startswith("Nothing is claimed of rating:natural-made")


def test_identification_against_chance():
    rng = np.random.default_rng(1)
    rows = pd.MultiIndex.from_product([range(10), range(12), ["clear", "noise"]]).to_frame(index=False)
    rows.columns = ["rater", "number", "condition"]
    right = rng.random(len(rows)) < rows["condition"].map({"clear": 0.8, "noise": 0.5})
    answers = rows.assign(
        rater=rows["rater"].astype(str), clip=rows["condition"] + rows["number"].astype(str), expected="yes",
        response=np.where(right, "yes", "no"),
    )  # fmt: skip
    result = identification_rates(answers, "condition", alternatives=2, distribution="t")
    table = claims_of(result).table.set_index("claim_key")
    clear, noise = (table.loc[f"identification:{name}"] for name in ("clear", "noise"))
    assert clear["claim"] == "Listeners give the right answer to clips of “clear” more often than by chance"
    assert noise["claim"] == (
        "Listeners were not shown to give the right answer to clips of “noise” more often than by chance"
    )
    assert [clear[name] for name in NUMBERS] == [result.table.loc[0, name] for name in NUMBERS]


def test_preferences_name_what_is_preferred():
    row = {
        "level_1": "a", "level_2": "b", "estimate": 0.2, "conf_low": 0.1, "conf_high": 0.35, "conf_level": 0.95,
        "p_value": 0.001, "p_adjusted": 0.001, "adjust_method": "holm", "family": "pairs", "tests": 1, "raters": 1,
    }  # fmt: skip
    found = claims_of(PreferenceShares(pd.DataFrame([row]), pd.DataFrame(), None, ())).table.iloc[0]
    assert found["claim"] == "Listeners prefer clips of “b” to clips of “a”"
    assert found["verdict"] == "fails a check"
    assert found["failed_checks"] == "one rater: nothing is known of others"


def test_judges_are_held_against_permuted_answers():
    rng = np.random.default_rng(2)
    clips = [(f"{target}{number}", target) for target in ("no", "yes") for number in range(10)]
    clear = {clip: rng.random() for clip, _ in clips}
    people = [(f"r{rater}", clip, target, target if rng.random() < clear[clip] else "other")
              for rater in range(6) for clip, target in clips]  # fmt: skip
    heard = pd.DataFrame(people, columns=["rater", "start", "target", "response"])
    said = [("good", clip, target if clear[clip] > 0.5 else "other", clear[clip]) for clip, target in clips]
    said += [("poor", clip, "other", rng.random()) for clip, _ in clips]
    judges = pd.DataFrame(said, columns=["judge", "start", "response", "score"])
    table = judge_agreement(heard, judges, key=["start"], target="target", draws=200, permutations=199)
    claims = claims_of(table, kind="judges", raters=SIMULATED)
    good = claims.table.set_index("claim_key").loc["agreement:good"]
    own = table.query("judge == 'good'").iloc[0]
    assert [good[name] for name in NUMBERS] == [own[name] for name in NUMBERS]
    assert (good["null_low"], good["null_high"]) == (own["null_low"], own["null_high"])
    assert "simulated raters (nobody listened)" in good["claim"]
    assert claims.table["claim_key"].tolist()[0] == "agreement:good"
