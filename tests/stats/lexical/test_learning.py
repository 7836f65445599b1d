import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.lexical import lexical_learning
from layerstats.stats.lexical.assignment import best_assignment, tokens_with_code
from layerstats.stats.lexical.counting import Labelled, block_sizes
from layerstats.tables import check_frame


def by_measure(result):
    return result.summary.set_index("measure")


def test_known_truth_is_found(make_codes):
    """A share of 0.3 of the tokens has a random one of eight codes: 1 - 0.3 * 7 / 8 have their word's."""
    result = lexical_learning(make_codes(speakers=400), draws=300)
    summary = by_measure(result)
    accuracy = summary.loc["assignment accuracy"]
    assert accuracy["conf_low"] < 1 - 0.3 * 7 / 8 < accuracy["conf_high"]
    assert accuracy["conf_high"] - accuracy["conf_low"] < 0.12
    shares = np.full(8, 0.3 / 8)
    shares[0] += 0.7
    truth = -(shares * np.log2(shares)).sum()
    # Counts of 100 tokens in eight cells are 0.05 bits short: see Miller (1955).
    bias = 7 / (2 * 100 * np.log(2))
    assert summary.loc["entropy of the code given the word", "estimate"] == pytest.approx(truth - bias, abs=0.12)
    assert (summary["p_value"] == 1 / 301).all()
    assert summary["speakers"].unique().tolist() == [100]
    check_frame(result.words)


def test_accuracy_by_definition(make_codes):
    codes = make_codes(noise=0.6, seed=4)
    result = lexical_learning(codes, draws=50)
    assigned = result.words.drop_duplicates("word").set_index("word")["code"]
    held_out = codes[codes["split"] == "test"]
    right = held_out["word"].map(assigned) == held_out["code"]
    assert by_measure(result).loc["assignment accuracy", "estimate"] == pytest.approx(right.mean())
    shares = result.words[result.words["measure"] == "share with the word's code"].set_index("word")["estimate"]
    pd.testing.assert_series_equal(shares, right.groupby(held_out["word"]).mean(), check_names=False)
    train = pd.crosstab(*(codes.loc[codes["split"] == "train", name] for name in ("word", "code")))
    best = best_assignment(train.to_numpy()[None])
    assert assigned.tolist() == [train.columns[code] for code in best[0]]


def test_codes_without_words_are_chance(make_codes):
    """Chosen on the same tokens, the accuracy is twice chance, and its chance level says so."""
    results = [by_measure(lexical_learning(make_codes(noise=1.0, seed=seed), draws=99)) for seed in range(30)]
    honest = pd.DataFrame([result.loc["assignment accuracy"] for result in results])
    same = pd.DataFrame([result.loc["assignment accuracy, same tokens"] for result in results])
    assert honest["estimate"].mean() == pytest.approx(1 / 8, abs=0.03)
    assert honest["chance"].mean() == pytest.approx(1 / 8, abs=0.01)
    assert same["estimate"].mean() > 0.25
    assert same["chance"].mean() == pytest.approx(same["estimate"].mean(), abs=0.03)
    adjusted = pd.DataFrame([result.loc["adjusted mutual information"] for result in results])
    assert adjusted["estimate"].mean() == pytest.approx(0, abs=0.02)
    # p-values of true null hypotheses are uniform.
    assert 0.3 < pd.concat([honest, adjusted])["p_value"].mean() < 0.7


def test_codes_of_voices_are_chance(make_codes):
    """A code that is the voice says nothing about the word."""
    codes = make_codes(noise=0.0)
    codes = codes.assign(code=codes["speaker"].str[1:].astype(int) % 8).astype({"code": str})
    summary = by_measure(lexical_learning(codes, draws=50))
    assert (summary["estimate"] <= summary["chance_high"])[:3].all()
    assert summary.loc["adjusted mutual information", "p_value"] == 1


def test_bits_and_more_codes_than_words(make_codes):
    """Codes are names: bit vectors do as well as numbers."""
    codes = make_codes(words=5, codes=5, noise=0.2)
    bits = codes.assign(code=codes["code"].astype(int).map(lambda code: f"{code:06b}"))
    pd.testing.assert_frame_equal(lexical_learning(codes, draws=20).summary, lexical_learning(bits, draws=20).summary)
    rare = make_codes(words=5, codes=64, noise=0.5)
    summary = by_measure(lexical_learning(rare, draws=20))
    assert summary["codes"].iloc[0] > 5
    assert summary.loc["assignment accuracy", "estimate"] > 0.3


def test_more_words_than_codes_leaves_words_without(make_codes):
    result = lexical_learning(make_codes(words=6, codes=2, noise=0.0), draws=20)
    assert by_measure(result).loc["assignment accuracy", "estimate"] == pytest.approx(2 / 6)
    assert result.words["code"].isna().sum() == 2 * 4


def test_draws_are_those_of_speakers(make_codes):
    """A drawn table is the sum of the tables of the speakers that were drawn."""
    held_out = make_codes().query("split == 'test'")
    names = tuple(sorted(held_out["word"].unique())), tuple(sorted(held_out["code"].unique()))
    labelled = Labelled.of(held_out, "word", "code", *names)
    speakers = list(dict.fromkeys(held_out["speaker"]))
    times = np.random.default_rng(3).multinomial(len(speakers), np.full(len(speakers), 1 / len(speakers)), size=4)
    drawn = np.concatenate(list(labelled.drawn_tables(np.random.default_rng(3), [1, 3])))
    for own, table in zip(times, drawn, strict=True):
        copies = [
            held_out[held_out["speaker"] == name] for name, n in zip(speakers, own, strict=True) for _ in range(n)
        ]
        together = pd.concat(copies)
        counted = pd.crosstab(together["word"], together["code"]).reindex(
            index=names[0], columns=names[1], fill_value=0
        )
        np.testing.assert_array_equal(table, counted)


def test_permutations_stay_within_speakers():
    """One speaker says only a, another only b, each with a code of its own: nothing can be exchanged."""
    frame = pd.DataFrame({"word": list("aabbab"), "code": list("001123"), "speaker": list("xxyyzz")})
    labelled = Labelled.of(frame, "word", "code", ("a", "b"), tuple("0123"))
    tables = np.concatenate(list(labelled.permuted_tables(np.random.default_rng(0), block_sizes(200, labelled))))
    assert (tables[:, 0, 0] == 2).all()
    assert (tables[:, 1, 1] == 2).all()
    assert set(tables[:, 0, 2]) == {0.0, 1.0}
    assert tokens_with_code(tables, np.array([[2, 3]])).sum(axis=1).mean() == pytest.approx(1, abs=0.2)


def test_same_seed_same_numbers(make_codes):
    codes = make_codes()
    first, again = (lexical_learning(codes, draws=30, seed=5) for _ in range(2))
    pd.testing.assert_frame_equal(first.summary, again.summary)
    other = lexical_learning(codes.sample(frac=1, random_state=0), draws=30, seed=6)
    assert not np.allclose(other.summary["conf_low"], first.summary["conf_low"])
    np.testing.assert_allclose(other.summary["estimate"], first.summary["estimate"])


def test_contingency_counts(make_codes):
    codes = make_codes()
    table = lexical_learning(codes, draws=10).contingency
    assert table["tokens"].sum() == len(codes)
    np.testing.assert_allclose(table.groupby(["split", "word"])["share"].sum(), 1)


def test_bad_input_is_refused(make_codes):
    codes = make_codes()
    cases = [
        (codes[codes["split"] == "train"], "split 'test'.*split_speakers"),
        (codes[codes["split"] == "test"], "split 'train'"),
        (codes[codes["word"] == "w00"], "one word only, 'w00'"),
        (codes[(codes["split"] == "train") | (codes["speaker"] == "s00")], "one speaker only, 's00'"),
        (codes.assign(speaker="s00"), "on both sides, for instance 's00'"),
        (codes.drop(columns="code"), "Column 'code' is not"),
        (codes.assign(code=codes["code"].where(codes.index != 3)), "required column 'code'"),
        (codes.assign(certainty=np.nan), "required column 'certainty'"),
        (codes.assign(speaker=codes["speaker"] + codes["word"]), "has said two words"),
    ]
    for frame, message in cases:
        with pytest.raises(DataError, match=message):
            lexical_learning(frame, draws=10)
    for arguments in ({"draws": 0}, {"conf_level": 95}):
        with pytest.raises(ArgumentError, match=next(iter(arguments))):
            lexical_learning(codes, **arguments)


@pytest.mark.slow
def test_intervals_hold_what_as_many_voices_would_give(make_codes):
    truth = 1 - 0.3 * 7 / 8
    reached = []
    for seed in range(80):
        row = by_measure(lexical_learning(make_codes(speakers=64, seed=seed), draws=200, seed=seed)).iloc[0]
        end = row["conf_high"] if truth > row["estimate"] else row["conf_low"]
        reached.append((truth - row["estimate"]) / (end - row["estimate"]))
    assert np.mean(np.array(reached) <= 1) > 0.89
    # Intervals that are far too wide would hold it at six tenths of their width, too.
    assert np.mean(np.array(reached) <= 0.6) < 0.85
