"""Frames and stores to results: additive models and what is inferred from them.

The public names are imported when they are first used: a model of a table needs no store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerstats.on_demand import on_demand

if TYPE_CHECKING:
    from layerstats.stats.averages import (
        AlignedAverages,
        AlignedWindows,
        LetterDelay,
        PatternSurfaces,
        PatternTests,
        SpeechAndNetwork,
        StoredAlignment,
        UntrainedPatterns,
        aligned_averages,
        alignment_name,
        letter_delay,
        means_and_patterns,
        panel_averages,
        pattern_panels,
        pattern_profile,
        pattern_surfaces,
        pattern_tests,
        read_events,
        read_windows,
        speech_and_network,
        stored_alignments,
        untrained_patterns,
    )
    from layerstats.stats.averages.calibration.average_calibration import calibrate_averages
    from layerstats.stats.averages.calibration.shuffled_speech import SpeechWorld
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
    from layerstats.stats.input_agreement import agreement_of_starts
    from layerstats.stats.interval_estimate import IntervalEstimate
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
    from layerstats.stats.proportions import wilson
    from layerstats.stats.ratings import (
        CleanedAnswers,
        ClmmResult,
        IdentificationRates,
        OpinionWorld,
        PreferenceShares,
        RatingComparison,
        RatingMeans,
        RatingVariances,
        bonus_payments,
        calibrate_answers,
        calibrate_outcome_filter,
        calibrate_ratings,
        check_rules,
        clean,
        cleaning_rules,
        clips_to_extend,
        clmm,
        compare_clmm,
        compare_conditions,
        icc,
        identification_rates,
        judge_agreement,
        krippendorff_alpha,
        preference_shares,
        rating_distribution,
        rating_means,
        rating_power,
        review_assignments,
        rules_sha256,
        smallest_plans,
    )
    from layerstats.stats.relevance import PhoneShares, phone_shares
    from layerstats.stats.relevance.share_calibration import calibrate_shares
    from layerstats.stats.repeated_measures import (
        RepeatedAnova,
        agreement_over_conditions,
        condition_means,
        paired_differences,
        repeated_anova,
    )
    from layerstats.stats.representations import AbxResult, AbxSampling, PhoneProbe, ProbeOptions, abx, phone_probe
    from layerstats.stats.representations.abx_calibration import calibrate_abx
    from layerstats.stats.resampling import BootstrapResult, PermutationResult, bootstrap, permutation_test, power
    from layerstats.stats.resampling.calibration import calibrate
    from layerstats.stats.series import Series, Variant, bin_series, phone_series, word_series
    from layerstats.stats.success import (
        Ladder,
        NaturalConfusions,
        Success,
        SuccessMatrix,
        VarianceShares,
        attempts,
        attempts_from_frame,
        calibrate_success,
        calibrate_variance,
        compare_set_ups,
        heard_scores,
        ladder_attempts,
        natural_confusions,
        simulated_attempts,
        success_as_published,
        success_ladder,
        success_matrix,
        success_rates,
        variance_shares,
        with_people,
    )
    from layerstats.stats.trust import (
        Trust,
        map_agreement,
        measure_agreement,
        perturbation_areas,
        phone_location,
        random_weights_agreement,
        trust_table,
    )
    from layerstats.stats.trust.trust_calibration import calibrate_trust

__all__ = [
    "AbxResult",
    "AbxSampling",
    "AlignedAverages",
    "AlignedWindows",
    "BootstrapResult",
    "CleanedAnswers",
    "ClmmResult",
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
    "IdentificationRates",
    "IntervalEstimate",
    "IntervalOptions",
    "Ladder",
    "LayerContrasts",
    "LetterDelay",
    "Level",
    "LexicalLearning",
    "MovedCodes",
    "NaturalConfusions",
    "NetworkComparison",
    "OpinionWorld",
    "PathComparison",
    "PatternSurfaces",
    "PatternTests",
    "PermutationResult",
    "PhoneContrast",
    "PhoneProbe",
    "PhoneShares",
    "PreferenceShares",
    "ProbeOptions",
    "RatingComparison",
    "RatingMeans",
    "RatingVariances",
    "RepeatedAnova",
    "Series",
    "SpeechAndNetwork",
    "SpeechWorld",
    "StoredAlignment",
    "Success",
    "SuccessMatrix",
    "TokenSpread",
    "Trust",
    "UntrainedPatterns",
    "VarianceShares",
    "Variant",
    "WordContrasts",
    "abx",
    "adjust_p_values",
    "agreement_of_starts",
    "agreement_over_conditions",
    "aligned_averages",
    "alignment_name",
    "attempts",
    "attempts_from_frame",
    "bin_series",
    "bonus_payments",
    "bootstrap",
    "calibrate",
    "calibrate_abx",
    "calibrate_answers",
    "calibrate_averages",
    "calibrate_interactions",
    "calibrate_outcome_filter",
    "calibrate_ratings",
    "calibrate_shares",
    "calibrate_success",
    "calibrate_trust",
    "calibrate_variance",
    "carrying_channels",
    "channel_contrasts",
    "channel_table",
    "check_rules",
    "clean",
    "cleaning_rules",
    "clips_to_extend",
    "clmm",
    "code_movement",
    "compare_clmm",
    "compare_conditions",
    "compare_networks",
    "compare_paths",
    "compare_set_ups",
    "compare_with_untrained",
    "condition_means",
    "contrast_of_contrasts",
    "contrast_tasks",
    "cue_tests",
    "descriptive_effect_size",
    "effect_size",
    "feature_association",
    "heard",
    "heard_scores",
    "icc",
    "identification_rates",
    "judge_agreement",
    "krippendorff_alpha",
    "ladder_attempts",
    "layer_contrasts",
    "letter_delay",
    "lexical_learning",
    "likeliest_responses",
    "map_agreement",
    "means_and_patterns",
    "measure_agreement",
    "measure_exaggeration",
    "natural_confusions",
    "paired_differences",
    "panel_averages",
    "parse_phone_contrast",
    "pattern_panels",
    "pattern_profile",
    "pattern_surfaces",
    "pattern_tests",
    "permutation_test",
    "perturbation_areas",
    "phone_contrast",
    "phone_location",
    "phone_probe",
    "phone_series",
    "phone_shares",
    "power",
    "preference_shares",
    "project_codes",
    "random_weights_agreement",
    "rating_distribution",
    "rating_means",
    "rating_power",
    "read_cues",
    "read_events",
    "read_moved_codes",
    "read_windows",
    "repeated_anova",
    "review_assignments",
    "rules_sha256",
    "simulated_attempts",
    "smallest_plans",
    "speech_and_network",
    "stored_alignments",
    "stored_responses",
    "success_as_published",
    "success_ladder",
    "success_matrix",
    "success_rates",
    "token_spread",
    "trust_table",
    "untrained_patterns",
    "variance_shares",
    "wilson",
    "with_people",
    "word_contrasts",
    "word_series",
]

# The module of each room, and the names that come from it.
_NAMES = {
    "averages": """
        AlignedAverages AlignedWindows LetterDelay PatternSurfaces PatternTests SpeechAndNetwork StoredAlignment
        UntrainedPatterns aligned_averages alignment_name letter_delay means_and_patterns panel_averages
        pattern_panels pattern_profile pattern_surfaces pattern_tests read_events read_windows speech_and_network
        stored_alignments untrained_patterns
    """,
    "averages.calibration.average_calibration": "calibrate_averages",
    "averages.calibration.shuffled_speech": "SpeechWorld",
    "contrasts": """
        Contrast ContrastOfContrasts ContrastTasks FitOptions IntervalOptions LayerContrasts Level PhoneContrast
        WordContrasts carrying_channels channel_contrasts channel_table contrast_of_contrasts contrast_tasks
        layer_contrasts parse_phone_contrast phone_contrast word_contrasts
    """,
    "contrasts.interactions.simulation_study": "calibrate_interactions",
    "effect_sizes": "EffectSize TokenSpread effect_size token_spread",
    "exaggeration": "Cue CueTests Exaggeration cue_tests measure_exaggeration read_cues",
    "input_agreement": "agreement_of_starts",
    "interval_estimate": "IntervalEstimate",
    "lexical": "Heard LexicalLearning feature_association heard lexical_learning likeliest_responses stored_responses",
    "moved_codes": "CodeMovement CodeProjection MovedCodes code_movement project_codes read_moved_codes",
    "multiplicity": "adjust_p_values",
    "networks": "NetworkComparison compare_networks",
    "null": "compare_with_untrained descriptive_effect_size",
    "paths": "PathComparison compare_paths",
    "proportions": "wilson",
    "ratings": """
        CleanedAnswers ClmmResult IdentificationRates OpinionWorld PreferenceShares RatingComparison RatingMeans
        RatingVariances bonus_payments calibrate_answers calibrate_outcome_filter calibrate_ratings check_rules clean
        cleaning_rules clips_to_extend clmm compare_clmm compare_conditions icc identification_rates judge_agreement
        krippendorff_alpha preference_shares rating_distribution rating_means rating_power review_assignments
        rules_sha256 smallest_plans
    """,
    "relevance": "PhoneShares phone_shares",
    "relevance.share_calibration": "calibrate_shares",
    "repeated_measures": "RepeatedAnova agreement_over_conditions condition_means paired_differences repeated_anova",
    "representations": "AbxResult AbxSampling PhoneProbe ProbeOptions abx phone_probe",
    "representations.abx_calibration": "calibrate_abx",
    "resampling": "BootstrapResult PermutationResult bootstrap permutation_test power",
    "resampling.calibration": "calibrate",
    "series": "Series Variant bin_series phone_series word_series",
    "success": """
        Ladder NaturalConfusions Success SuccessMatrix VarianceShares attempts attempts_from_frame calibrate_success
        calibrate_variance compare_set_ups heard_scores ladder_attempts natural_confusions simulated_attempts
        success_as_published success_ladder success_matrix success_rates variance_shares with_people
    """,
    "trust": """
        Trust map_agreement measure_agreement perturbation_areas phone_location random_weights_agreement trust_table
    """,
    "trust.trust_calibration": "calibrate_trust",
}
_ROOMS = {name: room for room, names in _NAMES.items() for name in names.split()}

__getattr__ = on_demand(__name__, _ROOMS)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
