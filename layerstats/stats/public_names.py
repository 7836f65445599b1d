"""Which room each public name of statistics comes from."""

from __future__ import annotations

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
    "claims": "Claims OtherChoice claims_of",
    "claims.claim_calibration": "calibrate_claims",
    "contrasts": """
        Contrast ContrastOfContrasts ContrastTasks FitOptions IntervalOptions LayerContrasts Level PhoneContrast
        WordContrasts carrying_channels channel_contrasts channel_table contrast_of_contrasts contrast_tasks
        layer_contrasts parse_phone_contrast phone_contrast tokens_of_interest vector_contrasts
        word_contrasts
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
    "representations": "AbxResult AbxSampling LayerSimilarity PhoneProbe ProbeOptions abx layer_similarity phone_probe",
    "representations.abx_calibration": "calibrate_abx",
    "representations.probe_calibration": "calibrate_probes",
    "representations.similarity_calibration": "calibrate_similarity",
    "resampling": "BootstrapResult PermutationResult bootstrap permutation_test power",
    "resampling.calibration": "calibrate",
    "sensitivity": "ContrastAnalysis sensitivity_of",
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
ROOM_OF = {name: room for room, names in _NAMES.items() for name in names.split()}
