from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.lexical import feature_association


def coded(words=24, speakers=12, noise=0.1, seed=0):
    """Bit 1 is feature a but for some noise, bit 2 random for each token, bit 3 random for each word."""
    rng = np.random.default_rng(seed)
    names = [f"w{number:02}" for number in range(words)]
    has = pd.DataFrame({"a": np.arange(words) % 2 == 0, "b": rng.permutation(words) < words / 3})
    own = rng.integers(2, size=words)
    rows = []
    for speaker in range(speakers):
        for number, word in enumerate(names):
            bits = (int(has["a"][number]) ^ int(rng.random() < noise), int(rng.integers(2)), int(own[number]))
            rows.append((word, f"s{speaker}", "test", "".join(map(str, bits))))
    codes = pd.DataFrame(rows, columns=["word", "speaker", "split", "code"])
    return codes, has.assign(word=names)


def test_phi_is_the_correlation_over_tokens():
    codes, features = coded()
    table = feature_association(codes, features, draws=50, permutations=50).set_index(["bit", "feature"])
    tokens = codes.merge(features)
    for bit in (1, 2, 3):
        for feature in ("a", "b"):
            expected = np.corrcoef(tokens["code"].str[bit - 1].astype(int), tokens[feature])[0, 1]
            assert table.loc[(bit, feature), "association"] == pytest.approx(expected)


def test_words_weigh_the_same_however_many_tokens_they_have():
    codes, features = coded()
    again = pd.concat([codes, *[codes[codes["word"] == "w00"]] * 9], ignore_index=True)
    first, second = (
        feature_association(one, features, draws=9, permutations=9)["association"] for one in (codes, again)
    )
    np.testing.assert_allclose(first, second)


def test_known_truth_is_found_and_its_interval_holds_it():
    """With noise 0.1 in balanced words the correlation is 0.8."""
    codes, features = coded(speakers=20)
    table = feature_association(codes, features).set_index(["bit", "feature"])
    found = table.loc[(1, "a")]
    assert found["conf_low"] < 0.8 < found["conf_high"]
    assert found["conf_high"] - found["conf_low"] < 0.2
    assert found["p_adjusted"] < 0.01
    assert table.loc[2, "p_adjusted"].min() > 0.05
    assert table["tests"].unique().tolist() == [6]


def test_p_values_are_those_of_all_permutations_of_words():
    codes, features = coded(words=6, speakers=4)
    table = feature_association(codes, features, draws=9, permutations=40_000).set_index(["bit", "feature"])
    shares = codes.assign(bit=codes["code"].str[2].astype(int)).groupby("word")["bit"].mean().to_numpy()
    has = features["b"].to_numpy()
    every = [abs(np.corrcoef(shares, has[list(order)])[0, 1]) for order in permutations(range(6))]
    exact = np.mean(np.array(every) >= every[0] - 1e-9)
    assert table.loc[(3, "b"), "p_value"] == pytest.approx(exact, abs=0.01)
    assert (table["p_adjusted"] >= table["p_value"]).all()


def test_features_of_words_are_not_found_by_many_tokens():
    """Bit 3 differs between words, not with any feature: tokens would call it significant, words do not."""
    rejected, small = [], []
    for seed in range(40):
        codes, features = coded(words=16, speakers=30, seed=seed, noise=0.5)
        table = feature_association(codes, features, draws=9, permutations=199, seed=seed)
        rejected.append(table["p_adjusted"].min() <= 0.05)
        small += table.query("bit == 3")["p_value"].tolist()
    assert np.mean(rejected) <= 0.15
    # Such p-values may be anything.
    assert 0.35 < np.mean(small) < 0.85
    assert np.min(small) < 0.2


def test_a_bit_that_never_changes_goes_with_nothing():
    codes, features = coded()
    table = feature_association(codes.assign(code="1" + codes["code"].str[1:]), features, draws=20, permutations=20)
    still = table[table["bit"] == 1]
    assert (still["association"] == 0).all()
    assert (still["p_value"] == 1).all()


def test_bad_input_is_refused():
    codes, features = coded()
    cases = [
        (codes.assign(code="3"), features, "such as '01101', but there is '3'"),
        (codes.assign(code=codes["code"].where(codes["word"] != "w00", "01")), features, "of one length"),
        (codes, features[1:], "lacks 'w00'"),
        (codes, pd.concat([features, features]), "more than once"),
        (codes, features.assign(a=True, b=False), "No feature can be tested"),
        (codes, features.assign(a=3), "True or False, but 'a'"),
        (codes[codes["word"] == "w00"], features, "one word only"),
        (codes[codes["speaker"] == "s0"], features, "one speaker only"),
        (codes.assign(split="train"), features, "split 'test'"),
        (codes.assign(certainty=np.nan), features, "certainty"),
    ]
    for wrong_codes, wrong_features, message in cases:
        with pytest.raises(DataError, match=message):
            feature_association(wrong_codes, wrong_features)
    with pytest.raises(ArgumentError, match="permutations"):
        feature_association(codes, features, permutations=0)
