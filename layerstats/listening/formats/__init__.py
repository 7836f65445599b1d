"""Answers from whatever collected them, one file a format, one registry; and tests written for other programs."""

from layerstats.listening.formats.read_answers import read_answers
from layerstats.listening.formats.registry import FORMAT_NAMES
from layerstats.listening.formats.write_mturk import MturkBatch, write_mturk
from layerstats.listening.formats.write_praat import write_praat

__all__ = ["FORMAT_NAMES", "MturkBatch", "read_answers", "write_mturk", "write_praat"]
