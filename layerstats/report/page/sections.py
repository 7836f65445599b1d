"""The folders of a page: their figures and notes, and their tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from layerstats.report.manifest import Entry, Manifest
from layerstats.report.page.embedded import LARGEST_SOUND, picture_size, picture_uri, sound_uri, table_uri
from layerstats.report.page.shown_table import ShownTable, shown_table
from layerstats.report.page.waveform import draw_waveform
from layerstats.report.sounds import TokenSound
from layerstats.tables.html import fragment_of

# What the page shows by itself.
CLAIMS = "claims"
LINKS = {
    "csv": "CSV",
    "latex": "LaTeX",
    "html": "HTML",
    "png": "PNG",
    "svg": "SVG",
    "sensitivity": "CSV of other choices",
}


@dataclass(frozen=True)
class FileLink:
    """A file beside the page, or inside it under the name `download`."""

    label: str
    address: str
    download: str = ""


@dataclass(frozen=True)
class Player:
    """A token's sound: its picture, and its `address`, empty where it is not played and `note` says why."""

    heard: TokenSound
    picture: Markup
    address: str
    note: str


@dataclass(frozen=True)
class Item:
    """An entry as the page shows it; `width` and `height` are a figure's in pixels of the page."""

    entry: Entry
    identifier: str
    links: tuple[FileLink, ...]
    paragraphs: tuple[str, ...]
    source: str = ""
    width: int = 0
    height: int = 0
    table: ShownTable | None = None
    players: tuple[Player, ...] = ()


@dataclass(frozen=True)
class Section:
    """A folder as the page shows it; without items where an expected folder holds nothing."""

    identifier: str
    title: str
    shown: tuple[Item, ...]
    tables: tuple[Item, ...]
    claim_links: tuple[FileLink, ...]
    provenance: Mapping[str, str]

    @property
    def said(self) -> str:
        """How many figures, tables and notes there are."""
        kinds = [item.entry.kind for item in (*self.shown, *self.tables) for _ in item.players or (item,)]
        names = {"figure": "figure", "table": "table", "text": "note", "sounds": "sound"}
        counts = [(kinds.count(kind), name) for kind, name in names.items()]
        return ", ".join(f"{count} {name}{'s' * (count != 1)}" for count, name in counts if count) or "nothing"

    @property
    def places(self) -> dict[str, tuple[str, str]]:
        """Where each entry stands on the page, and its title, by name; a table of a figure's title is named as one."""
        drawn = {item.entry.title for item in self.shown}
        places = {}
        for item in (*self.shown, *self.tables):
            alike = item.table is not None and item.entry.title in drawn
            places[item.entry.name] = (f"#{item.identifier}", item.entry.title + " (table)" * alike)
        return places


def section_of(directory: Path, folder: str, manifest: Manifest, *, single_file: bool) -> Section:
    """Return a folder of results as the page shows it; entries whose files were deleted since are left out."""
    identifier = identifier_of(folder or "results")
    place, prefix = directory / folder, quote(f"{folder}/") if folder else ""
    there = [entry for entry in manifest.entries if all((place / name).exists() for name in entry.files.values())]
    items = [_item(place, prefix, identifier, entry, single_file) for entry in there if not _is_claims(entry, manifest)]
    claims = [_links(place, prefix, entry, single_file) for entry in there if _is_claims(entry, manifest)]
    return Section(
        identifier,
        manifest.title or folder,
        tuple(item for item in items if item.table is None),
        tuple(item for item in items if item.table is not None),
        claims[0] if claims else (),
        manifest.provenance,
    )


def identifier_of(name: str) -> str:
    """Return what a name is called in addresses within the page.

    Examples
    --------
    >>> identifier_of("my phones")
    'my-phones'
    """
    return re.sub(r"\W+", "-", name)


def paragraphs_of(text: str) -> tuple[str, ...]:
    """Return the paragraphs of a text, which empty lines part."""
    return tuple(part.strip() for part in text.split("\n\n") if part.strip())


def _is_claims(entry: Entry, manifest: Manifest) -> bool:
    return entry.name == CLAIMS and bool(manifest.claims.table)


def _item(folder: Path, prefix: str, section: str, entry: Entry, single_file: bool) -> Item:
    common = {
        "entry": entry,
        "identifier": f"{section}-{identifier_of(entry.name)}",
        "links": _links(folder, prefix, entry, single_file),
        "paragraphs": paragraphs_of(entry.caption),
    }
    if entry.kind == "table":
        fragment = fragment_of((folder / entry.files["html"]).read_text(encoding="utf-8"))
        return Item(**common, table=shown_table(fragment, entry.rows))
    if entry.kind == "text":
        return Item(**common)
    if entry.kind == "sounds":
        return Item(**common, players=tuple(_player(folder, prefix, each, single_file) for each in entry.sounds))
    picture = folder / entry.files["png"]
    across, down = picture_size(picture)
    # 96 pixels an inch, as browsers have it.
    width = round(entry.width * 96)
    height = round(width * down / across) if across else 0
    source = picture_uri(picture) if single_file else prefix + quote(entry.files["png"])
    return Item(**common, source=source, width=width, height=height)


def _player(folder: Path, prefix: str, heard: TokenSound, single_file: bool) -> Player:
    """Return a sound that stands in the folder itself; one that was deleted since is not played."""
    picture = draw_waveform(heard) if heard.duration_s else Markup()
    file = folder / Path(heard.file).name
    if not heard.file or not file.exists():
        return Player(heard, picture, "", heard.note)
    if not single_file:
        return Player(heard, picture, prefix + quote(file.name), heard.note)
    address = sound_uri(file) or ""
    left_out = "" if address else f"Sounds of more than {LARGEST_SOUND // 1000} kB are not inside this page."
    return Player(heard, picture, address, f"{heard.note} {left_out}".strip())


def _links(folder: Path, prefix: str, entry: Entry, single_file: bool) -> tuple[FileLink, ...]:
    if not single_file:
        return tuple(FileLink(LINKS[kind], prefix + quote(name)) for kind, name in entry.files.items())
    tables: Sequence[tuple[str, str]] = [
        (kind, name) for kind, name in entry.files.items() if kind in ("csv", "sensitivity")
    ]
    inside = [(kind, name, table_uri(folder / name)) for kind, name in tables]
    stem = identifier_of(prefix.rstrip("/"))
    return tuple(
        FileLink(LINKS[kind], address, f"{stem}-{name}" if stem else name) for kind, name, address in inside if address
    )
