"""What the engine of tasks costs, and what two workers gain: small tasks, recordings, channels and contrasts."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

TASKS = 10_000


def small(number: int) -> int:
    """Do next to nothing."""
    return number + 1


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


@contextmanager
def cluster(workers: int):
    """Give a client of a cluster on this machine."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None) as here,
        Client(here) as client,
    ):
        yield client


def engine() -> None:
    """Print what a small task costs on each way."""
    from layerstats.parallel import run_tasks

    alone = seconds(lambda: [small(number) for number in range(TASKS)])
    print(f"{TASKS} small tasks: a loop {alone * 1e6 / TASKS:.1f} us a task", flush=True)
    ways = {"here": {}, "2 threads": {"workers": 2, "threads": True}, "2 processes": {"workers": 2}}
    start = seconds(lambda: run_tasks(small, [1, 2], workers=2))
    for name, options in ways.items():
        # Processes are started for every call.
        spent = seconds(lambda options=options: run_tasks(small, range(TASKS), **options))
        spent -= start if name == "2 processes" else 0
        print(f"  {name}: {spent * 1e6 / TASKS:.0f} us a task", flush=True)
    print(f"  processes start in {start:.1f} s", flush=True)
    with cluster(2) as client:
        run_tasks(small, [1, 2], client=client)
        spent = seconds(lambda: run_tasks(small, range(TASKS), client=client))
        print(f"  a cluster of 2 workers: {spent * 1e6 / TASKS:.0f} us a task", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        spent = seconds(lambda: run_tasks(small, range(TASKS), keep=folder))
        again = seconds(lambda: run_tasks(small, range(TASKS), keep=folder))
        print(f"  with results kept: {spent * 1e6 / TASKS:.0f} us a task, {again * 1e6 / TASKS:.0f} found", flush=True)


def recordings() -> None:
    """Print what two processes and two workers of a cluster gain, each with one thread of torch."""
    import torch
    from recording import noise_clips

    from layerstats.models import ConvolutionalEncoder
    from layerstats.probes import Activation, record

    clips, network, threads = noise_clips(2048), ConvolutionalEncoder(8, width=32).eval(), torch.get_num_threads()
    torch.set_num_threads(1)

    def made(**options) -> float:
        with tempfile.TemporaryDirectory() as folder:
            return seconds(
                lambda: record(network, clips, Path(folder) / "s.zarr", Activation(), device="cpu", **options)
            )

    one, two = made(), made(workers=2)
    with cluster(2) as client:
        shared = made(client=client)
    torch.set_num_threads(threads)
    print(
        f"2,048 tokens, width 32: one process {one:.1f} s, two {two:.1f} s ({one / two:.2f} times), two workers of a "
        f"cluster {shared:.1f} s ({one / shared:.2f} times)",
        flush=True,
    )


def statistics() -> None:
    """Print what two threads and two workers of a cluster gain for channels and contrasts of layers."""
    from channels import contrasts, simulate

    from layerstats.stats import FitOptions, word_contrasts
    from layerstats.store import open_store

    with tempfile.TemporaryDirectory() as folder, cluster(2) as client:
        experiment = open_store(simulate(Path(folder) / "s.zarr", 256))
        ways = {"one": {"workers": 1}, "two threads": {"workers": 2}, "a cluster of two": {"client": client}}
        calls = {"256 channels": lambda **how: contrasts(experiment, **how)}
        calls["words, one layer"] = lambda **how: word_contrasts(experiment, fits=FitOptions(**how))
        for name, call in calls.items():
            spent = {way: seconds(lambda call=call, how=how: call(**how)) for way, how in ways.items()}
            told = ", ".join(f"{way} {took:.1f} s ({spent['one'] / took:.2f} times)" for way, took in spent.items())
            print(f"{name}: {told}", flush=True)


def main() -> None:
    """Print everything."""
    engine()
    recordings()
    statistics()


if __name__ == "__main__":
    # Workers import the speech of `recording.py` too.
    here = str(Path(__file__).parent)
    sys.path.insert(0, here)
    os.environ["PYTHONPATH"] = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    main()
