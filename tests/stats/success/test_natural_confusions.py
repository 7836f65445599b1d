import numpy as np
import pandas as pd
import pytest
from scipy import stats

from layerstats.errors import DataError
from layerstats.stats.success import attempts_from_frame, natural_confusions, success_as_published

WORDS = [f"word{number}" for number in range(8)]


def heard(confused, count, seed, right=0.5, preferred=None):
    """Words heard as their neighbour in `confused` more often than as others; a preferred word in everything."""
    rng = np.random.default_rng(seed)
    rows = []
    for word in WORDS:
        for number in range(count):
            draw = rng.random()
            other = confused[word] if rng.random() < 0.6 else str(rng.choice([one for one in WORDS if one != word]))
            other = preferred if preferred and rng.random() < 0.7 else other
            rows.append((word, number, word if draw < right else other))
    return pd.DataFrame(rows, columns=["target", "number", "response"])


def maximized(table):
    frame = pd.concat([table.assign(judge=judge) for judge in ("net0", "net1")], ignore_index=True)
    frame = frame.assign(network="net0", start=frame["target"] + frame["number"].astype(str))
    frame.loc[frame["judge"] == "net0", "response"] = frame["target"]
    return attempts_from_frame(frame)


NEXT = dict(zip(WORDS, [*WORDS[1:], WORDS[0]], strict=True))
OTHER = dict(zip(WORDS, [*WORDS[4:], *WORDS[:4]], strict=True))


def natural(table):
    return table.rename(columns={"target": "word"}).assign(judge="net1")


def test_the_same_confusions_are_found():
    table, speech = heard(NEXT, 60, 0), heard(NEXT, 40, 1)
    found = natural_confusions(maximized(table), natural(speech), draws=199)
    assert set(found.association["judge"]) == {"net1"}
    assert found.association["p_value"].iloc[0] == 1 / 200
    assert (found.association["p_value"] < 0.05).all()
    assert found.association["estimate"].iloc[0] > found.association["chance_high"].iloc[0]
    pairs = found.pairs.set_index(["target", "response"])
    assert [NEXT[target] for target, _ in pairs.index[:8]] == [response for _, response in pairs.index[:8]]
    row = pairs.loc[("word2", "word3")]
    assert row["count"] == ((table["target"] == "word2") & (table["response"] == "word3")).sum()
    assert row["natural_rate"] == ((speech["target"] == "word2") & (speech["response"] == "word3")).sum() / 40
    assert row["natural_low"] < row["natural_rate"] < row["natural_high"]
    rates = [pairs[name] for name in ("rate", "natural_rate")]
    expected = stats.spearmanr(*rates).statistic
    assert found.association.iloc[0]["estimate"] == pytest.approx(expected)


def test_a_word_that_is_heard_in_everything_is_no_confusion_of_pairs():
    one, two = heard(NEXT, 200, 0, preferred="word5"), heard(OTHER, 200, 1, preferred="word5")
    association = natural_confusions(maximized(one), natural(two), draws=199).association.set_index("measure")
    assert association.loc["rank correlation", "estimate"] > 0.3
    assert association.loc["rank correlation beyond preferences", "p_value"] > 0.05


@pytest.mark.slow
def test_a_permutation_rejects_as_often_as_it_should():
    p_values = []
    for seed in range(60):
        unrelated = dict(zip(WORDS, np.random.default_rng(seed).permutation(WORDS), strict=True))
        made, speech = maximized(heard(NEXT, 20, seed)), natural(heard(unrelated, 20, seed + 500))
        p_values.append(natural_confusions(made, speech, draws=39, seed=seed).association["p_value"].iloc[0])
    # 60 sets, of which some three reject; over ten would be a chance of one in a thousand.
    assert np.sum(np.array(p_values) <= 0.05) <= 10
    assert np.mean(p_values) > 0.3


def test_bad_input_is_refused():
    table = maximized(heard(NEXT, 5, 0))
    with pytest.raises(DataError, match="'word' is not in the natural judgements"):
        natural_confusions(table, heard(NEXT, 5, 0).assign(judge="net1"))
    with pytest.raises(DataError, match="No judge of the table of attempts has heard natural words"):
        natural_confusions(table, natural(heard(NEXT, 5, 0)).assign(judge="another"))
    nothing = natural(heard(NEXT, 5, 0, right=1.0))
    association = natural_confusions(table, nothing, draws=9).association
    assert association["estimate"].isna().all()
    assert association["p_value"].isna().all()


def test_the_papers_numbers(make_frame):
    frame = make_frame(networks=2)
    more = frame[frame["target"] == "word1"].assign(start=lambda rows: rows["start"] + "b")
    frame = pd.concat([frame, more, make_frame(networks=2, null="zero_steps")])
    table = success_as_published(attempts_from_frame(frame))
    real = frame[frame["null"] == ""]
    for row in table.itertuples():
        own = real[(real["network"] == row.network) & (real["judge"] == row.judge)]
        assert row.rate == (own["response"] == own["target"]).mean()
        assert row.starts == 100
        if row.judge != "pocketsphinx":
            assert row.mean_score == pytest.approx(own["score"].mean())
    assert set(table["measure"]) == {"marginal rate, as published"}
    assert "conf_low" not in table
