"""A ciwGAN's training step against the published architecture trained plainly, and where the time goes."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

CHECKPOINTS = Path(__file__).resolve().parent.parent / "data" / "checkpoints"
SCORES = (0.3, 0.4, 0.5, 0.6)
CRITIC_UPDATES, PENALTY = 5, 10.0


def plain_step(network, speech, batch: int):
    """Return a step written as in published PyTorch code: separate calls, double backward, float32."""
    import torch
    from torch.nn import functional as F

    generator, critic, reader = network.generator, network.discriminator, network.q_network
    adam = {"lr": 1e-4, "betas": (0.5, 0.9)}
    of_critic, of_generator = (torch.optim.Adam(part.parameters(), **adam) for part in (critic, generator))
    of_code = torch.optim.RMSprop([*reader.parameters(), *generator.parameters()], lr=1e-4)
    device = next(network.parameters()).device

    def latent():
        codes = network.draw_codes(batch)
        return torch.cat([codes, network.draw_noise(batch)], dim=1).to(device), codes.to(device)

    def step():
        for _ in range(CRITIC_UPDATES):
            real = speech[torch.randint(len(speech), (batch,))].to(device)
            fake = generator(latent()[0]).detach()
            mixed = torch.lerp(real, fake, torch.rand(batch, 1, device=device)).requires_grad_()
            (slopes,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
            loss = critic(fake).mean() - critic(real).mean() + PENALTY * ((slopes.norm(dim=1) - 1) ** 2).mean()
            of_critic.zero_grad()
            loss.backward()
            of_critic.step()
        of_generator.zero_grad()
        (-critic(generator(latent()[0])).mean()).backward()
        of_generator.step()
        latents, codes = latent()
        of_code.zero_grad()
        F.cross_entropy(reader(generator(latents)), codes).backward()
        of_code.step()

    return step


def seconds(step, device: str, runs: int) -> float:
    """Return the median time of a step, on a CPU in processor time, which other programs do not stretch."""
    import torch

    clock = time.process_time if device == "cpu" else time.perf_counter
    times = []
    for _ in range(runs + 1):
        start = clock()
        step()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(clock() - start)
    return statistics.median(times[1:])


def convolution_share(step) -> float:
    """Return the share of the operators' own time that convolutions take."""
    from torch.profiler import profile

    with profile() as profiled:
        step()
    rows = profiled.key_averages()
    own = [row.self_device_time_total or row.self_cpu_time_total for row in rows]
    named = [time_ for row, time_ in zip(rows, own, strict=True) if "conv" in row.key.lower()]
    return sum(named) / sum(own)


def compare(width: int, batch: int, device: str, runs: int) -> None:
    """Print steps a second of the plain step and of ours, in each precision."""
    import torch

    from layerstats.models import InfoWaveGAN, seeded
    from layerstats.training.gan.options import GanOptions
    from layerstats.training.gan.step import TrainingStep

    where = f"{device}, {torch.get_num_threads()} threads, width {width}, batch {batch}"
    with seeded(0):
        speech = 0.1 * torch.randn(256, 16384)
        plain = plain_step(InfoWaveGAN(width=width).to(device).train(), speech, batch)
        base = seconds(plain, device, runs)
        share = convolution_share(plain)
        print(f"{where}: plain step {1 / base:.2f} a second, {share:.0%} in convolutions", flush=True)
        for precision in ("float32", "bfloat16"):
            options = GanOptions("ciwgan", 8, width=width, batch_size=batch, precision=precision)
            step = TrainingStep(InfoWaveGAN(width=width).to(device).train(), speech, options)
            own = seconds(step, device, runs)
            print(
                f"{where}: {precision} {1 / own:.2f} a second, {base / own:.1f} times the plain step, "
                f"{convolution_share(step):.0%} in convolutions",
                flush=True,
            )


def time_to_scores() -> None:
    """Print after how many seconds of training the shipped networks first reached a share of words told apart."""
    import pandas as pd

    for kind in ("ciwgan", "fiwgan"):
        history = pd.read_csv(CHECKPOINTS / f"{kind}_history.csv")
        for score in SCORES:
            reached = history.loc[history["lexical_accuracy"] >= score]
            if len(reached):
                first = reached.iloc[0]
                print(f"{kind}: lexical accuracy {score} after {first['seconds']:.0f} s, step {first['step']:.0f}")
            else:
                print(f"{kind}: lexical accuracy {score} was not reached")


def main() -> None:
    """Print everything."""
    import torch

    compare(8, 16, "cpu", runs=3)
    compare(16, 16, "cpu", runs=1)
    if torch.cuda.is_available():
        compare(64, 64, "cuda", runs=10)
    time_to_scores()


if __name__ == "__main__":
    main()
