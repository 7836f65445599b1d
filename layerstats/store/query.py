"""Which rows of a table, and which samples of a layer, a query asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError

Value = str | bool | int | float
# What is wanted of a column: one value or several.
Wanted = Value | Iterable[Value]
# Asks for a column of the phones where the tokens have one of the same name.
OF_PHONES = "phone_"


def as_list(wanted: Wanted) -> list[Value]:
    """Return one value or several as a list.

    Examples
    --------
    >>> as_list("ask"), as_list(("ask", "dark")), as_list(3)
    (['ask'], ['ask', 'dark'], [3])
    """
    if isinstance(wanted, Iterable) and not isinstance(wanted, str):
        return list(wanted)
    return [wanted]


def by_table(
    wanted: Mapping[str, Wanted], tokens: pd.DataFrame, phones: pd.DataFrame
) -> tuple[dict[str, Wanted], dict[str, Wanted]]:
    """Return what is wanted of the tokens and what of the phones, by column.

    Raises
    ------
    ArgumentError
        A column is in neither table; the message lists those that exist.

    Examples
    --------
    >>> tokens, phones = pd.DataFrame(columns=["token", "onset_s"]), pd.DataFrame(columns=["token", "onset_s", "label"])
    >>> by_table({"token": "a", "label": "s", "phone_onset_s": 0.1}, tokens, phones)
    ({'token': 'a'}, {'label': 's', 'onset_s': 0.1})
    """
    of_tokens: dict[str, Wanted] = {}
    of_phones: dict[str, Wanted] = {}
    for column, values in wanted.items():
        bare = column.removeprefix(OF_PHONES)
        if column in tokens.columns:
            of_tokens[column] = values
        elif column in phones.columns:
            of_phones[column] = values
        elif bare in phones.columns:
            of_phones[bare] = values
        else:
            raise ArgumentError(
                f"Nothing can be selected by {column!r}: the store has no such column. Of tokens there are: "
                f"{', '.join(map(str, tokens.columns))}; of phones: {', '.join(map(str, phones.columns))}."
            )
    return of_tokens, of_phones


def matching(table: pd.DataFrame, wanted: Mapping[str, Wanted], what: str) -> np.ndarray:
    """Return for every row of `table` whether each column named in `wanted` has one of its values, (row,) bool.

    Raises
    ------
    ArgumentError
        The table is empty or has no such value; the message lists those that exist.
    """
    rows = np.ones(len(table), dtype=bool)
    for column, values in wanted.items():
        if len(table) == 0:
            raise ArgumentError(f"Nothing can be selected by {column!r}: the store has no {what}.")
        listed = as_list(values)
        if any(value is None or value is pd.NA for value in listed):
            raise ArgumentError(f"Rows without a {column!r} cannot be selected: give the values that are wanted.")
        check_known(column, listed, table[column].dropna().unique().tolist())
        rows &= table[column].isin(listed).to_numpy()
    return rows


def matching_recording(recordings: pd.DataFrame, wanted: Mapping[str, object], path: object) -> str:
    """Return the name of the only recording that has these attributes; None is no condition.

    Parameters
    ----------
    recordings
        One row per recording, a column an attribute.
    wanted
        Values by attribute.
    path
        The store, for messages.

    Raises
    ------
    ArgumentError
        None or several have them, or no recording says anything of an attribute; the message lists what there is.
    """
    asked = {name: value for name, value in wanted.items() if value is not None}
    unknown = [name for name in asked if name not in recordings.columns]
    if unknown:
        known = ", ".join(map(str, recordings.columns))
        raise ArgumentError(f"No recording of {path} has the attribute {unknown[0]!r}. There are: {known}.")
    fitting = recordings
    for name, value in asked.items():
        same = [not isinstance(found, list) and found == value for found in fitting[name]]
        fitting = fitting.loc[np.array(same, dtype=bool)]
    if len(fitting) == 1:
        return str(fitting["recording"].tolist()[0])
    said = ", ".join(f"{name}={value!r}" for name, value in asked.items()) or "no condition"
    listed = _listed(recordings if fitting.empty else fitting)
    if fitting.empty:
        raise ArgumentError(f"None of the recordings of {path} is meant by {said}. There are: {listed or 'none'}.")
    raise ArgumentError(
        f"Not one but {len(fitting)} of the recordings of {path} are meant by {said}. Name one of them (recording=, "
        f"--recording). There are: {listed}."
    )


def _listed(recordings: pd.DataFrame) -> str:
    """Say of each recording what tells it from others."""
    about = ["quantity", "network", "network_kind", "part", "network_seed", "trained", "rule"]
    every = recordings.to_dict(orient="records")
    telling = [name for name in about if len({str(row[name]) for row in every}) > 1]
    rows = []
    for row in every[:20]:
        told = [f"{name} {row[name]}" for name in telling if not pd.isna(row[name])]
        rows.append(f"{row['recording']!r}" + (f" ({', '.join(told)})" if told else ""))
    return ", ".join(rows) + (f", ... ({len(recordings)})" if len(recordings) > 20 else "")


def check_known(name: str, wanted: Iterable[object], existing: Iterable[object]) -> None:
    """Raise `ArgumentError` listing what exists, where something else is wanted."""
    known = list(existing)
    unknown = [value for value in wanted if value not in known]
    if unknown:
        shown = ", ".join(repr(value) for value in known[:40]) + (f", ... ({len(known)})" if len(known) > 40 else "")
        raise ArgumentError(
            f"The store has no {name} {', '.join(map(repr, unknown))}. There are: {shown if known else 'none'}."
        )


def narrowed(window: tuple[float, float] | None, time_s: tuple[float, float]) -> tuple[float, float]:
    """Return what two windows have in common, seconds.

    Raises
    ------
    ArgumentError
        Where the start of `time_s` is not before its end.
    """
    try:
        start, end = (float(edge) for edge in time_s)
    except (TypeError, ValueError):
        start = end = np.nan
    if not start < end:
        raise ArgumentError(f"A time window needs a start before its end (seconds), but got {time_s!r} instead.")
    return (start, end) if window is None else (max(window[0], start), min(window[1], end))


def samples_within(time_s: np.ndarray, start: np.ndarray | float, end: np.ndarray | float) -> tuple:
    """Return the first sample at or after `start` and the first at or after `end`: the samples start <= time < end.

    Half-open, so that a sample on the boundary of two phones belongs to one of them.

    Examples
    --------
    >>> samples_within(np.array([0.0, 0.1, 0.2, 0.3]), 0.1, 0.3)
    (np.int64(1), np.int64(3))
    """
    first = np.searchsorted(time_s, start, side="left")
    return first, np.maximum(first, np.searchsorted(time_s, end, side="left"))


def sample_counts(values: np.ndarray) -> np.ndarray:
    """Return how many samples are of the clip of each token, (token,): NaN follows those of shorter ones.

    Parameters
    ----------
    values
        (token, ..., sample), as a recording of clips of their own length stores them.

    Examples
    --------
    >>> sample_counts(np.array([[1.0, 2.0, np.nan], [1.0, 2.0, 3.0]]))
    array([2, 3])
    """
    there = ~np.isnan(values)
    return there.reshape(len(values), -1, values.shape[-1]).any(axis=1).sum(axis=1)
