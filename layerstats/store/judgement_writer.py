"""What a judge says of outcomes of maximizations: of every start scores of all of its responses, or its response."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError, StoreError
from layerstats.store.block_writer import BlockWriter
from layerstats.store.blocks import Blocks
from layerstats.store.groups import METADATA
from layerstats.store.layer_spec import START, VariableSpec
from layerstats.store.outcomes import chosen
from layerstats.store.result_tables import is_table
from layerstats.store.schema import JUDGEMENTS, OUTCOMES


class JudgementWriter(BlockWriter):
    """Writes what a judge says of outcomes; goes on where earlier runs of the same key stopped.

    It is cut into the blocks of the outcomes, and called by their name and the judge's: "codes.n0.pocketsphinx".

    Parameters
    ----------
    path
        The store.
    outcomes
        Name of the outcomes, which must be complete.
    judge
        Name of the judge.
    responses
        What it gives scores, (response,): `score (start, response)` is written. None of a judge without scores, which
        gives `response (start)`, text that may be missing.
    key
        Hash of all that determines what it says: the outcomes and the judge.
    attrs
        Provenance of the judge.
    overwrite
        Replace judgements that have another key.
    created_at
        Time to be written instead of now (or of SOURCE_DATE_EPOCH).

    Raises
    ------
    ArgumentError
        There are no such outcomes, or a response is there twice.
    StoreError
        The place holds judgements with another key, a table of judgements of clips, or damaged files; the outcomes are
        half-written, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.store import OutcomeWriter, open_store
    >>> starts = pd.DataFrame({"start": ["yes_0", "no_0"], "target": ["yes", "no"], "number": 0, "seed": [1, 2]})
    >>> starts["token"] = ""
    >>> scores = [VariableSpec("scores_after", ("start", "class"), {"class": 2})]
    >>> options = {"key": "k", "attrs": {"set_up": "codes", "network": "n1"}}
    >>> options["coords"] = {"class": ("class", ["no", "yes"])}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with OutcomeWriter(f"{folder}/s.zarr", "codes.n1", starts, scores, **options) as writer:
    ...         for rows in writer.missing():
    ...             writer.write(rows, {"scores_after": np.eye(2)[rows]})
    ...         writer.finish()
    ...     with JudgementWriter(f"{folder}/s.zarr", "codes.n1", "ann", None, key="a") as writer:
    ...         for rows in writer.missing():
    ...             writer.write(rows, {"response": np.array(["yes", "no"], dtype=object)[rows]})
    ...         writer.finish()
    ...     open_store(f"{folder}/s.zarr").judgement(judge="ann")["response"].to_numpy().tolist()
    ['yes', 'no']
    """

    _kind = "set of judgements"

    def __init__(
        self,
        path: str | os.PathLike[str],
        outcomes: str,
        judge: str,
        responses: Sequence[str] | None,
        *,
        key: str,
        attrs: Mapping[str, object] | None = None,
        overwrite: bool = False,
        created_at: str | None = None,
    ) -> None:
        judged = chosen(Path(path), OUTCOMES, {"name": outcomes})
        starts = pd.DataFrame({START: np.asarray(judged.array(START)[:]).astype(object)})
        about = {name: judged.attributes.get(name, "") for name in ("set_up", "network", "null")}
        about |= {"outcomes": outcomes, "judge": judge, "outcomes_key": judged.attributes["key"]}
        place = Blocks(Path(path), JUDGEMENTS, f"{outcomes}.{judge}")
        if (place.folder / METADATA).exists() and is_table(place.folder):
            raise StoreError(
                f"{path} holds a table {place.name!r} of judgements of clips. Give the judge another name."
            )
        if responses is None:
            variables, coords = [VariableSpec("response", (START,), dtype="text")], {}
        else:
            if not responses or len(set(responses)) < len(responses):
                raise ArgumentError(f"The judge {judge!r} must have responses, no one twice, but got {responses!r}.")
            sizes = {"response": len(responses)}
            variables = [VariableSpec("score", (START, "response"), sizes)]
            coords = {"response": ("response", np.array(responses, dtype=object))}
        super().__init__(
            place,
            starts,
            variables,
            coords,
            key=key,
            attrs={**(attrs or {}), **about},
            shard_rows=judged.attributes["shard_starts"],
            overwrite=overwrite,
            created_at=created_at,
        )
