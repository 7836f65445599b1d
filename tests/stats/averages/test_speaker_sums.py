"""Sums over aligned windows, speaker by speaker."""

import numpy as np

from layerstats.stats import AlignedWindows
from layerstats.stats.averages.reading.aligned_windows import aligned
from layerstats.stats.averages.speaker_sums import sums_of_windows


def windows_of(rng, count, labels="abcdefghijklmnopqrstuvwxyz"):
    samples = rng.integers(0, 5, size=(count, len(labels)))
    own = rng.choice(list(labels), size=count)
    return AlignedWindows.from_arrays(
        rng.normal(size=(count, 2, 5)), own.tolist(), ["s"] * count, samples, levels=labels
    )


def test_of_few_windows_all_go_under_other_labels():
    windows = windows_of(np.random.default_rng(0), 150)
    (found,) = sums_of_windows(windows, others=True)
    assert found.others.windows.tolist() == (150 - found.own.windows).tolist()


def test_of_many_windows_a_part_goes_under_other_labels_and_is_no_other_on_average():
    windows = windows_of(np.random.default_rng(1), 3000)
    (found,) = sums_of_windows(windows, others=True)
    part = np.arange(0, 3000, 6)
    for label in (0, 13):
        rows = part[windows.label_codes[part] != label]
        moved, covered = aligned(windows.read(rows), windows.samples[rows, label], windows.lags)
        assert found.others.windows[label] == len(rows) > 2 * found.own.windows[label]
        assert np.array_equal(found.others.coverage[label], covered.sum(axis=0))
        assert np.allclose(found.others.total[label], moved.sum(axis=0), atol=1e-3)


def test_windows_are_read_in_the_order_of_speakers_in_blocks():
    rng = np.random.default_rng(2)
    speakers = np.repeat(["s1", "s2", "s3"], 200)
    rows_read = []
    values = rng.normal(size=(600, 2, 5))
    windows = AlignedWindows.from_arrays(values, ["a"] * 600, speakers.tolist())
    object.__setattr__(windows, "read", lambda rows: rows_read.append(rows.tolist()) or values[rows])
    found = list(sums_of_windows(windows))
    assert [one.speaker for one in found] == ["s1", "s2", "s3"]
    assert [row for rows in rows_read for row in rows] == list(range(600))
    assert max(map(len, rows_read)) <= 256
    for number, one in enumerate(found):
        assert np.allclose(one.own.total[0], values[200 * number : 200 * (number + 1)].sum(axis=0))
