"""Whose speech a recording is: by its folder, its name, its tiers, or a table."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path, PurePosixPath

import pandas as pd

from layerstats.checks import check_columns
from layerstats.corpora.folders import AUDIO_SUFFIXES, composed, read_text
from layerstats.corpora.pairs import Pair
from layerstats.corpora.praat import TextGrid
from layerstats.corpora.tiers import AUTO, intervals_of
from layerstats.errors import ArgumentError, CorpusError

# Of a recording, its TextGrid, the speaker that the tier's name tells, and the middle of the word in its own time.
SpeakerOf = Callable[[Pair, TextGrid, "str | None", float], str]
_RULES = "'auto', 'folder', 'prefix', 'tier', 'tier:NAME', 'table:FILE'"


def speaker_rule(speaker: str, folder: Path) -> SpeakerOf:
    """Return the function that says who speaks.

    Parameters
    ----------
    speaker : str
        "auto", "folder", "prefix", "tier", "tier:NAME" or "table:FILE"; see `read_textgrids`.
    folder : Path
        The corpus, in which a table is looked for first.

    Raises
    ------
    ArgumentError
        If there is no such rule.
    CorpusError
        If the table cannot be read.
    """
    rule, _, name = str(speaker).partition(":")
    if rule == "tier" and name:
        return lambda pair, grid, said, at: _in_tier(grid, name, at)
    if rule == "table" and name:
        known = _read_table(folder / name if (folder / name).is_file() else Path(name).expanduser())
        return lambda pair, grid, said, at: _in_table(known, pair, name)
    rules: dict[str, SpeakerOf] = {
        AUTO: lambda pair, grid, said, at: pair.folder if said is None else said,
        "folder": lambda pair, grid, said, at: pair.folder,
        "prefix": lambda pair, grid, said, at: composed(re.split(r"[_-]", pair.audio.stem)[0]),
        "tier": _of_tier,
    }
    if speaker not in rules:
        raise ArgumentError(
            f"Invalid value for the 'speaker' parameter. Allowed values are {_RULES}, but got {speaker!r} instead."
        )
    return rules[speaker]


def _of_tier(pair: Pair, grid: TextGrid, said: str | None, at: float) -> str:
    if said is None:
        raise CorpusError(
            f"The tiers of {grid.path} do not tell a speaker, as 'S1 - words' does. Say who speaks by folder, prefix, "
            "tier:NAME or table:FILE."
        )
    return said


def _in_tier(grid: TextGrid, name: str, at: float) -> str:
    label = next((one.text for one in intervals_of(grid, name) if one.start_s <= at < one.stop_s and one.text), None)
    if label is None:
        raise CorpusError(f"The tier {name!r} of {grid.path} does not say who speaks at {at:.3f} s.")
    return label


def _read_table(file: Path) -> dict[str, str]:
    if not file.is_file():
        raise CorpusError(f"There is no table {file} of recordings and speakers.")
    try:
        text = StringIO(read_text(file)[0])
        table = pd.read_csv(text, sep=None, engine="python", dtype="str", keep_default_na=False, skipinitialspace=True)
    except (ValueError, csv.Error) as error:
        raise CorpusError(f"Cannot read the table {file} of recordings and speakers: {error}") from error
    table.columns = [str(name).strip().lower() for name in table.columns]
    check_columns(table, ("recording", "speaker"), f"{file}")
    known: dict[str, str] = {}
    for name, who in zip(table["recording"], table["speaker"], strict=True):
        key, told = _key(str(name)), composed(str(who).strip())
        if not told:
            raise CorpusError(f"The table {file} has no speaker for the recording {name!r}. Fill it in.")
        if known.setdefault(key, told) != told:
            raise CorpusError(
                f"The table {file} has two speakers for the recording {name!r}, {known[key]!r} and {told!r}. Take one "
                "out; recordings of the same name in several folders are told apart as FOLDER/NAME."
            )
    return known


def _key(name: str) -> str:
    """Name of a recording without its suffix."""
    path = PurePosixPath(composed(name.strip()).replace("\\", "/"))
    return str(path.with_suffix("") if path.suffix.lower() in (*AUDIO_SUFFIXES, ".textgrid") else path)


def _in_table(known: dict[str, str], pair: Pair, name: str) -> str:
    parts = composed(pair.audio.with_suffix("").as_posix()).split("/")
    for length in range(len(parts), 0, -1):
        if "/".join(parts[-length:]) in known:
            return known["/".join(parts[-length:])]
    raise CorpusError(f"The table {name} has no row for the recording {pair.audio.name}.")
