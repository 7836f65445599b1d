"""Averages by label, by their definition."""

import numpy as np
import pytest
from letter_stores import store_letters

from layerstats.errors import ArgumentError, DataError, StoreError
from layerstats.stats import AlignedWindows, aligned_averages, pattern_profile, read_windows
from layerstats.store import open_store

LABELS, SPEAKERS = ("a", "b", "c"), ("s1", "s2", "s3", "s4", "s5")


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(0)
    labels, speakers = rng.choice(LABELS, 60, p=[0.6, 0.3, 0.1]), rng.choice(SPEAKERS, 60)
    values = rng.normal(size=(60, 2, 7)) + (labels == "a")[:, None, None]
    samples = rng.integers(0, 7, size=(60, 3))
    return values, labels, speakers, samples


def windows_of(drawn):
    values, labels, speakers, samples = drawn
    return AlignedWindows.from_arrays(values, labels.tolist(), speakers.tolist(), samples)


def at_lag(values, sample, lag):
    return values[:, sample + lag] if 0 <= sample + lag < values.shape[1] else None


def mean_of(drawn, label, lag, *, unit, edges, own=True):
    """Average as the recipe is defined, one window after another."""
    values, labels, speakers, samples = drawn
    number = LABELS.index(label)
    by_speaker = {}
    for window in range(len(values)):
        if (labels[window] == label) == own:
            found = at_lag(values[window], samples[window, number], lag)
            if found is None and edges == "zeros":
                found = np.zeros(2)
            if found is not None:
                by_speaker.setdefault(speakers[window] if unit == "speaker" else "all", []).append(found)
    return np.mean([np.mean(some, axis=0) for some in by_speaker.values()], axis=0)


@pytest.mark.parametrize("unit", ["speaker", "window"])
@pytest.mark.parametrize("edges", ["coverage", "zeros"])
@pytest.mark.parametrize("overall", ["letters", "frames"])
def test_averages_are_those_of_the_definition(drawn, unit, edges, overall):
    found = aligned_averages(windows_of(drawn), unit=unit, edges=edges, overall=overall, draws=20).maps
    _, labels, _, samples = drawn
    for lag in (-3, 0, 2):
        means = [mean_of(drawn, label, lag, unit=unit, edges=edges) for label in LABELS]
        weights = np.ones(3)
        if overall == "frames":
            own = samples[np.arange(60), [LABELS.index(label) for label in labels]]
            there = (own + lag >= 0) & (own + lag < 7) if edges == "coverage" else np.ones(60, dtype=bool)
            weights = np.array([np.sum((labels == label) & there) for label in LABELS])
        expected = np.average(means, axis=0, weights=weights)
        for label, mean in zip(LABELS, means, strict=True):
            at = found.sel(label=label, lag=lag)
            assert at["mean"].to_numpy() == pytest.approx(mean, abs=1e-5)
            assert at["overall"].to_numpy() == pytest.approx(expected, abs=1e-5)
            assert at["pattern"].to_numpy() == pytest.approx(mean - expected, abs=1e-5)
            others = mean_of(drawn, label, lag, unit=unit, edges=edges, own=False)
            assert at["others"].to_numpy() == pytest.approx(others - expected, abs=1e-5)


def test_counts_are_of_windows_and_speakers(drawn):
    _, labels, speakers, samples = drawn
    found = aligned_averages(windows_of(drawn), draws=20)
    for number, label in enumerate(LABELS):
        own = labels == label
        at = found.maps.sel(label=label)
        assert (int(at["windows"]), int(at["speakers"])) == (own.sum(), len(set(speakers[own])))
        assert int(at["coverage"].sel(lag=2)) == np.sum(samples[own, number] + 2 < 7)
    assert found.table["windows"].sum() == 60


def test_the_published_recipe_is_one_mean_over_all_windows_of_a_letter_with_zeros(drawn):
    values, labels, _, samples = drawn
    found = aligned_averages(windows_of(drawn), averaging="krug2018", draws=20).maps
    padded = np.pad(values, ((0, 0), (0, 0), (7, 7)))
    own = samples[np.arange(60), [LABELS.index(label) for label in labels]]
    moved = np.stack([padded[row, :, 7 + sample - 3 : 7 + sample + 4] for row, sample in enumerate(own)])
    for label in LABELS:
        expected = moved[labels == label].mean(axis=0) - moved.mean(axis=0)
        assert found["pattern"].sel(label=label).to_numpy() == pytest.approx(expected, abs=1e-5)


def test_standard_errors_are_those_of_speakers_differences():
    rng = np.random.default_rng(1)
    speakers, each = 40, 6
    labels = np.tile(np.repeat(["a", "b"], each // 2), speakers)
    who = np.repeat([f"s{one}" for one in range(speakers)], each)
    moved = np.repeat(rng.normal(size=speakers), each) * np.where(labels == "a", 1, -1)
    values = (rng.normal(size=(len(labels), 1, 3)) + moved[:, None, None]).astype(np.float32)
    found = aligned_averages(AlignedWindows.from_arrays(values, labels.tolist(), who.tolist()), draws=4000)
    maps = found.speaker_maps["mean"]
    own = (maps.sel(label="a") - maps.sel(label="b")).to_numpy() / 2
    expected = own.std(axis=0, ddof=1) / np.sqrt(speakers)
    assert found.maps["std_error"].sel(label="a").to_numpy() == pytest.approx(expected, rel=0.05)
    again = aligned_averages(AlignedWindows.from_arrays(values, labels.tolist(), who.tolist()), draws=4000)
    assert again.maps.identical(found.maps)


def test_a_label_of_one_speaker_has_no_standard_error(drawn):
    values, labels, speakers, samples = drawn
    speakers = np.where(labels == "c", "s1", speakers)
    found = aligned_averages(windows_of((values, labels, speakers, samples)), draws=50)
    assert "Of one speaker only, so without standard errors: c." in found.notes
    assert np.isnan(found.maps["std_error"].sel(label="c")).all()
    assert np.isfinite(found.maps["std_error"].sel(label="a", lag=0)).all()
    assert "NA" in repr(found)


def test_one_label_alone_has_no_pattern(drawn):
    values, labels, speakers, _ = drawn
    own = labels == "a"
    windows = AlignedWindows.from_arrays(values[own], labels[own].tolist(), speakers[own].tolist())
    assert "one label only" in aligned_averages(windows, draws=20).notes[-1]


def test_unaligned_windows_of_a_store_need_no_maps_to_be_read(tmp_path, monkeypatch):
    store = store_letters(tmp_path / "s.zarr", sums=True)[0]
    monkeypatch.setattr("layerstats.stats.averages.reading.stored_maps.StoredMaps.read", None)
    assert aligned_averages(store, draws=20).maps["windows"].sum() == len(store.tokens)


def test_a_label_without_windows_has_no_average_and_counts_for_nothing(drawn):
    values, labels, speakers, samples = drawn
    windows = AlignedWindows.from_arrays(
        values, labels.tolist(), speakers.tolist(), np.column_stack([samples, samples[:, 0]]), levels=[*LABELS, "q"]
    )
    found, without = aligned_averages(windows, draws=20), aligned_averages(windows_of(drawn), draws=20)
    assert found.notes == ("There are no windows of q.",)
    assert found.maps["mean"].sel(label="q").isnull().all()
    assert np.isnan(found.table.set_index("label")["lag_s"]["q"])
    for name in ("mean", "overall", "pattern", "std_error"):
        some = found.maps[name].sel(label=list(LABELS)) if "label" in found.maps[name].dims else found.maps[name]
        assert some.to_numpy() == pytest.approx(without.maps[name].to_numpy(), abs=1e-6, nan_ok=True)
    assert pattern_profile(found, draws=20).query("label == 'q'")["pattern"].isna().all()
    assert len(found.to_frame()) == found.maps["mean"].size


def test_a_store_is_averaged_as_its_arrays_are(tmp_path):
    store, heard, _, aligned = store_letters(tmp_path / "s.zarr")
    found = aligned_averages(store, alignment="max_relevance", draws=20)
    tokens = store.tokens
    arrays = AlignedWindows.from_arrays(
        heard, tokens["letter"].tolist(), tokens["speaker"].tolist(), aligned[:, :4, 0], levels="abcd"
    )
    assert found.maps["mean"].to_numpy() == pytest.approx(aligned_averages(arrays).maps["mean"].to_numpy(), nan_ok=True)
    frame = found.to_frame()
    assert list(frame) == [
        "label", "frequency_hz", "lag_s", "windows", "mean", "overall", "pattern", "std_error", "others",
    ]  # fmt: skip
    assert len(frame) == found.maps["mean"].size
    row = frame.iloc[17]
    at = found.maps.sel(label=row["label"])
    place = (
        (at["frequency_hz"] == row["frequency_hz"]).to_numpy().argmax(),
        (at["lag_s"] == row["lag_s"]).to_numpy().argmax(),
    )
    assert row["pattern"] == float(at["pattern"].to_numpy()[place])
    assert row["windows"] == int(at["coverage"].to_numpy()[place[1]])


def test_the_order_of_windows_does_not_matter(drawn):
    values, labels, speakers, samples = drawn
    found = aligned_averages(windows_of(drawn), draws=20)
    order = np.random.default_rng(2).permutation(60)
    other = aligned_averages(windows_of((values[order], labels[order], speakers[order], samples[order])), draws=20)
    assert other.maps["pattern"].to_numpy() == pytest.approx(found.maps["pattern"].to_numpy(), abs=1e-5)
    assert other.maps["others"].to_numpy() == pytest.approx(found.maps["others"].to_numpy(), abs=1e-5)


def test_what_cannot_be_averaged_is_refused(drawn):
    values, labels, speakers, samples = drawn
    with pytest.raises(ArgumentError, match="'averaging'"):
        aligned_averages(windows_of(drawn), averaging="mean")
    with pytest.raises(ArgumentError, match="'edges'"):
        aligned_averages(windows_of(drawn), edges="crop")
    with pytest.raises(ArgumentError, match="read already"):
        aligned_averages(windows_of(drawn), alignment="none")
    with pytest.raises(ArgumentError, match="One replicate has no spread"):
        aligned_averages(windows_of(drawn), draws=1)
    with pytest.raises(ArgumentError, match="'seed'"):
        aligned_averages(windows_of(drawn), seed=-1)
    broken = values.copy()
    broken[3, 0, 2] = np.nan
    with pytest.raises(DataError, match="NaN"):
        aligned_averages(windows_of((broken, labels, speakers, samples)))


@pytest.mark.parametrize("averaging", ["balanced", "krug2018"])
@pytest.mark.parametrize(("alignment", "quantity"), [("none", "input"), ("min_relevance", "relevance")])
def test_stored_sums_give_the_averages_of_their_windows(tmp_path, averaging, alignment, quantity):
    store = store_letters(tmp_path / "s.zarr", sums=True)[0]
    reading = {"alignment": alignment, "quantity": quantity, "reach_s": 0.024}
    of_windows = aligned_averages(read_windows(store, **reading), averaging=averaging, draws=20)
    of_sums = aligned_averages(store, averaging=averaging, draws=20, others=False, **reading)
    assert "others" not in of_sums.maps
    for name in ("mean", "pattern", "std_error", "overall"):
        expected = of_windows.maps[name].to_numpy()
        assert of_sums.maps[name].to_numpy() == pytest.approx(expected, abs=1e-5, nan_ok=True)
    for name in ("coverage", "windows", "speakers", "frequency_hz", "label"):
        assert of_sums.maps[name].equals(of_windows.maps[name])
    assert (of_sums.quantity, of_sums.alignment, of_sums.notes) == (quantity, alignment, of_windows.notes)


def test_stored_sums_are_taken_where_there_is_nothing_else(tmp_path):
    store = store_letters(tmp_path / "s.zarr", sums=True, alignments=False, maps=False)[0]
    found = aligned_averages(store, alignment="max_relevance", draws=20)
    assert "no part" in found.notes[-1]
    assert "others" not in found.maps
    part = store.select(speaker=["s0", "s1"])
    with pytest.raises(StoreError, match=r"--maps.*not of what is asked for"):
        aligned_averages(part, alignment="max_relevance", quantity="relevance")
    unaligned = store_letters(tmp_path / "unaligned.zarr", alignments=False)[0]
    with pytest.raises(StoreError, match=r"--alignments.*not of what is asked for"):
        aligned_averages(unaligned, alignment="max_relevance")
    with pytest.raises(StoreError, match=r"--maps.*not of what is asked for"):
        aligned_averages(store, by="word")
    # Another recording's sums are aligned by another relevance.
    store_letters(tmp_path / "s.zarr", alignments=False, maps=False, name="epsilon")
    with pytest.raises(StoreError, match=r"not of what is asked for"):
        aligned_averages(open_store(store.path, recording="epsilon"), alignment="max_relevance")
    with pytest.raises(StoreError, match=r"--maps.*not of what is asked for"):
        aligned_averages(store, alignment="min_relevance_by_time")
