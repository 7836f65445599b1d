"""Sums over windows of speech by speaker and letter, added up while the windows are recorded, in any order."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete
from layerstats.errors import ArgumentError, StoreError
from layerstats.files import explaining
from layerstats.store.block_writer import BlockWriter
from layerstats.store.blocks import Blocks
from layerstats.store.claims import WORKING, working_folder
from layerstats.store.create import RESUME
from layerstats.store.layer_spec import LETTER_DIMENSIONS, VariableSpec
from layerstats.store.locks import locked
from layerstats.store.schema import SUMS
from layerstats.store.shards import Rows, encode, is_written, shard_file, write_file

# Another process may be adding up the windows of a speaker.
_PATIENCE_S = 600.0

# By letter number and variable: (alignment, ...), what one speaker's windows of a shard come to.
LetterSums = Mapping[int, Mapping[str, np.ndarray]]


class SumWriter(BlockWriter):
    """Writes sums over the windows of each speaker and letter; goes on where earlier runs of the same key stopped.

    Windows come in the shards of the recording that is made of them: `missing` gives those whose windows are not added
    up yet, so that a shard is worked through once for both (`missing_together`). What a shard comes to is kept until
    all windows of a speaker are there; then they are added up in the order of the shards, whatever the order of work,
    and the speaker is one file of each variable. Memory does not grow with windows or speakers.

    Parameters
    ----------
    path
        The store; its tokens are the windows.
    name
        Of the sums, usually that of the recording.
    tokens
        The windows, in the order of the store: `speaker` and `letter`; those of a speaker must lie together.
    letters, alignments
        Levels, in their order.
    frequency_hz
        Centres of the frequency bands, (frequency,).
    lag_s
        Seconds from where windows are aligned, (lag,).
    quantities
        What is summed up: of each there are `<quantity>_sum` and `<quantity>_sum_of_squares`.
    shard_tokens
        Windows of a shard: as the recording has them.
    key, attrs, overwrite, created_at
        As for other writers; `recording` must be among the attributes.

    Raises
    ------
    DataError
        A column is missing or incomplete.
    ArgumentError
        The windows of a speaker do not lie together, or a letter is none of the levels.
    StoreError
        The place holds sums with another key, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.store import create_or_resume, open_store
    >>> windows = pd.DataFrame({"token": ["w0", "w1"], "word": "ask", "speaker": "s1", "split": "test", "letter": "a"})
    >>> axes = {"letters": ["a", "b"], "alignments": ["none"], "frequency_hz": [100.0], "lag_s": [-0.1, 0.0, 0.1]}
    >>> options = {"key": "k", "attrs": {"recording": "epsilon"}, "shard_tokens": 1, "quantities": ["relevance"]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = create_or_resume(f"{folder}/s.zarr", windows, None)
    ...     with SumWriter(path, "epsilon", windows, **axes, **options) as writer:
    ...         for rows in writer.missing():
    ...             sums = {name: np.ones((1, 1, 3)) for name in ("relevance_sum", "relevance_sum_of_squares")}
    ...             writer.write(rows, {"s1": {0: {**sums, "coverage": np.ones((1, 3))}}})
    ...         writer.finish()
    ...     open_store(path).window_sums()["relevance_sum"].sel(letter="a").to_numpy().ravel().tolist()
    [2.0, 2.0, 2.0]
    """

    _kind = "set of sums"
    _unit = "windows"
    _same = ("key", "axis_labels", "variables", "speakers_hash")

    def __init__(
        self,
        path: str | os.PathLike[str],
        name: str,
        tokens: pd.DataFrame,
        *,
        letters: Sequence[str],
        alignments: Sequence[str],
        frequency_hz: Sequence[float] | np.ndarray,
        lag_s: Sequence[float] | np.ndarray,
        quantities: Sequence[str],
        key: str,
        attrs: Mapping[str, object],
        shard_tokens: int,
        overwrite: bool = False,
        created_at: str | None = None,
        joining: bool = False,
    ) -> None:
        what = f"the windows of {name!r}"
        check_columns(tokens, ("speaker", "letter"), what)
        check_complete(tokens, ("speaker", "letter"), what)
        sizes = [len(letters), len(alignments), len(frequency_hz), len(lag_s)]
        self._spans = _spans(pd.Series(tokens["speaker"]), name)
        axes: dict[str, int] = dict(zip(LETTER_DIMENSIONS, [len(self._spans), *sizes], strict=True))
        variables = [
            VariableSpec(
                f"{quantity}_{which}", LETTER_DIMENSIONS, axes, dtype="float64", long_name=f"{told} {quantity}"
            )
            for quantity in quantities
            for which, told in (("sum", "sum of"), ("sum_of_squares", "sum of the squares of"))
        ]
        counted = tuple(one for one in LETTER_DIMENSIONS if one != "frequency")
        covered = {one: axes[one] for one in counted}
        variables.append(VariableSpec("coverage", counted, covered, dtype="int64"))
        unknown = sorted(set(tokens["letter"]) - set(letters))
        if unknown:
            raise ArgumentError(f"The letter {unknown[0]!r} of {what} is none of {', '.join(map(repr, letters))}.")
        if not isinstance(attrs.get("recording"), str):
            raise ArgumentError(f"The attribute 'recording' of {name!r} must be text: whose windows are summed up.")
        coords = {
            "letter": ("letter", np.array(letters, dtype=object)),
            "alignment": ("alignment", np.array(alignments, dtype=object)),
            "frequency_hz": ("frequency", np.asarray(frequency_hz, dtype=np.float64)),
            "lag_s": ("lag", np.asarray(lag_s, dtype=np.float64)),
        }
        counts = [span.stop - span.start for span in self._spans.values()]
        speakers = pd.DataFrame({"speaker": list(self._spans), "windows": counts})
        about = {**attrs, "windows": len(tokens)}
        options = {"shard_rows": 1, "overwrite": overwrite, "created_at": created_at, "joining": joining}
        place = Blocks(Path(path), SUMS, name)
        super().__init__(place, speakers, variables, coords, key=key, attrs=about, **options)
        self._rows = Rows(len(tokens), shard_tokens)

    def write(self, rows: slice, values: Mapping[str, LetterSums]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Keep what the windows of a shard come to; it is on disk when this returns.

        Parameters
        ----------
        rows
            Of the windows, as `missing` gives them.
        values
            By speaker, number of the letter and variable: (alignment, frequency, lag), `coverage` (alignment, lag).

        Raises
        ------
        ArgumentError
            The rows are no shard, or their speakers are others.
        StoreError
            The disk is full.
        """
        number = self._number(rows)
        speakers = self._speakers_in(number)
        if set(values) != set(speakers):
            raise ArgumentError(f"The windows {rows} are of {', '.join(speakers)}, but got {', '.join(values)}.")
        with explaining(self.path, StoreError, full=RESUME):
            for speaker in speakers:
                if not self._is_settled(speaker):
                    write_file(self._piece(speaker, number), self._packed(values[speaker]))
            for speaker in speakers:
                self._settle(speaker)

    def _packed(self, sums: LetterSums) -> bytes:
        arrays: dict[str, np.ndarray] = {"letters": np.array(sorted(sums), dtype=np.int64)}
        for letter, several in sums.items():
            for name, variable in self.variables.items():
                shape = tuple(int(variable.sizes[one]) for one in variable.dimensions[2:])
                values = np.asarray(several[name], dtype=variable.dtype)
                if values.shape != shape:
                    raise ArgumentError(f"{name} of a letter must have the shape {shape}, but got {values.shape}.")
                arrays[f"{name}_{letter}"] = values
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, **arrays)
        return content.getvalue()

    def _speakers_in(self, number: int) -> list[str]:
        rows = self._rows.of(number)
        return [name for name, span in self._spans.items() if span.start < rows.stop and rows.start < span.stop]

    def _shards_of(self, speaker: str) -> range:
        span = self._spans[speaker]
        return range(span.start // self._rows.shard, (span.stop - 1) // self._rows.shard + 1)

    def _row(self, speaker: str) -> int:
        return list(self._spans).index(speaker)

    def _piece(self, speaker: str, number: int) -> Path:
        return working_folder(self._place.folder, self._row(speaker)) / f"{number}.npz"

    def _blocks_of(self, speaker: str) -> dict[str, Path]:
        row, folder = self._row(speaker), self._place.folder
        return {name: shard_file(folder / name, row, len(one.dimensions)) for name, one in self.variables.items()}

    def _is_settled(self, speaker: str) -> bool:
        return all(map(is_written, self._blocks_of(speaker).values()))

    def _settle(self, speaker: str) -> None:
        """Write the sums of a speaker all of whose shards are there, and remove what they were made of."""
        folder = self._place.folder / WORKING
        # One process reads what another would remove.
        with locked(folder, f"the sums in {folder}", patience_s=_PATIENCE_S):
            pieces = [self._piece(speaker, number) for number in self._shards_of(speaker)]
            if not self._is_settled(speaker):
                if not all(map(is_written, pieces)):
                    return
                for name, file in self._blocks_of(speaker).items():
                    array = self._array(name)
                    total = np.zeros((1, *array.shape[1:]), dtype=array.dtype)
                    for piece in pieces:
                        with np.load(piece, allow_pickle=False) as kept:
                            for letter in kept["letters"]:
                                total[0, letter] += kept[f"{name}_{letter}"]
                    write_file(file, encode(total, array))
            for piece in pieces:
                piece.unlink(missing_ok=True)

    def _has(self, number: int) -> bool:
        if number not in self._there:
            for speaker in self._speakers_in(number):
                if not (is_written(self._piece(speaker, number)) or self._is_settled(speaker)):
                    return False
            self._there.add(number)
        return True

    def _files(self, number: int) -> Iterable[Path]:
        return [self._piece(speaker, number) for speaker in self._speakers_in(number)]

    def _write_rest(self, values: Mapping[str, object]) -> None:
        """Add up what another process left when it was killed between a shard and its sums."""
        for speaker in self._spans:
            if not self._is_settled(speaker):
                self._settle(speaker)


def _spans(speakers: pd.Series, name: str) -> dict[str, slice]:
    """Return the rows of each speaker, which lie together."""
    names = speakers.to_numpy(dtype=object)
    edges = np.flatnonzero(np.r_[True, names[1:] != names[:-1]]) if len(names) else np.arange(0)
    ends = [*edges[1:].tolist(), len(names)]
    spans = {str(names[first]): slice(int(first), int(end)) for first, end in zip(edges, ends, strict=True)}
    if len(spans) < len(edges):
        raise ArgumentError(f"The windows of {name!r} must be in the order of their speakers: those of one together.")
    return spans
