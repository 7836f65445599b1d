"""The store: recordings of networks as one Zarr directory, written in chunks, queried lazily."""

from layerstats.store.create import create_or_resume
from layerstats.store.hashing import content_hash
from layerstats.store.writer import LayerSpec, RecordingWriter

__all__ = ["LayerSpec", "RecordingWriter", "content_hash", "create_or_resume"]
