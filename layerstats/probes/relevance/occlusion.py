"""Occlusion: by how much the score falls when a phone, a word, a stretch of time or a patch is taken away."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from layerstats.checks import check_columns, check_count, check_positive
from layerstats.errors import ArgumentError, DataError
from layerstats.probes.relevance.places import Place

ROW, START, STOP = "row", "start", "stop"


def patches(shape: Sequence[int], size: int | Sequence[int], hop: int | Sequence[int] | None = None) -> pd.DataFrame:
    """Return patches that cover all values of every token: Zeiler & Fergus (2014).

    Parameters
    ----------
    shape : sequence of int
        Of the values, (token, ...).
    size, hop : int or sequence of int
        Length of a patch, and the way from one to the next, along each axis after that of the tokens; one number is
        the same for all. Patches do not overlap by default; the last one along an axis may be cut short.

    Returns
    -------
    DataFrame
        ``row`` (of the token), and ``start`` and ``stop`` along the first axis, ``start_1``, ``stop_1`` along the next.

    Examples
    --------
    >>> patches((1, 3, 4), (2, 4))
       row  start  stop  start_1  stop_1
    0    0      0     2        0       4
    1    0      2     3        0       4
    """
    sizes = _per_axis("patch", size, len(shape) - 1)
    hops = sizes if hop is None else _per_axis("hop", hop, len(shape) - 1)
    edges = []
    for length, one, step in zip(shape[1:], sizes, hops, strict=True):
        if step > one:
            raise ArgumentError(f"A hop of {step} leaves gaps between patches of {one}: values there are never hidden.")
        starts = list(range(0, max(1, length - one + step), step))
        edges.append([(start, min(start + one, length)) for start in starts])
    rows = [
        {ROW: row, **{name: at for axis, pair in enumerate(place) for name, at in zip(_names(axis), pair, strict=True)}}
        for row, place in itertools.product(range(shape[0]), itertools.product(*edges))
    ]
    return pd.DataFrame(rows)


def spoken_stretches(
    phones: pd.DataFrame,
    tokens: pd.DataFrame,
    *,
    hop_s: float,
    samples: int,
    of: str = "phone",
    start_s: float | Sequence[float] | np.ndarray = 0.0,
) -> pd.DataFrame:
    """Return the stretches of the input under phones, or under words.

    Parameters
    ----------
    phones : DataFrame
        ``token, label, onset_s, offset_s``, in seconds of the clip that the network hears (`Clips.phones`); for words
        also a column that numbers them, ``word_index``.
    tokens : DataFrame
        The batch's rows of the tokens table, in its order, with ``token``; of windows, as `emitted_letters` gives them,
        with ``utterance``, whose phones they are.
    hop_s : float
        Seconds from one input sample or frame to the next.
    samples : int
        Length of the input along time.
    of : {"phone", "word"}
        What is taken away at a time. Where phones have no ``word_index``, each token is one word.
    start_s : float or sequence of float
        Time of the first input sample in seconds of the clip, one for each token where they differ: of a window, where
        it begins.

    Returns
    -------
    DataFrame
        ``row, start, stop`` with the columns of the phones beside; of words ``token`` and ``word_index``. Stretches
        that do not reach into the input are left out, others cut at its ends.

    Raises
    ------
    DataError
        A column is missing, or no stretch lies in the input.

    Examples
    --------
    >>> phones = pd.DataFrame({"token": ["a", "a"], "label": ["s", "k"], "onset_s": [0, 0.1], "offset_s": [0.1, 0.16]})
    >>> spoken_stretches(phones, pd.DataFrame({"token": ["a"]}), hop_s=0.01, samples=15)[["label", "start", "stop"]]
      label  start  stop
    0     s      0    10
    1     k     10    15
    """
    if of not in ("phone", "word"):
        raise ArgumentError(f"Allowed values of the 'of' parameter are 'phone' and 'word', but got {of!r} instead.")
    check_columns(phones, ["token", "onset_s", "offset_s"], "the table of phones")
    check_columns(tokens, ["token"], "the table of tokens")
    check_positive("hop_s", hop_s)
    begins = np.broadcast_to(np.asarray(start_s, dtype=float), len(tokens))
    windows = "utterance" in tokens and set(tokens["token"]).isdisjoint(phones["token"])
    spoken = phones
    if of == "word":
        keys = ["token", "word_index"] if "word_index" in phones else ["token"]
        spoken = phones.groupby(keys, sort=False, as_index=False).agg({"onset_s": "min", "offset_s": "max"})
    names = tokens["utterance" if windows else "token"].to_numpy()
    found = pd.DataFrame({"token": names, ROW: np.arange(len(tokens))}).merge(spoken, on="token", how="inner")
    edges = (found[["onset_s", "offset_s"]].to_numpy(dtype=float) - begins[found[ROW], None]) / hop_s
    # An edge between two samples belongs to the stretch that begins there.
    whole = np.clip(np.ceil(np.round(edges, 6)), 0, samples).astype(int)
    found[START], found[STOP] = whole[:, 0], whole[:, 1]
    found = found.loc[found[STOP] > found[START]].reset_index(drop=True)
    if found.empty:
        raise DataError(f"No {of} of these tokens lies in the {samples} samples of the input, {hop_s} s apart.")
    return found


def occlude(
    place: Place, stretches: pd.DataFrame, replacement: Tensor, time_axis: int, batch_size: int = 32
) -> tuple[Tensor, Tensor, pd.DataFrame]:
    """Return how far the score falls when stretches are replaced one at a time.

    Parameters
    ----------
    place : Place
        Whose values are replaced.
    stretches : DataFrame
        What `patches` or `spoken_stretches` gives, or a table of one's own: ``row`` of the token, ``start`` and
        ``stop`` along time; and, for patches, ``start_1``, ``stop_1``, ... along the other axes, by default all of
        them.
    replacement : Tensor
        What stands in place of each value, shaped like the values.
    time_axis : int
        The axis that ``start`` and ``stop`` are on; ``start_1`` is on the next of the others, in their order.
    batch_size : int
        Occluded inputs that run at once.

    Returns
    -------
    values : Tensor
        (token, ...): the fall of the score with a stretch, divided by the number of values in it, so that the sum over
        a stretch is its fall. Where stretches overlap, the mean of them; outside all, 0.
    scores : Tensor
        (token,), of the whole input.
    stretches : DataFrame
        As given, with ``drop``, the fall of the score.

    Raises
    ------
    DataError
        A stretch is empty, or reaches beyond the values.
    """
    values = place.values()
    order = [time_axis, *(axis for axis in range(1, values.ndim) if axis != time_axis)]
    boxes = _boxes(stretches, values.shape, order)
    rows = stretches[ROW].astype(int).tolist()
    with torch.no_grad():
        scores = place.scores(values)
        falls = []
        for first in range(0, len(rows), batch_size):
            some = rows[first : first + batch_size]
            hidden = values[some]
            for number, (row, box) in enumerate(zip(some, boxes[first : first + batch_size], strict=True)):
                hidden[(number, *box)] = replacement[(row, *box)]
            falls.append(scores[some] - place.scores(hidden, some))
    drops = torch.cat(falls)
    total, covered = torch.zeros_like(values), torch.zeros_like(values)
    for row, box, drop in zip(rows, boxes, drops, strict=True):
        total[(row, *box)] += drop / total[(row, *box)].numel()
        covered[(row, *box)] += 1
    return total / covered.clamp_min(1), scores, stretches.assign(drop=drops.double().cpu().numpy())


def _boxes(stretches: pd.DataFrame, shape: Sequence[int], order: Sequence[int]) -> list[tuple[slice, ...]]:
    check_columns(stretches, [ROW, START, STOP], "the table of stretches")
    if stretches.empty:
        raise DataError("The table of stretches is empty: there is nothing to occlude.")
    edges = [name for name in stretches if name == ROW or str(name).startswith((START, STOP))]
    whole = stretches[edges].apply(pd.to_numeric, errors="coerce")
    odd = np.asarray((whole != whole.round()).any(axis=1))  # so are those that are no numbers
    if odd.any():
        number = int(odd.argmax())
        raise DataError(
            f"The edges of stretches must be whole numbers of values, but stretch {number} has "
            f"{stretches[edges].iloc[number].to_dict()}."
        )
    boxes = []
    for number, record in enumerate(stretches.to_dict("records")):
        if not 0 <= int(record[ROW]) < shape[0]:
            raise DataError(f"Stretch {number} is of row {record[ROW]}, but there are {shape[0]} tokens, from row 0.")
        boxes.append(_box(number, record, shape, order))
    return boxes


def _box(number: int, record: Mapping, shape: Sequence[int], order: Sequence[int]) -> tuple[slice, ...]:
    box = [slice(0, length) for length in shape[1:]]
    for place, axis in enumerate(order):
        first, last = _names(place)
        if first in record:
            start, stop = int(record[first]), int(record[last])
            if not 0 <= start < stop <= shape[axis]:
                raise DataError(
                    f"Stretch {number} is from {start} to {stop}, but must be at least one value of the {shape[axis]} "
                    f"along axis {axis}."
                )
            box[axis - 1] = slice(start, stop)
    return tuple(box)


def _names(axis: int) -> tuple[str, str]:
    """Return the columns of the edges along an axis: time is the first."""
    return (START, STOP) if axis == 0 else (f"{START}_{axis}", f"{STOP}_{axis}")


def _per_axis(name: str, given: int | Sequence[int], axes: int) -> tuple[int, ...]:
    chosen = tuple(given) if isinstance(given, Sequence) else (given,) * axes
    if len(chosen) != axes:
        raise ArgumentError(f"The {name!r} parameter must have one number for each of {axes} axes, but got {given!r}.")
    for one in chosen:
        check_count(name, one)
    return tuple(int(one) for one in chosen)
