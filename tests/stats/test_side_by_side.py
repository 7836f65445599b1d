"""Numbers of long computations are the same here, on threads, on a cluster, and where they were stopped and go on."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats import FitOptions, bootstrap, channel_contrasts, layer_contrasts, permutation_test, power
from layerstats.stats.averages import AlignedWindows, pattern_tests
from layerstats.stats.gamm import FitTask, fit_many
from layerstats.stats.ratings import compare_conditions, rating_means, rating_power
from layerstats.store import open_store, store_arrays

SPEAKERS, TIMES = 6, np.arange(12) / 12


def curves() -> pd.DataFrame:
    generator = np.random.default_rng(3)
    rows = [
        (f"{speaker}{label}{token}", f"s{speaker}", label, time, np.sin(3 * time) + (label == "b") * time + noise)
        for speaker in range(SPEAKERS)
        for label in "ab"
        for token in range(2)
        for time, noise in zip(TIMES, 0.4 * generator.normal(size=len(TIMES)), strict=True)
    ]
    return pd.DataFrame(rows, columns=["token", "speaker", "label", "time", "value"])


def task(rho: float | str | None = 0.2) -> FitTask:
    return FitTask(
        "value ~ label + s(time, k=5) + s(time, by=label_ordered, k=5) + s(time, token, bs='fs', m=1, k=4)",
        curves(),
        engine="structured",
        rho=rho,
        series="token",
        order="time",
        factors={"label": ["a", "b"]},
        ordered={"label_ordered": ("label", "a")},
    )


def store(folder):
    path = f"{folder}/channels.zarr"
    if not os.path.exists(path):
        generator = np.random.default_rng(5)
        tokens = pd.DataFrame({"token": [f"t{n:02}" for n in range(24)], "split": "test"})
        tokens = tokens.assign(speaker=[f"p{n // 4}" for n in range(24)], word=["ask", "wash"] * 12)
        maps = generator.normal(size=(24, 12, 140)) + generator.normal(size=(24, 1, 140))
        maps[::2, :, 3] += 2.0
        # 140 channels are two batches.
        layers = {"conv1": maps.swapaxes(1, 2), "conv2": maps.swapaxes(1, 2)[:, :4]}
        store_arrays(path, tokens, layers, time_s=dict.fromkeys(layers, TIMES))
    return open_store(path)


def windows() -> AlignedWindows:
    values = np.random.default_rng(0).normal(size=(96, 2, 5))
    speakers = np.repeat(list("pqrstu"), 16)
    return AlignedWindows.from_arrays(values, ["a", "b", "c", "b"] * 24, speakers, hop_s=0.01)


def ratings() -> pd.DataFrame:
    generator = np.random.default_rng(1)
    rows = [
        (f"r{r}", f"{c}{k}", c, 2 + (c == "b") + generator.integers(3))
        for r in range(8)
        for c in "abc"
        for k in range(5)
    ]
    return pd.DataFrame(rows, columns=["rater", "clip", "condition", "rating"])


# What is asked of each function, so that it has several tasks.
ASKED = {
    "fit_many": lambda folder, **where: pd.concat([one.smooths for one in fit_many([task(), task("auto")], **where)]),
    "permutation_test": lambda folder, **where: (
        permutation_test(
            {"conv1": task(), "conv2": task(0.0)}, "label", replicates=250, smoothing="held", seed=1, **where
        ).statistics
    ),
    "bootstrap": lambda folder, **where: bootstrap(task(), "label", "b", "a", replicates=250, seed=1, **where).draws,
    "power": lambda folder, **where: power(
        task(), "label", "b", "a", speakers=[4, 6], tokens=[1], replicates=20, seed=1, **where
    ),
    "layer_contrasts": lambda folder, **where: (
        layer_contrasts(store(folder), "word=ask:wash", fits=FitOptions(**where)).table
    ),
    "channel_contrasts": lambda folder, **where: channel_contrasts(
        store(folder), "conv1", words=("ask", "wash"), rho=0.1, **where
    )["p_value"].to_numpy(),
    "pattern_tests": lambda folder, **where: (
        pattern_tests(windows(), against=[("a", "b"), ("b", "c")], permutations=599, seed=1, **where).table
    ),
    "pattern_tests of signs": lambda folder, **where: (
        pattern_tests(windows(), exchange="signs", adjust="none", permutations=25, seed=1, **where).table
    ),
    "rating_means": lambda folder, **where: rating_means(ratings(), draws=120, seed=1, **where).table,
    "compare_conditions": lambda folder, **where: (
        compare_conditions(ratings(), draws=120, permutations=99, seed=1, **where).table
    ),
    "rating_power": lambda folder, **where: rating_power(0.5, [6, 8], [4], replicates=60, seed=1, **where),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("side_by_side")


@pytest.fixture(scope="module")
def here(folder):
    """Return what one thread gives."""
    return {name: ask(folder, workers=1) for name, ask in ASKED.items()}


def check_same(one, other) -> None:
    if isinstance(one, pd.DataFrame):
        # No tolerance: the same tasks in the same order.
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    else:
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ASKED)
def test_threads_change_no_number(here, folder, name):
    for workers in (2, 4):
        check_same(here[name], ASKED[name](folder, workers=workers))


@pytest.mark.parametrize("name", ASKED)
def test_what_was_kept_is_read_and_progress_is_told(here, folder, name, tmp_path):
    told = []
    check_same(here[name], ASKED[name](folder, workers=1, keep=tmp_path, progress=lambda *done: told.append(done)))
    totals = {total for _, total in told}
    assert len(totals) == 1
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]
    files = sorted(tmp_path.iterdir())
    assert files
    written = [file.stat().st_mtime_ns for file in files]
    check_same(here[name], ASKED[name](folder, workers=2, keep=tmp_path))
    assert [file.stat().st_mtime_ns for file in sorted(tmp_path.iterdir())] == written


def test_a_computation_that_was_stopped_goes_on(here, folder, tmp_path):
    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise Stopped

    with pytest.raises(Stopped):
        ASKED["permutation_test"](folder, workers=1, keep=tmp_path, progress=stop)
    assert len(list(tmp_path.iterdir())) == 2
    told = []
    again = ASKED["permutation_test"](folder, workers=1, keep=tmp_path, progress=lambda *done: told.append(done))
    check_same(here["permutation_test"], again)
    assert told == [(2, 4), (3, 4), (4, 4)]


def test_no_workers_are_refused(folder):
    with pytest.raises(ArgumentError, match="'workers'"):
        ASKED["bootstrap"](folder, workers=0)


@pytest.mark.slow
def test_workers_of_a_cluster_change_no_number(here, folder):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        for name, ask in ASKED.items():
            check_same(here[name], ask(folder, client=client))


@pytest.mark.slow
@pytest.mark.parametrize("name", ASKED)
def test_another_process_finds_what_was_kept(name, tmp_path):
    # The order of sets of strings differs between processes: it must not be in what results are known by.
    script = "import sys, runpy; _, file, name, *more = sys.argv; "
    script += "runpy.run_path(file)['ASKED'][name](more[0], keep=more[1])"
    kept = []
    for seed in ("1", "2"):
        given = [script, os.path.abspath(__file__), name, str(tmp_path), str(tmp_path / "kept")]
        subprocess.run([sys.executable, "-c", *given], check=True, env={**os.environ, "PYTHONHASHSEED": seed})
        kept.append(sorted(file.name for file in (tmp_path / "kept").iterdir()))
    assert kept[0] == kept[1]
