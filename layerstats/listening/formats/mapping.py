"""Which column of a file holds what, as its reader declares it."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from layerstats.checks import check_columns
from layerstats.errors import ArgumentError, DataError
from layerstats.tables.answers import ANSWER_COLUMNS

# Entries of a mapping that are no columns.
LABELS, CLIP_PATTERN = "labels", "clip_pattern"
# What errors end with that ask for a mapping.
IN_A_FILE = " (on the command line a JSON or TOML file: --mapping)"


@dataclass(frozen=True)
class ColumnMapping:
    """What a reader declares of a file.

    Attributes
    ----------
    columns
        Column of the file by what it holds: `rater`, `clip`, `rating`, `response`, `expected`, ..., or a column of the
        clips' own. A list names a column a clip, where a row holds several.
    labels
        Ratings by what stands in the file.
    clip_pattern
        Regular expression whose named groups, found in a clip's name, become columns.
    """

    columns: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    labels: Mapping[str, float] = field(default_factory=dict)
    clip_pattern: str | None = None

    @property
    def used(self) -> set[str]:
        """Columns of the file that are declared."""
        return {one for entry in self.columns.values() for one in _listed(entry)}

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def check(self, cells: pd.DataFrame, what: str) -> None:
        """Raise `DataError` naming the declared columns that a file lacks."""
        check_columns(cells, sorted(self.used), what)

    def own_columns(self, cells: pd.DataFrame, known: Collection[str], what: str) -> dict[str, list[str]]:
        """Return the declared columns of a format that knows its answers by itself, by what they hold.

        Parameters
        ----------
        cells : DataFrame
            Text.
        known : collection of str
            What the format says by itself, which cannot be declared.
        what : str
            What the file is called in messages.

        Raises
        ------
        ArgumentError
            Something is declared that the format says by itself, or a list of columns.
        """
        self.check(cells, what)
        for name, entry in self.columns.items():
            if name in known or not isinstance(entry, str):
                raise ArgumentError(
                    f"The format of {what} says by itself what {', '.join(known)} are; a mapping may name a column "
                    f"for each of other things, but got {name!r}: {entry!r}."
                )
        return {name: cells[str(entry)].tolist() for name, entry in self.columns.items()}

    def long(self, cells: pd.DataFrame, defaults: Mapping[str, str | Sequence[str]], what: str) -> pd.DataFrame:
        """Return a row an answer, of cells that hold one or several a row.

        Parameters
        ----------
        cells : DataFrame
            Text; its index counts rows of the file.
        defaults : mapping
            What a format knows of its columns; what is declared goes before.
        what : str
            What the file is called in messages.

        Returns
        -------
        DataFrame
            The columns that are known, and `source_row`.
        """
        self.check(cells, what)
        known = {name: entry for name, entry in defaults.items() if name not in self.columns}
        if {"rating", "response"} & set(self.columns):
            known = {name: entry for name, entry in known.items() if name not in ("rating", "response", "answer")}
        columns = {**known, **self.columns}
        counts = {len(entry) for entry in columns.values() if not isinstance(entry, str)}
        if len(counts) > 1:
            shown = ", ".join(f"{name}: {len(entry)}" for name, entry in columns.items() if not isinstance(entry, str))
            raise ArgumentError(f"Lists of a mapping name a column a clip and must be equally long, but got {shown}.")
        several = counts.pop() if counts else 1
        if several == 1 and all(name == entry for name, entry in columns.items()):
            # Nothing is called otherwise than it is: the quick way for folders of thousands of files.
            return pd.DataFrame(cells[list(columns)]).assign(source_row=cells.index).reset_index(drop=True)
        parts = []
        for place in range(several):
            part = pd.DataFrame(
                {name: cells[entry if isinstance(entry, str) else entry[place]] for name, entry in columns.items()},
                index=cells.index,
            )
            if several > 1 and "position" not in columns:
                part["position"] = str(place + 1)
            parts.append(part.assign(source_row=cells.index))
        return pd.concat(parts).sort_values("source_row", kind="stable", ignore_index=True)


def read_mapping(mapping: Mapping[str, Any] | str | Path | None) -> ColumnMapping:
    """Take a mapping, or read it from a TOML or JSON file.

    Parameters
    ----------
    mapping : mapping or path, optional
        What the columns hold: ``{"rater": "JUDGE", "clip": "WAV_PATH", "rating": "MOS"}``; ``labels``, ratings by what
        stands in the file; ``clip_pattern``, a regular expression.

    Raises
    ------
    ArgumentError
        It is no mapping of that kind.
    DataError
        There is no such file, or it cannot be read.

    Examples
    --------
    >>> read_mapping({"rater": "JUDGE", "labels": {"fine": 4}}).labels
    {'fine': 4.0}
    """
    if mapping is None:
        return ColumnMapping()
    given = _read_file(Path(mapping)) if isinstance(mapping, str | Path) else mapping
    if not isinstance(given, Mapping):
        raise ArgumentError(f"A mapping says which column holds what, but got {given!r}.")
    labels = given.get(LABELS, {})
    if not isinstance(labels, Mapping) or not all(_is_number(value) for value in labels.values()):
        raise ArgumentError(f"{LABELS!r} of a mapping must give a number for each label, but got {labels!r}.")
    pattern = given.get(CLIP_PATTERN)
    if pattern is not None:
        _check_pattern(pattern)
    columns = {name: entry for name, entry in given.items() if name not in (LABELS, CLIP_PATTERN)}
    for name, entry in columns.items():
        if not _listed(entry) or not all(isinstance(one, str) for one in _listed(entry)):
            raise ArgumentError(
                f"A mapping gives the name of a column, or a list of such, but {name!r} has {entry!r}. It may name "
                f"{', '.join(ANSWER_COLUMNS[:-2])} and columns of the clips' own."
            )
    return ColumnMapping(
        {name: entry if isinstance(entry, str) else tuple(entry) for name, entry in columns.items()},
        {str(label): float(value) for label, value in labels.items()},
        pattern,
    )


def with_pattern(table: pd.DataFrame, pattern: str | None) -> pd.DataFrame:
    """Return answers with a column for every named group that a pattern finds in `clip`.

    Raises
    ------
    DataError
        A clip's name does not have the pattern.
    """
    if pattern is None:
        return table
    clips = table["clip"].drop_duplicates()
    found = [re.search(pattern, clip) for clip in clips]
    bad = [clip for clip, match in zip(clips, found, strict=True) if match is None]
    if bad:
        raise DataError(
            f"The clip_pattern {pattern!r} is not in {len(bad)} of {len(clips)} clips, the first {bad[0]!r}."
        )
    groups = pd.DataFrame([match.groupdict() for match in found if match], index=pd.Index(clips))
    return table.assign(**{name: groups[name].reindex(table["clip"]).to_numpy() for name in groups})


def _read_file(path: Path) -> Any:
    if not path.is_file():
        raise DataError(f"There is no file {str(path)!r}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
        return json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"The mapping {str(path)!r} cannot be read: {error}.") from None


def _check_pattern(pattern: object) -> None:
    try:
        groups = re.compile(str(pattern)).groupindex
    except re.error as error:
        raise ArgumentError(f"Invalid {CLIP_PATTERN} {pattern!r}: it is no regular expression ({error}).") from None
    if not groups:
        raise ArgumentError(f"Invalid {CLIP_PATTERN} {pattern!r}: it has no named group, such as (?P<system>[A-Z]+).")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _listed(entry: Any) -> Sequence[Any]:
    return [entry] if isinstance(entry, str) else list(entry) if isinstance(entry, Sequence) else []
