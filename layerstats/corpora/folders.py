"""Finding the files of a corpus in a folder, and reading their texts."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Container, Iterable, Sequence
from pathlib import Path

from layerstats.errors import CorpusError

AUDIO_SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".aiff", ".aif", ".aifc", ".au", ".caf", ".w64"),
    *(".mp3", ".sph", ".nist"),
)
# A suffix that says what a file holds; "speaker.1" has none.
_KIND_OF_FILE = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,8}")
# What systems put beside people's files: archives of macOS, previews of a network drive, bins of Windows.
_NOT_OURS = frozenset({"__macosx", "@eadir", "$recycle.bin", "system volume information", "lost+found"})


def corpus_folder(path: str | Path, what: str) -> Path:
    """Return the path of a corpus's folder.

    Raises
    ------
    CorpusError
        If there is no such folder.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise CorpusError(f"There is no folder {str(path)!r} to read {what} from.")
    return folder


def find_files(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """Find the files below a folder with one of the suffixes, in either case, sorted by their path in the folder.

    Links are followed, to a folder once. Hidden files and folders are left out, as are those that a system makes. A
    link that leads to no file is given too, so that whoever reads it says so.

    Raises
    ------
    CorpusError
        If a link leads to no folder, or a folder cannot be read.
    """
    wanted = {suffix.lower() for suffix in suffixes}
    found: list[Path] = []
    seen: set[Path] = set()
    links = [folder]
    while links:
        # Real folders first, so that a link into the same tree gives nothing twice.
        start = links.pop(0)
        if start.resolve() in seen:
            continue
        for root, names, files in os.walk(start, onerror=_refuse):
            here = Path(root)
            seen.add(here.resolve())
            names[:] = sorted(name for name in names if is_ours(name))
            links += [here / name for name in names if (here / name).is_symlink()]
            names[:] = [name for name in names if (here / name).resolve() not in seen]
            for name in filter(is_ours, files):
                if Path(name).suffix.lower() in wanted:
                    found.append(here / name)
                else:
                    refuse_lost_folder(here / name)
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def is_ours(name: str) -> bool:
    """Tell whether a file or folder of this name is neither hidden nor a system's."""
    return not name.startswith(".") and name.lower() not in _NOT_OURS


def _refuse(error: OSError) -> None:
    raise CorpusError(f"The folder {error.filename} cannot be read: {error.strerror}.") from error


def refuse_lost_folder(path: Path) -> None:
    """Raise `CorpusError` where a link leads to nothing: it may have been a speaker's folder."""
    if path.is_symlink() and not path.exists() and not _KIND_OF_FILE.fullmatch(path.suffix):
        raise CorpusError(
            f"{path} is a link to {os.readlink(path)}, which is not there. Fetch what it leads to, or remove the link."
        )


def beside(path: Path, suffix: str) -> Path | None:
    """Find the file of the same name with another suffix, in any case, or None."""
    for spelled in (suffix.lower(), suffix.upper()):
        candidate = path.with_suffix(spelled)
        if candidate.is_file():
            return candidate
    name = path.with_suffix(suffix).name.lower()
    return next((other for other in sorted(path.parent.iterdir()) if other.name.lower() == name), None)


def read_text(path: Path) -> tuple[str, str]:
    """Read the text of a file and tell how it was encoded: UTF-8, UTF-16 with a byte order mark, or else Latin-1.

    Line ends are line feeds, whatever the file has.

    Raises
    ------
    CorpusError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "words.wrd"
    >>> _ = file.write_bytes("0 9 für".encode("latin-1"))
    >>> read_text(file)
    ('0 9 für', 'Latin-1')
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"Cannot read {path}: {error.strerror}. Fetch the file, or take it out.") from error
    if is_pointer(data):
        raise CorpusError(f"{path} is a pointer of git-lfs whose content was not fetched. Fetch it: git lfs pull")
    text, encoding = _decoded(data)
    return text.replace("\r\n", "\n").replace("\r", "\n"), encoding


def is_pointer(data: bytes) -> bool:
    """Tell whether a file holds what git-lfs puts in the place of one that was not fetched."""
    return data.startswith(b"version https://git-lfs")


def _decoded(data: bytes) -> tuple[str, str]:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace"), "UTF-16"
    # Windows-1252 is what most files called Latin-1 are, but has no letter for some bytes.
    for codec, name in (("utf-8-sig", "UTF-8"), ("cp1252", "Latin-1")):
        try:
            return data.decode(codec), name
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1"), "Latin-1"


def composed(text: str) -> str:
    """Return text in Unicode's composed form, so that "für" is one word whichever system wrote it."""
    return unicodedata.normalize("NFC", text)


def count_note(names: Sequence[str], total: int, what: str) -> tuple[str, ...]:
    """Return a note that says how many of a number of things something is true of; none where there are none.

    Examples
    --------
    >>> count_note(["a.wav"], 3, "recordings have no labels")
    ('1 of 3 recordings have no labels, for instance a.wav.',)
    """
    return (f"{len(names)} of {total} {what}, for instance {names[0]}.",) if names else ()


def check_new_token(token: str, known: Container[str], path: Path) -> None:
    """Raise `CorpusError` where two recordings give the same token id."""
    if token in known:
        raise CorpusError(f"The token id {token!r} occurs twice, the second time in {path}. Rename one recording.")


def check_words_found(wanted: Iterable[str] | None, found: Iterable[str], what: str) -> None:
    """Raise `CorpusError` naming the wanted words that do not occur."""
    present = set(found)
    missing = [word for word in wanted or () if word not in present]
    if missing:
        known = ", ".join(sorted(present)[:20])
        raise CorpusError(f"{what} has no {', '.join(map(repr, missing))}. Its words are: {known}.")


def as_words(words: str | Iterable[str] | None) -> list[str] | None:
    """Return words as a list; None stays None, which means all."""
    if words is None:
        return None
    return [composed(word) for word in ([words] if isinstance(words, str) else words)]
