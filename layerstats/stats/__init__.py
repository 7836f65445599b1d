"""Frames and stores to results: additive models and what is inferred from them.

The public names are imported when they are first used: a model of a table needs no store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerstats.on_demand import on_demand

if TYPE_CHECKING:
    from layerstats.stats.contrasts import (
        Contrast,
        ContrastOfContrasts,
        ContrastTasks,
        FitOptions,
        IntervalOptions,
        LayerContrasts,
        Level,
        PhoneContrast,
        WordContrasts,
        carrying_channels,
        channel_contrasts,
        channel_table,
        contrast_of_contrasts,
        contrast_tasks,
        layer_contrasts,
        parse_phone_contrast,
        phone_contrast,
        word_contrasts,
    )
    from layerstats.stats.contrasts.interactions.simulation_study import calibrate_interactions
    from layerstats.stats.effect_sizes import EffectSize, TokenSpread, effect_size, token_spread
    from layerstats.stats.exaggeration import (
        Cue,
        CueTests,
        Exaggeration,
        cue_tests,
        measure_exaggeration,
        read_cues,
    )
    from layerstats.stats.lexical import (
        Heard,
        LexicalLearning,
        feature_association,
        heard,
        lexical_learning,
        likeliest_responses,
        stored_responses,
    )
    from layerstats.stats.moved_codes import (
        CodeMovement,
        CodeProjection,
        MovedCodes,
        code_movement,
        project_codes,
        read_moved_codes,
    )
    from layerstats.stats.multiplicity import adjust_p_values
    from layerstats.stats.networks import NetworkComparison, compare_networks
    from layerstats.stats.null import compare_with_untrained, descriptive_effect_size
    from layerstats.stats.paths import PathComparison, compare_paths
    from layerstats.stats.resampling import BootstrapResult, PermutationResult, bootstrap, permutation_test, power
    from layerstats.stats.resampling.calibration import calibrate
    from layerstats.stats.series import Series, Variant, bin_series, phone_series, word_series
    from layerstats.stats.success import Success, attempts_from_frame, compare_set_ups, success_rates

__all__ = [
    "BootstrapResult",
    "CodeMovement",
    "CodeProjection",
    "Contrast",
    "ContrastOfContrasts",
    "ContrastTasks",
    "Cue",
    "CueTests",
    "EffectSize",
    "Exaggeration",
    "FitOptions",
    "Heard",
    "IntervalOptions",
    "LayerContrasts",
    "Level",
    "LexicalLearning",
    "MovedCodes",
    "NetworkComparison",
    "PathComparison",
    "PermutationResult",
    "PhoneContrast",
    "Series",
    "Success",
    "TokenSpread",
    "Variant",
    "WordContrasts",
    "adjust_p_values",
    "attempts_from_frame",
    "bin_series",
    "bootstrap",
    "calibrate",
    "calibrate_interactions",
    "carrying_channels",
    "channel_contrasts",
    "channel_table",
    "code_movement",
    "compare_networks",
    "compare_paths",
    "compare_set_ups",
    "compare_with_untrained",
    "contrast_of_contrasts",
    "contrast_tasks",
    "cue_tests",
    "descriptive_effect_size",
    "effect_size",
    "feature_association",
    "heard",
    "layer_contrasts",
    "lexical_learning",
    "likeliest_responses",
    "measure_exaggeration",
    "parse_phone_contrast",
    "permutation_test",
    "phone_contrast",
    "phone_series",
    "power",
    "project_codes",
    "read_cues",
    "read_moved_codes",
    "stored_responses",
    "success_rates",
    "token_spread",
    "word_contrasts",
    "word_series",
]

_ROOMS = {
    "ContrastOfContrasts": "contrasts",
    "contrast_of_contrasts": "contrasts",
    "BootstrapResult": "resampling",
    "Contrast": "contrasts",
    "Cue": "exaggeration",
    "CueTests": "exaggeration",
    "Exaggeration": "exaggeration",
    "cue_tests": "exaggeration",
    "measure_exaggeration": "exaggeration",
    "read_cues": "exaggeration",
    "PathComparison": "paths",
    "compare_paths": "paths",
    "CodeMovement": "moved_codes",
    "CodeProjection": "moved_codes",
    "MovedCodes": "moved_codes",
    "code_movement": "moved_codes",
    "read_moved_codes": "moved_codes",
    "project_codes": "moved_codes",
    "ContrastTasks": "contrasts",
    "EffectSize": "effect_sizes",
    "FitOptions": "contrasts",
    "Heard": "lexical",
    "IntervalOptions": "contrasts",
    "LayerContrasts": "contrasts",
    "Level": "contrasts",
    "LexicalLearning": "lexical",
    "NetworkComparison": "networks",
    "PermutationResult": "resampling",
    "PhoneContrast": "contrasts",
    "Series": "series",
    "Success": "success",
    "TokenSpread": "effect_sizes",
    "Variant": "series",
    "WordContrasts": "contrasts",
    "attempts_from_frame": "success",
    "adjust_p_values": "multiplicity",
    "bin_series": "series",
    "bootstrap": "resampling",
    "calibrate": "resampling.calibration",
    "calibrate_interactions": "contrasts.interactions.simulation_study",
    "carrying_channels": "contrasts",
    "channel_contrasts": "contrasts",
    "channel_table": "contrasts",
    "compare_networks": "networks",
    "compare_set_ups": "success",
    "compare_with_untrained": "null",
    "contrast_tasks": "contrasts",
    "descriptive_effect_size": "null",
    "effect_size": "effect_sizes",
    "feature_association": "lexical",
    "heard": "lexical",
    "layer_contrasts": "contrasts",
    "lexical_learning": "lexical",
    "likeliest_responses": "lexical",
    "stored_responses": "lexical",
    "success_rates": "success",
    "parse_phone_contrast": "contrasts",
    "permutation_test": "resampling",
    "phone_contrast": "contrasts",
    "phone_series": "series",
    "power": "resampling",
    "token_spread": "effect_sizes",
    "word_contrasts": "contrasts",
    "word_series": "series",
}

__getattr__ = on_demand(__name__, _ROOMS)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
