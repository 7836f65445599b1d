"""What public names are for: groups of the pages of the reference. A name in none stands under the last heading."""

from __future__ import annotations

from gallery_pages import QUESTIONS

from layerstats.stats.public_names import ROOM_OF

REST = "More"
# Pages of the room of statistics, and the modules whose names are on them.
_STATISTICS = {
    "Contrasts, layer by layer": "contrasts",
    "Effect sizes, nulls and series": "effect_sizes interval_estimate multiplicity null proportions series",
    "Several networks": "networks",
    "What vectors of phones tell": "representations",
    "Permutation, bootstrap and power": "resampling",
    "Codes and words": "lexical",
    "Success of maximization": "success input_agreement",
    "Cues, paths and moved codes": "exaggeration paths moved_codes",
    "Relevance, and how far to trust it": "relevance trust",
    "Averages of aligned windows": "averages",
    "Ratings and other answers": "ratings",
    "Repeated measures": "repeated_measures",
    "Claims, and what they depend on": "claims sensitivity",
}


def _of_statistics() -> dict[str, str]:
    return {
        title: " ".join(name for name, room in ROOM_OF.items() if room.partition(".")[0] in modules.split())
        for title, modules in _STATISTICS.items()
    }


GROUPS = {
    "layerstats.stats": _of_statistics(),
    "layerstats.corpora": {
        "Open speech": "open_corpus corpus_kinds demo_corpus read_timit read_textgrids read_librispeech"
        " read_speech_commands read_fsdd read_generated",
        "What is said, and by whom": "Corpus texts utterance demo_words demo_sentences PAPER_WORDS"
        " SPEECH_COMMANDS_WORDS",
        "What a network hears": "Clips clips_for noise_onset find_damage",
        "Phones and words": "align labels_of phone_class phone_set word_features WORD_FEATURES",
        "Writing speech": "write_generated",
    },
    "layerstats.models": {
        "Networks": "SpeechNetwork ConvolutionalEncoder InfoWaveGAN WaveGenerator CommandClassifier MelAutoencoder"
        " Wav2Letter SpeechHearing ConvolutionalLayer PhaseShuffle",
        "Checkpoints and cards": "load_checkpoint save_checkpoint ModelCard part",
        "Random weights": "untrained seeded seeded_everywhere",
        "Sound to mel features": "MelFrontEnd mel_filterbank z_normalise UTTERANCES",
        "Running a network, and leaving it as it was": "running evaluating preserved gradients repeatable"
        " full_precision device_for choose_device device_of dtype_of on_device",
    },
    "layerstats.training": {
        "Training": "train_words train_commands train_gan GanOptions train_letters train_autoencoder",
        "What comes out": "TrainingResult GanResult LettersResult AutoencoderResult",
        "Features, and varying them": "mel_features MelFeatures shift_and_scale vary_features utterance_features"
        " UtteranceFeatures vary_utterances",
        "Letters read": "read_letters letter_error_rates",
    },
    "layerstats.probes": {
        "Recording layers": "record_activations record_untrained record_acoustics record_nulls record_relevance"
        " record_letter_relevance record_heard record_beside_natural record network_attributes series rendered",
        "What is recorded": "Quantity Variable Activation Gradient Relevance",
        "Much speech": "plan_recording RecordingPlan record_shard ShardReport forecast_recording Forecast",
        "Whole maps": "maps clip_maps letter_maps RecordedMaps Grid",
        "Maximization": "maximize_activations maximize_ladder make_again strongest_units outcome_items outcome_speech"
        " hear_recorded natural_items HeardItems boundary_distance decision features_table",
        "Codes, letters, windows": "generate_speech read_codes emitted_letters letter_times drawn_window",
    },
    "layerstats.probes.maximization": {
        "Planning": "plan_maximization MaximizationPlan MaximizationSettings SETTINGS NULLS check_nulls",
        "Units": "Unit read_unit top_exemplars",
        "Priors": "Prior PRIORS NoPrior SmoothPrior SpectrumPrior AutoencoderPrior CiwganPrior open_prior usual_prior"
        " SpeechSpectrum speech_spectrum read_spectrum",
        "Going up": "ascend Ascent AscentSettings Objective start_seed start_table maximized_start",
        "What is kept": "write_outcomes Hearing hearing_of",
    },
    "layerstats.probes.relevance": {
        "Attribution": "attribute Attribution METHODS relevance_by_rules Propagated Rule register_rule",
        "How far maps can be trusted": "perturbation_curves replacement_values REPLACEMENTS speech_replacements"
        " randomised_networks RandomisedNetwork hear_windows HeardWindows spoken_stretches patches",
        "Operations of your own": "register_expansion register_routed watch_operations WatchedOperation OperationCall",
    },
    "layerstats.judges": {
        "Judging": "judge judge_speech hear_words record_judgements",
        "Judges": "open_judge JUDGES DEFAULT_JUDGES Judge JudgeOptions WordsClassifier WordRecogniser NetworkJudge"
        " People",
        "Judgements": "check_judgements JUDGEMENT_COLUMNS NOTHING",
    },
    "layerstats.store": {
        "Open and ask": "open_store Experiment describe phone_vectors check_store",
        "Put arrays in": "store_arrays store_table TABLE_KINDS",
        "Write recordings": "create_or_resume RecordingWriter LayerSpec VariableSpec usual_variables SUMMARIES"
        " SumWriter tokens_in_shard SHARD_TOKENS discard_unfinished",
        "Write outcomes and judgements": "OutcomeWriter outcome_variables starts_in_block JudgementWriter",
        "Names, versions, bytes": "recording_name untrained_name outcome_name content_hash upgrade_store"
        " missing_together without_checksums",
    },
    "layerstats.stats.gamm": {
        "Fit a model": "fit GammResult fit_many FitTask compare",
        "What a model says": "difference DifferenceResult derivatives DerivativesResult curves posterior_draws",
        "Formulas": "parse_formula Formula ParametricTerm SmoothTerm",
        "Engines": "Engine EngineFit CannotFit FitPlan FitRequest ModelRequest Design SmoothPart",
    },
    "layerstats.tables": {
        "Tables as people have them": "read_table check_ratings Answers ANSWER_COLUMNS PROBLEM_COLUMNS ROLES TASKS",
        "Tables of results": "write_table write_regression_table write_csv TableFiles text_table PrintedResult"
        " format_value escape_latex",
        "What columns mean": "glossary Glossary Column check_frame",
    },
    "layerstats.listening": {
        "Design a test": "make_design ListeningDesign ScalePoint read_design write_mturk MturkBatch write_page"
        " PageLinks write_praat reviewer_checklist",
        "Collect and read answers": "ListeningServer read_answers ReceivedAnswers FORMAT_NAMES",
        "Simulated raters": "simulate_answers RaterWorld has_simulated_raters",
    },
    "layerstats.report": {
        "One page of results": "Output write_page",
        "Answers of a listening test": "write_answers AnswerSettings ListenerOutput",
    },
    "layerstats.plots": {
        **QUESTIONS,
        "The sound above a curve": "sounds_above SoundsAbove",
        "Saving": "save_figure FigureFiles paper_theme",
    },
}
