"""Tests of patterns by permuted labels: against the definition, and where the truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.averages import AlignedWindows, pattern_tests
from layerstats.stats.averages.reading.aligned_windows import aligned
from layerstats.stats.averages.testing.map_statistics import cluster_threshold, largest_of_maps
from layerstats.stats.averages.testing.permuted_maps import PermutationPlan, permuted_maps
from layerstats.stats.averages.testing.studentised_maps import LEAST_SPEAKERS, normal_deviate, t_of_normal_deviate
from layerstats.stats.resampling.exchange import Exchanger
from layerstats.stats.resampling.seeds import replicate_generator

LABELS = ("a", "b", "c")


def noise(seed, speakers=5, each=4, bands=2, size=7, labels=LABELS, by_label=True, pattern=0.0):
    """Windows of noise; those of the first label may have a pattern in the first band, one sample after it."""
    rng = np.random.default_rng(seed)
    named = np.tile(np.repeat(labels, each), speakers)
    values = rng.normal(size=(len(named), bands, size))
    samples = rng.integers(0, size - 1, size=(len(named), len(labels)) if by_label else len(named))
    own = samples[:, 0] if by_label else samples
    first = np.flatnonzero(named == labels[0])
    values[first, 0, own[first] + 1] += pattern
    speaker_of = np.repeat([f"s{number}" for number in range(speakers)], each * len(labels))
    return AlignedWindows.from_arrays(values, list(named), list(speaker_of), samples, levels=labels, hop_s=0.01)


def pooled(moved, covered, resolution):
    """Sums of aligned values and of what is covered, over bands and samples that are pooled: (band, lag), (lag,)."""
    bands, samples = resolution
    count, width = moved.shape[0] // bands, moved.shape[1] // samples
    means = moved[: count * bands, : width * samples].reshape(count, bands, width, samples).mean(axis=1)
    return means.sum(axis=2), covered[: width * samples].reshape(width, samples).sum(axis=1)


def of_any_window(windows, own, labels, label, pair, resolution):
    """Mean of all windows of a speaker, or of those of two labels, aligned as those of one label are."""
    rows = np.flatnonzero(own & np.isin(labels, pair if pair else labels))
    samples = windows.samples[rows, label] if windows.by_label else windows.samples[rows]
    moved, covered = aligned(windows.read(rows), samples, windows.lags)
    parts = [pooled(*one, resolution) for one in zip(moved, covered, strict=True)]
    with np.errstate(invalid="ignore"):
        return sum(one[0] for one in parts) / sum(one[1] for one in parts)


def by_definition(windows, labels, pair=None, resolution=(1, 1), part=0.5):
    """Statistics and estimates, (label, band, lag), window by window and speaker by speaker."""
    values = windows.read(np.arange(len(windows.table)))
    speakers = windows.table["speaker"].to_numpy()
    differences = {label: [] for label in range(len(windows.labels))}
    for speaker in np.unique(speakers):
        means = {}
        for label in range(len(windows.labels)):
            cell = np.flatnonzero((speakers == speaker) & (labels == label))
            if not len(cell) or (pair and label not in pair):
                continue
            samples = windows.samples[cell, label] if windows.by_label else windows.samples[cell]
            moved, covered = aligned(values[cell], samples, windows.lags)
            parts = [pooled(*one, resolution) for one in zip(moved, covered, strict=True)]
            with np.errstate(invalid="ignore"):
                means[label] = sum(one[0] for one in parts) / sum(one[1] for one in parts)
            means[label] -= of_any_window(windows, speakers == speaker, labels, label, pair, resolution)
        for label, mean in means.items():
            others = np.stack([means[one] for one in (pair[1:] if pair else means)])
            reference = np.where(np.isnan(others).all(axis=0), np.nan, np.nansum(others, axis=0))
            present = (~np.isnan(others)).sum(axis=0)
            with np.errstate(invalid="ignore"):
                difference = mean - reference / present
            if not pair:
                difference[present < 2] = np.nan
            differences[label].append(difference)
    wanted = pair[:1] if pair else range(len(windows.labels))
    found = []
    for label in wanted:
        each = np.stack(differences[label])
        number = (~np.isnan(each)).sum(axis=0)
        filled = np.nan_to_num(each)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = filled.sum(axis=0) / number
            variance = np.where(np.isnan(each), 0, (each - mean) ** 2).sum(axis=0) / (number - 1)
            statistic = mean / np.sqrt(variance / number)
            # Wallace (1959), equation for the normal deviate of Student's t.
            free = number - 1
            deviate = (8 * free + 1) / (8 * free + 3) * np.sqrt(free * np.log(1 + statistic**2 / free))
            statistic = np.sign(statistic) * deviate
        enough = (number >= part * len(each)) & (number >= LEAST_SPEAKERS)
        found.append(np.where(enough, [statistic, mean], np.nan))
    return np.stack(found, axis=1)


@pytest.mark.parametrize("by_label", [True, False])
@pytest.mark.parametrize("resolution", [(1, 1), (2, 3)])
def test_maps_and_permutations_are_those_of_the_definition(by_label, resolution):
    windows = noise(0, by_label=by_label)
    found = permuted_maps(windows, None, PermutationPlan(permutations=5, resolution=resolution, seed=3))
    speakers = np.unique(windows.table["speaker"], return_inverse=True)[1]
    exchanger = Exchanger.of(windows.label_codes, speakers)
    drawn = [exchanger.draw(replicate_generator(3, number)) for number in range(5)]
    for number, labels in enumerate([windows.label_codes, *drawn]):
        statistic, mean = by_definition(windows, labels, resolution=resolution)
        largest = np.nanmax(np.abs(statistic), axis=(1, 2))
        assert found.largest[number] == pytest.approx(largest, rel=1e-3)
        if number == 0:
            assert found.observed.estimate == pytest.approx(mean, abs=1e-5, nan_ok=True)
            assert found.observed.statistic == pytest.approx(statistic, rel=1e-3, abs=1e-4, nan_ok=True)


@pytest.mark.parametrize("statistic", ["cluster_mass", "tfce"])
def test_clusters_and_enhancement_are_of_maps_aligned_anew(statistic):
    windows = noise(10)
    plan = PermutationPlan(statistic, permutations=4, seed=1, cluster_alpha=0.2)
    found = permuted_maps(windows, None, plan)
    exchanger = Exchanger.of(windows.label_codes, np.unique(windows.table["speaker"], return_inverse=True)[1])
    drawn = [exchanger.draw(replicate_generator(1, number)) for number in range(4)]
    for number, labels in enumerate([windows.label_codes, *drawn]):
        maps = by_definition(windows, labels)[0]
        expected = largest_of_maps(maps, statistic, cluster_threshold(0.2))
        assert found.chosen[number] == pytest.approx(expected, rel=1e-3)
        assert found.largest[number] == pytest.approx(np.nanmax(np.abs(maps), axis=(1, 2)), rel=1e-3)


@pytest.mark.parametrize("statistic", ["cluster_mass", "tfce"])
def test_what_cannot_claim_a_place_says_so(statistic):
    result = pattern_tests(noise(3, speakers=8, pattern=3.0), statistic=statistic, permutations=99)
    row = result.table.iloc[0]
    assert (row["test"], row["p_value"]) == (statistic, 0.01)
    assert "p_value" not in result.maps
    assert "not where it lies" in result.claim
    assert result.claim in result.notes
    clusters = result.clusters
    if statistic == "tfce":
        assert clusters.empty
        return
    own = clusters.query("level_1 == 'a'").sort_values("statistic").iloc[-1]
    assert (own["sign"], own["lag_s"], own["frequency_hz"], own["p_value"]) == ("positive", 0.01, 0, 0.01)
    assert row["statistic"] == own["statistic"]
    assert int(result.maps["cluster"].sel(label="a", frequency=0).max()) > 0


def test_the_largest_statistic_claims_places():
    result = pattern_tests(noise(3), permutations=19)
    assert "At a place whose adjusted p-value is below 0.05" in result.claim
    assert result.clusters.empty


def test_signs_are_turned_by_speaker():
    """All signs of few speakers, by the definition."""
    windows = noise(11, by_label=False, pattern=2.0)
    result = pattern_tests(windows, exchange="signs", permutations=99)
    statistic = by_definition(windows, windows.label_codes)[0]
    assert result.maps["statistic"].to_numpy() == pytest.approx(statistic, rel=1e-3, abs=1e-4, nan_ok=True)
    assert result.table["permutations"].tolist() == [15, 15, 15]
    notes = " ".join(result.notes)
    assert "All signs of speakers there are were used: the smallest p-value is 1/16." in notes
    assert "So few cannot reach 0.05." in notes


def test_random_signs_are_the_same_for_any_number_of_workers():
    windows = noise(12, speakers=12, by_label=False, pattern=2.0)
    one, two = (pattern_tests(windows, exchange="signs", permutations=599, workers=each).table for each in (1, 2))
    assert one.equals(two)
    assert one["p_value"].iloc[0] == 1 / 600
    assert one["permutations"].iloc[0] == 599


def test_signs_are_not_turned_where_the_label_aligns():
    with pytest.raises(ArgumentError, match="65 % false alarms"):
        pattern_tests(noise(13), exchange="signs")
    own = AlignedWindows(**{**vars(noise(13, by_label=False)), "alignment": "max_relevance"})
    with pytest.raises(ArgumentError, match="aligned by max_relevance"):
        pattern_tests(own, exchange="signs")


def test_relevance_for_the_label_is_not_tested_where_that_label_aligns_it():
    windows = AlignedWindows(**{**vars(noise(14)), "quantity": "relevance"})
    with pytest.raises(ArgumentError, match="nothing can be exchanged"):
        pattern_tests(windows)


def test_an_alignment_by_something_else_than_the_labels_is_noted():
    own = AlignedWindows(**{**vars(noise(15, by_label=False)), "alignment": "max_relevance"})
    assert any("patterns are found in noise too" in note for note in pattern_tests(own, permutations=19).notes)


def test_pairs_are_those_of_the_definition_and_reversing_them_turns_the_sign_only():
    windows = noise(1)
    result = pattern_tests(windows, against=[("c", "a"), ("a", "c")], permutations=99, seed=2)
    statistic, mean = by_definition(windows, windows.label_codes, pair=(2, 0))
    assert result.maps["statistic"].sel(label="c:a").to_numpy() == pytest.approx(statistic[0], rel=1e-3, nan_ok=True)
    assert result.maps["estimate"].sel(label="c:a").to_numpy() == pytest.approx(mean[0], abs=1e-5, nan_ok=True)
    one, other = (row for _, row in result.table.iterrows())
    for name in ("statistic", "estimate"):
        assert one[name] == -other[name]
    assert (one["conf_low"], one["conf_high"]) == (-other["conf_high"], -other["conf_low"])
    for name in ("p_value", "std_error", "lag_s", "frequency_hz"):
        assert one[name] == other[name]


def test_numbers_do_not_depend_on_workers():
    windows = noise(2)
    one, two = (pattern_tests(windows, permutations=299, workers=workers) for workers in (1, 2))
    assert one.table.equals(two.table)
    assert one.maps.equals(two.maps)


def test_a_pattern_is_found_where_it_is():
    result = pattern_tests(noise(3, speakers=8, pattern=3.0), permutations=199)
    row = result.table.iloc[0]
    assert (row["lag_s"], row["frequency_hz"]) == (0.01, 0)
    assert row["p_value"] == 1 / 200
    assert row["p_adjusted"] <= 0.02
    assert row["conf_low"] > 0
    # Less what any windows have there, a third of which are its own (of another alignment, a sixth of those), and less
    # the mean over three labels of what is left.
    beyond = np.array([3.0 - 3.0 / 3, -3.0 / 3 / 6, -3.0 / 3 / 6])
    assert row["conf_low"] < beyond[0] - beyond.mean() < row["conf_high"]
    places = result.maps["p_adjusted"].sel(label="a")
    claimed = places.where(places < 0.05, drop=True)
    assert claimed.coords["frequency"].to_numpy().tolist() == [0]
    assert claimed["lag_s"].to_numpy().tolist() == [0.01]


def test_intervals_leave_zero_out_where_the_test_rejects():
    tables = [pattern_tests(noise(seed, pattern=1.0), permutations=99, conf_level=0.8).table for seed in range(6)]
    rejected = np.concatenate([table["p_value"] <= 0.2 + 1e-9 for table in tables])
    # An interval whose critical value is the statistic itself ends at 0, up to rounding.
    outside = np.concatenate([(table["conf_low"] > 1e-6) | (table["conf_high"] < -1e-6) for table in tables])
    assert rejected.any()
    assert not rejected.all()
    assert (rejected == outside).all()


def test_places_of_maps_are_adjusted_over_the_map_and_over_all_maps():
    result = pattern_tests(noise(4, pattern=1.5), permutations=199)
    for row in result.table.itertuples():
        place = result.maps.sel(label=row.level_1)
        assert float(place["p_value"].min()) == pytest.approx(row.p_value)
        assert float(place["p_adjusted"].min()) >= row.p_adjusted - 1e-12
    least = result.table["p_value"].to_numpy().argmin()
    assert result.maps["p_adjusted"].min() == pytest.approx(result.table["p_adjusted"].iloc[least])


def detector(seed):
    """Noise whose labels mean nothing, each window aligned where it is most like a template of the label."""
    rng = np.random.default_rng(seed)
    speakers, each, size = 6, 5, 12
    count = speakers * each * len(LABELS)
    values = rng.normal(size=(count, 2, size))
    templates = rng.normal(size=(len(LABELS), 2))
    samples = np.einsum("wbs,lb->wls", values, templates).argmax(axis=2)
    named = np.tile(np.repeat(LABELS, each), speakers)
    speaker_of = np.repeat([f"s{number}" for number in range(speakers)], each * len(LABELS))
    return AlignedWindows.from_arrays(values, list(named), list(speaker_of), samples, levels=LABELS)


def test_labels_that_mean_nothing_are_seldom_found_though_windows_are_aligned_by_them():
    p_values = np.concatenate([
        pattern_tests(detector(seed), permutations=39, seed=seed, adjust="none").table["p_value"] for seed in range(40)
    ])  # fmt: skip
    # With alignments held fixed nearly all are rejected: the template is in the average.
    assert np.mean(p_values <= 0.05) < 0.12
    assert np.mean(p_values <= 0.5) == pytest.approx(0.5, abs=0.15)


def test_all_assignments_are_used_where_there_are_few():
    windows = noise(5, speakers=3, each=1, labels=("a", "b"), by_label=False)
    result = pattern_tests(windows, permutations=99)
    assert result.table["permutations"].tolist() == [7, 7]
    assert "smallest p-value is 1/8" in " ".join(result.notes)
    # Every assignment comes with its mirror image.
    assert (result.table["p_value"] >= 2 / 8).all()


def test_letters_that_cannot_be_tested_are_named():
    windows = noise(6)
    table = windows.table.copy()
    table.loc[(table["label"] == "c") & (table["speaker"] != "s0"), "label"] = "a"
    few = AlignedWindows(**{**vars(windows), "table": table, "labels": (*LABELS, "q"),
                            "samples": windows.samples[:, [0, 1, 2, 2]]})  # fmt: skip
    result = pattern_tests(few, permutations=19)
    rows = result.table.set_index("level_1")
    assert rows.loc["q", "note"] == "no windows"
    assert rows.loc["c", "note"] == "windows of 1 speaker only"
    assert rows.loc[["c", "q"], "p_value"].isna().all()
    assert rows.loc["a", "tests"] == 2
    assert "Not tested: c (windows of 1 speaker only); q (no windows)." in result.notes


def test_of_many_letters_that_cannot_be_tested_some_are_named():
    windows = noise(6, by_label=False)
    many = tuple(f"word{number:02}" for number in range(15))
    result = pattern_tests(replace(windows, labels=(*LABELS, *many)), permutations=19)
    (note,) = (note for note in result.notes if note.startswith("Not tested"))
    assert "word11 (no windows); and 3 more, which the column `note` of the table gives." in note
    assert "word12" not in note


def test_constant_values_are_no_pattern():
    windows = AlignedWindows.from_arrays(np.full((24, 2, 5), 7.3), ["a", "b"] * 12, list("ssttuuvv") * 3)
    assert pattern_tests(windows, permutations=19).table["p_value"].isna().all()


def test_the_mean_of_values_does_not_matter():
    windows = noise(7)
    moved = AlignedWindows(**{**vars(windows), "read": lambda rows: windows.read(rows) + 1000.0})
    one, other = (pattern_tests(each, permutations=19).table for each in (windows, moved))
    assert one["statistic"].to_numpy() == pytest.approx(other["statistic"].to_numpy(), rel=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"permutations": 18}, "Take 19 permutations or more"),
        ({"permutations": 19, "adjust": "holm"}, "Take 59 permutations or more"),
        ({"against": "median"}, "against"),
        ({"against": [("a", "z")]}, "'z'"),
        ({"against": [("a", "a")]}, "no contrast to itself"),
        ({"against": []}, "is empty"),
        ({"against": [("a", "b")], "adjust": "max_t"}, "each pair has its own"),
        ({"conf_level": 1.0}, "conf_level"),
        ({"resolution": (3, 1)}, "2 bands: 3 of them"),
        ({"resolution": (1, 9)}, "7 lags: 9 of them"),
        ({"reach_s": 0.005, "resolution": (1, 2)}, "1 lags within 0.005 s"),
        ({"resolution": (0, 1)}, "resolution"),
        ({"statistic": "extent"}, "statistic"),
        ({"exchange": "speakers"}, "exchange"),
        ({"cluster_alpha": 0}, "cluster_alpha"),
        ({"workers": 0}, "workers"),
        ({"windows_per_cell": 0}, "windows_per_cell"),
        ({"resolution": (1, 1, 1)}, "two numbers"),
        ({"resolution": 4}, "two numbers"),
        ({"against": ("a", "b")}, r"a list of pairs.*has 'a'"),
        ({"against": [("a", "b", "c")]}, "a list of pairs"),
        ({"against": [("a", "b"), ("a", "b")]}, "twice"),
        ({"seed": -1}, "'seed'.*zero or above"),
        ({"conf_level": "high"}, "conf_level"),
    ],
)
def test_what_cannot_be_tested_is_refused_early(options, message):
    def never(rows):
        raise AssertionError("windows were read before the arguments were checked")

    windows = AlignedWindows(**{**vars(noise(8)), "read": never})
    with pytest.raises(ArgumentError, match=message):
        pattern_tests(windows, **options)


def test_speakers_with_one_label_are_of_no_use():
    values = np.random.default_rng(0).normal(size=(12, 1, 5))
    windows = AlignedWindows.from_arrays(values, list("ab") * 6, list("stuvwx") * 2)
    with pytest.raises(DataError, match="there are 0"):
        pattern_tests(windows, permutations=19)


def test_maps_reach_no_further_than_asked_for():
    result = pattern_tests(noise(9), permutations=19, reach_s=0.02)
    assert result.maps["lag_s"].to_numpy().tolist() == [-0.02, -0.01, 0.0, 0.01, 0.02]


def test_a_label_of_few_speakers_does_not_hide_the_others():
    """Student's t of three speakers is large by chance; on one scale with the others it is not the largest of all."""
    windows = noise(16, speakers=12, pattern=1.5)
    table = windows.table.copy()
    table.loc[(table["label"] == "c") & (table["speaker"] > "s10"), "label"] = "b"
    assert table.query("label == 'c'")["speaker"].nunique() == 3
    few = AlignedWindows(**{**vars(windows), "table": table})
    row = pattern_tests(few, permutations=199).table.iloc[0]
    assert row["p_value"] == 1 / 200
    assert row["p_adjusted"] <= 0.02


def test_normal_deviates_are_those_of_students_t():
    speakers = np.array([4, 6, 12, 40])
    for quantile in (0.9, 0.99, 0.9999):
        found = normal_deviate(stats.t.ppf(quantile, speakers - 1), speakers)
        assert found == pytest.approx(np.full(4, stats.norm.ppf(quantile)), rel=0.03)
        back = [t_of_normal_deviate(float(one), float(number)) for one, number in zip(found, speakers, strict=True)]
        assert back == pytest.approx(stats.t.ppf(quantile, speakers - 1))


def test_so_many_windows_of_each_speaker_and_label_are_drawn():
    windows = noise(17, each=6)
    result = pattern_tests(windows, permutations=19, windows_per_cell=2)
    assert result.table["windows"].tolist() == [10, 10, 10]
    assert "At most 2 windows of each speaker and label were drawn." in result.notes
    every = pattern_tests(windows, permutations=19, windows_per_cell=6)
    assert every.table.equals(pattern_tests(windows, permutations=19).table)


@pytest.mark.parametrize("by_label", [True, False])
@pytest.mark.parametrize("size", [2.0**-100, 2.0**100])
def test_the_unit_of_values_does_not_matter(size, by_label):
    """Gradients may be so small, or large, that their squares are no numbers in single precision."""
    windows = noise(19, by_label=by_label)
    values = windows.read(np.arange(len(windows.table)))
    other = AlignedWindows(**{**vars(windows), "read": lambda rows: values[rows] * size})
    exchange = "labels" if by_label else "signs"
    one, scaled = (pattern_tests(each, permutations=19, exchange=exchange) for each in (windows, other))
    assert one.table["statistic"].notna().all()
    names = ["statistic", "p_value", "lag_s"]
    assert one.table[names].to_numpy() == pytest.approx(scaled.table[names].to_numpy(), rel=1e-4)
    for name in ("estimate", "std_error", "conf_low", "conf_high"):
        assert scaled.table[name].to_numpy() / size == pytest.approx(one.table[name].to_numpy(), rel=1e-4, abs=1e-6)


def test_a_label_may_be_called_mean():
    windows = noise(20, labels=("a", "b", "mean"))
    result = pattern_tests(windows, against=[("a", "mean"), ("a", "b")], permutations=39)
    assert result.maps["label"].to_numpy().tolist() == ["a:mean", "a:b"]
    assert pattern_tests(windows, permutations=19).maps["label"].to_numpy().tolist() == ["a", "b", "mean"]


def test_values_that_are_no_numbers_are_refused():
    windows = noise(18)
    values = windows.read(np.arange(len(windows.table)))
    values[7, 0, 0] = np.nan
    broken = AlignedWindows(**{**vars(windows), "read": lambda rows: values[rows]})
    with pytest.raises(DataError, match="Window '7'"):
        pattern_tests(broken, permutations=19)
