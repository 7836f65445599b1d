"""Results as figures, one file a figure."""

from layerstats.plots.abx_by_layer import abx_by_layer
from layerstats.plots.aligned_maps import aligned_maps
from layerstats.plots.autocorrelation import autocorrelation
from layerstats.plots.bit_by_feature import bit_by_feature
from layerstats.plots.channel_effects import channel_effects
from layerstats.plots.code_arrows import code_arrows
from layerstats.plots.code_by_word import code_by_word
from layerstats.plots.condition_means import condition_means
from layerstats.plots.difference import difference
from layerstats.plots.displacement_by_margin import displacement_by_margin
from layerstats.plots.double_difference import double_difference
from layerstats.plots.effect_by_layer import effect_by_layer
from layerstats.plots.effect_by_network import effect_by_network
from layerstats.plots.exaggeration_curves import exaggeration_curves
from layerstats.plots.heard_classes import heard_classes
from layerstats.plots.heard_words import heard_words
from layerstats.plots.judge_agreement import judge_agreement
from layerstats.plots.ladder import ladder
from layerstats.plots.layer_series import layer_series
from layerstats.plots.lexical_measures import lexical_measures
from layerstats.plots.listener_means import listener_means
from layerstats.plots.map_trust import map_trust
from layerstats.plots.matrix_of_networks import matrix_of_networks
from layerstats.plots.maximized_features import maximized_features
from layerstats.plots.named_cues import named_cues
from layerstats.plots.optimal_inputs import optimal_inputs
from layerstats.plots.path_similarity import path_similarity
from layerstats.plots.pattern_profiles import pattern_profiles
from layerstats.plots.phone_curves import phone_curves
from layerstats.plots.phone_shares import phone_shares
from layerstats.plots.probe_by_layer import probe_by_layer
from layerstats.plots.rater_means import rater_means
from layerstats.plots.rating_contrasts import rating_contrasts
from layerstats.plots.rating_shares import rating_shares
from layerstats.plots.raw_series import raw_series
from layerstats.plots.receptive_field import receptive_field
from layerstats.plots.relevance_map import relevance_map
from layerstats.plots.residual_checks import residual_checks
from layerstats.plots.save import FigureFiles, save_figure
from layerstats.plots.sensitivity_points import sensitivity_points
from layerstats.plots.set_up_differences import set_up_differences
from layerstats.plots.similarity_matrix import similarity_matrix
from layerstats.plots.smooths import smooths
from layerstats.plots.sounds_above import SoundsAbove, sounds_above
from layerstats.plots.success_by_class import success_by_class
from layerstats.plots.theme import paper_theme
from layerstats.plots.training_curves import training_curves
from layerstats.plots.variance_shares import variance_shares

__all__ = [
    "FigureFiles",
    "SoundsAbove",
    "abx_by_layer",
    "aligned_maps",
    "autocorrelation",
    "bit_by_feature",
    "channel_effects",
    "code_arrows",
    "code_by_word",
    "condition_means",
    "difference",
    "displacement_by_margin",
    "double_difference",
    "effect_by_layer",
    "effect_by_network",
    "exaggeration_curves",
    "heard_classes",
    "heard_words",
    "judge_agreement",
    "ladder",
    "layer_series",
    "lexical_measures",
    "listener_means",
    "map_trust",
    "matrix_of_networks",
    "maximized_features",
    "named_cues",
    "optimal_inputs",
    "paper_theme",
    "path_similarity",
    "pattern_profiles",
    "phone_curves",
    "phone_shares",
    "probe_by_layer",
    "rater_means",
    "rating_contrasts",
    "rating_shares",
    "raw_series",
    "receptive_field",
    "relevance_map",
    "residual_checks",
    "save_figure",
    "sensitivity_points",
    "set_up_differences",
    "similarity_matrix",
    "smooths",
    "sounds_above",
    "success_by_class",
    "training_curves",
    "variance_shares",
]
