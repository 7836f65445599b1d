"""Small networks that hear 6 x 4 features, and an autoencoder of these."""

import torch
from torch import nn

from layerstats.models import seeded
from layerstats.probes.maximization import AutoencoderPrior, Hearing, NoPrior, SmoothPrior

FEATURES = Hearing(("time", "mel"), (6, 4))
LABELS = ("yes", "no", "up")


class SmallClassifier(nn.Module):
    """A convolution, a norm with running means, and a dense layer: (start, time, mel) -> (start, class)."""

    def __init__(self, outputs=3):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 5, 3)
        self.norm = nn.BatchNorm2d(5)
        self.dropout = nn.Dropout(0.5)
        self.logits = nn.Linear(5 * 4 * 2, outputs)

    def forward(self, features):
        maps = torch.tanh(self.norm(self.conv1(features.unsqueeze(1))))
        return self.logits(self.dropout(maps.flatten(1)))


class SmallFrontEnd(nn.Module):
    """Settings only."""

    def __init__(self, frames=6, mels=4, hop=256):
        super().__init__()
        self.configuration = {"frames": frames, "mels": mels, "hop": hop}


class SmallAutoencoder(nn.Module):
    """Dense layers: 6 x 4 features and 3 codes."""

    def __init__(self, **settings):
        super().__init__()
        self.front_end = SmallFrontEnd(**settings)
        self.codes = 3
        self.encoder, self.decoder = nn.Linear(24, 3), nn.Linear(3, 24)
        self.register_buffer("code_mean", torch.tensor([1.0, 2.0, 3.0]))
        self.register_buffer("code_root", torch.tensor([[1.0, 0, 0], [1.0, 2.0, 0], [0, 0, 0.5]]))

    def encode(self, features):
        return self.encoder(features.flatten(1))

    def decode(self, codes):
        return self.decoder(codes).sigmoid().unflatten(1, (6, 4))


def classifier(dtype=torch.float64, seed=3):
    with seeded(seed):
        return SmallClassifier().to(dtype)


def autoencoder(seed=4, **settings):
    with seeded(seed):
        return SmallAutoencoder(**settings)


def prior(kind, dtype=torch.float64):
    """Return each kind of prior with weights of penalties that matter."""
    hearing = Hearing(FEATURES.dims, FEATURES.shape, {}, dtype)
    if kind == "autoencoder":
        return AutoencoderPrior(
            Hearing(FEATURES.dims, FEATURES.shape, SmallFrontEnd().configuration, dtype), autoencoder()
        )
    return NoPrior(hearing) if kind == "none" else SmoothPrior(hearing, l2=0.02, total_variation=0.03)


def generators(seeds):
    """Return a seeded generator a start."""
    return [torch.Generator().manual_seed(seed) for seed in seeds]
