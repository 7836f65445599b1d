"""Frames and stores to results: additive models and what is inferred from them.

The public names are imported when they are first used: a model of a table needs no store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerstats.on_demand import on_demand

if TYPE_CHECKING:
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
    from layerstats.stats.effect_sizes import EffectSize, TokenSpread, effect_size, token_spread
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

_ROOMS = {
    "EffectSize": "effect_sizes",
    "FitOptions": "contrasts",
    "Heard": "lexical",
    "IntervalOptions": "contrasts",
    "LexicalLearning": "lexical",
    "NetworkComparison": "networks",
    "PhoneContrast": "contrasts",
    "Series": "series",
    "TokenSpread": "effect_sizes",
    "Variant": "series",
    "WordContrasts": "contrasts",
    "adjust_p_values": "multiplicity",
    "bin_series": "series",
    "carrying_channels": "contrasts",
    "channel_contrasts": "contrasts",
    "channel_table": "contrasts",
    "compare_networks": "networks",
    "compare_with_untrained": "null",
    "descriptive_effect_size": "null",
    "effect_size": "effect_sizes",
    "feature_association": "lexical",
    "heard": "lexical",
    "lexical_learning": "lexical",
    "parse_phone_contrast": "contrasts",
    "phone_contrast": "contrasts",
    "phone_series": "series",
    "token_spread": "effect_sizes",
    "word_contrasts": "contrasts",
    "word_series": "series",
}

__getattr__ = on_demand(__name__, _ROOMS)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
