"""Windows of a store, as averages and their tests take them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_columns, check_positive
from layerstats.errors import ArgumentError, DataError, StoreError
from layerstats.stats.averages.reading.aligned_windows import AlignedWindows, centred_lags
from layerstats.stats.averages.reading.letter_delay import letter_delay
from layerstats.stats.averages.reading.stored_maps import MAPS, StoredMaps
from layerstats.stats.averages.reading.told_phones import OF_TOLD_PHONES, PHONE_ALIGNMENTS, ToldPhones
from layerstats.stats.trust.map_measures import chosen_layer
from layerstats.store import Experiment, open_store

if TYPE_CHECKING:
    import xarray as xr

LETTER = "letter"
NONE = "none"
# Where a window is aligned, by recording, letter and alignment.
ALIGNED_SAMPLE = "aligned_sample"
INPUT, RELEVANCE = "input", "relevance"
# Windows whose alignments are read at once.
_AT_ONCE = 2**16
# What all who heard the same windows say alike.
_HEARD = ("corpus", "window_frames")
_FRONT_END = "front_end_"


def read_windows(
    experiment: Experiment | str | os.PathLike[str],
    by: str = LETTER,
    alignment: str = NONE,
    *,
    relevance: str | None = None,
    quantity: str = INPUT,
    layer: str | None = None,
    reach_s: float | None = None,
    delay_s: float | None = None,
) -> AlignedWindows:
    """Return the windows of a store with their labels, and where each is aligned under every label it might have.

    No map is read before it is asked for.

    Parameters
    ----------
    experiment
        A store whose tokens are windows (`record_letter_relevance` with ``maps=True, alignments=True``), or the part of
        it that is meant.
    by
        What labels windows: "letter", "word" or another column of the tokens; "phone", the phone that the letter stands
        for, "phone_in_context", that with its neighbours ("ae-s+k"), or another column of the phones.
    alignment
        "none" (the middle of the window), or one that was recorded: "max_relevance", "min_relevance" (where relevance
        for the letter is largest, or least, over the map), "max_relevance_by_time", "min_relevance_by_time" (the time
        step with the largest, or least, sum over frequency). By letter it is known under every letter; by another
        column windows are aligned by the letter that was read. Or "phone_onset" and "phone_centre", those of the phone
        that the letter stands for.
    relevance
        The recording whose relevance aligns; by default the one that the experiment shows, or the only one.
    quantity
        What is averaged: "input", "relevance" (or what that recording is of, such as "gradient"), or the name of any
        other recording of the same windows.
    layer
        By default the input, or the only layer.
    reach_s
        How far averages reach before and after the alignment, in seconds; by default half a window.
    delay_s
        How long before the middle of a window the phone lies that its letter stands for; by default `letter_delay` of
        all windows of the store.

    Returns
    -------
    AlignedWindows
        Its `notes` say which letters have no window, and what else was left out.

    Raises
    ------
    ArgumentError
        There is no such column, alignment, recording or layer.
    DataError
        A window has no label, or recordings are of different shapes.
    StoreError
        The store has no maps, or no alignments under every letter.

    References
    ----------
    Krug & Stober (2018), sections 3.5 and 3.6.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.store import store_arrays
    >>> tokens = pd.DataFrame({"token": ["u@1", "u@5"], "word": "he", "speaker": "s1", "split": "test"})
    >>> tokens["letter"] = ["h", "e"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     maps, times = np.ones((2, 4, 9)), np.arange(9) * 0.008
    ...     path = store_arrays(
    ...         f"{folder}/s.zarr", tokens, {"input": maps}, time_s={"input": times}, attrs={"quantity": "input"}
    ...     )
    ...     windows = read_windows(path, reach_s=0.016)
    ...     windows.labels, windows.lags.tolist(), windows.read(np.array([0])).shape
    (('e', 'h'), [-2, -1, 0, 1, 2], (1, 4, 9))
    """
    store = experiment if isinstance(experiment, Experiment) else open_store(experiment)
    if store.time_s is not None:
        raise ArgumentError("Windows are aligned whole: choose what averages reach by reach_s, not by select(time_s=).")
    told = _told_phones(store, by, alignment, delay_s)
    if told is not None and len(told.table) < len(store.tokens):
        store = store.select(token=told.table["token"].tolist())
    recorded = alignment not in (NONE, *PHONE_ALIGNMENTS)
    aligner = aligning_recording(store, relevance, needed=recorded or quantity == RELEVANCE)
    shown = _averaged_recording(store, aligner, quantity)
    maps = StoredMaps.of(shown, layer)
    table = _labelled(shown, by, told)
    found = tuple(sorted(set(table["label"])))
    samples = np.full(len(table), maps.size // 2, dtype=np.int32)
    if told is not None and not recorded and alignment != NONE:
        samples = told.samples(alignment).astype(np.int32)
    elif recorded:
        samples = _stored_samples(aligner, alignment, found if by == LETTER else None, table, maps)
    lags = centred_lags(maps.size)
    if reach_s is not None:
        check_positive("reach_s", reach_s)
        # No window reaches further than it is long.
        reach = min(int(reach_s / maps.hop_s + 1e-6), maps.size - 1)
        lags = np.arange(-reach, reach + 1)
    return AlignedWindows(
        table.loc[:, ["token", "speaker", "label"]],
        found,
        samples,
        lags,
        maps.bands,
        maps.size,
        maps.hop_s,
        maps.read,
        band_name=maps.band_name,
        quantity=shown.quantity,
        alignment=alignment,
        notes=(
            *(_without(found) if by == LETTER else ()),
            *about_relevance(shown.quantity, shown.recording_attrs),
            *(told.notes if told is not None else ()),
        ),
    )


def windows_of(
    source: AlignedWindows | Experiment | str | os.PathLike[str], reading: Mapping[str, Any]
) -> AlignedWindows:
    """Return windows as they are, or those of a store, read as `reading` says: options of `read_windows`."""
    if not isinstance(source, AlignedWindows):
        return read_windows(source, **reading)
    if reading:
        raise ArgumentError(f"These windows are read already: say {', '.join(reading)} to read_windows.")
    return source


def aligning_recording(store: Experiment, relevance: str | None, *, needed: bool) -> Experiment | None:
    """Return the recording by whose relevance windows are aligned."""
    if relevance is not None:
        return store.in_recording(relevance)
    if store.has_recording and store.quantity != INPUT:
        return store
    names = [
        str(name)
        for name, trained, quantity in store.recordings[["recording", "trained", "quantity"]].itertuples(index=False)
        if trained and quantity not in (INPUT, "activation")
    ]
    if len(names) == 1:
        return store.in_recording(names[0])
    if not needed:
        return None
    there = ", ".join(map(repr, names)) or "none"
    raise ArgumentError(f"Say which relevance aligns the windows (relevance=...). {store.path} has {there}.")


def _averaged_recording(store: Experiment, aligner: Experiment | None, quantity: str) -> Experiment:
    """Return the recording whose maps are averaged."""
    if aligner is not None and quantity in (RELEVANCE, aligner.quantity, aligner.name):
        return aligner
    if quantity != INPUT:
        check_choice("quantity", quantity, [INPUT, RELEVANCE, *store.recordings["recording"]])
        return store.in_recording(quantity)
    inputs = [store.in_recording(name) for name in store.recordings.query("quantity == 'input'")["recording"]]
    if aligner is not None:
        inputs = [one for one in inputs if _heard(one) == _heard(aligner)]
    with_maps = [one for one in inputs if MAPS in one.variables]
    if not with_maps:
        raise StoreError(
            f"{store.path} has no maps of what was heard in these windows. Record them with maps (maps=True, in the "
            "shell --maps)."
        )
    return with_maps[0]


def _heard(experiment: Experiment) -> dict[str, object]:
    attrs = experiment.recording_attrs
    return {name: value for name, value in attrs.items() if name in _HEARD or name.startswith(_FRONT_END)}


def _told_phones(store: Experiment, by: str, alignment: str, delay_s: float | None) -> ToldPhones | None:
    """Return the phones of windows, where these label or align them."""
    columns = store.tokens.columns
    if by not in columns and by not in OF_TOLD_PHONES:
        check_choice("by", by, list(dict.fromkeys([*columns, *OF_TOLD_PHONES, *store.phones.columns])))
    if alignment not in PHONE_ALIGNMENTS and by in columns and by not in OF_TOLD_PHONES:
        return None
    # One for the network, whatever was selected of its windows.
    delay = letter_delay(open_store(store.path), draws=0).delay_s if delay_s is None else delay_s
    return ToldPhones.of(store, delay)


def _labelled(experiment: Experiment, by: str, told: ToldPhones | None) -> pd.DataFrame:
    """Return a row a window, with its label."""
    tokens = experiment.tokens
    if tokens.empty:
        raise DataError(f"No window of {experiment.path} is selected.")
    of_tokens = by in tokens and by not in OF_TOLD_PHONES
    labels = tokens[by] if told is None or of_tokens else pd.Series(told.labels(by))
    without = (labels.isna() | (labels.astype("str") == "")).to_numpy()
    if without.any():
        token = tokens["token"].to_numpy()[without][0]
        raise DataError(
            f"{without.sum()} of {len(tokens)} windows have no {by}, for instance {token!r}. Leave them out: "
            f"experiment.select({by}=[...])."
        )
    return tokens.assign(label=labels.astype("str"))


def _stored_samples(
    aligner: Experiment | None, alignment: str, letters: tuple[str, ...] | None, table: pd.DataFrame, maps: StoredMaps
) -> np.ndarray:
    """Return (window, letter) where letters are labels, else (window,) under the letter that was read."""
    assert aligner is not None
    dataset = aligner.layer(chosen_layer(aligner, None))
    if ALIGNED_SAMPLE not in dataset:
        raise StoreError(
            f"The recording {aligner.name!r} of {aligner.path} does not say where windows are aligned under every "
            "letter. Record it with alignments (alignments=True, in the shell --alignments)."
        )
    if dataset.sizes["sample"] != maps.size:
        raise DataError(
            f"Windows of {aligner.name!r} have {dataset.sizes['sample']} samples, what is averaged has {maps.size}: "
            "these are windows of different shapes."
        )
    stored = dataset[ALIGNED_SAMPLE]
    check_choice("alignment", alignment, [NONE, *map(str, stored["alignment"].to_numpy()), *PHONE_ALIGNMENTS])
    if letters is None:
        check_columns(table, [LETTER], f"the tokens of {aligner.path}")
    read = sorted(set(table[LETTER].astype("str"))) if letters is None else list(letters)
    samples = _in_blocks(_under(stored.sel(alignment=alignment), read), aligner, table)
    if letters is not None:
        return samples
    return samples[np.arange(len(samples)), pd.Index(read).get_indexer(pd.Index(table[LETTER].astype("str")))]


def _in_blocks(stored: xr.DataArray, aligner: Experiment, table: pd.DataFrame) -> np.ndarray:
    """Return samples (window, letter) at half the memory that they have on disk, of which a block is read at a time."""
    found, size = np.empty(stored.shape, dtype=np.int32), aligner.layer(chosen_layer(aligner, None)).sizes["sample"]
    for first in range(0, len(found), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        block = stored.isel(token=some).to_numpy()
        if ((block < 0) | (block >= size)).any():
            row, letter = np.argwhere((block < 0) | (block >= size))[0]
            raise StoreError(
                f"The recording {aligner.name!r} of {aligner.path} is damaged: the window "
                f"{table['token'].iloc[first + row]!r} is aligned at sample {block[row, letter]} under the letter "
                f"{str(stored[LETTER].to_numpy()[letter])!r}, but it has samples 0 to {size - 1}. Remove the folder "
                f"{aligner.folder} and record it anew."
            )
        found[some] = block
    return found


def _under(stored: xr.DataArray, letters: list[str]) -> xr.DataArray:
    strangers = sorted(set(letters) - set(map(str, stored[LETTER].to_numpy())))
    if strangers:
        raise DataError(f"There are windows of the letter {strangers[0]!r}, under which no alignment is stored.")
    return stored.sel({LETTER: letters})


def _without(letters: tuple[str, ...]) -> tuple[str, ...]:
    """Say which letters have no window."""
    missing = [letter for letter in ascii_lowercase if letter not in letters]
    strangers = set(letters) - set(ascii_lowercase)
    return (f"No window is of the letter {', '.join(missing)}.",) if missing and not strangers else ()


def about_relevance(quantity: str, attrs: Mapping[str, object]) -> tuple[str, ...]:
    """Say what relevance is for, where it is averaged."""
    if quantity in (INPUT, "activation") or attrs.get("target") != "emitted":
        return ()
    return (f"The {quantity} of a window is for the letter that was read in it, whatever aligns it.",)
