"""What a folder of results holds, as a small JSON file beside the results."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from layerstats.errors import LayerstatsError
from layerstats.files import explaining
from layerstats.report.claimed import Claimed, as_json, from_json
from layerstats.report.sounds import TokenSound

NAME = "manifest.json"
SCHEMA = 2
# Before folders had claims.
READ = (1, SCHEMA)


@dataclass(frozen=True)
class Entry:
    """One table, figure, note or set of sounds of a folder.

    `files` maps a format (csv, latex, html, png, svg) to a file name in the folder; `width` is a figure's, in inches;
    `rows` the number of rows of a table; `sounds` what an entry of sounds plays, the files of which are in `files` too.
    """

    kind: Literal["table", "figure", "text", "sounds"]
    name: str
    title: str
    caption: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    alt: str = ""
    width: float = 0.0
    rows: int = 0
    sounds: tuple[TokenSound, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """The entries of a folder in their order, what it claims, its title, and facts about how it was made."""

    title: str = ""
    entries: tuple[Entry, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    claims: Claimed = field(default_factory=Claimed)

    def with_entry(self, entry: Entry) -> Manifest:
        """Return a manifest in which `entry` stands where an entry of its name stood, or else at the end.

        Examples
        --------
        >>> first = Manifest().with_entry(Entry("text", "note", "A note")).with_entry(Entry("text", "end", "The end"))
        >>> [entry.title for entry in first.with_entry(Entry("text", "note", "Another note")).entries]
        ['Another note', 'The end']
        """
        names = [known.name for known in self.entries]
        if entry.name not in names:
            return replace(self, entries=(*self.entries, entry))
        return replace(self, entries=tuple(entry if known.name == entry.name else known for known in self.entries))


def read_manifest(directory: Path) -> Manifest | None:
    """Return the manifest of a folder, or None where there is none.

    Raises
    ------
    LayerstatsError
        If the file is damaged or of another version.
    """
    path = directory / NAME
    if not path.exists():
        return None
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] not in READ:
            raise LayerstatsError(
                f"{path} has schema version {data['schema']!r}, but this version of layerstats reads "
                f"{' and '.join(map(str, READ))}. Delete it and run the analysis again."
            )
        entries = tuple(map(_entry, data["entries"]))
        claims = Claimed() if data["schema"] == 1 else from_json(data["claims"])
        return Manifest(data["title"], entries, data["provenance"], claims)
    except (json.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise LayerstatsError(
            f"{path} is damaged ({type(error).__name__}: {error}). Delete it and run the analysis again."
        ) from error


def _entry(data: dict[str, Any]) -> Entry:
    sounds = [
        TokenSound(**{**each, "low": tuple(each["low"]), "high": tuple(each["high"]), "phones": tuple(each["phones"])})
        for each in data.get("sounds", ())
    ]
    return Entry(**{**data, "sounds": tuple(sounds)})


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Write the manifest of a folder; whoever reads at the same time sees the old one or the new one."""
    data = {"schema": SCHEMA, **asdict(replace(manifest, claims=Claimed())), "claims": as_json(manifest.claims)}
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    with explaining(directory / NAME):
        handle, temporary = tempfile.mkstemp(dir=directory, prefix=f".{NAME}-", text=True)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text + "\n")
            os.chmod(temporary, 0o644)  # mkstemp's files are for their owner alone
            os.replace(temporary, directory / NAME)
        finally:
            Path(temporary).unlink(missing_ok=True)
