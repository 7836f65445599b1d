"""A vector a phone and layer, labelled: what was averaged over the samples of each phone when it was recorded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from layerstats.errors import DataError, StoreError
from layerstats.store.experiment import Experiment, open_store
from layerstats.store.query import Wanted

VECTORS = "phones"
# What a recording says of its network, repeated on its vectors.
_TOLD = ("quantity", "network", "network_kind", "part", "network_seed", "seed", "trained", "model_hash")


def phone_vectors(
    source: Experiment | str | os.PathLike[str],
    layer: str,
    phones: str | Sequence[str] | None = None,
    recording: str | None = None,
    **columns: Wanted | None,
) -> xr.DataArray:
    """Return the vectors of phones at a layer: its channels, averaged over the samples of each phone.

    Values stay on disk until they are used, and then only those that are: ``vectors[:10_000].to_numpy()`` reads the
    first 10,000 phones, ``vectors.load()`` all of them.

    Parameters
    ----------
    source : Experiment or path
        A store whose recording has vectors of phones, ``Activation(phones=True)``, in the shell ``--phones``; what is
        selected of it.
    layer : str
        Which layer.
    phones : str or sequence of str, optional
        Labels, in a sequence or with commas between them: "p,t,k".
    recording : str, optional
        Its name, where it is not the one that `source` shows.
    **columns
        What is selected by any column of phones or tokens, as for `Experiment.select`: ``phone_class="plosive"``,
        ``speaker=["s1", "s2"]``.

    Returns
    -------
    xarray.DataArray
        (phone, channel), float32. Along `phone` lie all columns of the tables of phones and of tokens (`label`,
        `phone_class`, `previous`, `following`, `onset_s`, `offset_s`, `token`, `word`, `speaker`, ...; where both have
        one it is that of the phone, and the token's is `token_onset_s`), `duration_s` of the phone, and `phone`, its
        row in the table. Attributes: `layer, recording, trained`, and what else the recording says of its network.

    Raises
    ------
    ArgumentError
        The store has no such layer, recording, column or value; the message lists those that exist.
    DataError
        No phone meets all conditions.
    StoreError
        No vectors of phones were recorded, or the recording is half-written.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.store import LayerSpec, RecordingWriter, VariableSpec
    >>> tokens = pd.DataFrame({"token": ["a", "b"], "word": ["ask", "dark"], "speaker": ["s1", "s2"], "split": "test"})
    >>> phones = pd.DataFrame({"token": ["a", "a", "b"], "phone_index": [0, 1, 0], "label": ["ae", "s", "d"]})
    >>> phones = phones.assign(onset_s=[0.0, 0.1, 0.0], offset_s=[0.1, 0.2, 0.05])
    >>> layer = LayerSpec("conv1", None, [VariableSpec("phones", sizes={"channel": 2})])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with RecordingWriter(f"{folder}/s.zarr", "activations", tokens, phones, [layer], key="k") as writer:
    ...         for rows in writer.missing():
    ...             writer.write(rows, {"conv1": {"phones": np.arange(6.0).reshape(3, 2)}})
    ...         writer.finish()
    ...     vectors = phone_vectors(f"{folder}/s.zarr", "conv1", speaker="s1").load()
    >>> vectors.to_numpy().tolist(), vectors["label"].to_numpy().tolist()
    ([[0.0, 1.0], [2.0, 3.0]], ['ae', 's'])
    """
    listed = phones.split(",") if isinstance(phones, str) else phones
    labels = None if listed is None else [label.strip() for label in listed]
    experiment = source if isinstance(source, Experiment) else open_store(source, recording=recording)
    if recording is not None:
        experiment = experiment.recording(recording)
    if VECTORS not in experiment.variables:
        raise StoreError(
            f"The recording {experiment.name!r} of {experiment.path} has no vectors of phones. Record them: "
            "Activation(phones=True), in the shell --phones."
        )
    if not experiment.recording_attrs["complete"]:
        raise StoreError(
            f"The recording {experiment.name!r} of {experiment.path} is half-written: vectors of phones are put in "
            "their places as tokens are finished. Run the call that recorded it again, and it goes on from there."
        )
    chosen = experiment.select(layer=layer, phone=labels, time_s=None, **columns)
    if not len(chosen.phone_rows):
        raise DataError("No phone meets all conditions, so that there are no vectors. Widen the query.")
    told = {name: experiment.recording_attrs[name] for name in _TOLD if name in experiment.recording_attrs}
    stored = chosen.layer(layer)[VECTORS]
    attrs = {**stored.attrs, "layer": layer, "recording": experiment.name, **told}
    return stored.reset_coords(drop=True).assign_coords(_labels(chosen)).assign_attrs(attrs)


def _labels(chosen: Experiment) -> dict[str, Any]:
    """Return what is known of every phone, from both tables."""
    phones, tokens = chosen.phones, chosen.tokens.set_index("token")
    own = phones.assign(duration_s=phones["offset_s"] - phones["onset_s"])
    rows = tokens.index.get_indexer(pd.Index(phones["token"]))
    of_tokens = {name: column.array.take(rows) for name, column in tokens.items()}
    of_tokens = {f"token_{name}" if name in own.columns else str(name): column for name, column in of_tokens.items()}
    columns = {**{str(name): column.array for name, column in own.items()}, **of_tokens}
    return {"phone": chosen.phone_rows, **{name: ("phone", _plain(column)) for name, column in columns.items()}}


def _plain(column: Any) -> np.ndarray:
    numeric = pd.api.types.is_numeric_dtype(column.dtype)
    return np.asarray(column.to_numpy() if numeric else column.to_numpy(dtype=object))
