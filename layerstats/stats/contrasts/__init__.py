"""Contrasts between words and between sets of phones, layer by layer."""

from layerstats.stats.contrasts.carrying import carrying_channels, channel_table
from layerstats.stats.contrasts.channels import channel_contrasts
from layerstats.stats.contrasts.curves import IntervalOptions
from layerstats.stats.contrasts.fits import FitOptions
from layerstats.stats.contrasts.phone_sets import parse_phone_contrast
from layerstats.stats.contrasts.phones import PhoneContrast, phone_contrast
from layerstats.stats.contrasts.tasks import ContrastTasks, contrast_tasks
from layerstats.stats.contrasts.words import WordContrasts, word_contrasts

__all__ = [
    "ContrastTasks",
    "FitOptions",
    "IntervalOptions",
    "PhoneContrast",
    "WordContrasts",
    "carrying_channels",
    "channel_contrasts",
    "channel_table",
    "contrast_tasks",
    "parse_phone_contrast",
    "phone_contrast",
    "word_contrasts",
]
