"""Training of networks, one file per way of training. Importing this room imports torch."""

from layerstats.training.augment import shift_and_scale
from layerstats.training.gan import GanOptions, GanResult, train_gan
from layerstats.training.result import TrainingResult
from layerstats.training.words import train_words

__all__ = ["GanOptions", "GanResult", "TrainingResult", "shift_and_scale", "train_gan", "train_words"]
