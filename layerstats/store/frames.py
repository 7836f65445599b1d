"""The tidy table of a selection, in blocks of tokens so that it can also be streamed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import zarr

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError, DataError
from layerstats.store.query import sample_counts, samples_within
from layerstats.store.schema import TOKEN_COLUMNS
from layerstats.store.selection import Selection

PHONE_NAMES = {
    "label": "phone",
    "phone_index": "phone_index",
    "onset_s": "phone_onset_s",
    "offset_s": "phone_offset_s",
}

# Columns of the tokens table that say where the speech of a clip is.
SPEECH = {"onset_s", "duration_s"}
# Columns of the table that are not from the tokens table.
_OWN = ("layer", "sample", "time_s", "value")


@dataclass(frozen=True)
class _Rows:
    """For every row of a frame: which token and phone of the block, and which sample."""

    token: np.ndarray
    phone: np.ndarray | None
    sample: np.ndarray


def frames(
    selection: Selection,
    *,
    values: str | None = None,
    columns: Iterable[str] = (),
    block_tokens: int | None = None,
    padding: bool = True,
) -> Iterator[pd.DataFrame]:
    """Yield the tidy table of a selection layer by layer, and within a layer by blocks of tokens (or all at once).

    Without `padding` only the samples that lie in the speech of their clip, where the tokens table says where it is.

    Raises
    ------
    ArgumentError
        A column does not exist.
    DataError
        Nothing is selected.
    """
    values = selection.summary if values is None else values
    check_choice("values", values, list(dict.fromkeys([*selection.variables, "maps"])))
    tokens, phones = selection.tokens, selection.phones
    extra_tokens, extra_phones = _extra_columns(selection, tokens, phones, columns)
    if tokens.empty:
        raise DataError("Nothing is selected: no token meets all conditions of the query. Widen it.")
    if not selection.layers:
        raise DataError("Nothing is selected: the query names no layer.")
    token_of_phone = pd.Index(tokens["token"]).get_indexer(pd.Index(phones["token"]))
    step = block_tokens or len(tokens)
    nothing = True
    for layer in selection.layers:
        array = selection.array(layer, values)
        names = selection.dimensions(layer, values)
        if names[:1] != ("token",) or names[-1:] != ("sample",) or len(names) > 3:
            raise ArgumentError(
                f"Of {values!r} with the dimensions {names} there is no tidy table; use layer(), or phone_vectors()."
            )
        time_s = selection.times(layer)
        window = selection.sample_range(time_s)
        for start in range(0, len(tokens), step):
            block = tokens.iloc[start : start + step]
            block_phones = None
            if selection.has_phone_query:
                inside = np.flatnonzero((token_of_phone >= start) & (token_of_phone < start + step))
                block_phones = phones.iloc[inside].assign(token_row=token_of_phone[inside] - start)
                onset_s, offset_s = block_phones["onset_s"].to_numpy(), block_phones["offset_s"].to_numpy()
                rows = _rows_within(block_phones["token_row"].to_numpy(), onset_s, offset_s, time_s, window)
            elif padding or not set(block.columns) >= SPEECH:
                rows = _all_rows(len(block), window)
            else:
                rows = _rows_within(np.arange(len(block)), *_speech(block), time_s, window)
            if len(rows.sample) == 0:
                continue
            read = _read(array, selection.token_rows[start : start + step], window)
            if selection.ragged:
                rows = _before_ends(rows, read, window[0])
                if len(rows.sample) == 0:
                    continue
            nothing = False
            frame = _frame(layer, block, block_phones, rows, time_s, extra_tokens, extra_phones)
            yield _with_values(frame, read, rows, window[0], names)
    if nothing:
        raise DataError(
            "Nothing is selected: no sample of these layers lies in the time window, intervals of phones or speech. "
            "Widen the query, or choose a layer with a smaller hop."
        )


def _extra_columns(
    selection: Selection, tokens: pd.DataFrame, phones: pd.DataFrame, columns: Iterable[str]
) -> tuple[list[str], list[str]]:
    extra_tokens, extra_phones = [], []
    for column in [columns] if isinstance(columns, str) else columns:
        if column in TOKEN_COLUMNS:
            continue
        if column in _OWN or (
            selection.has_phone_query and column in PHONE_NAMES.values() and column in tokens.columns
        ):
            raise ArgumentError(
                f"The column {column!r} of the tokens cannot stand beside that of the table; rename it."
            )
        if column in tokens.columns:
            extra_tokens.append(column)
        elif selection.has_phone_query and column in phones.columns:
            extra_phones += [column] if column not in PHONE_NAMES else []
        else:
            known = [*tokens.columns, *(phones.columns if selection.has_phone_query else [])]
            raise ArgumentError(f"There is no column {column!r}. There are: {', '.join(map(str, known))}.")
    return extra_tokens, extra_phones


def _all_rows(tokens: int, window: tuple[int, int]) -> _Rows:
    samples = np.arange(*window)
    return _Rows(np.repeat(np.arange(tokens), len(samples)), None, np.tile(samples, tokens))


def _speech(tokens: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return where the speech of each clip begins and ends; of a clip that does not say so, all is speech."""
    onset, duration = (tokens[name].to_numpy(dtype=float, na_value=np.nan) for name in ("onset_s", "duration_s"))
    unknown = np.isnan(onset) | np.isnan(duration)
    return np.where(unknown, -np.inf, onset), np.where(unknown, np.inf, onset + duration)


def _rows_within(
    token_row: np.ndarray, onset_s: np.ndarray, offset_s: np.ndarray, time_s: np.ndarray, window: tuple[int, int]
) -> _Rows:
    """Return the samples in intervals of tokens: onset <= time < offset."""
    first, end = samples_within(time_s, onset_s, offset_s)
    first, end = np.clip(first, *window), np.clip(end, *window)
    lengths = end - first
    interval = np.repeat(np.arange(len(token_row)), lengths)
    # Counts up from `first` within every interval, without a loop over them.
    sample = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths - first, lengths)
    return _Rows(token_row[interval], interval, sample)


def _before_ends(rows: _Rows, read: np.ndarray, first: int) -> _Rows:
    """Leave out samples behind the ends of clips of their own length, where a store has NaN."""
    ends = first + sample_counts(read)
    inside = rows.sample < ends[rows.token]
    return _Rows(rows.token[inside], None if rows.phone is None else rows.phone[inside], rows.sample[inside])


def _read(array: zarr.Array, token_rows: np.ndarray, window: tuple[int, int]) -> np.ndarray:
    """Read some tokens (ascending rows) and a stretch of samples: (token, sample) or (token, channel, sample)."""
    samples = slice(*window)
    first, last = int(token_rows[0]), int(token_rows[-1]) + 1
    if last - first == len(token_rows):
        return np.asarray(array[first:last, ..., samples])
    selection = (token_rows, *[slice(None)] * (array.ndim - 2), samples)
    return np.asarray(array.oindex[selection])


def _frame(
    layer: str,
    tokens: pd.DataFrame,
    phones: pd.DataFrame | None,
    rows: _Rows,
    time_s: np.ndarray,
    extra_tokens: list[str],
    extra_phones: list[str],
) -> pd.DataFrame:
    columns = {name: tokens[name].array.take(rows.token) for name in TOKEN_COLUMNS}
    columns["layer"] = pd.Series([layer], dtype=tokens["token"].dtype).array.take(np.zeros(len(rows.sample), dtype=int))
    columns["sample"] = rows.sample
    columns["time_s"] = time_s[rows.sample]
    if phones is not None and rows.phone is not None:
        for source, name in PHONE_NAMES.items():
            columns[name] = phones[source].array.take(rows.phone)
        for name in extra_phones:
            columns[name] = phones[name].array.take(rows.phone)
    for name in extra_tokens:
        columns[name] = tokens[name].array.take(rows.token)
    return pd.DataFrame(columns, copy=False)


def _with_values(
    frame: pd.DataFrame, read: np.ndarray, rows: _Rows, first: int, dimensions: Sequence[str]
) -> pd.DataFrame:
    position = list(frame.columns).index("time_s") + 1
    if read.ndim == 2:
        frame.insert(position, "value", read[rows.token, rows.sample - first].astype(np.float64))
        return frame
    channels = read.shape[1]
    repeated = frame.loc[frame.index.repeat(channels)].reset_index(drop=True)
    values = read[rows.token, :, rows.sample - first].astype(np.float64)
    repeated.insert(position - 2, dimensions[1], np.tile(np.arange(channels), len(frame)))
    repeated.insert(position + 1, "value", values.reshape(-1))
    return repeated
