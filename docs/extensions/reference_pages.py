"""The reference: a page a room, of the docstrings of its public names, sorted by what they are for."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

from gallery_pages import QUESTIONS, gallery_figures
from public_names import PublicName, givers, public_names
from reference_groups import GROUPS, REST
from sphinx.application import Sphinx
from written_pages import keep_only, write_page

DOCS = re.compile(r"``?docs/((?:how-to|statistics)/[a-z-]+|store-format|architecture)\.md``?")
MOST_CHARACTERS = 200


def _heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}"


def _first_line(module: object) -> str:
    return (inspect.getdoc(module) or "").partition("\n\n")[0].replace("\n", " ")


def _comment_above(each: PublicName) -> str:
    """Return the comment above a constant in the room where it is written, "" if there is none."""
    module = importlib.import_module(each.room)
    for place in (module, *(importlib.import_module(name) for name in _modules_below(each.room))):
        found = re.search(rf"((?:^#.*\n)+)^{each.name}\b[^=\n]*= ", inspect.getsource(place), re.M)
        if found:
            return " ".join(line.lstrip("# ") for line in found.group(1).splitlines())
    return ""


def _modules_below(room: str) -> list[str]:
    folder = Path(inspect.getfile(importlib.import_module(room))).parent
    root = Path(inspect.getfile(importlib.import_module("layerstats"))).parent.parent
    files = [file for file in sorted(folder.rglob("*.py")) if file.stem not in ("__init__", "__main__")]
    return [".".join(file.relative_to(root).with_suffix("").parts) for file in files]


def _constant(each: PublicName) -> str:
    value = repr(each.value)
    short = value if len(value) <= MOST_CHARACTERS else value[:MOST_CHARACTERS] + " ..."
    return f".. py:data:: {each.path}\n   :value: {short}\n\n   {_comment_above(each)}\n"


def _documented(each: PublicName) -> str:
    if each.kind == "data":
        return _constant(each)
    options = "\n   :members:" if each.kind == "class" else ""
    return f".. auto{each.kind}:: {each.path}{options}\n"


def _groups(room: str, names: list[PublicName]) -> dict[str, list[PublicName]]:
    """Sort names into the groups of their room, in the order that the groups give them."""
    left = {each.name: each for each in names}
    groups = {
        title: [left.pop(name) for name in members.split() if name in left]
        for title, members in GROUPS.get(room, {}).items()
    }
    return {title: found for title, found in {**groups, REST: list(left.values())}.items() if found}


def _room_page(title: str, summary: str, groups: dict[str, list[PublicName]]) -> str:
    parts = [_heading(title, "="), summary]
    for name, members in groups.items():
        if len(groups) > 1:
            parts.append(_heading(name, "-"))
        rows = [
            f"   * - :py:obj:`~{each.path}`\n     - {_first_line(each.value)}"
            for each in members
            if each.kind != "data"
        ]
        parts += [".. list-table::\n   :class: names\n   :widths: 1 2\n\n" + "\n".join(rows)] if rows else []
        parts += [_documented(each) for each in members]
    return "\n\n".join(parts) + "\n"


def _pages() -> dict[str, str]:
    """Return the text of each page by its name."""
    rooms: dict[str, list[PublicName]] = {}
    for each in public_names():
        rooms.setdefault(each.room, []).append(each)
    pages = {}
    for room, names in rooms.items():
        summary, groups = _first_line(importlib.import_module(room)), _groups(room, names)
        if room == "layerstats.stats":
            # Its names are many: a page a group.
            for title, members in groups.items():
                page = "stats-" + re.sub(r"\W+", "-", title.lower()).strip("-")
                pages[page] = _room_page(title, f"Of ``{room}``.", {title: members})
        else:
            pages[room.partition(".")[2].replace(".", "-") or "layerstats"] = _room_page(room, summary, groups)
    return pages


def _short(name: str, text: str) -> str:
    """Return what a page is called in a list: rooms without the name of the package."""
    title = text.partition("\n")[0]
    return (
        f"stats: {title}"
        if name.startswith("stats-") and not title.startswith("layerstats")
        else title.removeprefix("layerstats.")
    )


def write_reference(app: Sphinx) -> None:
    """Write a page a room, and one with all of them."""
    folder = Path(app.srcdir) / "reference" / "python"
    pages = _pages()
    written = [write_page(folder / f"{name}.rst", text) for name, text in pages.items()]
    names = "\n".join(f"   {_short(name, text)} <{name}>" for name, text in pages.items())
    start = (
        f"{_heading('Python', '=')}\n\nEvery public name, with its example. The most used ones are also names of "
        "``layerstats`` itself: ``from layerstats import open_store, phone_contrast``. What stands in none of these "
        f"rooms may change without notice.\n\n.. toctree::\n   :maxdepth: 1\n\n{names}\n"
    )
    keep_only(folder, [*written, write_page(folder / "index.rst", start)])


def add_examples(app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]) -> None:
    """Give names without an example of their own that of the function which returns them, and figures their lines."""
    text = DOCS.sub(r":doc:`/\1`", "\n".join(lines))
    given = givers().get(name)
    room, _, last = name.rpartition(".")
    if given is not None:
        text += (
            f"\n\nExamples\n--------\nOf :func:`{given.name}() <{given.path}>`, which returns one:\n\n{given.example}\n"
        )
    elif room == "layerstats.plots" and any(last in names.split() for names in QUESTIONS.values()):
        code = "\n".join(f"    {line}" for line in gallery_figures()[last].lines.splitlines())
        text += f"\n\nExamples\n--------\n:doc:`Its picture </gallery/figures/{last}>` is drawn by\n\n"
        text += f".. code-block:: python\n\n{code}\n"
    lines[:] = text.splitlines()


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect with Sphinx."""
    app.connect("builder-inited", write_reference)
    # Before numpydoc reads the sections.
    app.connect("autodoc-process-docstring", add_examples, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
