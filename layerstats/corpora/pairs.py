"""Which sound file belongs to which TextGrid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from layerstats.corpora.folders import AUDIO_SUFFIXES, composed, find_files
from layerstats.errors import CorpusError

# Sounds that people have and libsndfile cannot read.
_UNREADABLE = (".m4a", ".mp4", ".aac", ".wma", ".amr", ".3gp", ".webm", ".mov", ".avi", ".mkv")


@dataclass(frozen=True)
class Pair:
    """A sound file and its TextGrid, the name of the recording, and the folder that may be its speaker's."""

    audio: Path
    grid: Path
    name: str
    folder: str


def find_pairs(folder: Path, audio: Path | None) -> tuple[list[Pair], tuple[str, ...]]:
    """Pair the TextGrids of a folder with sound files of the same name.

    Files beside each other belong together. Others are matched by their names and as many of the folders above as it
    takes: `grids/anna/one.TextGrid` and `wav/anna/one.wav`.

    Parameters
    ----------
    folder : Path
        Folder of the TextGrids.
    audio : Path or None
        Folder of the sound files where it is another.

    Returns
    -------
    pairs : list of Pair
        In the order of the sound files.
    notes : tuple of str
        What was matched across folders.

    Raises
    ------
    CorpusError
        If a file stays alone, or there are none.
    """
    sounds = audio or folder
    recordings = find_files(sounds, AUDIO_SUFFIXES)
    grids = find_files(folder, [".TextGrid"])
    grid_of, apart = _match(recordings, sounds, grids, folder)
    _refuse_alone(
        [*(one for one in recordings if one not in grid_of), *sorted(set(grids) - set(grid_of.values()))], sounds
    )
    if not grid_of:
        raise CorpusError(f"No recordings with TextGrids below {folder}.")
    owners = len({one.parent for one in recordings}), len({one.parent for one in grids})
    pairs = []
    for recording in recordings:
        grid = grid_of[recording]
        name = composed(recording.relative_to(sounds).with_suffix("").as_posix().replace("/", "_"))
        owner = (grid if apart and owners[0] < owners[1] else recording).parent
        if apart and owners == (1, 1) and grid.parent.name != recording.parent.name:
            owner = folder  # "wav" and "grids" are nobody, but wav/anna and grids/anna are
        # A folder that is a link has the name of the link: that is what the corpus calls it.
        shown = owner.name if owner not in (folder, sounds) else owner.resolve().name
        pairs.append(Pair(recording, grid, name, composed(shown)))
    note = f"{apart} of {len(pairs)} sounds and TextGrids lie in different folders and were matched by their names."
    return pairs, (note,) if apart and audio is None else ()


def _match(
    recordings: Sequence[Path], sounds: Path, grids: Sequence[Path], folder: Path
) -> tuple[dict[Path, Path], int]:
    """Return the TextGrid of each recording, and how many pairs do not lie beside each other."""
    beside = {_place(grid): grid for grid in grids}
    keys = {recording: _place(recording) for recording in recordings}
    found = {recording: beside[key] for recording, key in keys.items() if key in beside}
    left = {one: _parts(one, sounds) for one in recordings if one not in found}
    taken = set(found.values())
    waiting = {grid: _parts(grid, folder) for grid in grids if grid not in taken}
    apart = 0
    for length in range(max(map(len, left.values()), default=0), 0, -1):
        by_end, grids_by_end = _ends(left, length), _ends(waiting, length)
        for end, those in by_end.items():
            other = grids_by_end.get(end, [])
            if len(those) == len(other) == 1:
                found[those[0]] = other[0]
                del left[those[0]], waiting[other[0]]
                apart += those[0].parent != other[0].parent
    return found, apart


def _place(path: Path) -> tuple[Path, str]:
    """Return folder and name, however a system writes accents."""
    return path.parent, composed(path.stem)


def _parts(path: Path, folder: Path) -> tuple[str, ...]:
    return tuple(composed(part).casefold() for part in path.relative_to(folder).with_suffix("").parts)


def _ends(files: Mapping[Path, tuple[str, ...]], length: int) -> dict[tuple[str, ...], list[Path]]:
    found: dict[tuple[str, ...], list[Path]] = {}
    for path, parts in files.items():
        if len(parts) >= length:
            found.setdefault(parts[-length:], []).append(path)
    return found


def _refuse_alone(alone: Sequence[Path], sounds: Path) -> None:
    if not alone:
        return
    other = find_files(sounds, _UNREADABLE)
    more = f" {other[0].name} is of a format that cannot be read: convert such files to WAV or FLAC." if other else ""
    raise CorpusError(
        f"Recordings and TextGrids must come in pairs of the same name, but {len(alone)} files stand alone, "
        f"for instance {alone[0]}.{more} Sounds in another folder are named with the option audio."
    )
