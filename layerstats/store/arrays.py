"""A store from arrays in memory: for series that were computed elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from layerstats.errors import ArgumentError
from layerstats.store.hashing import content_hash
from layerstats.store.layer_spec import LayerSpec, usual_variables
from layerstats.store.schema import MAIN_RECORDING, clean_attributes
from layerstats.store.writer import RecordingWriter


def store_arrays(
    path: str | os.PathLike[str],
    tokens: pd.DataFrame,
    layers: Mapping[str, ArrayLike],
    *,
    time_s: Mapping[str, ArrayLike],
    phones: pd.DataFrame | None = None,
    name: str = MAIN_RECORDING,
    layer_attrs: Mapping[str, Mapping[str, object]] | None = None,
    attrs: Mapping[str, object] | None = None,
    overwrite: bool = False,
    created_at: str | None = None,
) -> Path:
    """Write arrays that some other program computed as a recording, so that all queries and analyses work on them.

    Parameters
    ----------
    path, tokens, phones, name, attrs, overwrite, created_at
        As for `RecordingWriter`.
    layers
        Values by name of the layer: (token, sample), or (token, channel, sample), of which the mean over channels is
        stored beside the maps. Either all layers have channels or none has.
    time_s
        Times by name of the layer, (sample,), seconds on the clip's axis.
    layer_attrs
        Attributes by name of the layer, for instance `activation`, `slope`, `hop_s`, `receptive_field_s`.

    Raises
    ------
    ArgumentError
        Arrays and times have other shapes than these.
    StoreError
        As for `RecordingWriter`.

    Examples
    --------
    >>> import tempfile
    >>> tokens = pd.DataFrame({"token": ["a", "b"], "word": ["ask", "dark"], "speaker": ["s1", "s2"], "split": "test"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = store_arrays(f"{folder}/s.zarr", tokens, {"conv1": np.eye(2)}, time_s={"conv1": [0.0, 0.5]})
    ...     path.name
    's.zarr'
    """
    arrays = {layer: np.asarray(values, dtype=np.float32) for layer, values in layers.items()}
    _check_arrays(arrays, time_s, len(tokens))
    specs = [
        LayerSpec(
            layer,
            np.asarray(time_s[layer], dtype=np.float64),
            usual_variables(values.shape[1] if values.ndim == 3 else None),
            attrs=(layer_attrs or {}).get(layer, {}),
        )
        for layer, values in arrays.items()
    ]
    provenance = clean_attributes(attrs or {})
    key = content_hash(
        arrays, [spec.times for spec in specs], [clean_attributes(spec.attrs) for spec in specs], provenance
    )
    options = {"attrs": provenance, "overwrite": overwrite, "created_at": created_at}
    with RecordingWriter(path, name, tokens, phones, specs, key=key, **options) as writer:
        for rows in writer.missing():
            writer.write(rows, {layer: _variables(values[rows]) for layer, values in arrays.items()})
        writer.finish()
        return writer.path


def _variables(values: np.ndarray) -> dict[str, np.ndarray]:
    return {"mean": values.mean(axis=1), "maps": values} if values.ndim == 3 else {"mean": values}


def _check_arrays(arrays: Mapping[str, np.ndarray], time_s: Mapping[str, ArrayLike], tokens: int) -> None:
    for name, values in arrays.items():
        if values.ndim not in (2, 3) or len(values) != tokens:
            raise ArgumentError(
                f"The layer {name!r} must have shape (token, sample) or (token, channel, sample) with {tokens} tokens, "
                f"but got {values.shape} instead."
            )
        if name not in time_s or np.shape(time_s[name]) != values.shape[-1:]:
            raise ArgumentError(f"The times of layer {name!r} must have shape {values.shape[-1:]}, one per sample.")
    if len({values.ndim for values in arrays.values()}) > 1:
        raise ArgumentError("Either all layers have channels or none has, but got both kinds.")
