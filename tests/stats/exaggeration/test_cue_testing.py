import numpy as np
import pandas as pd
import pytest
from scipy import stats

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import Cue, cue_tests, read_cues
from layerstats.stats.exaggeration.cue_testing import cue_values
from layerstats.stats.exaggeration.feature_items import feature_items

COMMANDS = [
    "backward",
    "bed",
    "bird",
    "cat",
    "dog",
    "down",
    "eight",
    "five",
    "follow",
    "forward",
    "four",
    "go",
    "happy",
    "house",
    "learn",
    "left",
    "marvin",
    "nine",
    "no",
    "off",
    "on",
    "one",
    "right",
    "seven",
    "sheila",
    "six",
    "stop",
    "three",
    "tree",
    "two",
    "up",
    "visual",
    "wow",
    "yes",
    "zero",
]
FINAL_S = Cue("yes", "final [s]", "centre of gravity", "higher", start=0.7)


def test_every_command_has_a_cue_with_a_reason():
    cues = read_cues()
    assert sorted({cue.word for cue in cues}) == COMMANDS
    assert all(len(cue.reason) > 10 for cue in cues)
    assert len({(cue.word, cue.cue) for cue in cues}) == len(cues)


def test_the_test_is_welchs_in_the_direction_named(world):
    experiment = world(by=0.05)
    items = feature_items(experiment)
    values = cue_values(items, FINAL_S)
    first, second = (values[items.rows("yes", name)] for name in ("maximized", "natural"))
    expected = stats.ttest_ind(first, second, equal_var=False, alternative="greater")
    found = cue_tests(experiment, cues=[FINAL_S]).table.iloc[0]
    assert found["statistic"] == pytest.approx(expected.statistic)
    assert found["df"] == pytest.approx(expected.df)
    assert found["p_value"] == pytest.approx(expected.pvalue)
    assert found["exaggeration"] == pytest.approx((first.mean() - second.mean()) / second.std(ddof=1))
    assert found["conf_low"] > 0
    lower = cue_tests(experiment, cues=[Cue("yes", "final [s]", "centre of gravity", "lower", start=0.7)])
    other = lower.table.iloc[0]
    assert other["diff"] == found["diff"]
    assert other["exaggeration"] == -found["exaggeration"]
    assert other["p_value"] == pytest.approx(1 - found["p_value"])
    assert other["p_reduced"] == pytest.approx(found["p_value"])
    assert (other["conf_low"], other["conf_high"]) == (-found["conf_high"], -found["conf_low"])
    assert lower.summary["reduced"].item() == 1


def test_pairs_are_compared_within_speakers(world):
    experiment = world(by=0.02, paired=True)
    items = feature_items(experiment)
    values = cue_values(items, FINAL_S)
    expected = stats.ttest_rel(values[items.rows("yes", "maximized")], values[items.rows("yes", "natural")])
    found = cue_tests(experiment, cues=[FINAL_S]).table.iloc[0]
    assert found["design"] == "within speakers"
    assert found["statistic"] == pytest.approx(expected.statistic)


def test_levels_of_bands_do_not_depend_on_loudness(world):
    def louder(tokens, values):
        made = (tokens["condition"] == "maximized").to_numpy()
        values = 0.9 * values
        values[made] += 0.05 * (values[made] > 0.1)
        return tokens, values

    cue = Cue("no", "back vowel", "F2 band", "higher", start=0.3, end=0.7)
    alone = Cue("no", "loud", "F2 band", "higher", start=0.3, end=0.7, relative=False)
    table = cue_tests(world(change=louder, paired=True), cues=[cue, alone]).table
    assert abs(table["diff"].iloc[0]) < 0.2
    assert table["diff"].iloc[1] == pytest.approx(5, abs=0.8)


def test_nulls_stand_beside_and_are_compared_with(world):
    def with_before(tokens, values):
        made = tokens["condition"] == "maximized"
        before = tokens.loc[made].assign(condition="before", token="before_" + tokens["token"])
        quiet = values[made.to_numpy()].copy()
        quiet[:, :, 60:] *= 0.8
        return pd.concat([tokens, before], ignore_index=True), np.concatenate([values, quiet])

    result = cue_tests(world(by=0.05, change=with_before), cues=[FINAL_S], nulls=["before"])
    pairs = list(zip(result.table["level_1"], result.table["level_2"], strict=True))
    assert pairs == [("maximized", "natural"), ("before", "natural"), ("maximized", "before")]
    assert result.table["design"].tolist()[2] == "within speakers"
    assert result.table["exaggeration"].iloc[0] > result.table["exaggeration"].iloc[1]
    assert result.summary["exaggerated"].tolist()[2] == 1


def test_each_pair_of_conditions_is_a_family(world):
    result = cue_tests(world(by=0.03, words=("yes", "six", "no")))
    assert set(result.table["tests"]) == {len(read_cues(words=["yes", "six", "no"]))}
    by_word = result.table.groupby("word")["exaggeration"].mean()
    expected = stats.ttest_1samp(by_word, 0)
    assert result.summary["p_value"].item() == pytest.approx(expected.pvalue)


def test_cues_of_a_file_of_ones_own_and_bad_ones(tmp_path, world):
    good = '[[cues]]\nword = "yes"\ncue = "long"\nmeasure = "duration"\ndirection = "higher"\n'
    (tmp_path / "own.toml").write_text(good, encoding="utf-8")
    result = cue_tests(world(), cues=read_cues(tmp_path / "own.toml"))
    assert result.table["measure"].tolist() == ["duration"]
    for text, message in ((good + "loud = 1\n", "names 'loud'"), ("cues", "no file of cues"), ("x = 1", "no file")):
        (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=message):
            read_cues(tmp_path / "bad.toml")
    with pytest.raises(ArgumentError, match="measure"):
        Cue("yes", "x", "pitch", "higher")
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        Cue("yes", "x", "level", "higher", start=0.5, end=0.5)
    with pytest.raises(DataError, match="No cue is named"):
        cue_tests(world(words=("ask", "wash")))
    with pytest.raises(ArgumentError, match="words"):
        cue_tests(world(words=("yes", "ask")), words=["ask"])


def test_speakers_who_do_not_differ_are_no_spread(world):
    def same(tokens, values):
        values[(tokens["word"] == "yes").to_numpy()] = values[0]
        return tokens, values

    other = Cue("no", "back vowel", "F2 band", "lower")
    result = cue_tests(world(change=same), cues=[FINAL_S, other])
    assert "do not differ in final [s] of 'yes'" in result.notes[0]
    assert np.isnan(result.table["exaggeration"].iloc[0])
    assert np.isnan(result.table["p_adjusted"].iloc[0])
    assert set(result.table["tests"]) == {1}
    assert result.summary["words"].item() == 1
