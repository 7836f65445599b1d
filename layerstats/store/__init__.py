"""The store: recordings of networks as one Zarr directory, written in chunks, queried lazily."""

from layerstats.store.arrays import store_arrays
from layerstats.store.check import check_store, without_checksums
from layerstats.store.create import create_or_resume
from layerstats.store.experiment import Experiment, open_store
from layerstats.store.hashing import content_hash
from layerstats.store.info import describe
from layerstats.store.layer_spec import LayerSpec
from layerstats.store.result_tables import TABLE_KINDS, store_table
from layerstats.store.schema import SUMMARIES
from layerstats.store.writer import RecordingWriter

__all__ = [
    "SUMMARIES",
    "TABLE_KINDS",
    "Experiment",
    "LayerSpec",
    "RecordingWriter",
    "check_store",
    "content_hash",
    "create_or_resume",
    "describe",
    "open_store",
    "store_arrays",
    "store_table",
    "without_checksums",
]
