"""Files that are written whole or not at all, and the operating system's reasons as sentences."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layerstats.errors import FileError, LayerstatsError

FULL_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}
MAKE_ROOM = "Nothing was written: make room, or choose another place."


@contextmanager
def explaining(
    path: str | os.PathLike[str], error: type[LayerstatsError] = FileError, *, full: str = MAKE_ROOM
) -> Iterator[None]:
    """Turn what the operating system says of `path` while it is written into one sentence, and what to do.

    Parameters
    ----------
    path
        What is being written.
    error
        The class to raise.
    full
        What to do where the disk is full.

    Raises
    ------
    LayerstatsError
        Of the class `error`, for every `OSError` but those that are one of ours already.
    """
    try:
        yield
    except OSError as problem:
        if isinstance(problem, LayerstatsError):
            raise
        reason = os.strerror(problem.errno) if problem.errno else str(problem)
        if problem.errno in FULL_DISK:
            raise error(f"No space is left for {path} ({reason}). {full}") from problem
        where = path if problem.filename in (None, f"{path}.partial") else problem.filename
        if problem.errno in NOT_ALLOWED:
            raise error(f"{where} cannot be written ({reason}). Choose a place that you may write to.") from problem
        raise error(f"{where} cannot be written ({reason}). Choose another place, or mend this one.") from problem


@contextmanager
def replacing(
    file: str | os.PathLike[str], error: type[LayerstatsError] = FileError, *, full: str = MAKE_ROOM
) -> Iterator[Path]:
    """Give a file beside `file` that takes its place when all went well, and is removed when not.

    The folder is made where it is not there.

    Raises
    ------
    LayerstatsError
        As for `explaining`; an older `file` is then as it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(f"{folder}/notes.txt") as partial:
    ...         _ = partial.write_text("all of it")
    ...     print(partial.name, (Path(folder) / "notes.txt").read_text())
    notes.txt.partial all of it
    """
    file = Path(file)
    partial = file.with_name(f"{file.name}.partial")
    with explaining(file, error, full=full):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            os.replace(partial, file)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def replacing_folder(
    folder: str | os.PathLike[str], error: type[LayerstatsError] = FileError, *, full: str = MAKE_ROOM
) -> Iterator[Path]:
    """Give a folder beside `folder` that takes its place when all went well, and is removed when not.

    Whoever calls has seen that what is in `folder` may be replaced.

    Raises
    ------
    LayerstatsError
        As for `explaining`; an older `folder` is then as it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing_folder(f"{folder}/page") as partial:
    ...         _ = (partial / "index.html").write_text("all of it")
    ...     print(partial.name, (Path(folder) / "page" / "index.html").read_text())
    page.partial all of it
    """
    folder = Path(folder)
    partial = folder.with_name(f"{folder.name}.partial")
    with explaining(partial, error, full=full):
        # Of a run that was killed.
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield partial
            if folder.exists():
                shutil.rmtree(folder)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def plain_stem(*parts: str, taken: set[str]) -> str:
    """Return the stem of a file that any system takes, of names that may hold any character, and note it as taken.

    Parameters
    ----------
    parts
        Names of set-ups, networks, words, ...
    taken
        Stems that other files have, without regard to case, which some systems take for the same.

    Examples
    --------
    >>> taken: set[str] = set()
    >>> [plain_stem("heard", name, taken=taken) for name in ("from data", "from/data", "none")]
    ['heard_from-data', 'heard_from-data_2', 'heard_none']
    """
    plain = "_".join(re.sub(r"[^\w.-]+", "-", part) for part in parts)[:150]
    stem, count = plain, 1
    while stem.casefold() in taken:
        count += 1
        stem = f"{plain}_{count}"
    taken.add(stem.casefold())
    return stem
