"""Agreement of people and machine judges: by the definition, under the null, and with an interval that covers."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from layerstats.errors import DataError
from layerstats.stats.ratings import judge_agreement


def world(seed, clips=30, raters=8, per_clip=4, shared=1.5, classes=3):
    """People and a judge who hear some of the same in clips of several classes; classes differ for both."""
    generator = np.random.default_rng(seed)
    of_class = np.arange(clips) % classes
    ease = np.array([-1.0, 0.0, 1.5, 0.5])[of_class]
    common = generator.normal(size=clips) * shared
    rater_sd = generator.normal(0, 0.5, raters)
    rows = []
    for clip in range(clips):
        for rater in generator.permutation(raters)[:per_clip]:
            right = generator.logistic() < ease[clip] + common[clip] + rater_sd[rater]
            target = f"word{of_class[clip]}"
            rows.append((f"r{rater}", f"c{clip}", target if right else "other", target))
    score = 1 / (1 + np.exp(-(ease + common + generator.normal(size=clips))))
    judge = pd.DataFrame({"clip": [f"c{clip}" for clip in range(clips)], "judge": "network", "score": score})
    judge["response"] = [f"word{kind}" if own > 0.5 else "other" for kind, own in zip(of_class, score, strict=True)]
    return pd.DataFrame(rows, columns=["rater", "clip", "response", "target"]), judge


def agreement(people, judges, **options):
    options = {"draws": 60, "permutations": 99, **options}
    return judge_agreement(people, judges, **options).set_index(["judge", "measure"])


def test_estimates_are_those_of_the_definitions():
    people, judges = world(1)
    found = agreement(people, judges)
    right = (people["response"] == people["target"]).astype(float)
    share = right.groupby(people["clip"]).mean()
    score = judges.set_index("clip")["score"].reindex(share.index)
    assert found.loc[("network", "rank correlation"), "estimate"] == pytest.approx(spearmanr(share, score).statistic)
    said = (judges.set_index("clip")["score"] > 0.5).reindex(people["clip"]).to_numpy()
    table = pd.crosstab(right.to_numpy(), said, normalize=True).to_numpy()
    chance = table.sum(axis=0) @ table.sum(axis=1)
    assert found.loc[("network", "kappa"), "estimate"] == pytest.approx((np.trace(table) - chance) / (1 - chance))
    # Two raters of a clip, pair by pair.
    pairs = [
        [float(one == other) for i, one in enumerate(own) for j, other in enumerate(own) if i != j]
        for own in (group.to_numpy() for _, group in right.groupby(people["clip"]))
    ]
    agree, overall = np.mean([np.mean(own) for own in pairs]), share.mean()
    chance = overall**2 + (1 - overall) ** 2
    assert found.loc[("other people", "kappa"), "estimate"] == pytest.approx((agree - chance) / (1 - chance))
    assert found.loc["network", "answers"].tolist() == [len(people)] * 2


def test_a_bootstrap_sample_is_the_table_with_its_rows_repeated():
    from layerstats.stats.ratings.people_and_judges import _heard_by_people, _kappa, _laid_out, _rank_correlation

    people, judges = world(2, clips=9, raters=4, per_clip=3)
    heard = _heard_by_people(people, ["clip"], "target")
    answered, given = _laid_out(heard, judges, ["clip"], "network")
    generator = np.random.default_rng(0)
    raters, clips = (generator.integers(0, 3, size).astype(float) for size in (answered.raters, answered.clips))
    times = (raters[answered.rater] * clips[answered.clip]).astype(int)
    rows = np.repeat(np.arange(len(times)), times)
    right, said = answered.worth[rows], given["recognised"].to_numpy()[answered.clip[rows]]
    table = pd.crosstab(right, said, normalize=True).to_numpy()
    chance = table.sum(axis=0) @ table.sum(axis=1)
    kappa = _kappa(answered, given["recognised"].to_numpy(), raters, clips)
    assert kappa == pytest.approx((np.trace(table) - chance) / (1 - chance))
    own = np.repeat(np.arange(len(answered.rater)), raters[answered.rater].astype(int))
    share = pd.Series(answered.worth[own]).groupby(answered.clip[own]).mean()
    drawn = np.repeat(np.arange(answered.clips), clips.astype(int))
    drawn = drawn[np.isin(drawn, share.index)]
    expected = spearmanr(share.loc[drawn], given["score"].to_numpy()[drawn]).statistic
    assert _rank_correlation(answered, given["score"].to_numpy(), raters, clips) == pytest.approx(expected)


def test_people_and_judges_who_hear_the_same_agree_and_others_do_not():
    people, judges = world(3, clips=60)
    found = agreement(people, judges, permutations=199).loc["network"]
    assert (found["p_adjusted"] < 0.05).all()
    assert (found["conf_low"] > found["null_high"] - 0.3).all()
    assert found["family"].eq("agreement of machine judges with people").all()
    assert (found["tests"] == 2).all()
    alone = judges.sample(frac=1, random_state=0)
    strangers = judges.assign(score=alone["score"].to_numpy(), response=alone["response"].to_numpy())
    assert (agreement(people, strangers).loc["network", "p_value"] > 0.05).all()


def test_classes_that_are_easy_for_both_are_no_agreement():
    # Without anything in common within classes, the null has the same correlation as the data.
    people, judges = world(5, clips=90, shared=0.0)
    found = agreement(people, judges, permutations=199).loc[("network", "rank correlation")]
    assert found["null_low"] > 0
    assert found["null_low"] < found["estimate"] < found["null_high"]


@pytest.mark.slow
def test_the_test_keeps_its_level_and_intervals_cover():
    rejected, covered, truths = [], [], []
    for seed in range(120):
        people, judges = world(1000 + seed, clips=40, shared=0.0)
        found = judge_agreement(people, judges, draws=2, permutations=99, seed=seed).set_index(["judge", "measure"])
        rejected.append(found.loc["network", "p_value"].to_numpy() <= 0.05)
    # 120 tests at .05: more than 14 happens once in 2,000 times.
    assert (np.sum(rejected, axis=0) <= 14).all()
    for seed in range(60):
        people, judges = world(seed, clips=40)
        found = judge_agreement(people, judges, draws=100, permutations=1, seed=seed).set_index(["judge", "measure"])
        covered.append(found.loc["network", ["conf_low", "conf_high"]].to_numpy(dtype=float))
        truths.append(found.loc["network", "estimate"].to_numpy())
    truth = np.mean(truths, axis=0)
    inside = [(own[:, 0] <= truth) & (truth <= own[:, 1]) for own in covered]
    assert (np.mean(inside, axis=0) >= 0.9).all()


def test_ratings_are_compared_with_what_is_recognised():
    people, judges = world(4)
    generator = np.random.default_rng(0)
    rating = 1 + 2 * (people["response"] == people["target"]) + generator.integers(0, 3, len(people))
    opinions = people.drop(columns="response").assign(rating=rating)
    found = agreement(opinions, judges).loc["network"]
    assert found.index.tolist() == ["rank correlation", "point-biserial correlation"]
    means = opinions.groupby("clip")["rating"].mean()
    said = (judges.set_index("clip")["score"] > 0.5).reindex(means.index).astype(float)
    assert found.loc["point-biserial correlation", "estimate"] == pytest.approx(np.corrcoef(means, said)[0, 1])


def test_judges_without_scores_and_clips_with_long_names():
    people, judges = world(6)
    named = [table.assign(set_up="maximized", start=table["clip"]).drop(columns="clip") for table in (people, judges)]
    found = agreement(*named, key=("set_up", "start"))
    pd.testing.assert_frame_equal(found, agreement(people, judges))
    silent = agreement(people, judges.drop(columns="score"))
    share = (people["response"] == people["target"]).groupby(people["clip"]).mean()
    said = (judges.set_index("clip")["score"] > 0.5).reindex(share.index)
    estimate = silent.loc[("network", "rank correlation"), "estimate"]
    assert estimate == pytest.approx(spearmanr(share, said).statistic)


def test_the_same_seed_gives_the_same_table_whatever_other_judges_there_are():
    people, judges = world(7)
    both = pd.concat([judges.assign(judge="a"), judges])
    first, second = agreement(people, judges, seed=3), agreement(people, both, seed=3)
    columns = ["estimate", "conf_low", "conf_high", "null_low", "null_high", "p_value"]
    pd.testing.assert_frame_equal(first.loc["network", columns], second.loc["network", columns])


def test_what_does_not_vary_is_missing():
    people, judges = world(8)
    always = judges.assign(response=people["target"].iloc[0], score=1.0)
    one_class = people.assign(response=people["response"].mask(people["response"] != "other", "w"), target="w")
    found = agreement(one_class, always.assign(response="w")).loc["network"]
    # Kappa of a judge who is always right is 0 whoever it is compared with; a constant has no rank correlation.
    assert found["estimate"].isna().tolist() == [True, False]
    assert found.loc["kappa", "estimate"] == pytest.approx(0)
    assert found.loc["rank correlation", ["p_value", "conf_low"]].isna().all()


def test_one_rater_has_no_interval():
    people, judges = world(9, raters=1, per_clip=1)
    found = agreement(people, judges)
    assert found[["conf_low", "conf_high"]].isna().all(axis=None)
    assert np.isfinite(found.loc["network", "estimate"]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda people, judges: (people.drop(columns="rater"), judges), "'rater' is not in the answers"),
        (lambda people, judges: (people.drop(columns="target"), judges), "'expected' is not in the answers"),
        (
            lambda people, judges: (people.assign(rating=3).drop(columns="target"), judges),
            "'expected' is not in the answers",
        ),
        (lambda people, judges: (people, judges.drop(columns="response")), "'response' is not in the judgements"),
        (lambda people, judges: (pd.concat([people, people[:1]]), judges), "answered c0 twice"),
        (lambda people, judges: (people, pd.concat([judges, judges[:1]])), "asked about c0 twice"),
        (lambda people, judges: (people, judges.assign(clip=judges["clip"] + ".wav")), "are clips called the same"),
        (lambda people, judges: (people.assign(response=None), judges), "Nobody answered"),
    ],
)
def test_bad_tables_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        agreement(*change(*world(0)))
