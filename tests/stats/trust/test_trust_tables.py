"""The table of trust: what its rows are means of, its families, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from map_stores import CLASSES, store_of_windows
from scipy import stats
from statsmodels.stats.multitest import multipletests

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import map_agreement, phone_location, trust_table
from layerstats.stats.trust.interval_shares import EXCHANGED, HIT, SHARE, SHIFTED
from layerstats.tables import check_frame


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    view, *_ = store_of_windows(tmp_path_factory.mktemp("s") / "s.zarr", inside=0.3, names=("adapted", "epsilon"))
    return phone_location(view), map_agreement(view, ["epsilon"])


@pytest.fixture(scope="module")
def result(measured):
    return trust_table(measured, recording="adapted")


def rows(table, **wanted):
    for name, value in wanted.items():
        table = table[table[name] == value]
    return table


def test_rows_are_means_over_speakers_of_what_was_measured(measured, result):
    location, _ = measured
    for baseline in (SHIFTED, EXCHANGED):
        own = rows(location, measure=SHARE, baseline=baseline)
        row = rows(result.table, measure=SHARE, baseline=baseline, by="all").iloc[0]
        means = own.groupby("speaker")[["value", "baseline_value"]].mean()
        assert row["estimate"] == pytest.approx(means["value"].mean())
        assert row["baseline_estimate"] == pytest.approx(means["baseline_value"].mean())
        assert row["diff"] == pytest.approx(row["estimate"] - row["baseline_estimate"])
        error = (means["value"] - means["baseline_value"]).std() / np.sqrt(len(means))
        assert row["std_error"] >= error * (1 - 1e-9)
        assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(row["diff"] / row["std_error"]), len(means) - 1))
        assert (row["tokens"], row["speakers"]) == (len(own), len(means))


def test_classes_and_speakers_have_rows_of_their_own(measured, result):
    location, _ = measured
    classes = rows(result.table, measure=HIT, baseline=SHIFTED, by="phone_class")
    assert classes["unit"].tolist() == sorted(CLASSES)
    speakers = rows(result.table, measure=HIT, baseline=SHIFTED, by="speaker")
    assert speakers["unit"].tolist() == ["s0", "s1", "s2", "s3"]
    own = rows(location, measure=HIT, baseline=SHIFTED, speaker="s2")
    # Utterances of one speaker count the same.
    expected = own.groupby("utterance")["value"].mean()
    row = speakers.iloc[2]
    assert row["estimate"] == pytest.approx(expected.mean())
    assert row["df"] == len(expected) - 1


def test_each_family_is_one_measure_against_one_baseline_over_one_split(result):
    for name, own in result.table.groupby("family"):
        assert own["p_adjusted"].to_numpy() == pytest.approx(multipletests(own["p_value"], method="holm")[1])
        assert own["measure"].nunique() == own["by"].nunique() == own["baseline"].nunique() == 1
        assert own["measure"].iloc[0] in name
        assert name.endswith("adapted")
    speakers = rows(result.table, measure=SHARE, baseline=SHIFTED, by="speaker")
    assert (speakers["tests"] == 4).all()


def test_agreement_is_not_split_and_stays_within_one(result):
    agreement = rows(result.table, condition="epsilon")
    assert set(agreement["by"]) == {"all"}
    assert agreement["conf_high"].le(1).all()
    check_frame(result.table, "trust")


def test_reversing_value_and_baseline_turns_the_sign_only(measured):
    location, _ = measured
    turned = location.assign(value=location["baseline_value"], baseline_value=location["value"])
    one, two = (trust_table(frame).table for frame in (location, turned))
    assert one["diff"].to_numpy() == pytest.approx(-two["diff"].to_numpy())
    for name in ("p_value", "p_adjusted", "std_error"):
        assert one[name].to_numpy() == pytest.approx(two[name].to_numpy())
    assert one["diff_low"].to_numpy() == pytest.approx(-two["diff_high"].to_numpy())


def test_order_of_rows_does_not_matter(measured):
    location, _ = measured
    mixed = location.sample(frac=1, random_state=0)
    keys = ["measure", "baseline", "by", "unit"]
    one, two = (trust_table(frame).table.set_index(keys).sort_index() for frame in (location, mixed))
    pd.testing.assert_frame_equal(one, two.loc[one.index], check_exact=False)


def test_maps_without_measures_are_noted(measured):
    location, _ = measured
    some = location.assign(value=location["value"].where(np.arange(len(location)) >= 4))
    assert "share inside the phone, absolute: 1 of" in " ".join(trust_table(some).notes)


def test_bad_input(measured):
    with pytest.raises(ArgumentError, match="'by' parameter"):
        trust_table(measured, by=["word"])
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        trust_table(measured, conf_level=95)
    with pytest.raises(DataError, match="empty"):
        trust_table([])
    with pytest.raises(DataError, match="twice"):
        trust_table([measured[0], measured[0]])
    with pytest.raises(DataError, match="'baseline_value'"):
        trust_table(measured[0].drop(columns="baseline_value"))


def test_rounding_is_no_difference_from_the_baseline(measured):
    """Maps that are the same in all tokens agree with their own and with others alike."""
    value = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    frame = rows(measured[1], measure="correlation").head(6)
    speakers = ["a", "a", "b", "b", "c", "c"]
    frame = frame.assign(speaker=speakers, value=value, baseline_value=value + 1e-15 * value[::-1])
    row = trust_table(frame).table.iloc[0]
    assert (row["diff"], row["std_error"]) == (0, 0)
    assert np.isnan(row["p_value"])


def test_measurements_without_a_speaker_are_refused(measured):
    with pytest.raises(DataError, match="lack their speaker"):
        trust_table(measured[1].assign(speaker=None))
