"""The formats that answers are read from, a line each, in the order in which files are tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from layerstats.checks import check_choice
from layerstats.errors import DataError
from layerstats.listening.formats.jspsych import is_jspsych, parse_jspsych
from layerstats.listening.formats.long_table import is_table, parse_table
from layerstats.listening.formats.mturk import is_mturk, parse_mturk
from layerstats.listening.formats.own_page import is_page, parse_page
from layerstats.listening.formats.p808 import is_p808, parse_p808
from layerstats.listening.formats.parsed import Declared, Parsed
from layerstats.listening.formats.praat_results import is_praat, parse_praat
from layerstats.listening.formats.psychopy import is_psychopy, parse_psychopy
from layerstats.listening.formats.source import Source
from layerstats.listening.formats.webmushra import is_webmushra, parse_webmushra


@dataclass(frozen=True)
class AnswerFormat:
    """One format of answers.

    Attributes
    ----------
    name
        What it is called.
    recognise
        Whether a file is of it.
    parse
        Takes the answers of a file.
    """

    name: str
    recognise: Callable[[Source], bool]
    parse: Callable[[Source, Declared], Parsed]


FORMATS = (
    AnswerFormat("page", is_page, parse_page),
    AnswerFormat("p808", is_p808, parse_p808),
    AnswerFormat("mturk", is_mturk, parse_mturk),
    AnswerFormat("webmushra", is_webmushra, parse_webmushra),
    AnswerFormat("praat", is_praat, parse_praat),
    AnswerFormat("psychopy", is_psychopy, parse_psychopy),
    AnswerFormat("jspsych", is_jspsych, parse_jspsych),
    AnswerFormat("table", is_table, parse_table),
)
FORMAT_NAMES = tuple(one.name for one in FORMATS)


def format_of(source: Source, name: str) -> AnswerFormat:
    """Return the format of a file: the one that was said, or the first that recognises it.

    Raises
    ------
    ArgumentError
        There is no format of that name.
    DataError
        No format recognises the file.
    """
    check_choice("format", name, ("auto", *FORMAT_NAMES))
    for one in FORMATS:
        if name == one.name or (name == "auto" and one.recognise(source)):
            return one
    raise DataError(f"{source.name!r} cannot be read as answers: its JSON is of no format that is known.")
