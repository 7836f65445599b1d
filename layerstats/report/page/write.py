"""One page of everything that was made."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup, escape

from layerstats.errors import ArgumentError
from layerstats.files import replacing
from layerstats.report.manifest import Manifest, read_manifest
from layerstats.report.page.answers import MOST_ANSWERS, short_list
from layerstats.report.page.claim_rows import claim_group, counted
from layerstats.report.page.sections import paragraphs_of, section_of

# More parts than this are folded, each under its title.
OPEN_SECTIONS = 3
PACKAGES = ("layerstats", "numpy", "pandas", "plotnine", "great-tables")
# Characters that no HTML may hold, as labels out of damaged files do: readers see that something was there.
_CONTROLS = {code: "\N{REPLACEMENT CHARACTER}" for code in range(32) if chr(code) not in "\t\n\f\r"}


def write_page(
    directory: str | Path,
    title: str,
    *,
    sections: Sequence[str] = (),
    introduction: str = "",
    links: Mapping[str, str] | None = None,
    provenance: Mapping[str, object] | None = None,
    single_file: bool = False,
) -> Path:
    """Collect the results of a folder and of its sub-folders into `index.html`: claims, then figures, then tables.

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
        Text at the top; an empty line begins a new paragraph. The first one stands above what was found, the others
        are folded away.
    links
        Further pages of the folder by what they are called; those that are not there are left out.
    provenance
        Facts about how the page was made, beside the versions of layerstats and of Python.
    single_file
        Whether pictures, in fewer colours, and tables are inside the page, so that it can be mailed; of tables whose
        CSV file is larger than 100 kB only what is shown. Other pages are not linked to.

    Returns
    -------
    pathlib.Path
        The page. It needs no network and no script; images and files lie beside it, under relative links, or in it.

    Raises
    ------
    ArgumentError
        If `directory` does not exist.
    LayerstatsError
        If a manifest is damaged.

    Examples
    --------
    >>> write_page("results/two_contrasts", "Two contrasts", sections=["phones", "words"]).name
    'index.html'
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise ArgumentError(f"Invalid value for the 'directory' parameter: there is no folder {str(directory)!r}.")
    found = sorted(path.parent.name for path in directory.glob("*/manifest.json"))
    names = [*sections, *(name for name in found if name not in sections)]
    manifests = {name: read_manifest(directory / name) or Manifest(title=name) for name in names}
    own = read_manifest(directory)
    if own is not None:
        manifests = {"": own, **manifests}
    parts = {name: section_of(directory, name, known, single_file=single_file) for name, known in manifests.items()}
    if list(parts) == [""] and parts[""].title == title:
        # The page has the same title.
        parts = {"": replace(parts[""], title="Figures and tables")}
    groups = [claim_group(known.claims, parts[name]) for name, known in manifests.items() if known.claims.table]
    verdicts = [str(row["verdict"]) for known in manifests.values() for row in known.claims.table]
    first, *further = paragraphs_of(introduction) or ("",)
    beside = {} if single_file else links or {}
    text = _template().render(
        title=title,
        introduction=first,
        about=further,
        claims=groups,
        short=short_list(groups),
        most_answers=MOST_ANSWERS,
        found=counted(verdicts),
        number_of_claims=len(verdicts),
        sections=list(parts.values()),
        folded=len(parts) > OPEN_SECTIONS,
        links=[(text, quote(link)) for text, link in beside.items() if (directory / link).exists()],
        provenance={**{name: str(value) for name, value in (provenance or {}).items()}, **_versions()},
    )
    page = directory / "index.html"
    with replacing(page) as partial:
        partial.write_text(text.translate(_CONTROLS), encoding="utf-8")
    return page


def _versions() -> dict[str, str]:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return {
        "versions": f"{packages}; Python {platform.python_version()}",
        "made": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    }


def _template():
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("layerstats.report.page", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["with_code"] = _with_code
    return environment.get_template("page.html")


def _with_code(text: str) -> Markup:
    """Set what stands between backticks in a sentence as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
