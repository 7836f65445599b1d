"""What is kept of maximizations: a row a start, with what it began from, where it ended and how it was scored."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from numpy.typing import ArrayLike

from layerstats.checks import check_columns, check_complete
from layerstats.errors import ArgumentError, DataError
from layerstats.store.block_writer import BlockWriter
from layerstats.store.blocks import Blocks
from layerstats.store.create import open_or_create
from layerstats.store.layer_spec import START, VariableSpec
from layerstats.store.schema import OUTCOMES

START_COLUMNS = ("start", "target", "number", "seed", "token")


def outcome_variables(
    optimised: Mapping[str, int], classes: int, *, name: str | None = None, path_steps: int | None = None
) -> tuple[VariableSpec, ...]:
    """Return the usual variables of outcomes.

    Parameters
    ----------
    optimised
        Axes of what is optimised, with their sizes: ``{"code": 256}``, ``{"time": 90, "mel": 80}``, ``{"sample":
        22050}``.
    classes
        Number of outputs of the target network.
    name
        What is optimised: "codes" where it has the one axis `code`, otherwise "features".
    path_steps
        Number of steps at which the objective and the displacement are kept; by default they are not.

    Examples
    --------
    >>> [variable.name for variable in outcome_variables({"code": 256}, classes=35)][:4]
    ['steps', 'stalled', 'displacement', 'displacement_heard']
    """
    name = name or ("codes" if list(optimised) == ["code"] else "features")
    numbers = [VariableSpec(one, (START,), dtype="int64") for one in ("steps", "stalled")]
    numbers += [
        VariableSpec(one, (START,))
        for one in ("displacement", "displacement_heard", "objective_before", "objective_after")
    ]
    arrays = [VariableSpec(f"{name}_{when}", (START, *optimised), dict(optimised)) for when in ("before", "after")]
    scores = [VariableSpec(f"scores_{when}", (START, "class"), {"class": classes}) for when in ("before", "after")]
    paths = [
        VariableSpec(f"{one}_path", (START, "step"), {"step": path_steps})
        for one in ("objective", "displacement")
        if path_steps
    ]
    return (*numbers, *arrays, *scores, *paths)


class OutcomeWriter(BlockWriter):
    """Writes the outcomes of one maximization; goes on where earlier runs of the same key stopped.

    Several processes may write the same outcomes at once: each claims the blocks of starts that it writes, and waits at
    the end for those of others. Whatever is killed, the finished bytes are the same.

    Parameters
    ----------
    path
        The store; it is made where it is not there.
    name
        Of the outcomes; `outcome_name(set_up, network)` by default.
    starts
        A row a start: `start` (unique text), `target`, `number`, `seed` and `token`, the natural token that it began
        from (missing or "" where there is none); more columns are free.
    variables
        What is written of each start, as `outcome_variables` gives it; all with `start` first.
    key
        Hash of all that determines the values (weights, prior, objective, options). The same call again finds the same
        key and has nothing to do; another key in the same place is an error.
    attrs
        `set_up` and `network` (text), and provenance: `prior, prior_sha256, objective, optimiser, rate, steps, until,
        start_from, seed, network_hash, network_kind, network_seed, trained, labels, null, layer`, ...
    coords
        Labels of dimensions by name: ``{"class": ("class", words)}``.
    tokens, phones
        The natural tokens that starts began from, as for `create_or_resume`; a store that is made without has none, and
        takes the first that come.
    store_attrs
        Provenance of the store (see `create_or_resume`).
    shard_starts
        Starts of a block, which is one file an array; a multiple of the batch size makes a resumed run form the same
        batches. By default what `starts_in_block` says.
    overwrite
        Replace outcomes that have another key.
    created_at
        Time to be written instead of now (or of SOURCE_DATE_EPOCH).
    joining
        Another process has begun these outcomes, and this one only helps to write their blocks.

    Raises
    ------
    DataError
        A column is missing or incomplete, a start is there twice, or success is among what is to be stored: it follows
        from the scores.
    StoreError
        The place holds outcomes with another key, or damaged files, the store is of an earlier schema, may not be
        written, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from layerstats.store import open_store
    >>> starts = pd.DataFrame({"start": ["yes_0", "no_0"], "target": ["yes", "no"], "number": 0, "seed": [1, 2]})
    >>> scores = [VariableSpec("scores_after", ("start", "class"), {"class": 2})]
    >>> about = {"set_up": "codes", "network": "n1"}
    >>> options = {"key": "k", "attrs": about, "coords": {"class": ("class", ["no", "yes"])}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with OutcomeWriter(f"{folder}/s.zarr", "codes.n1", starts.assign(token=""), scores, **options) as writer:
    ...         for rows in writer.missing():
    ...             writer.write(rows, {"scores_after": np.eye(2)[rows]})
    ...         writer.finish()
    ...     open_store(f"{folder}/s.zarr").outcome(network="n1")["scores_after"].sel(start="no_0").to_numpy().tolist()
    [0.0, 1.0]
    """

    _kind = "set of outcomes"

    def __init__(
        self,
        path: str | os.PathLike[str],
        name: str,
        starts: pd.DataFrame,
        variables: Sequence[VariableSpec],
        *,
        key: str,
        attrs: Mapping[str, object],
        coords: Mapping[str, tuple[str, ArrayLike]] | None = None,
        tokens: pd.DataFrame | None = None,
        phones: pd.DataFrame | None = None,
        store_attrs: Mapping[str, object] | None = None,
        shard_starts: int | None = None,
        overwrite: bool = False,
        created_at: str | None = None,
        joining: bool = False,
    ) -> None:
        what = f"the starts of {name!r}"
        check_columns(starts, START_COLUMNS, what)
        check_complete(starts, ("target", "number", "seed"), what)
        for column in ("number", "seed"):
            if not pd.api.types.is_integer_dtype(starts[column]):
                raise DataError(f"Column {column!r} of {what} must hold whole numbers.")
        _check_told(name, attrs, ("set_up", "network"))
        root = Path(path)
        if not joining:
            root = open_or_create(path, tokens, phones, attrs=store_attrs, created_at=created_at)
        options = {"shard_rows": shard_starts, "overwrite": overwrite, "created_at": created_at, "joining": joining}
        super().__init__(Blocks(root, OUTCOMES, name), starts, variables, coords or {}, key=key, attrs=attrs, **options)


def outcome_name(set_up: str, network: str) -> str:
    """Return the usual name of outcomes.

    Examples
    --------
    >>> outcome_name("autoencoder", "commands_0")
    'autoencoder.commands_0'
    """
    return f"{set_up}.{network}"


def _check_told(name: str, attrs: Mapping[str, object], needed: Sequence[str]) -> None:
    for attribute in needed:
        value = attrs.get(attribute)
        if not isinstance(value, str) or not value:
            raise ArgumentError(f"The attribute {attribute!r} of {name!r} must be text, but got {value!r}.")
