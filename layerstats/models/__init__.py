"""Networks as plain torch modules, and their checkpoints. Importing this room imports torch."""

from layerstats.models.card import ModelCard
from layerstats.models.checkpoint import load_checkpoint, save_checkpoint
from layerstats.models.device import choose_device
from layerstats.models.fresh import untrained
from layerstats.models.infowavegan import InfoWaveGAN, WaveGenerator, part
from layerstats.models.seeding import seeded
from layerstats.models.wavegan import ConvolutionalEncoder, ConvolutionalLayer, PhaseShuffle

__all__ = [
    "ConvolutionalEncoder",
    "ConvolutionalLayer",
    "InfoWaveGAN",
    "ModelCard",
    "PhaseShuffle",
    "WaveGenerator",
    "choose_device",
    "load_checkpoint",
    "part",
    "save_checkpoint",
    "seeded",
    "untrained",
]
