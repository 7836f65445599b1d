"""Relevance of a speech transformer and of cells that remember, in gradient passes of the same network and batch."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

RUNS = 5


def seconds(run: Callable[[], object]) -> float:
    """Return the median seconds of the processor that a run takes, after one that warms up."""
    run()
    taken = []
    for _ in range(RUNS):
        begin = time.process_time()
        run()
        taken.append(time.process_time() - begin)
    return statistics.median(taken)


def networks():
    """Return networks of random weights with an input and a score: name -> (network, input, score)."""
    import torch
    from torch import nn
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    from layerstats.models import seeded

    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cells = nn.LSTM(80, 256, num_layers=2, batch_first=True)

        def forward(self, values):
            return self.cells(values)[0][:, -1]

    with seeded(0):
        # wav2vec2 base, but for 4 of its 12 layers.
        speech = Wav2Vec2Model(Wav2Vec2Config(num_hidden_layers=4, attn_implementation="sdpa")).eval()
        layer = nn.TransformerEncoderLayer(256, 4, 1024, batch_first=True, activation="gelu")
        encoder = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False).eval()
        cells = Last().eval()
        return {
            "wav2vec2 (4 layers), 2 s": (speech, torch.randn(1, 32000), _state),
            "TransformerEncoder, 4 x 200 frames": (encoder, torch.randn(4, 200, 256), lambda found: found[:, 20, 5]),
            "LSTM of 2 layers, 16 x 100 frames": (cells, torch.randn(16, 100, 80), lambda found: found[:, 5]),
        }


def _state(found):
    return found.last_hidden_state[:, 20, 5]


def main() -> None:
    """Print a line a network."""
    import torch

    from layerstats.probes.relevance import relevance_by_rules

    for name, (network, values, score) in networks().items():
        network.requires_grad_(False)

        def gradient(network=network, values=values, score=score):
            at = values.clone().requires_grad_()
            return torch.autograd.grad(score(network(at)).sum(), at)

        with torch.no_grad():
            forward = seconds(lambda network=network, values=values: network(values))
        passes = seconds(gradient)
        relevance = seconds(lambda: relevance_by_rules(network, values, score, "epsilon"))  # noqa: B023
        print(
            f"{name}: relevance takes {relevance / passes:.2f} gradient passes ({relevance / forward:.2f} forward "
            f"passes; {1000 * relevance:.0f} ms of one core)",
            flush=True,
        )


if __name__ == "__main__":
    main()
