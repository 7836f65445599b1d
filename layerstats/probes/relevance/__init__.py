"""What an answer of a network rests on: sensitivity and relevance of its layers and of its input."""

from layerstats.probes.relevance.attribute import METHODS, attribute
from layerstats.probes.relevance.attribution import Attribution
from layerstats.probes.relevance.letter_times import letter_times
from layerstats.probes.relevance.occlusion import patches, spoken_stretches
from layerstats.probes.relevance.operations.call import OperationCall
from layerstats.probes.relevance.operations.registry import register_expansion, register_routed, register_rule
from layerstats.probes.relevance.propagate import Propagated, WatchedOperation, relevance_by_rules, watch_operations
from layerstats.probes.relevance.quantity import Relevance
from layerstats.probes.relevance.record import record_letter_relevance, record_relevance
from layerstats.probes.relevance.replacements import REPLACEMENTS, replacement_values
from layerstats.probes.relevance.rules import Rule
from layerstats.probes.relevance.spectrogram_maps import clip_maps, letter_maps
from layerstats.probes.relevance.trust import (
    HeardWindows,
    RandomisedNetwork,
    RecordedMaps,
    hear_recorded,
    hear_windows,
    perturbation_curves,
    randomised_networks,
    speech_replacements,
)
from layerstats.probes.relevance.windows import drawn_window, emitted_letters

__all__ = [
    "METHODS",
    "REPLACEMENTS",
    "Attribution",
    "HeardWindows",
    "OperationCall",
    "Propagated",
    "RandomisedNetwork",
    "RecordedMaps",
    "Relevance",
    "Rule",
    "WatchedOperation",
    "attribute",
    "clip_maps",
    "drawn_window",
    "emitted_letters",
    "hear_recorded",
    "hear_windows",
    "letter_maps",
    "letter_times",
    "patches",
    "perturbation_curves",
    "randomised_networks",
    "record_letter_relevance",
    "record_relevance",
    "register_expansion",
    "register_routed",
    "register_rule",
    "relevance_by_rules",
    "replacement_values",
    "speech_replacements",
    "spoken_stretches",
    "watch_operations",
]
