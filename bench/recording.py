"""Recording against the bare forward pass on the same batches (aim: 0.9 or better), and memory against corpus size."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BATCH = 32
MEMORY = """
import resource
import sys
sys.path.insert(0, sys.argv[1])
from recording import noise_clips
from layerstats.models import ConvolutionalEncoder
from layerstats.probes import record_activations
clips = noise_clips(int(sys.argv[2]))
record_activations(ConvolutionalEncoder(8, width=4), clips, sys.argv[3], device="cpu")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


class Noise:
    """Half a second of seeded noise a token."""

    def load(self, token: str):
        """Return it."""
        import numpy as np

        return np.random.default_rng(int(token[1:])).normal(0, 0.1, 8000).astype(np.float32)

    def fingerprints(self, tokens):
        """Return what tells tokens apart."""
        return list(tokens)


def noise_clips(tokens: int):
    """Return clips of seeded noise, each made when it is asked for, so that the corpus itself takes no memory."""
    import pandas as pd

    from layerstats.corpora import Clips, Corpus
    from layerstats.corpora.phones import phones_table

    names = [f"t{index:06d}" for index in range(tokens)]
    table = pd.DataFrame({"token": names, "word": "noise", "speaker": "s", "split": "test", "duration_s": 0.5})
    phones = phones_table(pd.DataFrame({"token": names, "label": "s", "onset_s": 0.0, "offset_s": 0.5}))
    return Clips(Corpus("noise", table, phones, 16000, Noise()))


def compare(clips, width: int, device: str, runs: int = 2) -> tuple[float, float, float]:
    """Return tokens per second of the bare forward pass, of a recording with its start, and the share of the first."""
    import torch

    from layerstats.models import ConvolutionalEncoder
    from layerstats.probes import record_activations

    model = ConvolutionalEncoder(8, width=width).eval()
    batches = [
        torch.from_numpy(clips.waveforms(slice(start, start + BATCH))) for start in range(0, len(clips.tokens), BATCH)
    ]
    bare, recorded = [], []
    for _ in range(runs + 1):
        model.to(device)
        start = time.perf_counter()
        with torch.no_grad():
            for batch in batches:
                model(batch.to(device))
        if device == "cuda":
            torch.cuda.synchronize()
        bare.append(time.perf_counter() - start)
        model.to("cpu")
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            record_activations(model, clips, Path(folder) / "store.zarr", batch_size=BATCH, device=device)
            recorded.append(time.perf_counter() - start)
    tokens = len(clips.tokens)
    times = [statistics.median(values[1:]) for values in (bare, recorded)]
    return tokens / times[0], tokens / times[1], times[0] / times[1]


def peak_megabytes(tokens: int) -> int:
    """Return the peak memory of a process that records that many tokens."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", MEMORY, str(Path(__file__).parent), str(tokens), f"{folder}/store.zarr"]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def growth(sizes: tuple[int, ...] = (256, 1024, 4096)) -> None:
    """Print how time grows with the number of tokens, and the exponent by which it does."""
    import numpy as np

    from layerstats.models import ConvolutionalEncoder
    from layerstats.probes import record_activations

    model, spent = ConvolutionalEncoder(8, width=4).eval(), []
    for tokens in sizes:
        with tempfile.TemporaryDirectory() as folder:
            begin = time.process_time()
            record_activations(model, noise_clips(tokens), Path(folder) / "store.zarr", device="cpu")
            spent.append(time.process_time() - begin)
    exponent = np.polyfit(np.log(sizes[1:]), np.log(spent[1:]), 1)[0]
    told = ", ".join(f"{tokens} tokens {seconds:.1f} CPU-s" for tokens, seconds in zip(sizes, spent, strict=True))
    print(f"growth: {told}; from {sizes[1]} on as tokens to the power of {exponent:.2f}", flush=True)


def main() -> None:
    """Print everything."""
    import torch

    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    for device in devices:
        for width, tokens in ((16, 2048), (64, 512)) if device == "cpu" else ((64, 4096),):
            bare, recorded, share = compare(noise_clips(tokens), width, device)
            print(
                f"{device}, {torch.get_num_threads()} threads, width {width}: forward {bare:.0f} tokens/s, "
                f"recording {recorded:.0f} tokens/s, ratio {share:.2f}",
                flush=True,
            )
    growth()
    few, many = 256, 4096
    print(f"peak memory: {few} tokens {peak_megabytes(few)} MB, {many} tokens {peak_megabytes(many)} MB")


if __name__ == "__main__":
    main()
