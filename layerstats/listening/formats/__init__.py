"""Answers from whatever collected them, one file a format, one registry; and tests written for other programs."""

from layerstats.listening.formats.read_answers import read_answers
from layerstats.listening.formats.registry import FORMAT_NAMES

__all__ = ["FORMAT_NAMES", "read_answers"]
