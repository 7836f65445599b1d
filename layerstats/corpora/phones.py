"""The phones table: one row an interval, its neighbours and its place in the token."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete
from layerstats.corpora.phone_classes import phone_class
from layerstats.errors import CorpusError

PHONE_COLUMNS = (
    *("token", "phone_index", "label", "onset_s", "offset_s"),
    *("source_label", "phone_class", "previous", "following", "position"),
)
EDGE = "#"  # the neighbour of a first or last phone

# Labels and audio may disagree by rounding, not by more than this.
TOLERANCE_S = 1e-4


def empty_phones() -> pd.DataFrame:
    """Return a phones table without rows, with the columns and types of a full one."""
    numbers = {"phone_index": "int64", "onset_s": "float64", "offset_s": "float64"}
    return pd.DataFrame({column: pd.Series(dtype=numbers.get(column, "str")) for column in PHONE_COLUMNS})


def phones_table(intervals: pd.DataFrame) -> pd.DataFrame:
    """Complete labelled intervals to a phones table.

    Parameters
    ----------
    intervals : DataFrame
        Columns `token, label, onset_s, offset_s` (seconds from the token's onset), and `source_label`
        where the source spells its labels otherwise.

    Returns
    -------
    DataFrame
        Columns `token, phone_index, label, onset_s, offset_s, source_label, phone_class, previous,
        following, position`. Tokens keep their order, phones are in temporal order. `previous` and
        `following` are the neighbouring labels within the token, "#" at its edges; `position` is
        "initial", "medial", "final" or "only".

    Raises
    ------
    CorpusError
        If an interval ends before it starts, two intervals of a token overlap, or a label is no text.

    Examples
    --------
    >>> intervals = pd.DataFrame(
    ...     {"token": ["a", "a"], "label": ["ae", "s"], "onset_s": [0.0, 0.1], "offset_s": [0.1, 0.2]}
    ... )
    >>> table = phones_table(intervals)
    >>> table[["label", "previous", "following", "position"]].values.tolist()
    [['ae', '#', 's', 'initial'], ['s', 'ae', '#', 'final']]
    """
    if intervals.empty:
        return empty_phones()
    check_columns(intervals, ("token", "label", "onset_s", "offset_s"), "the table of phones")
    check_complete(intervals, ("token", "label", "onset_s", "offset_s"), "the table of phones")
    other = [label for label in intervals["label"].unique() if not isinstance(label, str)]
    if other:
        raise CorpusError(f"Labels of phones must be text, but got {other[0]!r} ({type(other[0]).__name__}).")
    rank = {token: index for index, token in enumerate(dict.fromkeys(intervals["token"]))}
    order = np.lexsort((intervals["onset_s"].to_numpy(), np.array([rank[token] for token in intervals["token"]])))
    table = intervals.iloc[order].reset_index(drop=True)
    _check_order(table)
    by_token = table.groupby("token", sort=False)
    index = by_token.cumcount()
    count = by_token["label"].transform("size")
    position = np.select([count == 1, index == 0, index == count - 1], ["only", "initial", "final"], default="medial")
    source = table["source_label"] if "source_label" in table else table["label"]
    return pd.DataFrame(
        {
            "token": table["token"],
            "phone_index": index.astype("int64"),
            "label": table["label"],
            "onset_s": table["onset_s"].astype("float64"),
            "offset_s": table["offset_s"].astype("float64"),
            "source_label": source,
            "phone_class": table["label"].map(phone_class),
            "previous": by_token["label"].shift(1).fillna(EDGE),
            "following": by_token["label"].shift(-1).fillna(EDGE),
            "position": pd.Series(position, dtype="str"),
        }
    )


def _check_order(table: pd.DataFrame) -> None:
    backwards = np.flatnonzero(table["offset_s"] <= table["onset_s"])
    if len(backwards):
        row = table.iloc[backwards[0]]
        raise CorpusError(
            f"Phone {row['label']!r} of token {row['token']!r} ends at {row['offset_s']:.4f} s, "
            f"not after its onset at {row['onset_s']:.4f} s. Mend the labels of this token."
        )
    same = (table["token"] == table["token"].shift(-1)).to_numpy()
    overlap = same & (table["offset_s"] > table["onset_s"].shift(-1) + TOLERANCE_S).to_numpy()
    if overlap.any():
        row = table.loc[overlap].iloc[0]
        raise CorpusError(
            f"Phone {row['label']!r} of token {row['token']!r} ends at {row['offset_s']:.4f} s, after the next "
            f"phone has started. Mend the labels of this token."
        )


def check_within(phones: pd.DataFrame, duration_s: Mapping[str, float]) -> None:
    """Raise `CorpusError` where a phone belongs to no token or lies outside its token."""
    unknown = [token for token in phones["token"].unique() if token not in duration_s]
    if unknown:
        raise CorpusError(f"The table of phones names {len(unknown)} unknown tokens, for instance {unknown[0]!r}.")
    end = np.array([duration_s[token] for token in phones["token"]], dtype=np.float64)
    outside = np.flatnonzero((phones["onset_s"] < -TOLERANCE_S) | (phones["offset_s"] > end + TOLERANCE_S))
    if len(outside):
        row = phones.iloc[outside[0]]
        raise CorpusError(
            f"Phone {row['label']!r} of token {row['token']!r} lies at {row['onset_s']:.4f}-{row['offset_s']:.4f} s, "
            f"outside its token, which lasts {duration_s[row['token']]:.4f} s."
        )
