"""The store: recordings of networks as one Zarr directory, written in shards, queried lazily."""

from layerstats.store.arrays import store_arrays
from layerstats.store.check import check_store, without_checksums
from layerstats.store.create import create_or_resume
from layerstats.store.discard import discard_unfinished
from layerstats.store.experiment import Experiment, open_store
from layerstats.store.hashing import content_hash
from layerstats.store.info import describe
from layerstats.store.judgement_writer import JudgementWriter
from layerstats.store.layer_spec import LayerSpec, VariableSpec, usual_variables
from layerstats.store.layout import recording_name, untrained_name
from layerstats.store.outcome_writer import OutcomeWriter, outcome_name, outcome_variables
from layerstats.store.result_tables import TABLE_KINDS, store_table
from layerstats.store.schema import SUMMARIES
from layerstats.store.sharded_writer import missing_together
from layerstats.store.shards import SHARD_TOKENS, starts_in_block, tokens_in_shard
from layerstats.store.sum_writer import SumWriter
from layerstats.store.upgrade import upgrade_store
from layerstats.store.vectors import phone_vectors
from layerstats.store.writer import RecordingWriter

__all__ = [
    "SHARD_TOKENS",
    "SUMMARIES",
    "TABLE_KINDS",
    "Experiment",
    "JudgementWriter",
    "LayerSpec",
    "OutcomeWriter",
    "RecordingWriter",
    "SumWriter",
    "VariableSpec",
    "check_store",
    "content_hash",
    "create_or_resume",
    "describe",
    "discard_unfinished",
    "missing_together",
    "open_store",
    "outcome_name",
    "outcome_variables",
    "phone_vectors",
    "recording_name",
    "starts_in_block",
    "store_arrays",
    "store_table",
    "tokens_in_shard",
    "untrained_name",
    "upgrade_store",
    "usual_variables",
    "without_checksums",
]
