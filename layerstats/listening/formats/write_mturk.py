"""A listening test as batches of Mechanical Turk: the CSV to upload, and the template of the page that is shown."""

from __future__ import annotations

import html
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from layerstats.errors import ArgumentError, DataError
from layerstats.files import replacing
from layerstats.listening.design import ListeningDesign
from layerstats.tables.write import write_csv

# What Mechanical Turk takes of the template of a page, in bytes.
MOST_BYTES = 65_535
_PLACES = {"a": "The first", "b": "The second", "same": "No difference"}


@dataclass(frozen=True)
class MturkBatch:
    """Files of the sessions of one length.

    Attributes
    ----------
    csv
        A row a session, to upload as the data of a batch.
    template
        The page of a project of the kind "Survey" or "Other", as HTML.
    sessions, trials
        How many sessions, and trials in each.
    """

    csv: Path
    template: Path
    sessions: int
    trials: int


def write_mturk(design: ListeningDesign, folder: str | Path, url: str) -> list[MturkBatch]:
    """Write a design as batches of Mechanical Turk, one for each length that sessions have.

    A session is a HIT of one assignment. The results, downloaded as CSV, are read by `read_answers` with the design.
    A worker who takes several HITs may hear a clip twice, which is reported then; limit them in the project.

    Parameters
    ----------
    design : ListeningDesign
        The listening test; neither roles nor right answers are written.
    folder : path
        Where `batch.csv` and `template.html` go, or `batch_N.csv` and `template_N.html` where sessions have N trials.
    url : str
        Address (https) below which the sounds of the design's folder lie, such as ``https://example.org/test``.

    Returns
    -------
    list of MturkBatch
        What was written.

    Raises
    ------
    ArgumentError
        The address is none, or sessions are longer than a page of Mechanical Turk may be.
    DataError
        The name of a clip has a character that Mechanical Turk refuses.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from layerstats.listening import ListeningDesign, ScalePoint
    >>> clips = pd.DataFrame({"clip": ["c1"], "role": ["test"], "file": ["clips/c 1.wav"], "expected": [None]})
    >>> trials = pd.DataFrame({"session": [1], "position": [1], "clip": ["c1"]})
    >>> points = (ScalePoint(1, "Bad"), ScalePoint(2, "Good"))
    >>> design = ListeningDesign("Clarity", "opinion", "How clear?", clips, trials, scale=points)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     batch = write_mturk(design, folder, "https://example.org/test")[0]
    ...     print(batch.csv.read_text())
    session,clip1,url1
    1,c1,https://example.org/test/clips/c%201.wav
    <BLANKLINE>
    """
    if not url.startswith("https://") or any(character in url for character in " \"'<>"):
        raise ArgumentError(f"Mechanical Turk plays sounds from an address that begins with https://, but got {url!r}.")
    rows = _session_rows(design, url.rstrip("/"))
    lengths = sorted({len(row) for row in rows}, reverse=True)
    written = []
    for columns in lengths:
        own = [row for row in rows if len(row) == columns]
        trials = sum(name.startswith("clip") for name in own[0])
        ending = f"_{trials}" if len(lengths) > 1 else ""
        batch = MturkBatch(
            Path(folder) / f"batch{ending}.csv", Path(folder) / f"template{ending}.html", len(own), trials
        )
        page = _page(design, trials)
        write_csv(pd.DataFrame(own), batch.csv, spreadsheet=True)
        with replacing(batch.template) as partial:
            partial.write_text(page, encoding="utf-8")
        written.append(batch)
    return written


def _session_rows(design: ListeningDesign, url: str) -> list[dict[str, str]]:
    """Return a row a session: its clips in order, and what the page shows of them, safe to stand in HTML."""
    clips = design.clips.set_index("clip")
    prompted = _prompted(design)
    rows = []
    for session, own in design.trials.sort_values(["session", "position"]).groupby("session", sort=True):
        row = {"session": str(session)}
        for place, trial in enumerate(own.to_dict("records"), start=1):
            clip = clips.loc[trial["clip"]]
            shown = _shown(design, clip, bool(trial.get("swapped", False)), url)
            if prompted:
                shown["prompt"] = "" if pd.isna(clip["prompt"]) else html.escape(str(clip["prompt"]))
            row |= {f"{name}{place}": _plain(value) for name, value in {"clip": str(trial["clip"]), **shown}.items()}
        rows.append(row)
    return rows


def _shown(design: ListeningDesign, clip: pd.Series, swapped: bool, url: str) -> dict[str, str]:
    """Return the addresses of the sounds of a trial in their order, and of pairs which sound stands where."""
    if design.task not in ("preference", "abx"):
        return {"url": _address(url, clip["file"])}
    first, second = ("b", "a") if swapped else ("a", "b")
    found = {"url_x": _address(url, clip["file_x"])} if design.task == "abx" else {}
    found |= {"url_first": _address(url, clip[f"file_{first}"]), "url_second": _address(url, clip[f"file_{second}"])}
    return {**found, "first": first, "second": second}


def _address(url: str, file: object) -> str:
    return f"{url}/{quote(str(file))}"


def _plain(value: str) -> str:
    """Return text that Mechanical Turk takes: it refuses characters of four bytes, and reads a line a row."""
    bad = [character for character in value if ord(character) > 0xFFFF or character in "\n\r\t"]
    if bad:
        raise DataError(f"Mechanical Turk takes no {bad[0]!r}, which is in {value[:80]!r}: name the clip otherwise.")
    return value


def _prompted(design: ListeningDesign) -> bool:
    return "prompt" in design.clips and bool(design.clips["prompt"].notna().any())


def _page(design: ListeningDesign, trials: int) -> str:
    """Return the template of a session of some length."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    def column(name: str, place: int) -> Markup:
        return Markup(f"${{{name}{place}}}")

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(
        (files("layerstats.listening.formats") / "mturk_template.html").read_text("utf-8")
    )
    texts = [design.texts.get(name, "") for name in ("consent", "headphones", "instructions")]
    page = template.render(
        title=_literal(design.title),
        question=_literal(design.question),
        before=[_literal(text) for text in texts if text],
        anchors=[_point(point.value, point.label, point.anchor) for point in design.scale if point.anchor],
        places=range(1, trials + 1),
        prompted=_prompted(design),
        answer="rating" if design.task == "opinion" else "response",
        sounds=_sounds(design.task),
        buttons=_buttons(design),
        column=column,
    )
    size = len(page.encode())
    if size > MOST_BYTES:
        raise ArgumentError(
            f"A page of Mechanical Turk has at most {MOST_BYTES} bytes, but a session of {trials} trials has {size}: "
            "make a design with fewer trials a session, or use the page of its own (layerstats listen page)."
        )
    return page


def _literal(text: str) -> Any:
    """Return text in HTML in which Mechanical Turk finds no variable of its own."""
    from markupsafe import Markup

    safe = html.escape(text)
    for character in "${}%":
        safe = safe.replace(character, f"&#{ord(character)};")
    return Markup(safe)


def _point(value: int, label: str, anchor: str) -> dict[str, Any]:
    return {"value": value, "label": _literal(label), "anchor": _literal(anchor)}


def _sounds(task: str) -> list[dict[str, str]]:
    if task == "opinion" or task == "identification":
        return [{"column": "url", "label": ""}]
    # The sounds of ABX as its question and instructions name them: A is the first that is played.
    names = ("A", "B") if task == "abx" else (_PLACES["a"], _PLACES["b"])
    pair = [{"column": "url_first", "label": names[0]}, {"column": "url_second", "label": names[1]}]
    return [*pair, *([{"column": "url_x", "label": "X"}] if task == "abx" else [])]


def _buttons(design: ListeningDesign) -> list[dict[str, Any]]:
    """Return what can be chosen; none where the answer is typed. Of pairs the order is that of the session."""
    if design.task == "opinion":
        return [
            {"value": point.value, "column": "", "label": _literal(f"{point.value} {point.label}".strip())}
            for point in design.scale
        ]
    if design.task == "identification":
        return [{"value": _literal(one), "column": "", "label": _literal(one)} for one in design.alternatives]
    labels = ("X is A", "X is B") if design.task == "abx" else ("first", "second")
    pair = [
        {"value": "", "column": place, "label": label} for place, label in zip(("first", "second"), labels, strict=True)
    ]
    same = [{"value": "same", "column": "", "label": _PLACES["same"]}] if "same" in design.alternatives else []
    return [*pair, *same]
