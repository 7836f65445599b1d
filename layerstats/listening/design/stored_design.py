"""Reading the folder of a design."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from layerstats.checks import read_as
from layerstats.errors import AudioError, DataError
from layerstats.listening.design.design_json import FILE, read_contents
from layerstats.listening.design.listening_design import ListeningDesign, ScalePoint
from layerstats.listening.design.sound_files import hash_of_file


def read_design(folder: str | Path) -> ListeningDesign:
    """Read a design that `ListeningDesign.write`, or `layerstats listen design`, wrote.

    Parameters
    ----------
    folder : path
        With `design.json` and the sounds below it.

    Returns
    -------
    ListeningDesign
        Where `design.json` was changed by hand since it was written, the history gets an entry "hand" with the time of
        the file, and a note says which parts were changed.

    Raises
    ------
    MissingFileError
        There is no design.
    DataError
        It cannot be read, or contradicts itself.
    AudioError
        A sound is missing, or is another than the one that the design was written with.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import soundfile
    >>> from layerstats.listening.design import make_design, read_design
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     soundfile.write(f"{folder}/yes.wav", np.sin(np.arange(1600) / 5), 16000)
    ...     table = pd.DataFrame({"clip": ["yes"], "file": [f"{folder}/yes.wav"], "condition": ["natural"]})
    ...     design = make_design(table, task="opinion", raters_per_clip=2, trials_per_session=1, catch=0, rules=())
    ...     written = design.write(f"{folder}/design")
    ...     read_design(f"{folder}/design").hash == written.hash
    True
    """
    folder = Path(folder)
    contents = read_contents(folder)
    hashes = contents.get("sound_hashes") or {}
    design = _design(contents, folder, hashes)
    _check_sounds(design, folder)
    last = design.history[-1]["hashes"] if design.history else {}
    changed = [part for part, now in design.hashes.items() if last and last.get(part) != now]
    if not changed:
        return design
    when = datetime.fromtimestamp((folder / FILE).stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    note = f"{FILE} was changed by hand after it was written ({when}): {', '.join(changed)}."
    entry = {"written": when, "by": "hand", "hashes": design.hashes}
    return replace(design, history=(*design.history, entry), notes=(*design.notes, note))


def _design(contents: dict[str, Any], folder: Path, hashes: dict[str, str]) -> ListeningDesign:
    known = {item.name for item in fields(ListeningDesign)} - {"sounds"}
    given = {key: value for key, value in contents.items() if key in known}
    for name in ("clips", "trials"):
        if not isinstance(given.get(name), pd.DataFrame):
            raise DataError(f"The design in {folder} has no table {name!r}.")
    given["scale"] = tuple(read_as(ScalePoint, point, "scale of the design") for point in given.get("scale", ()))
    for name in ("alternatives", "rules", "contrasts", "notes", "history"):
        given[name] = tuple(given.get(name, ()))
    sounds = {file: folder / file for file in hashes}
    return ListeningDesign(**given, sounds=sounds)


def _check_sounds(design: ListeningDesign, folder: Path) -> None:
    for file in design.sound_files:
        found = hash_of_file(folder / file)
        if design.sound_hashes.get(file, found) != found:
            raise AudioError(
                f"The sound {folder / file} is not the one that the design was written with: it was changed since. "
                "Write the design again, or put the sound back."
            )
