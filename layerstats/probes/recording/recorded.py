"""Whether a network still gives what a store already holds of it: weights are hashed, code cannot be."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from layerstats.errors import OtherRecordingError
from layerstats.store import Experiment, open_store, recording_name

# Of the tolerance for a series, what is granted where a mean over channels is far smaller than the channels.
_FLOOR = 0.1
# Of places, such as that of a maximum, the share that may be elsewhere: rounding chooses between two that are alike.
_MOVED = 0.25


def key_there(store: str | os.PathLike[str], group: str, keys: Sequence[str]) -> str:
    """Return the one of `keys` that a recording in a store has, else the first; earlier versions had other keys."""
    if len(keys) > 1 and (Path(store) / "zarr.json").exists():
        recordings = open_store(store, incomplete="allow").recordings.set_index("recording")
        there = recordings["key"].get(recording_name(group))
        if there in keys:
            return str(there)
    return keys[0]


def check_recorded(
    store: str | os.PathLike[str],
    group: str,
    rows: np.ndarray,
    arrays: Mapping[str, Mapping[str, np.ndarray]],
    tolerance: Mapping[str, float],
    channel_rms: Mapping[str, float],
    phones: np.ndarray,
) -> None:
    """Raise `OtherRecordingError` where values on disk differ by more than rounding from those of the network now.

    Parameters
    ----------
    store, group
        The recording.
    rows
        Rows of the tokens table, (token,), ascending.
    arrays
        By layer and variable ("mean", ...), what the network gives now for these tokens: (token, [channel,] sample);
        whole numbers are places, of which few may be others.
    tolerance
        By layer, the difference that rounding can make, relative to the values' size.
    channel_rms
        By layer, the size of its channels.
    phones
        Rows of the phones table of those tokens, for variables by phone. These are compared once the recording is
        complete: before, they are not in their place yet.
    """
    view = open_store(store, incomplete="allow", recording=group)
    tokens = view.tokens["token"].to_numpy()[np.searchsorted(view.token_rows, rows)]
    for layer, variables in arrays.items():
        for variable, now in variables.items():
            array = view.array(layer, variable)
            if array.shape[1:] != now.shape[1:]:
                raise OtherRecordingError(
                    _changed(view, layer, f"it gives {now.shape[1:]} values a token, and {array.shape[1:]} then")
                )
            if np.issubdtype(array.dtype, np.integer):
                moved = float(np.mean(np.asarray(array.oindex[rows]) != now))
                if moved > _MOVED:
                    raise OtherRecordingError(_changed(view, layer, f"{moved:.0%} of its {variable} are others"))
                continue
            by_phone = view.dimensions(layer, variable)[0] == "phone"
            if by_phone and not view.recording_attrs["complete"]:
                continue
            there = np.asarray(array.oindex[phones if by_phone else rows], dtype=np.float64)
            behind = np.isnan(now)  # of clips that are shorter than the longest
            if not np.array_equal(np.isnan(there), behind):
                raise OtherRecordingError(_changed(view, layer, "its clips have other lengths"))
            apart, size = _rms(there - now, behind), _rms(there, behind)
            allowed = tolerance[layer] * (size + _FLOOR * channel_rms[layer])
            wrong = np.flatnonzero(apart > allowed)
            if len(wrong):
                first = wrong[0]
                names = view.phones["token"].to_numpy()[phones] if by_phone else tokens
                by = apart[first] / size[first] if size[first] > 0 else np.inf
                what = f"for token {names[first]!r} its values differ by {by:.1g} of their size"
                raise OtherRecordingError(_changed(view, layer, what))


def _rms(values: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """Return the root mean square by row, (row,), of what is not behind the end of a clip."""
    axes = tuple(range(1, values.ndim))
    count = np.maximum(np.sum(~behind, axis=axes), 1)
    return np.sqrt(np.sum(np.where(behind, 0.0, values) ** 2, axis=axes) / count)


def _changed(view: Experiment, layer: str, what: str) -> str:
    return (
        f"{view.path} already holds another recording {view.name!r}: layer {layer!r} of this network gives something "
        f"else now ({what}). Its code, or a function for its input or output, was changed since. Choose another path, "
        f"or remove the folder {view.folder} to record anew."
    )
