import numpy as np
import pandas as pd
import pytest
from scipy import stats

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import FitOptions, IntervalOptions, phone_contrast
from layerstats.stats.contrasts.models import level_and_shape_model
from layerstats.stats.gamm import fit
from layerstats.stats.multiplicity import adjust_p_values
from layerstats.tables import check_frame

INTERVALS = {"intervals": IntervalOptions(draws=500)}
QUICK = {"fits": FitOptions(discrete=True), "intervals": IntervalOptions(draws=2000)}


@pytest.fixture(scope="module")
def planted(make_store):
    return phone_contrast(make_store(level=-1.0, untrained=4), "s", "sh", **QUICK)


@pytest.mark.r
def test_a_planted_level_is_found_as_a_level(planted):
    table = planted.table.set_index("layer")
    assert list(table.index) == ["conv1", "conv2", "conv3"]
    tested = table.loc[["conv1", "conv2"]]
    # level_1 - level_2 is [s] - [sh], and -1 was planted on [sh].
    assert (np.abs(tested["level_difference"] - 1.0) < 3 * tested["level_std_error"]).all()
    assert (tested["level_p_adjusted"] < 0.01).all()
    assert (tested["joint_p_adjusted"] < 0.01).all()
    assert (tested["shape_p_value"] > 0.01).all()
    # Speakers, tokens and their slopes have a standard deviation of about 0.5.
    assert tested["effect_size"].between(1.4, 2.8).all()
    assert (tested["effect_conf_low"] < tested["effect_size"]).all()
    assert (tested["effect_size"] < tested["effect_conf_high"]).all()
    assert (tested["tokens_1"] == 12).all()
    assert (tested["speakers"] == 12).all()


@pytest.mark.r
def test_layers_that_resolve_nothing_say_so(planted):
    row = planted.table.set_index("layer").loc["conv3"]
    assert row["note"] == "not tested: too few samples in 24 intervals"
    assert np.isnan(row["joint_p_value"])
    assert row["receptive_fields"] == pytest.approx(0.2 / 0.256)
    assert (planted.table["tests"] == 2).all()
    # The intervals themselves are named, not only counted.
    dropped = planted.dropped[planted.dropped["layer"] == "conv3"]
    assert len(dropped) == 24
    assert set(dropped["samples"]) <= {0, 1, 2, 3}


@pytest.mark.r
def test_the_trained_network_stands_out_from_untrained_ones(planted):
    tested = planted.table.dropna(subset="null_p_value")
    assert (tested["null_p_value"] == 1 / 5).all()
    assert (tested["null_recordings"] == 4).all()
    assert (tested["null_effect_median"] < 1).all()
    assert len(planted.networks) == 2 * 5


@pytest.mark.r
def test_without_untrained_networks_there_are_no_null_columns(make_store):
    result = phone_contrast(make_store(layers=("conv2",)), "s:sh", **QUICK)
    assert len(result.networks) == 0
    assert not [name for name in result.table if name.startswith("null_")]


@pytest.mark.r
def test_a_planted_shape_is_found_as_a_shape(make_store):
    result = phone_contrast(make_store(shape=1.0, layers=("conv1", "conv2")), "s:sh", **QUICK)
    assert (result.table["shape_p_adjusted"] < 0.01).all()
    assert (result.table["joint_p_adjusted"] < 0.01).all()
    assert (np.abs(result.table["level_difference"]) < 3 * result.table["level_std_error"]).all()
    # [s] - [sh] is minus a sine: first below zero, then above.
    for _, regions in result.regions.groupby("layer"):
        assert regions["sign"].tolist() == ["negative", "positive"]
        assert regions["end"].iloc[0] < 0.55
        assert regions["start"].iloc[1] > 0.45
    difference = result.difference[result.difference["layer"] == "conv1"]
    expected = -np.sin(2 * np.pi * difference["time"])
    assert np.corrcoef(difference["diff"], expected)[0, 1] > 0.95


@pytest.mark.r
def test_reversing_the_sets_flips_exactly_the_sign(make_store):
    store = make_store(level=0.3, shape=0.5, untrained=2, layers=("conv2",))
    one, other = (phone_contrast(store, first, second, **QUICK) for first, second in (("s", "sh"), ("sh", "s")))
    signed = ["level_difference", "level_statistic"]
    swapped = {"level_1": "level_2", "level_2": "level_1", "tokens_1": "tokens_2", "tokens_2": "tokens_1"}
    turned = other.table.rename(columns=swapped)[one.table.columns]
    turned[signed] = -turned[signed]
    same = [name for name in one.table if name != "family"]
    pd.testing.assert_frame_equal(one.table[same], turned[same], check_exact=True)
    pd.testing.assert_series_equal(one.difference["diff"], -other.difference["diff"], check_exact=True)
    np.testing.assert_array_equal(one.difference["conf_low"], -other.difference["conf_high"])
    regions = other.regions["sign"].map({"positive": "negative", "negative": "positive"})
    assert sorted(one.regions["sign"]) == sorted(regions)


@pytest.mark.r
def test_numbers_are_those_of_a_direct_fit(make_store):
    store = make_store(level=0.4, layers=("conv2",))
    result = phone_contrast(store, "s:sh", fits=FitOptions(rho=0.2), intervals=IntervalOptions(draws=500))
    model = level_and_shape_model(result.series["conv2"], "phone_set", ["s", "sh"])
    direct = fit(
        model.formula,
        result.series["conv2"].frame,
        rho=0.2,
        series="phone_token",
        order="time",
        factors={"phone_set": ["s", "sh"]},
        ordered={"phone_set_ordered": ("phone_set", "s")},
    )
    level = direct.parametric.set_index("term").loc["phone_setsh"]
    shape = direct.smooths.set_index("term").loc["s(time):phone_set_orderedsh"]
    row = result.table.iloc[0]
    assert row["level_difference"] == pytest.approx(-level["estimate"], rel=1e-9)
    assert row["level_statistic"] == pytest.approx(-level["statistic"], rel=1e-9)
    assert row["shape_statistic"] == pytest.approx(shape["statistic"], rel=1e-6)


@pytest.mark.r
def test_p_values_are_adjusted_over_layers(make_store):
    result = phone_contrast(make_store(layers=("conv1", "conv2")), "s:sh", adjust="bonferroni", **QUICK)
    for test in ("level", "shape", "joint"):
        raw = result.table[f"{test}_p_value"]
        expected = adjust_p_values(pd.DataFrame({"p_value": raw}), "x", method="bonferroni")["p_adjusted"]
        np.testing.assert_allclose(result.table[f"{test}_p_adjusted"], expected)
    assert result.table["family"].iloc[0].startswith("s - sh over layers")
    check_frame(result.table, "phone_contrast")


def test_levels_are_tested_with_the_degrees_of_freedom_of_speakers(make_store):
    table = phone_contrast(make_store(level=0.4, layers=("conv2",)), "s:sh", intervals=QUICK["intervals"]).table
    # Each of twelve speakers says each set once.
    assert (table["level_df"] == 11).all()
    expected = 2 * stats.t.sf(table["level_statistic"].abs(), table["level_df"])
    np.testing.assert_allclose(table["level_p_value"], expected)
    assert (table["joint_p_value"] < 0.01).all()
    assert (table["note"] == "").all()


@pytest.mark.parametrize("repeats", [1, 3])
def test_few_speakers_are_noted_and_counted_however_often_they_speak(make_store, repeats):
    result = phone_contrast(make_store(people=6, repeats=repeats, layers=("conv2",)), "s:sh", **INTERVALS)
    row = result.table.iloc[0]
    assert row["note"].startswith("with 6 speakers the joint test finds somewhat too much: see the level, or permute")
    assert row["level_df"] == 5
    assert result.level_units == "6 speakers, less one"


def test_tokens_count_where_speakers_are_left_out(make_store):
    store = make_store(people=2, repeats=4, layers=("conv2",)).select(speaker="sp00")
    row = phone_contrast(store, "s:sh", speakers="none", **INTERVALS).table.iloc[0]
    assert row["level_df"] == 6
    assert row["note"] == ""


def test_an_absent_phone_lists_what_exists(make_store):
    with pytest.raises(ArgumentError, match=r"no phone 'zh' in the data. There are: ae, s, sh\."):
        phone_contrast(make_store(), "s", "zh")


def test_bad_input_is_refused_before_any_fit(make_store):
    store = make_store(people=3)
    with pytest.raises(ArgumentError, match="needs two sets"):
        phone_contrast(store, ["s"])
    with pytest.raises(ArgumentError, match="two hold s"):
        phone_contrast(store, "s", ["s", "sh"])
    with pytest.raises(DataError, match="by one speaker"):
        phone_contrast(store.select(speaker="sp01"), "s:sh", speakers="auto", layers=["conv1"])
    with pytest.raises(DataError, match="No layer has enough samples under s, sh"):
        phone_contrast(store, "s:sh", layers=["conv3"])
    with pytest.raises(DataError, match="against k = 20"):
        phone_contrast(store, "s:sh", layers=["conv2"], k=20)
    with pytest.raises(ArgumentError, match=r"'layers' parameter.*'conv9'"):
        phone_contrast(store, "s:sh", layers=["conv9"])


@pytest.mark.r
@pytest.mark.slow
def test_the_joint_test_keeps_its_level(make_store):
    """Simulated without a difference: 100 data sets, one layer each, 5 % of them should be rejected."""
    p_values = []
    for seed in range(100):
        store = make_store(people=10, layers=("conv2",), seed=seed)
        p_values.append(phone_contrast(store, "s:sh", **QUICK).table["joint_p_value"].item())
    # Three standard errors of a share of 0.05 in 100 are 0.065.
    assert np.mean(np.array(p_values) < 0.05) <= 0.115
