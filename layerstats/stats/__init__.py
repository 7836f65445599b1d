"""Frames and stores to results: additive models and what is inferred from them."""

from layerstats.stats.contrasts import (
    FitOptions,
    IntervalOptions,
    PhoneContrast,
    WordContrasts,
    carrying_channels,
    channel_contrasts,
    channel_table,
    parse_phone_contrast,
    phone_contrast,
    word_contrasts,
)
from layerstats.stats.effect_size import EffectSize, TokenSpread, effect_size, token_spread
from layerstats.stats.lexical import Heard, LexicalLearning, feature_association, heard, lexical_learning
from layerstats.stats.multiplicity import adjust_p_values
from layerstats.stats.networks import NetworkComparison, compare_networks
from layerstats.stats.null import compare_with_untrained, descriptive_effect_size
from layerstats.stats.series import Series, Variant, bin_series, phone_series, word_series

__all__ = [
    "EffectSize",
    "FitOptions",
    "Heard",
    "IntervalOptions",
    "LexicalLearning",
    "NetworkComparison",
    "PhoneContrast",
    "Series",
    "TokenSpread",
    "Variant",
    "WordContrasts",
    "adjust_p_values",
    "bin_series",
    "carrying_channels",
    "channel_contrasts",
    "channel_table",
    "compare_networks",
    "compare_with_untrained",
    "descriptive_effect_size",
    "effect_size",
    "feature_association",
    "heard",
    "lexical_learning",
    "parse_phone_contrast",
    "phone_contrast",
    "phone_series",
    "token_spread",
    "word_contrasts",
    "word_series",
]
