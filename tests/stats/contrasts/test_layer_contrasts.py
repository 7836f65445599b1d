"""Contrasts between levels of any column: between speakers, within speakers, between words; balanced and not."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import Contrast, FitOptions, IntervalOptions, channel_contrasts, layer_contrasts, word_contrasts
from layerstats.stats.contrasts import contrast_tasks
from layerstats.store import open_store, store_arrays
from layerstats.tables import check_frame

SAMPLES, SPEAKERS, WORDS = 12, 12, 4
QUICK = {"intervals": IntervalOptions(draws=200), "fits": FitOptions(workers=1, rho=None)}


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """Return a function that writes a store of speakers of two sexes and three dialects who say four words."""

    def write(sex=0.0, noise=0.0, rare=0.0, odds=1.0, repeats=1, untrained=0, seed=0):
        rng = np.random.default_rng(seed)
        speaker = np.repeat(np.arange(SPEAKERS), WORDS * repeats)
        word = np.tile(np.repeat(np.arange(WORDS), repeats), SPEAKERS)
        female = speaker % 2 == 0
        if odds != 1:
            # Women say the first two words more often, men the last two.
            likely = np.where((np.arange(WORDS) < 2)[None, :] == (np.arange(SPEAKERS) % 2 == 0)[:, None], odds, 1.0)
            likely /= likely.sum(axis=1, keepdims=True)
            word = np.concatenate([rng.choice(WORDS, WORDS * repeats, p=one) for one in likely])
        quiet = np.arange(len(speaker)) % 2 == 0
        tokens = pd.DataFrame(
            {
                "token": [f"t{number:03}" for number in range(len(speaker))],
                "word": [f"w{one}" for one in word],
                "speaker": [f"p{one:02}" for one in speaker],
                "split": "test",
                "sex": np.where(female, "f", "m"),
                "dialect": [f"dr{one % 3 + 1}" for one in speaker],
                "noise": np.where(quiet, "quiet", "loud"),
                "frequency": np.where(word % 2 == 0, "rare", "frequent"),
            }
        )
        time = (np.arange(SAMPLES) + 0.5) / SAMPLES

        def values():
            smooth = rng.normal(size=(len(speaker), 1)) * 0.3 * np.cos(3 * time)
            out = 0.4 * rng.normal(size=(len(speaker), 1)) + smooth + 0.2 * rng.normal(size=(len(speaker), SAMPLES))
            return out + 0.5 * rng.normal(size=(SPEAKERS, 1))[speaker] + np.sin(3 * time)

        of_words = 2.0 * (word >= 2)[:, None]
        planted = sex * female[:, None] + noise * quiet[:, None] + rare * (word % 2 == 0)[:, None]
        path = tmp_path_factory.mktemp("columns") / "store.zarr"
        store_arrays(path, tokens, {"conv1": values() + of_words + planted}, time_s={"conv1": time})
        for number in range(untrained):
            name = f"untrained_{number:02}"
            about = {"trained": False, "seed": number}
            store_arrays(path, tokens, {"conv1": values()}, time_s={"conv1": time}, name=name, attrs=about)
        return open_store(path)

    return write


@pytest.fixture(scope="module")
def balanced(make):
    return make(sex=1.5, untrained=3)


@pytest.fixture(scope="module")
def sexes(balanced):
    return layer_contrasts(balanced, "sex=f:m", **QUICK)


def test_a_column_of_speakers_is_compared_between_speakers(sexes):
    formula = sexes.results["conv1"].formula
    assert formula.startswith("value ~ sex + s(sample) + s(sample, by = sex_ordered) + s(sample, token,")
    assert "s(sample, speaker," in formula
    assert "s(sample, word," in formula
    # A speaker has no other version than the own.
    assert "speaker_sex" not in formula
    row = sexes.table.iloc[0]
    assert sexes.level_units == "12 speakers, less one for each of 2 groups"
    assert row["level_df"] == 10
    assert (row["tokens_1"], row["tokens_2"], row["speakers"]) == (24, 24, 12)


def test_the_level_is_that_of_the_means_of_speakers(balanced, sexes):
    frame = balanced.to_frame("conv1", columns=["sex"])
    means = frame.groupby(["sex", "speaker"])["value"].mean()
    expected = stats.ttest_ind(means["f"], means["m"])
    row = sexes.table.iloc[0]
    assert row["level_difference"] == pytest.approx(means["f"].mean() - means["m"].mean(), rel=0.01)
    assert row["level_statistic"] == pytest.approx(expected.statistic, rel=0.1)
    assert row["level_df"] == expected.df


def test_it_has_the_tables_of_the_other_contrasts(sexes):
    check_frame(sexes.table, "phone_contrast")
    assert set(sexes.curves["group"]) == {"f", "m"}
    assert {"time_ms", "diff", "conf_low"} <= set(sexes.difference.columns)
    assert sexes.regions["sign"].unique().tolist() == ["positive"]
    assert sexes.table["effect_conf_low"].item() < sexes.table["effect_size"].item()
    assert sexes.table["null_recordings"].item() == 3
    assert sexes.networks["trained"].sum() == 1
    assert len(sexes.networks) == 4
    assert len(sexes.durations) == 0
    assert len(sexes.glance) == len(sexes.series) == 1
    assert str(sexes)


def test_turned_round_it_changes_its_sign_alone(balanced, sexes):
    turned = layer_contrasts(balanced, "sex=m:f", **QUICK)
    for name in ("level_difference", "level_statistic"):
        assert (turned.table[name] == -sexes.table[name]).all()
    for name in ("joint_p_value", "level_p_value", "shape_p_value", "effect_size", "null_p_value"):
        assert (turned.table[name] == sexes.table[name]).all()
    assert (turned.difference["diff"] == -sexes.difference["diff"]).all()
    assert (turned.difference["conf_low"] == -sexes.difference["conf_high"]).all()


def test_a_table_gives_the_numbers_of_its_store(balanced, sexes):
    tidy = layer_contrasts(balanced.to_frame(columns=["sex"]), "sex=f:m", **QUICK)
    shared = [name for name in tidy.table if not name.startswith("null_")]
    pd.testing.assert_frame_equal(tidy.table[shared], sexes.table[shared])
    assert tidy.networks.empty


def test_words_that_one_level_says_more_often_make_no_level(make):
    store = make(odds=5.0, repeats=2)
    without = layer_contrasts(store, "sex=f:m", items="none", **QUICK).table.iloc[0]
    # Half of the words are higher by 2, and men say them more often by some 60 %.
    assert without["level_difference"] < -0.8
    row = layer_contrasts(store, "sex=f:m", **QUICK).table.iloc[0]
    assert abs(row["level_difference"]) < 0.6
    assert abs(row["level_difference"]) < 2 * row["level_std_error"]


def test_a_condition_is_compared_within_speakers(make):
    result = layer_contrasts(make(noise=1.0, repeats=4), "noise=quiet:loud", **QUICK)
    formula, row = result.results["conv1"].formula, result.table.iloc[0]
    assert "s(sample, speaker," in formula
    assert "s(sample, speaker_noise," in formula
    assert row["level_df"] == SPEAKERS - 1
    assert row["level_difference"] == pytest.approx(1.0, abs=3 * row["level_std_error"])
    assert row["level_p_value"] < 1e-4


def test_words_of_one_level_each_are_a_sample_of_such_words(make):
    result = layer_contrasts(make(repeats=4), "frequency=rare:frequent", **QUICK)
    row = result.table.iloc[0]
    assert "s(sample, word," in result.results["conv1"].formula
    assert result.level_units == "4 words, less one for each of 2 groups"
    assert row["level_df"] == 2
    assert "with 4 words the joint test finds somewhat too much" in row["note"]


def test_more_levels_are_each_compared_with_the_last(balanced):
    result = layer_contrasts(balanced, "dialect=dr1:dr2:dr3", **QUICK)
    assert result.table[["level_1", "level_2"]].to_numpy().tolist() == [["dr1", "dr3"], ["dr2", "dr3"]]
    assert (result.table["level_df"] == SPEAKERS - 3).all()
    assert set(result.table["family"]) == {
        "levels of dialect against dr3 over layers; joint, level and shape test each by itself"
    }
    assert (result.table["tests"] == 2).all()
    assert set(result.difference["level_2"]) == {"dr3"}
    assert result.networks.empty


def test_levels_of_several_values_have_their_own_name(balanced):
    result = layer_contrasts(balanced, "dialect=north(dr1,dr2):south(dr3)", **QUICK)
    assert result.table[["level_1", "level_2"]].to_numpy().tolist() == [["north", "south"]]
    assert result.results["conv1"].formula.startswith("value ~ dialect_set + ")
    assert result.table["tokens_1"].item() == 32


def test_a_speaker_alone_on_a_side_is_refused(balanced):
    some = balanced.select(speaker=["p00", "p01", "p03"])
    with pytest.raises(DataError, match="one of 'f' only: the level cannot be told apart from this speaker"):
        layer_contrasts(some, "sex=f:m", **QUICK)
    row = layer_contrasts(some, "sex=f:m", speakers="none", **QUICK).table.iloc[0]
    assert row["level_df"] == 10


def test_bad_arguments_are_refused(balanced):
    with pytest.raises(ArgumentError, match="no sex 'x'"):
        layer_contrasts(balanced, "sex=f:x")
    with pytest.raises(ArgumentError, match="'layers'"):
        layer_contrasts(balanced, "sex=f:m", layers=["conv9"])
    with pytest.raises(ArgumentError, match="'items'"):
        layer_contrasts(balanced, "sex=f:m", items="word")
    with pytest.raises(ArgumentError, match="contrasts of two levels"):
        contrast_tasks(balanced, "dialect=dr1:dr2:dr3")
    with pytest.raises(ArgumentError, match="give one of them"):
        contrast_tasks(balanced, "sex=f:m", words=("w0", "w1"))


def test_words_are_the_contrasts_of_words(balanced):
    ours = layer_contrasts(balanced, Contrast.of_words("w3", "w0"), **QUICK).table
    theirs = word_contrasts(balanced, words=["w0", "w3"], **QUICK)
    for name in ("joint_p_value", "level_difference", "shape_p_value"):
        assert (ours[name] == theirs.tests[name]).all()
    assert (ours["effect_size"] == theirs.effects["effect_size"]).all()


def test_tasks_of_resampling_and_channels_take_the_same(balanced, make, tmp_path):
    tasks = contrast_tasks(balanced, "sex=f:m")
    assert (tasks.label, tasks.level_1, tasks.level_2) == ("sex", "f", "m")
    frame = balanced.tokens
    maps = np.random.default_rng(0).normal(size=(len(frame), 2, SAMPLES)).cumsum(axis=2)
    time = {"conv1": (np.arange(SAMPLES) + 0.5) / SAMPLES}
    store = open_store(store_arrays(tmp_path / "maps.zarr", frame, {"conv1": maps}, time_s=time))
    words = channel_contrasts(store, "conv1", words=("w1", "w0"), rho=0.2)
    same = channel_contrasts(store, "conv1", "word=w1:w0", rho=0.2)
    np.testing.assert_array_equal(words["p_value"], same["p_value"])
    between = channel_contrasts(store, "conv1", "sex=f:m", rho=0.2)
    assert (between.attrs["level_1"], between.attrs["level_2"]) == ("f", "m")
    assert between.attrs["level_units"] == "12 speakers, less one for each of 2 groups"
    assert "s(sample, word," in between.attrs["formula"]
    assert set(np.unique(between["df"].sel(term="level"))) == {10.0}
