"""Maximization against the published loop, one start at a time: how fast, in how much memory, and what it reaches."""

from __future__ import annotations

import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STEPS, RATE, DEVIATION = 20, 0.1, 0.1
WORDS = 35
MEMORY = """
import resource
import sys
sys.path.insert(0, sys.argv[1])
from maximization import maximize, networks
network, autoencoder = networks(small=True)
maximize(network, autoencoder, int(sys.argv[2]), sys.argv[3])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
WORKER = """
import sys
import time
sys.path.insert(0, sys.argv[1])
from maximization import maximize, networks
network, autoencoder = networks()
maximize(network, autoencoder, 1, sys.argv[3] + "-warm")
start = time.perf_counter()
maximize(network, autoencoder, int(sys.argv[2]), sys.argv[3])
print(time.perf_counter() - start)
"""


def networks(small: bool = False):
    """Return the classifier and the autoencoder as published, or small ones, with untrained weights."""
    from layerstats.models import CommandClassifier, MelAutoencoder, seeded

    with seeded(0):
        if small:
            network = CommandClassifier(WORDS, channels=(2, 2, 2), hidden=(8, 8, 8))
            return network.eval(), MelAutoencoder(codes=8, channels=(2, 2, 2, 2)).eval()
        return CommandClassifier(WORDS).eval(), MelAutoencoder().eval()


def one_by_one(network, autoencoder, starts: int) -> None:
    """Maximize as in the published code, written plainly: a start at a time, the softmax probability, float32."""
    import torch

    for start in range(starts):
        codes = DEVIATION * torch.randn(1, autoencoder.codes, generator=torch.Generator().manual_seed(start))
        for _ in range(STEPS):
            codes.requires_grad_()
            probability = network(autoencoder.decode(codes)).softmax(dim=1)[0, start % WORDS]
            (gradient,) = torch.autograd.grad(probability, codes)
            codes = (codes + RATE * gradient / (gradient.square().mean().sqrt() + 1e-5)).detach()
        with torch.no_grad():
            network(autoencoder.decode(codes))


def maximize(network, autoencoder, starts: int, store: str) -> None:
    """Maximize so many starts of every word by the package, into a store."""
    from layerstats.probes import maximize_activations
    from layerstats.probes.maximization import AutoencoderPrior, hearing_of

    words = [str(word) for word in range(WORDS)]
    prior = AutoencoderPrior(hearing_of(network), autoencoder)
    maximize_activations(network, words, store, starts=starts, prior=prior, settings="soomro2019", device="cpu")


def speed(runs: int = 3) -> None:
    """Print maximizations a second of both, in processor time of one thread, which other programs do not stretch."""
    network, autoencoder = networks()
    one_by_one(network, autoencoder, 1)
    plain, batched = [], []
    for _ in range(runs):
        start = time.process_time()
        one_by_one(network, autoencoder, 8)
        plain.append((time.process_time() - start) / 8)
        with tempfile.TemporaryDirectory() as folder:
            start = time.process_time()
            # So many that beginning and finishing a store, half a second, do not weigh.
            maximize(network, autoencoder, 4, f"{folder}/store.zarr")
            batched.append((time.process_time() - start) / (4 * WORDS))
    ratios = [one / other for one, other in zip(plain, batched, strict=True)]
    print(
        f"one thread, processor time: one by one {1 / statistics.median(plain):.2f} a second, in batches into a store "
        f"{1 / statistics.median(batched):.2f} a second, {statistics.median(ratios):.1f} times "
        f"({min(ratios):.1f} to {max(ratios):.1f} in {runs} runs)",
        flush=True,
    )


def two_cores(starts: int = 2) -> None:
    """Print maximizations a second of the loop and of two processes that share one set of outcomes, by the clock."""
    network, autoencoder = networks()
    one_by_one(network, autoencoder, 1)
    start = time.perf_counter()
    one_by_one(network, autoencoder, 16)
    plain = 16 / (time.perf_counter() - start)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", WORKER, str(Path(__file__).parent), str(starts)]
        workers = [
            subprocess.Popen([*command, f"{folder}/{number}.zarr"], stdout=subprocess.PIPE, text=True)
            for number in range(2)
        ]
        seconds = [float(worker.communicate()[0]) for worker in workers]
    both = 2 * starts * WORDS / max(seconds)
    print(
        f"two cores, by the clock: one by one {plain:.2f} a second, two processes {both:.2f} a second, "
        f"{both / plain:.1f} times",
        flush=True,
    )


def peak_megabytes(starts: int) -> int:
    """Return the peak memory of a process that maximizes so many starts of every word."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", MEMORY, str(Path(__file__).parent), str(starts), f"{folder}/store.zarr"]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def objectives(starts: int = 4) -> None:
    """Print what the log-probability and the probability reach with the shipped networks, and what stalls."""
    from layerstats.models import load_checkpoint
    from layerstats.probes import maximize_activations
    from layerstats.resources import bundled

    folder = bundled("data", "checkpoints", "commands")
    network, card = load_checkpoint(folder / "commands_0.safetensors")
    for prior in ("none", f"autoencoder:{folder / 'autoencoder.safetensors'}"):
        for objective in ("log_probability", "probability"):
            with tempfile.TemporaryDirectory() as place:
                experiment = maximize_activations(
                    network, card.outputs, f"{place}/store.zarr", starts=starts, prior=prior, card=card,
                    objective=objective, device="cpu",
                )  # fmt: skip
                found = experiment.outcome()
                words = found["class"].to_numpy()[found["scores_after"].to_numpy().argmax(axis=1)]
                reached = float((words == found["target"].to_numpy()).mean())
                stalled = int(found["stalled"].sum())
            print(
                f"{card.name}, prior {prior.partition(':')[0]}, {objective}: {reached:.3f} of {len(words)} starts are "
                f"their target, {stalled} stalled",
                flush=True,
            )


def main() -> None:
    """Print everything."""
    import torch

    speed()
    two_cores()
    objectives()
    few, many = 10, 100
    print(
        f"peak memory: {few * WORDS} starts {peak_megabytes(few)} MB, {many * WORDS} starts {peak_megabytes(many)} MB",
        flush=True,
    )
    if torch.cuda.is_available():
        runpy.run_path(str(Path(__file__).with_name("maximization_gpu.py")), run_name="__main__")


if __name__ == "__main__":
    main()
