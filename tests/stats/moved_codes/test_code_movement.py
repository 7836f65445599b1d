import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import MovedCodes, code_movement, read_moved_codes
from layerstats.stats.moved_codes.variance_partition import TwoFactors, jackknifed_shares, permuted_p_values


def values(result, table, **which):
    frame = getattr(result, table)
    for column, value in which.items():
        frame = frame.loc[frame[column] == value]
    return frame.iloc[0]


def test_sums_of_squares_are_those_of_statsmodels_type_two(outcomes):
    """Of unbalanced data, added up over codes."""
    moved = read_moved_codes(*outcomes())
    moved = moved.subset(np.random.default_rng(0).random(24) < 0.8)
    words, speakers = (moved.starts[name].to_numpy(dtype=str) for name in ("word", "speaker"))
    found = TwoFactors(words, speakers).partition(moved.before)
    expected = np.zeros(3)
    for code in moved.before.T:
        frame = pd.DataFrame({"y": code, "word": words, "speaker": speakers})
        table = anova_lm(ols("y ~ word + speaker", frame).fit(), typ=2)
        expected += table["sum_sq"].to_numpy()
    assert [*found.squares, found.residual] == pytest.approx(expected.tolist())
    assert [*found.df, found.residual_df] == table["df"].tolist()


def test_shares_of_random_groups_are_zero_on_average():
    rng = np.random.default_rng(0)
    words, speakers = np.repeat(np.arange(5), 8), np.tile(np.arange(8), 5)
    design = TwoFactors(words, speakers)
    shares = np.array([design.partition(rng.normal(size=(40, 4))).shares for _ in range(400)])
    assert np.abs(shares.mean(axis=0)).max() < 4 * shares.std(axis=0).max() / 20


def test_words_that_make_no_difference_are_found_as_often_as_said():
    rng = np.random.default_rng(1)
    words, speakers = np.repeat(np.arange(4), 6), np.tile(np.arange(6), 4)
    found = []
    for _ in range(200):
        codes = rng.normal(size=(6, 3))[speakers] + rng.normal(size=(24, 3))
        found.append(permuted_p_values(codes, words, speakers, 39, rng))
    rejected = np.mean(np.array(found) <= 0.05, axis=0)
    # Of 200: five standard errors about .05; speakers differ and are found.
    assert rejected[0] < 0.05 + 5 * np.sqrt(0.05 * 0.95 / 200)
    assert rejected[1] > 0.5


def test_the_jackknife_leaves_one_speaker_out(outcomes):
    moved = read_moved_codes(*outcomes())
    words, speakers = (moved.starts[name].to_numpy(dtype=str) for name in ("word", "speaker"))
    whole, without = jackknifed_shares([moved.before], words, speakers)
    keep = speakers != "p3"
    expected = TwoFactors(words[keep], speakers[keep]).partition(moved.before[keep]).shares
    assert without[3, 0] == pytest.approx(expected)
    assert whole.shape == (1, 2)
    assert without.shape == (8, 1, 2)


def test_movement_near_the_boundary_is_found(outcomes):
    moved = read_moved_codes(*outcomes(speakers=12))
    result = code_movement(moved, permutations=199)
    row = values(result, "displacement", measure="rank correlation of displacement with the log odds")
    assert row["estimate"] < -0.5
    assert row["conf_high"] < 0
    assert row["p_value"] == 1 / 200
    ratio = values(result, "displacement", measure="mean displacement of misclassified starts over that of others")
    wrong = moved.starts["misclassified"]
    expected = moved.starts["displacement"][wrong].mean() / moved.starts["displacement"][~wrong].mean()
    assert ratio["estimate"] == pytest.approx(expected)
    assert ratio["conf_low"] > 1
    assert len(result.displacement) == 2


def test_rank_correlations_are_those_of_residuals_of_words_and_speakers(outcomes):
    moved = read_moved_codes(*outcomes())
    result = code_movement(moved, permutations=19)
    ranks = moved.starts.assign(**{name: moved.starts[name].rank() for name in ("displacement", "margin")})
    residuals = [ols(f"{name} ~ word + speaker", ranks).fit().resid for name in ("displacement", "margin")]
    assert result.displacement["estimate"].iloc[0] == pytest.approx(np.corrcoef(*residuals)[0, 1])


@pytest.mark.slow
def test_speakers_who_move_far_and_are_unsure_are_no_evidence():
    """Displacement and margin that go by the speaker alone have nothing to do with each other within speakers."""
    rng = np.random.default_rng(4)
    speaker = np.tile(np.arange(8), 5)
    found = []
    for _ in range(100):
        own = rng.normal(size=8)[speaker]
        frame = pd.DataFrame({"word": np.repeat(list("abcde"), 8), "speaker": [f"p{n}" for n in speaker]})
        frame = frame.assign(start=[f"s{n}" for n in range(40)], misclassified=True, correct_after=True)
        frame = frame.assign(margin=own + rng.normal(size=40), displacement=np.exp(own + rng.normal(size=40)))
        frame = frame.assign(boundary_distance=np.nan)
        moved = MovedCodes(frame, rng.normal(size=(40, 2)), rng.normal(size=(40, 2)), "network")
        found.append(code_movement(moved, permutations=19).displacement["p_value"].iloc[0])
    assert np.mean(np.array(found) <= 0.05) < 0.05 + 5 * np.sqrt(0.05 * 0.95 / 100)


def test_distances_to_the_boundary_are_a_row_of_their_own(outcomes):
    outcome, tokens = outcomes()
    distance = np.random.default_rng(0).normal(size=24)
    result = code_movement(read_moved_codes(outcome, tokens, boundary_distance=distance), permutations=19)
    assert "rank correlation of displacement with the distance to the boundary" in set(result.displacement["measure"])


def test_corrections_are_counted_among_the_misclassified_for_every_judge(outcomes):
    moved = read_moved_codes(*outcomes(speakers=10))
    wrong = moved.starts["misclassified"].to_numpy()
    deaf = pd.DataFrame({"start": moved.starts["start"], "judge": "other", "response": "no"})
    result = code_movement(moved, deaf, permutations=19)
    own, other = (values(result, "corrections", judge=name) for name in ("commands_0", "other"))
    assert (own["starts"], own["count"], own["rate"], own["kept"]) == (wrong.sum(), wrong.sum(), 1, 1)
    assert own["conf_high"] == 1
    assert 0.3 < own["conf_low"] < 1
    assert other["count"] == (moved.starts["word"] == "no")[wrong].sum()
    assert other["kept"] == pytest.approx((moved.starts["word"] == "no")[~wrong].mean())


def test_starts_of_one_speaker_count_less(outcomes):
    """Corrections that go by the speaker have a wider interval than as many that do not."""
    moved = read_moved_codes(*outcomes(words=tuple("abcdefgh"), speakers=6))
    moved.starts["misclassified"] = True
    number = np.arange(48)
    widths = []
    for right in (number % 6 < 3, (number // 6 + number) % 2 == 0):
        moved.starts["correct_after"] = right
        row = values(code_movement(moved, permutations=9), "corrections", judge="commands_0")
        assert row["rate"] == 0.5
        widths.append(row["conf_high"] - row["conf_low"])
    assert widths[0] > 1.5 * widths[1]


def test_variance_by_word_and_speaker_before_and_after(outcomes):
    outcome, tokens = outcomes(by_word=0.2, by_speaker=1.5, speakers=10)
    # Afterwards the word is all there is.
    word = np.repeat(np.arange(3), 10)
    noise = np.random.default_rng(5).normal(size=(30, 6))
    outcome["codes_after"] = (("start", "code"), 3 * np.eye(3, 6)[word] + noise)
    result = code_movement(read_moved_codes(outcome, tokens), permutations=199)
    changes = {
        factor: values(result, "variance", factor=factor, moment="after - before") for factor in ("word", "speaker")
    }
    assert changes["word"]["conf_low"] > 0
    assert changes["speaker"]["conf_high"] < 0
    before, after = (values(result, "variance", factor="word", moment=name) for name in ("before", "after"))
    assert changes["word"]["estimate"] == pytest.approx(after["estimate"] - before["estimate"])
    assert after["p_value"] == 1 / 200
    assert values(result, "variance", factor="speaker", moment="after")["p_value"] > 0.01
    assert set(result.variance["tests"]) == {6}


def test_the_same_seed_gives_the_same_and_nothing_wrong_is_said_so(outcomes):
    moved = read_moved_codes(*outcomes())
    one, again = (code_movement(moved, permutations=49, seed=4) for _ in range(2))
    assert one.variance.equals(again.variance)
    assert one.displacement.equals(again.displacement)
    moved.starts["misclassified"] = False
    result = code_movement(moved, permutations=9)
    assert "nothing to correct" in result.notes[0]
    assert result.corrections["starts"].item() == 0
    assert np.isnan(result.corrections["rate"].item())


def test_too_little_is_refused(outcomes):
    with pytest.raises(DataError, match="3 speakers"):
        code_movement(read_moved_codes(*outcomes(speakers=2)))
    moved = read_moved_codes(*outcomes())
    with pytest.raises(DataError, match="Two words"):
        code_movement(moved.subset(moved.starts["word"].to_numpy() == "yes"))
    with pytest.raises(ArgumentError, match="conf_level"):
        code_movement(moved, conf_level=2)
    twice = pd.DataFrame({"start": moved.starts["start"].tolist() * 2, "judge": "other", "response": "no"})
    with pytest.raises(DataError, match="asked twice"):
        code_movement(moved, twice)
    moved.starts["speaker"] = moved.starts["token"]
    with pytest.raises(DataError, match="do not tell words from speakers"):
        code_movement(moved)
