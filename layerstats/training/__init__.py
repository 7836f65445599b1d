"""Training of networks, one file per way of training. Importing this room imports torch."""

from layerstats.training.augment import shift_and_scale, vary_features
from layerstats.training.autoencoder import train_autoencoder
from layerstats.training.commands import train_commands
from layerstats.training.features import MelFeatures, mel_features
from layerstats.training.gan import GanOptions, GanResult, train_gan
from layerstats.training.result import AutoencoderResult, TrainingResult
from layerstats.training.words import train_words

__all__ = [
    "AutoencoderResult",
    "GanOptions",
    "GanResult",
    "MelFeatures",
    "TrainingResult",
    "mel_features",
    "shift_and_scale",
    "train_autoencoder",
    "train_commands",
    "train_gan",
    "train_words",
    "vary_features",
]
