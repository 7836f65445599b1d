"""Networks and speech in, a store out. Importing this room imports torch."""

from layerstats.probes.acoustics import record_acoustics
from layerstats.probes.activations import Activation, record_activations
from layerstats.probes.beside_natural import record_beside_natural
from layerstats.probes.boundary import boundary_distance
from layerstats.probes.codes import read_codes
from layerstats.probes.forecast.forecasting import Forecast, forecast_recording
from layerstats.probes.generate import generate_speech
from layerstats.probes.gradients import Gradient, decision
from layerstats.probes.heard_items import HeardItems, natural_items, outcome_items
from layerstats.probes.layers.axes import maps, series
from layerstats.probes.layers.geometry import Grid
from layerstats.probes.maximization import (
    features_table,
    make_again,
    maximize_activations,
    maximize_ladder,
    record_nulls,
    rendered,
    strongest_units,
)
from layerstats.probes.network import network_attributes
from layerstats.probes.outcome_speech import outcome_speech
from layerstats.probes.quantity import Quantity, Variable
from layerstats.probes.record_heard import record_heard
from layerstats.probes.recording.plan import RecordingPlan, ShardReport, record_shard
from layerstats.probes.recording.recorder import plan_recording, record
from layerstats.probes.relevance import (
    RecordedMaps,
    Relevance,
    clip_maps,
    drawn_window,
    emitted_letters,
    hear_recorded,
    letter_maps,
    letter_times,
    record_letter_relevance,
    record_relevance,
)
from layerstats.probes.untrained import record_untrained

__all__ = [
    "Activation",
    "Forecast",
    "Gradient",
    "Grid",
    "HeardItems",
    "Quantity",
    "RecordedMaps",
    "RecordingPlan",
    "Relevance",
    "ShardReport",
    "Variable",
    "boundary_distance",
    "clip_maps",
    "decision",
    "drawn_window",
    "emitted_letters",
    "features_table",
    "forecast_recording",
    "generate_speech",
    "hear_recorded",
    "letter_maps",
    "letter_times",
    "make_again",
    "maps",
    "maximize_activations",
    "maximize_ladder",
    "natural_items",
    "network_attributes",
    "outcome_items",
    "outcome_speech",
    "plan_recording",
    "read_codes",
    "record",
    "record_acoustics",
    "record_activations",
    "record_beside_natural",
    "record_heard",
    "record_letter_relevance",
    "record_nulls",
    "record_relevance",
    "record_shard",
    "record_untrained",
    "rendered",
    "series",
    "strongest_units",
]
