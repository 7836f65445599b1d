"""One page of everything that was made."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from layerstats.errors import ArgumentError
from layerstats.files import replacing
from layerstats.report.manifest import Entry, Manifest, read_manifest
from layerstats.tables.html import fragment_of

# Tables with more rows than this scroll in a box.
ROWS_IN_VIEW = 25

PACKAGES = ("layerstats", "numpy", "pandas", "plotnine", "great-tables")
LINKS = {
    "csv": "CSV",
    "latex": "LaTeX",
    "html": "HTML",
    "png": "PNG",
    "svg": "SVG",
    "sensitivity": "CSV of other choices",
}


@dataclass(frozen=True)
class Item:
    """An entry as the page shows it."""

    entry: Entry
    identifier: str
    links: tuple[tuple[str, str], ...]
    source: str
    table: str
    paragraphs: tuple[str, ...]

    @property
    def long(self) -> bool:
        """Whether the table scrolls in a box."""
        return self.entry.rows > ROWS_IN_VIEW

    @property
    def pixels(self) -> int:
        """Width of a figure on the page: 96 pixels an inch, as browsers have it."""
        return round(self.entry.width * 96)


@dataclass(frozen=True)
class Section:
    """A folder as the page shows it; `items` is empty where an expected folder holds nothing."""

    identifier: str
    title: str
    items: tuple[Item, ...]
    provenance: Mapping[str, str]


def write_page(
    directory: str | Path,
    title: str,
    *,
    sections: Sequence[str] = (),
    introduction: str = "",
    links: Mapping[str, str] | None = None,
    provenance: Mapping[str, object] | None = None,
) -> Path:
    """Collect the results of a folder and of its sub-folders into `index.html`.

    Parameters
    ----------
    directory
        Its own results come first, then those of each sub-folder that an `Output` has written to.
    title
        Title of the page.
    sections
        Sub-folders in the order of the page; further ones follow by name. One of these without results is named on the
        page as missing.
    introduction
        Text at the top; an empty line begins a new paragraph.
    links
        Further pages of the folder by what they are called; those that are not there are left out.
    provenance
        Facts about how the page was made, beside the versions of layerstats and of Python.

    Returns
    -------
    pathlib.Path
        The page. It needs no network; images and files lie beside it, under relative links.

    Raises
    ------
    ArgumentError
        If `directory` does not exist.
    LayerstatsError
        If a manifest is damaged.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise ArgumentError(f"Invalid value for the 'directory' parameter: there is no folder {str(directory)!r}.")
    found = sorted(path.parent.name for path in directory.glob("*/manifest.json"))
    names = [*sections, *(name for name in found if name not in sections)]
    own = read_manifest(directory)
    parts = [] if own is None else [_section(directory, "", own)]
    parts += [_section(directory, name, read_manifest(directory / name) or Manifest(title=name)) for name in names]
    page = directory / "index.html"
    facts = {name: str(value) for name, value in (provenance or {}).items()}
    text = _template().render(
        title=title,
        introduction=_paragraphs(introduction),
        sections=parts,
        links=[(text, quote(link)) for text, link in (links or {}).items() if (directory / link).exists()],
        provenance={**facts, **_versions()},
    )
    with replacing(page) as partial:
        partial.write_text(text, encoding="utf-8")
    return page


def _section(directory: Path, folder: str, manifest: Manifest) -> Section:
    identifier = _identifier(folder or "results")
    items = tuple(
        _item(directory / folder, quote(f"{folder}/") if folder else "", identifier, entry)
        for entry in manifest.entries
        # Files that were deleted since are not linked to.
        if all((directory / folder / name).exists() for name in entry.files.values())
    )
    return Section(identifier, manifest.title or folder, items, manifest.provenance)


def _item(folder: Path, prefix: str, section: str, entry: Entry) -> Item:
    table = fragment_of((folder / entry.files["html"]).read_text(encoding="utf-8")) if entry.kind == "table" else ""
    return Item(
        entry=entry,
        identifier=f"{section}-{_identifier(entry.name)}",
        links=tuple((LINKS[kind], prefix + quote(name)) for kind, name in entry.files.items()),
        source=prefix + quote(entry.files.get("png", "")),
        table=table,
        paragraphs=_paragraphs(entry.caption),
    )


def _identifier(name: str) -> str:
    return re.sub(r"\W+", "-", name)


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("\n\n") if part.strip())


def _versions() -> dict[str, str]:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return {
        "versions": f"{packages}; Python {platform.python_version()}",
        "made": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    }


def _template():
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((files("layerstats.report") / "template.html").read_text(encoding="utf-8"))
