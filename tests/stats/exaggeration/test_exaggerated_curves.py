import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import measure_exaggeration
from layerstats.stats.exaggeration.feature_items import feature_items
from layerstats.stats.exaggeration.unit_series import unit_series

MEASURES = ["friction band", "F1 band"]


def row(table, word, measure):
    return table.loc[(table["word"] == word) & (table["measure"] == measure)].iloc[0]


def test_what_was_added_is_found_where_it_was_added(world):
    result = measure_exaggeration(world(by=0.1), measures=MEASURES)
    friction = row(result.table, "yes", "friction band")
    assert friction["joint_p_adjusted"] < 1e-6
    # A tenth of 100 dB, but for bands of the friction band that lie below where it was added.
    assert 5 < friction["level_difference"] < 11
    assert friction["level_in_sd"] == pytest.approx(friction["level_difference"] / friction["natural_sd"])
    assert friction["effect_conf_low"] > 1
    assert row(result.table, "yes", "F1 band")["level_p_adjusted"] > 0.05
    assert set(result.table["tests"]) == {4}
    assert result.regions.loc[result.regions["measure"] == "friction band", "sign"].eq("positive").all()
    assert result.duration["p_adjusted"].gt(0.01).all()


def test_the_spread_is_that_of_natural_speakers_whatever_is_compared(world):
    def with_before(tokens, values):
        made = tokens["condition"] == "maximized"
        before = tokens.loc[made].assign(condition="before", token="before_" + tokens["token"])
        return pd.concat([tokens, before], ignore_index=True), np.concatenate([values, 0.9 * values[made.to_numpy()]])

    experiment = world(change=with_before, words=["yes"])
    items = feature_items(experiment)
    frame = unit_series(items, items.rows("yes", "natural"), ["level"], "word", 20)
    variance = frame.groupby("sample")["value"].var().mean()
    for reference in ("natural", "before"):
        result = measure_exaggeration(experiment, measures=["level"], reference=reference)
        assert result.table["natural_sd"].item() == pytest.approx(np.sqrt(variance))
    assert result.table["design"].item() == "within speakers"


def test_the_contrast_turned_round_changes_its_sign_and_nothing_else(world):
    experiment = world(by=0.05)
    one = measure_exaggeration(experiment, measures=MEASURES, words=["no"])
    other = measure_exaggeration(
        experiment, measures=MEASURES, words=["no"], condition="natural", reference="maximized"
    )
    assert one.difference["diff"].to_numpy() == pytest.approx(-other.difference["diff"].to_numpy(), abs=1e-9)
    assert one.table["joint_p_value"].to_numpy() == pytest.approx(other.table["joint_p_value"].to_numpy())


def test_what_began_from_natural_tokens_is_compared_within_speakers(world):
    experiment = world(by=0.01, paired=True)
    result = measure_exaggeration(experiment, measures=MEASURES)
    assert set(result.table["design"]) == {"within speakers"}
    assert set(result.table["speakers"]) == {8}
    apart = measure_exaggeration(world(by=0.01), measures=MEASURES)
    assert set(apart.table["design"]) == {"between speakers and starts"}
    within, between = (row(one.table, "yes", "friction band")["level_std_error"] for one in (result, apart))
    assert within < between / 2


def test_as_many_starts_as_speakers_are_taken_unless_all_are_asked_for(world):
    experiment = world(speakers=6, starts=9, words=["yes"])
    some = measure_exaggeration(experiment, measures=["level"])
    every = measure_exaggeration(experiment, measures=["level"], balanced=False)
    assert (some.table["tokens_1"].item(), some.table["tokens_2"].item()) == (6, 6)
    assert (every.table["tokens_1"].item(), every.table["tokens_2"].item()) == (9, 6)


def test_items_of_one_speaker_are_averaged(world):
    def twice(tokens, values):
        again = tokens.assign(token=tokens["token"] + "_again", pair="")
        return pd.concat([tokens.assign(pair=""), again], ignore_index=True), np.concatenate([values, values])

    once, double = world(words=["yes"]), world(words=["yes"], change=twice)
    tables = [measure_exaggeration(one, measures=["level"]).table for one in (once, double)]
    assert tables[0]["level_difference"].item() == pytest.approx(tables[1]["level_difference"].item())
    assert tables[0]["level_std_error"].item() == pytest.approx(tables[1]["level_std_error"].item())


def test_all_measures_are_mel_trajectories_too(world):
    result = measure_exaggeration(world(by=0.1, words=["yes"], speakers=4, starts=4, paired=True), measures="all")
    assert result.table["measure"].tolist()[:2] == ["level", "F1 band"]
    trajectories = result.table[result.table["measure"].str.startswith("mel ")].set_index("measure")
    assert len(trajectories) == 8
    # What was added lies in the last quarter of the bands; within speakers nothing else moves.
    assert trajectories["level_difference"].iloc[-2:].gt(4).all()
    assert trajectories["level_difference"].iloc[:5].abs().lt(2).all()


def test_series_along_the_clip_are_means_of_its_frames(world):
    items = feature_items(world(words=["yes"]))
    frame = unit_series(items, np.arange(2), ["level"], "clip", 10)
    expected = items.measures.series["level"][:2].reshape(2, 10, 9).mean(axis=2)
    assert frame["value"].to_numpy() == pytest.approx(expected.ravel())
    result = measure_exaggeration(world(by=0.1, words=["yes"]), measures=["friction band"], along="clip")
    assert "time_ms" in result.difference
    assert result.difference["time_ms"].max() < 1050


def test_silent_starts_are_left_out_and_listed_but_natural_speech_is_not_silent(world):
    def silence(condition):
        def change(tokens, values):
            first = (tokens["condition"] == condition).to_numpy().argmax()
            values[first] = 0
            return tokens, values

        return change

    result = measure_exaggeration(world(change=silence("maximized")), measures=["level"], words=["yes"])
    assert result.silent["token"].tolist() == ["yes_start_0"]
    assert "1 items are silent" in result.notes[0]
    with pytest.raises(DataError, match="'yes_0'"):
        measure_exaggeration(world(change=silence("natural")), measures=["level"])


def test_what_cannot_be_compared_is_refused(world):
    experiment = world()
    with pytest.raises(ArgumentError, match="no items of word 'wow'"):
        measure_exaggeration(experiment, words=["wow"])
    with pytest.raises(ArgumentError, match="no items of condition 'random_direction'"):
        measure_exaggeration(experiment, reference="random_direction")
    with pytest.raises(ArgumentError, match="measures"):
        measure_exaggeration(experiment, measures=["F9 band"])
    with pytest.raises(DataError, match="at least 3"):
        measure_exaggeration(world(speakers=2), measures=["level"])
    with pytest.raises(DataError, match="which front end"):
        measure_exaggeration(world(attrs={}))
    with pytest.raises(ArgumentError, match="samples"):
        measure_exaggeration(experiment, samples=200)
