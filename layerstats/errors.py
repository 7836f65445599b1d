"""The exceptions that layerstats raises, so that a script can catch what it can mend."""

from __future__ import annotations


class LayerstatsError(Exception):
    """Base class of every error that layerstats raises on purpose."""


class ArgumentError(LayerstatsError, ValueError):
    """An argument has a value that is not allowed."""


class UnsupportedModelError(ArgumentError):
    """The engine that was asked for does not fit models of this kind."""


class MissingFileError(LayerstatsError, FileNotFoundError):
    """A file that was named does not exist."""


class DataError(LayerstatsError, ValueError):
    """A table cannot be analysed as it stands: missing columns, missing values, duplicated rows."""


class AudioError(LayerstatsError, ValueError):
    """A sound file is corrupt, empty, silent or not of the kind that was asked for."""


class CorpusError(LayerstatsError, ValueError):
    """A corpus is incomplete or its labels and audio disagree."""


class FormulaError(LayerstatsError, ValueError):
    """A model formula has a syntax error or names something that does not exist."""


class StoreError(LayerstatsError, ValueError):
    """A store is unfinished, damaged or of a schema that this version cannot read."""


class OtherRecordingError(StoreError):
    """A store holds something else under this name already."""


class NetworkError(LayerstatsError, RuntimeError):
    """A network failed when it was run, or cannot be recorded as it is."""


class FileError(LayerstatsError, OSError):
    """A file cannot be written: no space is left, or it is not allowed there."""


class WorkerError(LayerstatsError, RuntimeError):
    """Worker processes, or the scheduler of a cluster, ended, cannot be reached, or have other versions."""


class FitError(LayerstatsError, RuntimeError):
    """A model could not be fitted."""


class RError(FitError):
    """R reported an error."""


class RMemoryError(RError):
    """R ran out of memory."""


class RCrashError(RError):
    """The R process ended in the middle of a call."""


class RTimeoutError(RError):
    """A call to R took longer than it may."""


class MissingDependencyError(LayerstatsError, ImportError):
    """An optional dependency (a Python package, or R) is needed for this and is not installed."""


class RNotFoundError(MissingDependencyError, RError):
    """R, or an R package that is needed, is not installed."""


__all__ = [
    "ArgumentError",
    "AudioError",
    "CorpusError",
    "DataError",
    "FileError",
    "FitError",
    "FormulaError",
    "LayerstatsError",
    "MissingDependencyError",
    "MissingFileError",
    "NetworkError",
    "OtherRecordingError",
    "RCrashError",
    "RError",
    "RMemoryError",
    "RNotFoundError",
    "RTimeoutError",
    "StoreError",
    "UnsupportedModelError",
    "WorkerError",
]
