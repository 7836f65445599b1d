"""Outcomes of maximizations, judgements of them, and sums as tidy tables, in blocks so that they can be streamed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from layerstats.store.blocks import Blocks
from layerstats.store.layer_spec import LETTER_DIMENSIONS, START
from layerstats.store.outcomes import block_groups
from layerstats.store.schema import BLOCK_UNITS, OUTCOMES, SUMS


def finished_groups(root: Path) -> list[Blocks]:
    """Return the finished outcomes, judgements of outcomes and sums of a store."""
    return [group for kind in BLOCK_UNITS for group in block_groups(root, kind) if group.complete]


def block_frames(group: Blocks) -> Iterator[pd.DataFrame]:
    """Yield the tidy table of finished outcomes, of judgements of them, or of sums, block by block.

    Outcomes have a row a start: its labels, what is known by start alone, and the scores by class, a column each
    (`scores_after_yes`). Codes, features and paths are arrays and in no table. Judgements have a row a start and
    response, `outcomes, start, judge, response, score`, or without scores a row a start, as those of clips do. Sums
    have a row a speaker, letter, alignment, frequency and lag that any window covers.
    """
    for number in range(group.rows.count):
        rows = group.rows.of(number)
        if group.kind == SUMS:
            yield _sums(group, rows)
        else:
            yield _outcomes(group, rows) if group.kind == OUTCOMES else _judgements(group, rows)


def _outcomes(group: Blocks, rows: slice) -> pd.DataFrame:
    columns: dict[str, object] = {}
    for name in [*group.labels, *group.variables]:
        dimensions = group.dimensions(name)
        if dimensions == (START,):
            columns[name] = _read(group, name, rows)
        elif dimensions == (START, "class") and "class" in group.labels:
            values = _read(group, name, rows)
            for number, label in enumerate(_read(group, "class", slice(None))):
                columns[f"{name}_{label}"] = values[:, number]
    return pd.DataFrame(columns)


def _judgements(group: Blocks, rows: slice) -> pd.DataFrame:
    starts = _read(group, START, rows)
    about = {"outcomes": group.attributes["outcomes"], "judge": group.attributes["judge"]}
    if "score" in group.variables:
        said = _read(group, "response", slice(None))
        heard = {"start": np.repeat(starts, len(said)), "response": np.tile(said, len(starts))}
        frame = pd.DataFrame({**heard, "score": _read(group, "score", rows).ravel()})
    else:
        said = _read(group, "response", rows)
        heard = pd.Series(said, dtype="str")
        frame = pd.DataFrame({"start": starts, "response": heard.mask(heard == ""), "score": np.nan})
    return frame.assign(**about).reindex(columns=["outcomes", "start", "judge", "response", "score"])


def _sums(group: Blocks, rows: slice) -> pd.DataFrame:
    coverage = _read(group, "coverage", rows)
    shape = group.array(group.variables[0]).shape[3]
    places = np.argwhere(coverage)
    speaker, letter, alignment, lag = (np.repeat(places[:, axis], shape) for axis in range(4))
    frequency = np.tile(np.arange(shape), len(places))
    columns: dict[str, object] = {"speaker": _read(group, "speaker", rows)[speaker]}
    numbers = {"letter": letter, "alignment": alignment, "frequency_hz": frequency, "lag_s": lag}
    columns |= {name: _read(group, name, slice(None))[places] for name, places in numbers.items()}
    columns["coverage"] = coverage[speaker, letter, alignment, lag]
    for name in group.variables:
        if group.dimensions(name) == LETTER_DIMENSIONS:
            columns[name] = _read(group, name, rows)[speaker, letter, alignment, frequency, lag]
    return pd.DataFrame(columns)


def _read(group: Blocks, name: str, rows: slice) -> np.ndarray:
    values = np.asarray(group.array(name)[rows])
    return values.astype(object) if values.dtype.kind in "OUT" else values
