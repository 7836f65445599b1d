"""Contrasts between levels of words, phones or any other column, layer by layer and channel by channel."""

from layerstats.stats.contrasts.carrying import carrying_channels, channel_table
from layerstats.stats.contrasts.channels import channel_contrasts
from layerstats.stats.contrasts.contrast import Contrast
from layerstats.stats.contrasts.curves import IntervalOptions
from layerstats.stats.contrasts.fits import FitOptions
from layerstats.stats.contrasts.interactions import ContrastOfContrasts, contrast_of_contrasts
from layerstats.stats.contrasts.layers import LayerContrasts, layer_contrasts
from layerstats.stats.contrasts.levels import Level, parse_phone_contrast
from layerstats.stats.contrasts.listened_tokens import tokens_of_interest
from layerstats.stats.contrasts.phones import PhoneContrast, phone_contrast
from layerstats.stats.contrasts.tasks import ContrastTasks, contrast_tasks
from layerstats.stats.contrasts.vectors import vector_contrasts
from layerstats.stats.contrasts.words import WordContrasts, word_contrasts

__all__ = [
    "Contrast",
    "ContrastOfContrasts",
    "ContrastTasks",
    "FitOptions",
    "IntervalOptions",
    "LayerContrasts",
    "Level",
    "PhoneContrast",
    "WordContrasts",
    "carrying_channels",
    "channel_contrasts",
    "channel_table",
    "contrast_of_contrasts",
    "contrast_tasks",
    "layer_contrasts",
    "parse_phone_contrast",
    "phone_contrast",
    "tokens_of_interest",
    "vector_contrasts",
    "word_contrasts",
]
