"""Phones and words of whole tokens, as averages and their tests take windows."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_columns, check_positive
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.averages.reading.aligned_windows import AlignedWindows
from layerstats.stats.averages.reading.stored_maps import StoredMaps
from layerstats.stats.averages.reading.told_phones import (
    OF_TOLD_PHONES,
    PHONE,
    PHONE_ALIGNMENTS,
    PHONE_ONSET,
    phone_names,
    phone_samples,
)
from layerstats.store import Experiment, open_store

WORD = "word"
# Words are aligned as phones are.
_WORD_ALIGNMENTS = {"word_onset": "phone_onset", "word_centre": "phone_centre"}
_REACH_S = 0.2


def read_events(
    experiment: Experiment | str | os.PathLike[str],
    by: str = PHONE,
    alignment: str = PHONE_ONSET,
    *,
    layer: str | None = None,
    reach_s: float = _REACH_S,
) -> AlignedWindows:
    """Return the phones, or the words, of a recording of whole tokens, aligned in the maps of a layer.

    What is averaged is what was recorded: activations, inputs, relevance. Where an event lies does not depend on what
    it is called, so that tests may permute its label, or flip signs of speakers. No map is read before it is asked for.

    Parameters
    ----------
    experiment
        A recording of tokens with maps, or the part of it that is meant: ``select(phone=["s", "sh"])`` leaves only
        these phones.
    by
        What labels them: "phone", "phone_in_context" (a phone with its neighbours, "ae-s+k"), or any column of the
        phones; "word" or any other column of the tokens.
    alignment
        "phone_onset" or "phone_centre": the phones of all tokens, at the first sample that lies in each, or the one
        next to its middle. "word_onset" or "word_centre": words; where phones have a ``word_index`` a token may be
        several.
    layer
        Whose maps are averaged; by default the input, or the only layer.
    reach_s
        How far averages reach before and after the alignment, in seconds. What lies outside a clip is not covered;
        silence in it, such as padding, is part of what was heard.

    Returns
    -------
    AlignedWindows
        A row an event; its `notes` say what was left out.

    Raises
    ------
    ArgumentError
        There is no such column, alignment or layer.
    DataError
        The tokens are windows, there are no phones, or words without a beginning.
    StoreError
        The layer was recorded without maps.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.store import store_arrays
    >>> tokens = pd.DataFrame({"token": ["t1", "t2"], "word": ["ask", "wash"], "speaker": "f1", "split": "test"})
    >>> spoken = [("t1", 0, "s", 0.1, 0.3), ("t2", 0, "sh", 0.2, 0.4)]
    >>> phones = pd.DataFrame(spoken, columns=["token", "phone_index", "label", "onset_s", "offset_s"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     maps = {"conv1": np.arange(40.0).reshape(2, 2, 10)}
    ...     path = store_arrays(f"{folder}/s.zarr", tokens, maps, time_s={"conv1": np.arange(10) / 10}, phones=phones)
    ...     events = read_events(path, reach_s=0.1)
    ...     events.table["label"].tolist(), events.samples.tolist(), events.read(np.array([1])).shape
    (['s', 'sh'], [1, 2], (1, 2, 10))
    """
    view = experiment if isinstance(experiment, Experiment) else open_store(experiment)
    check_choice("alignment", alignment, [*PHONE_ALIGNMENTS, *_WORD_ALIGNMENTS])
    check_positive("reach_s", reach_s)
    _check_view(view)
    maps = StoredMaps.of(view, layer)
    of_words = alignment in _WORD_ALIGNMENTS
    found = _words(view) if of_words else view.phones
    found = found.assign(row=pd.Index(view.tokens["token"]).get_indexer(pd.Index(found["token"])))
    found = found.assign(label_of=_labels(view.tokens, found, by, of_words))
    # Tokens one after the other, so that each map is read once.
    kept = found.loc[_heard(found, maps) & found["label_of"].notna().to_numpy()].sort_values("row", kind="stable")
    if kept.empty:
        raise DataError(f"No {'word' if of_words else 'phone'} with a {by} begins within a clip of {view.path.name}.")
    rows = kept["row"].to_numpy()
    table = pd.DataFrame({"token": view.tokens["token"].to_numpy()[rows], "label": kept["label_of"].astype("str")})
    table = table.assign(speaker=view.tokens["speaker"].to_numpy()[rows]).reset_index(drop=True)
    # No clip reaches further than it is long.
    reach = min(int(reach_s / maps.hop_s + 1e-6), maps.size - 1)
    return AlignedWindows(
        table.loc[:, ["token", "speaker", "label"]],
        tuple(sorted(set(table["label"]))),
        phone_samples(kept, maps.times, _WORD_ALIGNMENTS.get(alignment, alignment)),
        np.arange(-reach, reach + 1),
        maps.bands,
        maps.size,
        maps.hop_s,
        lambda some: maps.read(rows[some]),
        band_name=maps.band_name,
        quantity=view.quantity,
        alignment=alignment,
        notes=_notes(len(found) - len(kept), len(found), by, of_words),
    )


def _check_view(view: Experiment) -> None:
    if view.time_s is not None:
        raise ArgumentError("Maps are read whole: choose what averages reach by reach_s, not by select(time_s=).")
    if "utterance" in view.tokens.columns:
        raise DataError(
            f"The tokens of {view.path.name} are windows, which share their phones: average them by read_windows()."
        )
    if view.tokens.empty:
        raise DataError(f"No token of {view.path.name} is selected.")


def _labels(tokens: pd.DataFrame, events: pd.DataFrame, by: str, of_words: bool) -> np.ndarray:
    """Return what events are called, (event,)."""
    if of_words and by == WORD:
        return events[WORD].to_numpy(dtype=object)
    # Of a column that both tables have, that of the phones.
    if not of_words and (by in OF_TOLD_PHONES or by in set(events.columns) - {"token", "row"}):
        return phone_names(events, by)
    known = [*tokens.columns] if of_words else [*OF_TOLD_PHONES, *events.columns.drop("row"), *tokens.columns]
    check_choice("by", by, list(dict.fromkeys(known)))
    return tokens[by].to_numpy(dtype=object)[events["row"].to_numpy()]


def _heard(events: pd.DataFrame, maps: StoredMaps) -> np.ndarray:
    """Return whether each event lies in its clip, as far as the layer has samples."""
    onset, offset = (events[name].to_numpy(dtype=float) for name in ("onset_s", "offset_s"))
    half = maps.hop_s / 2
    return (onset >= maps.times[0] - half) & (offset > onset) & ((onset + offset) / 2 <= maps.times[-1] + half)


def _words(view: Experiment) -> pd.DataFrame:
    """Return a row a word: `token, word, onset_s, offset_s`."""
    if view.has_phone_query:
        raise ArgumentError("Phones are selected, but words are to be averaged: select tokens, or align by phones.")
    tokens, phones = view.tokens, view.phones
    several = tokens[WORD].str.contains(" ", regex=False)
    if "word_index" in phones and several.any():
        spoken = phones.groupby(["token", "word_index"], sort=False, as_index=False).agg(
            onset_s=("onset_s", "min"), offset_s=("offset_s", "max")
        )
        texts = dict(zip(tokens["token"], tokens[WORD].str.split(" "), strict=True))
        places = zip(spoken["token"], spoken["word_index"].astype(int), strict=True)
        words = [texts[token][index] if index < len(texts[token]) else None for token, index in places]
        return spoken.assign(word=words)
    if {"onset_s", "duration_s"} <= set(tokens.columns):
        spoken = tokens.loc[:, ["token", WORD, "onset_s"]]
        return spoken.assign(offset_s=tokens["onset_s"] + tokens["duration_s"])
    check_columns(phones, ["onset_s", "offset_s"], "the phones")
    if phones.empty:
        raise DataError(
            f"It is not known where words begin in {view.path.name}: its tokens have no onset_s and duration_s, and it "
            "has no phones."
        )
    spoken = phones.groupby("token", sort=False, as_index=False).agg(
        onset_s=("onset_s", "min"), offset_s=("offset_s", "max")
    )
    return spoken.merge(tokens.loc[:, ["token", WORD]], on="token", validate="1:1")


def _notes(missing: int, total: int, by: str, of_words: bool) -> tuple[str, ...]:
    if not missing:
        return ()
    what = "words" if of_words else "phones"
    return (f"Left out: {missing} of {total} {what} that have no {by}, or do not lie in the samples of the layer.",)
