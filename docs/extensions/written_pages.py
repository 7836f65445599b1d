"""Pages that are written when the site is built: only where they changed, so that others need not be read again."""

from __future__ import annotations

from pathlib import Path


def write_page(file: Path, text: str) -> Path:
    """Write a page if it is another one than what stands there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")
    return file


def keep_only(folder: Path, pages: list[Path]) -> None:
    """Remove pages of earlier builds, of names that are no more."""
    for file in [*folder.rglob("*.md"), *folder.rglob("*.rst")]:
        if file not in pages:
            file.unlink()
