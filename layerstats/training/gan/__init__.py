"""Training of ciwGAN and fiwGAN, a verb a file."""

from layerstats.training.gan.loop import train_gan
from layerstats.training.gan.options import GanOptions
from layerstats.training.gan.result import GanResult

__all__ = ["GanOptions", "GanResult", "train_gan"]
