import numpy as np
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import read_moved_codes


def test_margins_are_differences_of_logits(outcomes):
    outcome, tokens = outcomes()
    logits = np.random.default_rng(1).normal(size=outcome["scores_before"].shape)
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    outcome["scores_before"] = (("start", "class"), softmax)
    found = read_moved_codes(outcome, tokens).starts
    place = [list(outcome["class"].values).index(word) for word in found["word"]]
    own = logits[np.arange(len(place)), place]
    logits[np.arange(len(place)), place] = -np.inf
    assert found["margin"].to_numpy() == pytest.approx(own - logits.max(axis=1))
    assert (found["misclassified"] == (found["margin"] < 0)).all()


def test_displacement_is_the_distance_in_code_space(outcomes):
    outcome, tokens = outcomes()
    found = read_moved_codes(outcome, tokens)
    expected = np.linalg.norm(outcome["codes_after"].values - outcome["codes_before"].values, axis=1)
    assert found.starts["displacement"].to_numpy() == pytest.approx(expected, rel=1e-5)
    assert found.network == "commands_0"


def test_what_codes_do_not_tell_is_refused(outcomes):
    outcome, tokens = outcomes()
    with pytest.raises(DataError, match="no 'codes_before'"):
        read_moved_codes(outcome.drop_vars("codes_before"), tokens)
    with pytest.raises(DataError, match="did not begin from a natural token"):
        read_moved_codes(outcome.assign(token=("start", np.full(outcome.sizes["start"], ""))), tokens)
    with pytest.raises(DataError, match="not in the tokens table"):
        read_moved_codes(outcome, tokens.iloc[1:])
    with pytest.raises(DataError, match="its token says"):
        read_moved_codes(outcome.assign(target=("start", np.full(outcome.sizes["start"], "wow"))), tokens)
    with pytest.raises(DataError, match="hold NaN"):
        read_moved_codes(outcome.assign(scores_after=outcome["scores_after"] * np.nan), tokens)
    with pytest.raises(ArgumentError, match="there are 'test'"):
        read_moved_codes(outcome, tokens, split="train")


def test_a_split_is_kept(outcomes):
    outcome, tokens = outcomes()
    tokens.loc[tokens["speaker"] == "p0", "split"] = "train"
    found = read_moved_codes(outcome, tokens, split="train")
    assert set(found.starts["speaker"]) == {"p0"}
    assert len(found.before) == len(found.starts) == 3
