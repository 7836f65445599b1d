"""Which channels carry a contrast: the numbers of each are those of its own fit, and planted carriers are found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from layerstats.errors import ArgumentError, DataError, StoreError
from layerstats.stats import carrying_channels, channel_contrasts, channel_table, phone_series, word_series
from layerstats.stats.contrasts.channel_values import on_common_times, rows_of_series
from layerstats.stats.contrasts.curves import IntervalOptions, difference_effect, group_curves
from layerstats.stats.contrasts.models import SeriesModel, level_and_shape_model
from layerstats.stats.gamm import fit
from layerstats.stats.series import Series
from layerstats.store import open_store, store_arrays

CHANNELS, TOKENS, SAMPLES = 6, 40, 16
# Which channels differ in level and in shape; channel 3 is dead.
LEVELS = np.array([0.0, 0.8, 0.0, 0.0, 0.8, 0.0])
SHAPES = np.array([0.0, 0.0, 1.2, 0.0, 1.2, 0.0])


def planted(seed: int = 0, samples: int = SAMPLES):
    """Return tokens, phones, times and maps (token, channel, sample) of two words."""
    rng = np.random.default_rng(seed)
    group = np.arange(TOKENS) % 2
    time = (np.arange(samples) + 0.5) / samples
    tokens = pd.DataFrame(
        {
            # In no order, so that rows of series are not rows of the store.
            "token": [f"t{number:02}" for number in rng.permutation(TOKENS)],
            "word": np.where(group == 1, "wash", "ask"),
            "speaker": [f"p{number % 4}" for number in np.arange(TOKENS) // 2],
            "split": "test",
            "onset_s": 0.1,
            "duration_s": 0.8,
        }
    )
    onset = 0.1 + 0.1 * rng.random(TOKENS)
    phones = pd.DataFrame(
        {
            "token": tokens["token"],
            "phone_index": 0,
            "label": np.where(group == 1, "sh", "s"),
            "onset_s": onset,
            "offset_s": onset + 0.45 + 0.3 * rng.random(TOKENS),
        }
    )
    difference = LEVELS[:, None] + SHAPES[:, None] * np.sin(2 * np.pi * time)
    own = 0.3 * rng.normal(size=(TOKENS, CHANNELS, 1))
    slope = 0.3 * rng.normal(size=(TOKENS, CHANNELS, 1)) * np.cos(4 * time)
    maps = np.sin(3 * time) + group[:, None, None] * difference + own + slope
    maps = maps + 0.2 * rng.normal(size=(TOKENS, CHANNELS, samples))
    maps[:, 3] = 0.25
    return tokens, phones, time, maps.astype(np.float32)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    tokens, phones, time, maps = planted()
    fine = np.repeat(maps, 4, axis=2) + np.random.default_rng(1).normal(size=(TOKENS, CHANNELS, 64)).astype(np.float32)
    path = store_arrays(
        tmp_path_factory.mktemp("channels") / "store.zarr",
        tokens,
        {"conv4": maps, "conv3": fine},
        time_s={"conv4": time, "conv3": (np.arange(64) + 0.5) / 64},
        phones=phones,
    )
    return open_store(path)


def of_channel(experiment, layer: str, channel: int) -> pd.DataFrame:
    frame = experiment.to_frame(layer, values="maps")
    return frame.loc[frame["channel"] == channel].drop(columns="channel")


def binary_smooth(model: SeriesModel, group: str, level: str) -> SeriesModel:
    """Return the model whose uncentred smooth of a 0/1 variable holds level and shape."""
    formula = model.formula.replace(f"{group} + ", "").replace(f"{group}_ordered", "is_second")
    data = model.data.assign(is_second=(model.data[group] == level).astype(float))
    return SeriesModel(formula, data, model.identifier, model.covariate, factors={}, ordered={}, units=model.units)


def own_fits(series: Series, group: str, levels: list[str], rho: float, speakers: str = "none"):
    shape = level_and_shape_model(series, group, levels, speakers=speakers)
    models = [shape, binary_smooth(shape, group, levels[1])]
    return [
        fit(
            model.formula,
            model.data.assign(value=model.data["value"].astype(float)),
            engine="structured",
            rho=rho,
            series=model.identifier,
            order=model.covariate,
            factors=model.factors,
            ordered=model.ordered,
        )
        for model in models
    ]


def check_channel(ours: xr.Dataset, series: Series, group: str, levels: list[str], speakers: str = "none") -> None:
    """Compare one channel with fits of its own series; the second level minus the first."""
    shape, joint = own_fits(series, group, levels, ours.attrs["rho"], speakers)
    level = shape.parametric.set_index("term").loc[f"{group}{levels[1]}"]
    smooth = shape.smooths[shape.smooths["term"].str.contains("_ordered", regex=False)].iloc[0]
    both = joint.smooths[joint.smooths["term"].str.endswith(":is_second")].iloc[0]
    assert float(ours["score"]) == pytest.approx(shape.glance["score"][0], abs=1e-6)
    by_term = ours.to_dataframe().loc[["level", "shape", "joint"]]
    assert by_term.loc["level", "estimate"] == pytest.approx(level["estimate"], rel=1e-5)
    assert by_term.loc["level", "std_error"] == pytest.approx(level["std_error"], rel=1e-5)
    for term, row in (("level", level), ("shape", smooth), ("joint", both)):
        # The F of a fractional rank depends on the signs of eigenvectors, which the joint test takes of other columns.
        if term != "joint":
            assert by_term.loc[term, "statistic"] == pytest.approx(row["statistic"], rel=1e-4)
        if term != "level":
            assert by_term.loc[term, "p_value"] == pytest.approx(row["p_value"], abs=1e-6)
    speakers_or_tokens = series.frame["speaker"].nunique() - 1
    if speakers == "none":
        speakers_or_tokens = series.frame[series.identifier].nunique() - 2
    counted = 2 * stats.t.sf(abs(level["statistic"]), speakers_or_tokens)
    assert by_term.loc["level", "p_value"] == pytest.approx(counted, abs=1e-6)
    for term, row in (("shape", smooth), ("joint", both)):
        assert by_term.loc[term, "edf"] == pytest.approx(row["edf"], rel=1e-4)
        assert by_term.loc[term, "ref_df"] == pytest.approx(row["ref_df"], rel=1e-4)


@pytest.mark.parametrize("layer", ["conv4", "conv3"])
def test_words_are_fitted_as_each_channel_alone(store, layer):
    ours = channel_contrasts(store, layer, words=("wash", "ask"), speakers="none", samples=16, rho=0.2)
    for channel in (0, 4):
        series = word_series(of_channel(store, layer, channel), words=["ask", "wash"], samples=16)
        check_channel(ours.sel(channel=channel), series, "word", ["ask", "wash"])


def test_speakers_are_fitted_as_each_channel_alone(store):
    ours = channel_contrasts(store, "conv4", words=("wash", "ask"), rho=0.2)
    assert "speaker_word" in ours.attrs["formula"]
    assert ours.attrs["level_units"] == f"{store.tokens['speaker'].nunique()} speakers, less one"
    series = word_series(of_channel(store, "conv4", 2), words=["ask", "wash"])
    check_channel(ours.sel(channel=2), series, "word", ["ask", "wash"], speakers="auto")


def test_phones_at_their_own_times_are_fitted_as_each_channel_alone(store):
    ours = channel_contrasts(store, "conv4", phones="sh:s", times="own", speakers="none", rho=0.0)
    chosen = of_channel(store.select(phone=["s", "sh"]), "conv4", 2)
    series = phone_series(chosen, phones=["s", "sh"])
    frame = series.frame.assign(phone_set=series.frame["phone"])
    series = Series(frame, series.covariate, series.identifier, series.dropped)
    check_channel(ours.sel(channel=2), series, "phone_set", ["s", "sh"])
    assert ours.attrs["times"] == "own"


def test_common_times_are_straight_lines_between_own_times(store):
    raw = phone_series(store, "conv4", phones=["s", "sh"], samples=None)
    series, rows = rows_of_series(store, "conv4", raw, 32)
    common, moved = on_common_times(series, rows)
    maps = store.array("conv4", "maps")
    own, values = rows.read(maps, slice(0, 2)), moved.read(maps, slice(0, 2))
    assert values.shape == (2, len(common.frame))
    assert set(common.frame.groupby("phone_token").size()) == {series.points}
    times = (np.arange(series.points) + 0.5) / series.points
    for name, frame in series.frame.groupby("phone_token"):
        place = np.flatnonzero(common.frame["phone_token"] == name)
        np.testing.assert_allclose(common.frame["time"].to_numpy()[place], times)
        for channel in range(2):
            expected = np.interp(times, frame["time"], own[channel, frame.index])
            np.testing.assert_allclose(values[channel, place], expected, atol=1e-12)


@pytest.mark.parametrize("samples", [None, 10])
def test_rows_are_those_of_the_tidy_table(store, samples):
    series, rows = rows_of_series(store, "conv3", word_series(store, "conv3", samples=None), samples)
    values = rows.read(store.array("conv3", "maps"), slice(1, 3))
    for position, channel in enumerate((1, 2)):
        theirs = word_series(of_channel(store, "conv3", channel), samples=samples).frame
        assert list(theirs["token"]) == list(series.frame["token"])
        np.testing.assert_allclose(values[position], theirs["value"].to_numpy(dtype=float), rtol=2e-6, atol=1e-6)


def test_a_selection_narrows_the_contrast(store):
    some = store.select(speaker=["p0", "p1"], time_s=(0.25, 0.8))
    ours = channel_contrasts(some, "conv4", words=("wash", "ask"), speakers="none", rho=0.2, k=5)
    frame = of_channel(some, "conv4", 1)
    assert ours.attrs["series"] == len(set(frame["token"])) == TOKENS / 2
    series = word_series(frame, words=["ask", "wash"])
    models = level_and_shape_model(series, "word", ["ask", "wash"], speakers="none", k=5)
    options = {"factors": models.factors, "ordered": models.ordered, "series": "token", "order": "sample"}
    theirs = fit(models.formula, models.data, engine="structured", rho=0.2, **options)
    assert float(ours["score"][1]) == pytest.approx(theirs.glance["score"][0], abs=1e-4)


@pytest.fixture(scope="module")
def contrasts(store):
    return channel_contrasts(store, "conv4", words=("wash", "ask"), speakers="none")


def test_planted_carriers_are_found(contrasts):
    found = contrasts["p_fdr"].to_pandas() < 0.05
    assert list(found["level"]) == list(LEVELS > 0)
    assert list(found["shape"]) == list(SHAPES > 0)
    assert list(found["joint"]) == list((LEVELS > 0) | (SHAPES > 0))
    np.testing.assert_allclose(contrasts["estimate"].sel(term="level")[[1, 4]], 0.8, atol=0.3)
    assert list(contrasts["status"].to_numpy()) == ["fitted"] * 3 + ["dead"] + ["fitted"] * 2
    assert np.isnan(contrasts["p_value"][3]).all()


def test_families_are_the_channels_that_could_be_tested(contrasts):
    p = contrasts["p_value"].sel(term="joint").to_numpy()
    smallest = np.nanargmin(p)
    assert float(contrasts["p_holm"].sel(term="joint")[smallest]) == pytest.approx(5 * p[smallest])
    largest = np.nanargmax(p)
    assert float(contrasts["p_fdr"].sel(term="joint")[largest]) == pytest.approx(p[largest])
    assert "over the channels of conv4" in contrasts.attrs["family"]


def test_turned_round_a_contrast_changes_its_sign_alone(store, contrasts):
    other = channel_contrasts(store, "conv4", words=("ask", "wash"), speakers="none")
    level, turned = contrasts.sel(term="level"), other.sel(term="level")
    np.testing.assert_array_equal(level["estimate"], -turned["estimate"])
    np.testing.assert_array_equal(level["statistic"], -turned["statistic"])
    np.testing.assert_array_equal(contrasts["p_value"], other["p_value"])
    np.testing.assert_array_equal(contrasts["effect_size"], other["effect_size"])


@pytest.mark.parametrize("memory_mb", [1e-6, 0.035])
def test_blocks_do_not_change_the_numbers(store, contrasts, memory_mb):
    blocks = channel_contrasts(store, "conv4", words=("wash", "ask"), speakers="none", memory_mb=memory_mb, workers=1)
    for name in ("estimate", "std_error", "p_value", "p_fdr", "edf", "effect_size", "scale"):
        np.testing.assert_allclose(blocks[name], contrasts[name], rtol=1e-12, atol=1e-12)
    assert list(blocks["status"].to_numpy()) == list(contrasts["status"].to_numpy())


def test_effect_sizes_are_those_of_the_difference_curve(store, contrasts):
    series = word_series(of_channel(store, "conv4", 4), words=["ask", "wash"])
    shape, _ = own_fits(series, "word", ["ask", "wash"], contrasts.attrs["rho"])
    curves = group_curves(shape, series, "word", ["ask", "wash"])
    theirs = difference_effect(curves, series, "word", ("wash", "ask"), IntervalOptions(draws=10))
    # There, curves are interpolated between a hundred times.
    assert float(contrasts["effect_size"][4]) == pytest.approx(theirs.estimate, rel=1e-3)


def test_the_table_has_a_row_a_channel(contrasts):
    table = channel_table(contrasts)
    assert list(table["channel"]) == list(range(CHANNELS))
    assert (table["level_1"] == "wash").all()
    np.testing.assert_array_equal(table["joint_p_fdr"], contrasts["p_fdr"].sel(term="joint"))
    np.testing.assert_array_equal(table["level_difference"], contrasts["estimate"].sel(term="level"))


def test_numbers_of_carriers():
    rng = np.random.default_rng(3)
    strong, weak, null = rng.beta(0.01, 20, 150), rng.beta(0.3, 4, 150), rng.random(700)
    p = np.concatenate([strong, weak, null, [np.nan] * 20])[:, None]
    tests = dict.fromkeys(("p_value", "p_holm", "p_fdr"), (("channel", "term"), p))
    counted = carrying_channels(xr.Dataset(tests, coords={"term": ["joint"]}), alpha=0.01).iloc[0]
    assert counted["channels"] == 1020
    assert counted["tested"] == 1000
    assert counted["found_fdr"] == np.sum(p < 0.01)
    assert abs(counted["null_share"] - 0.7) < 0.06
    assert counted["carriers"] == pytest.approx(1000 * (1 - counted["null_share"]))


def test_no_carriers_among_channels_without_difference():
    p, adjusted = ((np.arange(200) + 0.5) / 200)[:, None], np.ones((200, 1))
    tests = {"p_value": p, "p_holm": adjusted, "p_fdr": adjusted}
    tests = {name: (("channel", "term"), values) for name, values in tests.items()}
    counted = carrying_channels(xr.Dataset(tests, coords={"term": ["joint"]})).iloc[0]
    assert counted["null_share"] == 1.0
    assert counted["found_fdr"] == counted["carriers"] == 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ArgumentError, "either between two 'words'"),
        ({"words": ("ask", "wash"), "phones": "s:sh"}, ArgumentError, "either between two 'words'"),
        ({"words": ("ask",)}, ArgumentError, "two different words"),
        ({"words": ("ask", "ask")}, ArgumentError, "two different words"),
        ({"words": ("ask", "dark")}, ArgumentError, "'dark'"),
        ({"phones": "s"}, ArgumentError, "separated by a colon"),
        ({"phones": ("s", "sh", "z")}, ArgumentError, "two sets"),
        ({"phones": ("s", "s")}, ArgumentError, "share"),
        ({"phones": "s:zh"}, ArgumentError, "'zh'"),
        ({"words": ("ask", "wash"), "rho": 1.5}, ArgumentError, "'rho'"),
        ({"words": ("ask", "wash"), "times": "any"}, ArgumentError, "'times'"),
        ({"words": ("ask", "wash"), "memory_mb": 0}, ArgumentError, "'memory_mb'"),
        ({"words": ("ask", "wash"), "k": 20}, DataError, "fewer points than basis functions"),
    ],
)
def test_bad_input_is_refused(store, arguments, error, message):
    with pytest.raises(error, match=message):
        channel_contrasts(store, "conv4", **arguments)


def test_stores_without_channels_are_refused(tmp_path):
    tokens, _, time, maps = planted()
    path = store_arrays(tmp_path / "means.zarr", tokens, {"conv4": maps.mean(axis=1)}, time_s={"conv4": time})
    with pytest.raises(StoreError, match="--maps"):
        channel_contrasts(open_store(path), "conv4", words=("ask", "wash"))


def test_one_speaker_and_few_series_are_refused(store):
    with pytest.raises(DataError, match="one speaker"):
        channel_contrasts(store.select(speaker="p1"), "conv4", words=("ask", "wash"))
    tokens = store.tokens
    few = list(tokens.loc[tokens["word"] == "ask", "token"][:2]) + list(tokens.loc[tokens["word"] == "wash", "token"])
    with pytest.raises(DataError, match="2 series of ask"):
        channel_contrasts(store.select(token=few), "conv4", words=("ask", "wash"))


@pytest.mark.parametrize(("name", "value"), [("alpha", 0.0), ("threshold", 1.0)])
def test_levels_lie_between_zero_and_one(contrasts, name, value):
    with pytest.raises(ArgumentError, match=name):
        carrying_channels(contrasts, **{name: value})
