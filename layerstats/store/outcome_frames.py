"""Outcomes of maximizations and judgements of them as tidy tables, in blocks of starts so that they can be streamed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from layerstats.store.blocks import Blocks
from layerstats.store.layer_spec import START
from layerstats.store.outcomes import block_groups
from layerstats.store.schema import JUDGEMENTS, OUTCOMES


def finished_groups(root: Path) -> list[Blocks]:
    """Return the finished outcomes and judgements of outcomes of a store."""
    return [group for kind in (OUTCOMES, JUDGEMENTS) for group in block_groups(root, kind) if group.complete]


def block_frames(group: Blocks) -> Iterator[pd.DataFrame]:
    """Yield the tidy table of finished outcomes, or of judgements of them, block by block.

    Outcomes have a row a start: its labels, what is known by start alone, and the scores by class, a column each
    (`scores_after_yes`). Codes, features and paths are arrays and in no table. Judgements have a row a start and
    response, `outcomes, start, judge, response, score`, or without scores a row a start, as those of clips do.
    """
    for number in range(group.rows.count):
        rows = group.rows.of(number)
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


def _read(group: Blocks, name: str, rows: slice) -> np.ndarray:
    values = np.asarray(group.array(name)[rows])
    return values.astype(object) if values.dtype.kind in "OUT" else values
