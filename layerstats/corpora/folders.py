"""Finding the files of a corpus in a folder."""

from __future__ import annotations

from collections.abc import Container, Iterable
from pathlib import Path

from layerstats.errors import CorpusError

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".aiff", ".aif", ".mp3", ".sph")


def corpus_folder(path: str | Path, what: str) -> Path:
    """Path of a corpus's folder.

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
    """Files below a folder with one of the suffixes, in either case, sorted by their path in the folder."""
    wanted = {suffix.lower() for suffix in suffixes}
    found = [path for path in folder.rglob("*") if path.suffix.lower() in wanted and path.is_file()]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def beside(path: Path, suffix: str) -> Path | None:
    """File of the same name with another suffix, in either case, or None."""
    for spelled in (suffix.lower(), suffix.upper()):
        candidate = path.with_suffix(spelled)
        if candidate.is_file():
            return candidate
    return None


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
    """Words as a list; None stays None, which means all."""
    if words is None:
        return None
    return [words] if isinstance(words, str) else list(words)
