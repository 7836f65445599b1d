"""Writing the page with its sounds, pictures and table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from layerstats.corpora.wav_files import write_wav
from layerstats.errors import ArgumentError
from layerstats.files import explaining, plain_stem, replacing_folder
from layerstats.report.audition.material import Draw, Exemplar, Sound, SpectrogramAxes
from layerstats.report.audition.pictures import (
    DIFFERENCE,
    MOST_DIFFERENCE_DB,
    SPECTROGRAM,
    difference,
    gradient,
    spectrogram,
)

PAGE, TABLE = "index.html", "sounds.csv"


def check_folder(folder: str | Path, overwrite: bool = False) -> None:
    """Raise `ArgumentError` where a page cannot be written: the folder holds something that is not to be replaced.

    Only a page to listen to is ever replaced.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     check_folder(f"{folder}/page")
    """
    folder = Path(folder)
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not all((folder / name).is_file() for name in (PAGE, TABLE)):
        raise ArgumentError(f"{folder} is there already, and is no page to listen to. Choose another folder.")
    if not overwrite:
        raise ArgumentError(
            f"{folder} is there already. Choose another folder for the page, or replace it with overwrite=True "
            "(--overwrite)."
        )


def write_audition(
    folder: str | Path,
    draws: Iterable[Draw],
    exemplars: Iterable[Exemplar] = (),
    *,
    axes: SpectrogramAxes,
    title: str,
    introduction: str = "",
    provenance: Mapping[str, object] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a page to listen to draws of classes, which needs no network and no server.

    Parameters
    ----------
    folder : path
        Made where it is not there. It gets `index.html`, 16-bit WAV files in `audio/`, spectrograms in `pictures/`, and
        `sounds.csv`, which says of every sound file what it is.
    draws : iterable of Draw
        In the order of the page; each is written and then let go, so that memory does not grow with their number.
    exemplars : iterable of Exemplar
        Natural tokens of the classes; those of classes that nobody drew are left out.
    axes : SpectrogramAxes
        The axes of all spectrograms.
    title : str
        Title of the page.
    introduction : str
        Text at the top; an empty line begins a new paragraph.
    provenance : mapping
        Facts about how the page was made.
    overwrite : bool
        Replace a page that is there; nothing else is ever replaced.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ArgumentError
        The folder holds something already, or there are no draws.
    FileError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> sound = Sound(np.zeros(16000, "float32"), 16000, np.zeros((80, 100), "float32"))
    >>> heard = pd.DataFrame({"judge": ["seed0"], "response": ["yes"], "score": [0.9]})
    >>> draw = Draw("yes_00000", "yes", "codes", "seed0", 0, 1, sound, sound, heard)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     axes = SpectrogramAxes(1.0, {"1 kHz": 0.3}, 80.0)
    ...     page = write_audition(f"{folder}/page", [draw], axes=axes, title="One draw")
    ...     sorted(path.name for path in page.parent.iterdir())
    ['audio', 'index.html', 'pictures', 'sounds.csv']
    """
    folder = Path(folder)
    check_folder(folder, overwrite)
    with replacing_folder(folder) as partial:
        written = _Files(partial)
        data = _data(written, draws, exemplars, axes)
        # As they are: seeds beside missing ones would become floats, and lose digits.
        pd.DataFrame(written.rows, dtype=object).to_csv(partial / TABLE, index=False, lineterminator="\n")
        text = _page(data, axes, title, introduction, provenance or {})
        (partial / PAGE).write_text(text, encoding="utf-8")
    return folder / PAGE


def _data(
    written: _Files, draws: Iterable[Draw], exemplars: Iterable[Exemplar], axes: SpectrogramAxes
) -> dict[str, Any]:
    """Write sounds and pictures; return what the page is told of them."""
    shown = [_draw(written, draw, axes) for draw in draws]
    if not shown:
        raise ArgumentError("There is nothing to listen to: no draws were given.")
    targets = list(dict.fromkeys(each["target"] for each in shown))
    natural: dict[str, list[dict[str, Any]]] = {}
    for exemplar in exemplars:
        if exemplar.word in targets:
            natural.setdefault(exemplar.word, []).append(_exemplar(written, exemplar))
    return {
        "targets": targets,
        "sets": list(dict.fromkeys(each["set"] for each in shown)),
        "judges": list(dict.fromkeys(judged["judge"] for each in shown for judged in each["judged"])),
        "draws": shown,
        "natural": natural,
        "axes": {"duration_s": axes.duration_s, "frequencies": list(axes.frequencies.items())},
    }


class _Files:
    """The files of a page: their names, which no two share, and a row of the table a sound."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[dict[str, object]] = []
        self._taken: set[str] = set()

    def stem(self, *parts: str) -> str:
        """Return a name that any system takes, and that no other file has."""
        return plain_stem(*parts, taken=self._taken)

    def sound(self, stem: str, sound: Sound, facts: Mapping[str, object]) -> dict[str, str]:
        """Write a sound with its spectrogram; return the addresses of both."""
        file = f"audio/{stem}.wav"
        write_wav(self.folder / file, sound.waveform, sound.rate_hz)
        self.rows.append({"file": file, **facts})
        return {"sound": quote(file), "picture": self.picture(stem, spectrogram(sound.features))}

    def picture(self, stem: str, png: bytes) -> str:
        """Write a picture; return its address."""
        file = f"pictures/{stem}.png"
        (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
        with explaining(self.folder / file):
            (self.folder / file).write_bytes(png)
        return quote(file)


def _draw(written: _Files, draw: Draw, axes: SpectrogramAxes) -> dict[str, Any]:
    parts = [draw.set_up, draw.network, *([draw.null] if draw.null else [])]
    name = ".".join(parts)
    known = {
        "word": draw.target,
        "set_up": draw.set_up,
        "network": draw.network,
        "null": draw.null,
        "start": draw.start,
        "number": draw.number,
        "seed": draw.seed,
        "command": draw.command,
    }
    stem = written.stem(name, draw.start)
    sides = {
        side: written.sound(f"{stem}_{side}", sound, {"which": side, **known})
        for side, sound in (("before", draw.before), ("after", draw.after))
    }
    change = difference(draw.before.features, draw.after.features, axes.range_db)
    judged = [
        {"judge": judge, "response": response, "score": None if np.isnan(score) else round(float(score), 6)}
        for judge, response, score in draw.judgements[["judge", "response", "score"]].itertuples(index=False)
    ]
    return {
        "id": f"{name}/{draw.start}",
        "start": draw.start,
        "target": draw.target,
        "set": ", ".join(parts),
        "number": draw.number,
        # As text: scripts round whole numbers beyond 2 ** 53.
        "seed": str(draw.seed),
        "command": draw.command,
        "facts": list(draw.facts.items()),
        "judged": judged,
        "difference": written.picture(f"{stem}_difference", change),
        **sides,
    }


def _exemplar(written: _Files, exemplar: Exemplar) -> dict[str, Any]:
    known = {"word": exemplar.word, "token": exemplar.token, "speaker": exemplar.speaker}
    stem = written.stem("natural", exemplar.word, exemplar.token)
    return {**known, **written.sound(stem, exemplar.sound, {"which": "natural", **known})}


def _page(
    data: Mapping[str, Any],
    axes: SpectrogramAxes,
    title: str,
    introduction: str,
    provenance: Mapping[str, object],
) -> str:
    from jinja2 import Environment, StrictUndefined

    room = files("layerstats.report.audition")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    # Nothing in a script's text may look like the end of the script.
    text = json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    return environment.from_string((room / "audition.html").read_text(encoding="utf-8")).render(
        title=title,
        introduction=[part.strip() for part in introduction.split("\n\n") if part.strip()],
        provenance=provenance,
        range_db=f"{axes.range_db:g}",
        most_difference_db=f"{MOST_DIFFERENCE_DB:g}",
        level=_unescaped(gradient(SPECTROGRAM)),
        change=_unescaped(gradient(DIFFERENCE)),
        style=_unescaped((room / "audition.css").read_text(encoding="utf-8")),
        script=_unescaped((room / "audition.js").read_text(encoding="utf-8")),
        data=_unescaped(text),
    )


def _unescaped(text: str):
    from markupsafe import Markup

    return Markup(text)
