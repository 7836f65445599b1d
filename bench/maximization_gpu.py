"""Decoder maximizations on a GPU: how many a second in each precision, and what single precision loses by others.

    python bench/maximization_gpu.py [CLASSIFIER.safetensors AUTOENCODER.safetensors]

Times are those of the published sizes with untrained weights, whose values change no time; success is that of the
checkpoints, by default the shipped ones. Needs no sound library and no R.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

# The published scale: 10,000 starts of 35 words.
WANTED = 350_000
BATCHES = (512, 1024, 2048, 4096)
SECONDS = {"float32": 75.0, "tf32": 25.0, "bfloat16": 25.0}
SCREENED = 8192
STEPS, RATE = 20, 0.1


def published():
    """Return the classifier and the autoencoder of the published sizes, untrained."""
    from layerstats.models import CommandClassifier, MelAutoencoder, seeded

    with seeded(0):
        return CommandClassifier(35).eval(), MelAutoencoder().eval()


def trained(paths: list[str]):
    """Return the classifier and the autoencoder of checkpoints."""
    from layerstats.models import load_checkpoint
    from layerstats.resources import bundled

    folder = bundled("data", "checkpoints", "commands")
    chosen = paths or [folder / f"{name}.safetensors" for name in ("commands_0", "autoencoder")]
    print("success of", " and ".join(Path(path).name for path in chosen))
    return tuple(load_checkpoint(path)[0] for path in chosen)


@contextmanager
def on_the_card(network, autoencoder, channels_last: bool = False):
    """Yield a maximizer of networks on the GPU, ready to be differentiated."""
    import torch

    from layerstats.models import running

    maximizer = Maximizer(network, autoencoder)
    with ExitStack() as stack:
        for module in (network, *maximizer.prior.modules):
            stack.enter_context(running(module, torch.device("cuda"), differentiate=True))
            for layer in module.modules():
                if channels_last and isinstance(layer, torch.nn.Conv2d):
                    layer.to(memory_format=torch.channels_last)
        yield maximizer


@contextmanager
def precision(name: str):
    """Compute in float32, with factors rounded as TF32 has them, or in bfloat16 where that suits."""
    import torch

    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn.conv
    before = products.fp32_precision, convolutions.fp32_precision
    try:
        products.fp32_precision = convolutions.fp32_precision = "tf32" if name == "tf32" else "ieee"
        with torch.autocast("cuda", torch.bfloat16, enabled=name == "bfloat16"):
            yield
    finally:
        products.fp32_precision, convolutions.fp32_precision = before


class Maximizer:
    """The package's ascent from codes, on networks that lie on the GPU."""

    def __init__(self, network, autoencoder) -> None:
        from layerstats.probes.maximization import AscentSettings, AutoencoderPrior, hearing_of

        self.network = network
        self.prior = AutoencoderPrior(hearing_of(network), autoencoder)
        self.settings = AscentSettings(rate=RATE, steps=STEPS)
        self.words = int(network.configuration["outputs"])

    def run(self, first: int, starts: int, steps: int = STEPS):
        """Maximize starts of which each has the word and the seed of its number; return the ascent."""
        from dataclasses import replace

        import torch

        from layerstats.probes.maximization import Objective, Unit, ascend

        numbers = range(first, first + starts)
        units = [Unit(str(number % self.words), "", number % self.words) for number in numbers]
        seeds = [torch.Generator().manual_seed(number) for number in numbers]
        start = self.prior.start("codes", None, seeds, 0.1).cuda()
        objective = Objective(self.network, units, "log_probability", torch.device("cuda"))
        return ascend(objective, self.prior, start, replace(self.settings, steps=steps), seeds)


def flops(maximizer: Maximizer) -> float:
    """Return floating-point operations of one maximization, counted: of its steps, and of the scores at its end."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    codes = maximizer.prior.start("codes", None, [torch.Generator()], 0.1).cuda().requires_grad_()
    counts = []
    for backward in (False, True):
        counter = FlopCounterMode(display=False)
        with counter:
            logits = maximizer.network(maximizer.prior.render(codes))
            if backward:
                logits.log_softmax(dim=1)[0, 0].backward()
        counts.append(counter.get_total_flops())
    return STEPS * counts[1] + counts[0]


def arithmetic_rate(name: str, size: int = 8192) -> float:
    """Return what the card reaches in a large matrix product of that precision, in operations a second."""
    import torch

    kind = torch.bfloat16 if name == "bfloat16" else torch.float32
    one, other = (torch.randn(size, size, device="cuda", dtype=kind) for _ in range(2))
    times = 3 if name == "float32" else 10
    with precision("float32" if name == "bfloat16" else name):
        one @ other
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(times):
            one @ other
        torch.cuda.synchronize()
    return times * 2 * size**3 / (time.perf_counter() - start)


def rate(maximizer: Maximizer, batch: int, limit: float, wanted: int = WANTED) -> tuple[int, float]:
    """Return how many starts were maximized, results on the host, and in how many seconds."""
    import torch

    maximizer.run(0, batch)
    torch.cuda.synchronize()
    done, start = 0, time.perf_counter()
    while done < wanted and time.perf_counter() - start < limit:
        found = maximizer.run(done, min(batch, wanted - done))
        found.variables_after.cpu(), found.logits_after.cpu(), found.displacement_heard.cpu()
        done += len(found.steps)
    return done, time.perf_counter() - start


def success(maximizer: Maximizer, found):
    """Return whether each start of a run of numbers from 0 is its word, judged in float32."""
    import torch

    with precision("float32"), torch.no_grad():
        heard = maximizer.network(maximizer.prior.render(found.variables_after.float()))
    return heard.argmax(dim=1).cpu() == torch.arange(len(heard)) % maximizer.words


def with_store(network, autoencoder, starts: int = 300) -> None:
    """Print the same with everything that is stored, through the front door."""
    from layerstats.probes import maximize_activations
    from layerstats.probes.maximization import AutoencoderPrior, hearing_of

    words = [str(number) for number in range(int(network.configuration["outputs"]))]
    prior = AutoencoderPrior(hearing_of(network), autoencoder)
    with tempfile.TemporaryDirectory() as folder:
        for count in (2, starts):
            start = time.perf_counter()
            store = Path(folder) / f"{count}.zarr"
            maximize_activations(network, words, store, starts=count, prior=prior, device="cuda")
            seconds = time.perf_counter() - start
    total = starts * len(words)
    print(f"float32 into a store: {total} starts in {seconds:.1f} s, {total / seconds:.0f} a second", flush=True)


def layouts(batch: int) -> None:
    """Print how fast either layout of the weights is in each precision."""
    for channels_last in (False, True):
        with on_the_card(*published(), channels_last) as maximizer:
            speeds = {}
            for name in SECONDS:
                with precision(name):
                    done, seconds = rate(maximizer, batch, 2.0)
                speeds[name] = done / seconds
        said = ", ".join(f"{name} {speed:.0f}" for name, speed in speeds.items())
        print(f"channels {'last' if channels_last else 'first'}: {said} a second", flush=True)


def speed() -> int:
    """Print the time of the published scale in each precision; return the best size of a batch."""
    import torch

    with on_the_card(*published()) as maximizer:
        each = flops(maximizer)
        print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}: {each / 1e9:.2f} GFLOP a maximization")
        speeds = {}
        for batch in BATCHES:
            done, seconds = rate(maximizer, batch, 2.0)
            speeds[batch] = done / seconds
        print("float32 by batch: " + ", ".join(f"{batch}: {speed:.0f} a second" for batch, speed in speeds.items()))
        best = max(speeds, key=speeds.__getitem__)
        for name, limit in SECONDS.items():
            with precision(name):
                done, seconds = rate(maximizer, best, limit)
            reached, whole = each * done / seconds, WANTED * seconds / done
            said = "took" if done == WANTED else f"would take (from {done} starts)"
            print(
                f"{name}, batches of {best}: {done / seconds:.0f} maximizations a second, {WANTED} {said} {whole:.0f} "
                f"s; {reached / 1e12:.1f} TFLOP/s, {reached / arithmetic_rate(name):.0%} of a matrix product's; "
                f"peak {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB",
                flush=True,
            )
    return best


def screening(paths: list[str]) -> None:
    """Print success of the same starts in each precision, judged in float32, and how often it is another."""
    with on_the_card(*trained(paths)) as maximizer:
        flags = {}
        for name in SECONDS:
            with precision(name):
                flags[name] = success(maximizer, maximizer.run(0, SCREENED))
        for name, found in flags.items():
            flipped = (found != flags["float32"]).float().mean()
            print(f"{name}: success {found.float().mean():.3f}, {flipped:.2%} of {SCREENED} flags differ from float32")


def main(paths: list[str]) -> None:
    """Print everything."""
    best = speed()
    with_store(*published())
    screening(paths)
    layouts(best)


if __name__ == "__main__":
    main(sys.argv[1:])
