"""Writing the page with its sounds."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError, AudioError
from layerstats.files import replacing_folder
from layerstats.listening.design import read_design
from layerstats.listening.design.design_checks import SOUND_COLUMNS
from layerstats.listening.page.content import PageLinks, page_content
from layerstats.listening.page.headphone_check import RATE_HZ, headphone_trials, wav_bytes

PAGE, FOLDER_OF_SOUNDS = "index.html", "sounds"
GENERATOR = "layerstats listening test"
# In the order in which they stand on the page.
SCRIPTS = ("elements", "memory", "participant", "player", "trial", "session", "delivery", "screens")
# What browsers play, older ones not all of them.
PLAYABLE = {
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
}
MOST_EMBEDDED_BYTES = 100_000_000


def write_page(
    design_folder: str | Path,
    out: str | Path,
    *,
    headphones: str = "antiphase",
    embed: bool = False,
    links: PageLinks | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the page of a listening test, which needs no network but for where its answers are sent.

    Consent, native language, headphone check, instructions, the trials of one session, a comment; then the answers are
    handed out, and a completion code is shown. The session is the one in the page's address (`?session=3`), else the
    one that `links.assign_from` says, else one at random. Identifiers of Prolific and Mechanical Turk are taken from
    the address.

    Parameters
    ----------
    design_folder : path
        A design that `ListeningDesign.write` wrote, with its sounds.
    out : path
        Folder for `index.html` and `sounds/`; it is made. Names of sound files on the page say nothing of the clips.
    headphones : {"antiphase", "none"}
        The headphone check: three tones, one of them in opposite phase.
    embed : bool
        Put sounds into the page itself, which is then one file.
    links : PageLinks, optional
        Where answers are sent; they are downloaded by default.
    overwrite : bool
        Replace a page that is there; nothing else is ever replaced.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ArgumentError
        `out` holds something already, or an address, a text or an option is not allowed.
    AudioError
        A sound is of a kind that browsers do not play, or is not in the design's folder.
    FileError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import pandas as pd
    >>> import soundfile
    >>> from layerstats.listening import make_design
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     soundfile.write(f"{folder}/yes.wav", np.sin(np.arange(1600) / 5), 16000)
    ...     table = pd.DataFrame({"clip": ["yes"], "file": [f"{folder}/yes.wav"], "condition": ["natural"]})
    ...     design = make_design(table, task="opinion", raters_per_clip=2, trials_per_session=1, catch=0, rules=())
    ...     _ = design.write(f"{folder}/design")
    ...     page = write_page(f"{folder}/design", f"{folder}/page", headphones="none")
    ...     page.name, len(list((page.parent / "sounds").iterdir()))
    ('index.html', 1)
    """
    check_choice("headphones", headphones, ("antiphase", "none"))
    out = Path(out)
    check_page_folder(out, overwrite)
    design = read_design(design_folder)
    with replacing_folder(out) as partial:
        written = _Sounds(partial, embed)
        sounds = {
            (column, file): written.take(Path(design_folder), column, file)
            for column in SOUND_COLUMNS[design.task]
            for file in dict.fromkeys(map(str, design.clips[column].tolist()))
        }
        checks = _headphone_trials(written) if headphones == "antiphase" else None
        content = page_content(design, sounds, checks, written.embedded if embed else None, links or PageLinks())
        (partial / PAGE).write_text(render(content), encoding="utf-8")
    return out / PAGE


def check_page_folder(folder: Path, overwrite: bool = False) -> None:
    """Raise `ArgumentError` where a page cannot be written: the folder holds something that is not to be replaced."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    page = folder / PAGE
    if not page.is_file() or GENERATOR not in page.read_text(encoding="utf-8", errors="replace")[:5000]:
        raise ArgumentError(f"{folder} is there already, and is no page of a listening test. Choose another folder.")
    if not overwrite:
        raise ArgumentError(
            f"{folder} is there already. Choose another folder for the page, or replace it with overwrite=True "
            "(--overwrite)."
        )


class _Sounds:
    """The sounds of a page under names that say nothing of what they are: files beside it, or inside."""

    def __init__(self, folder: Path, embed: bool) -> None:
        self.folder = folder
        self.embed = embed
        self.embedded: dict[str, str] = {}
        self._bytes = 0

    def take(self, design_folder: Path, column: str, file: str) -> str:
        """Add a sound of the design, and return what the page knows it as."""
        source = design_folder / file
        kind = source.suffix.lower()
        if kind not in PLAYABLE:
            raise AudioError(f"Browsers do not play {file!r}: convert it to one of {', '.join(PLAYABLE)}.")
        if not source.resolve().is_relative_to(design_folder.resolve()) or not source.is_file():
            raise AudioError(f"There is no sound {file!r} in the folder of the design, {design_folder}.")
        # Of its content, so that neither name nor order tells what it is; the X of ABX has another name than A or B.
        whose = b"x" if column == "file_x" else b""
        name = hashlib.sha256(source.read_bytes() + whose).hexdigest()[:16] + kind
        return self.add(name, source)

    def add(self, name: str, source: Path | bytes) -> str:
        """Add a sound, and return what the page knows it as."""
        if self.embed:
            content = source if isinstance(source, bytes) else source.read_bytes()
            self._bytes += 0 if name in self.embedded else len(content)
            if self._bytes > MOST_EMBEDDED_BYTES:
                raise ArgumentError(
                    f"The sounds have more than {MOST_EMBEDDED_BYTES // 1_000_000} MB, too many to stand in one file. "
                    "Leave them beside the page, or make a page of fewer sessions."
                )
            text = base64.b64encode(content).decode("ascii")
            self.embedded[name] = f"data:{PLAYABLE[Path(name).suffix]};base64,{text}"
            return name
        target = self.folder / FOLDER_OF_SOUNDS / name
        target.parent.mkdir(exist_ok=True)
        if isinstance(source, bytes):
            target.write_bytes(source)
        else:
            shutil.copyfile(source, target)
        return f"{FOLDER_OF_SOUNDS}/{name}"


def _headphone_trials(written: _Sounds) -> list[dict[str, Any]]:
    trials = []
    for samples, quietest in headphone_trials():
        content = wav_bytes(samples, RATE_HZ)
        name = hashlib.sha256(content).hexdigest()[:16] + ".wav"
        trials.append({"sound": written.add(name, content), "quietest": quietest})
    return trials


def render(content: Mapping[str, Any]) -> str:
    """Return the page as HTML: every text escaped, and a policy by which the browser runs no script but the page's own.

    Parameters
    ----------
    content : mapping
        What `page_content` returns.
    """
    from jinja2 import Environment, StrictUndefined

    room = files("layerstats.listening.page")
    style = (room / "page.css").read_text(encoding="utf-8")
    parts = [(room / "script" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    script = '\n"use strict";\n(() => {\n' + "\n".join(parts) + "\n})();\n"
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    # Nothing in a script's text may look like the end of the script.
    text = json.dumps(content, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    texts = content["texts"]
    return environment.from_string((room / "page.html").read_text(encoding="utf-8")).render(
        language=texts["language_code"],
        policy=_policy(script, style, [content["post_to"], content["assign_from"]]),
        generator=GENERATOR,
        title=content["title"],
        no_script=texts["no_script"],
        no_memory=texts["no_memory"],
        style=_unescaped(style),
        data=_unescaped(text),
        script=_unescaped(script),
    )


def _policy(script: str, style: str, addresses: list[str | None]) -> str:
    origins = [f"{split.scheme}://{split.netloc}" for split in map(urlsplit, filter(None, addresses)) if split.netloc]
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "img-src data:",
            "media-src 'self' file: data:",
            " ".join(["connect-src 'self'", *dict.fromkeys(origins)]),
            "form-action https://www.mturk.com https://workersandbox.mturk.com",
            "base-uri 'none'",
        ]
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _unescaped(text: str):
    from markupsafe import Markup

    return Markup(text)
