"""The phone that the letter of a window stands for: what it is called, and where in the window it lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_columns
from layerstats.errors import ArgumentError, DataError
from layerstats.store import Experiment

PHONE_ONSET, PHONE_CENTRE = "phone_onset", "phone_centre"
PHONE_ALIGNMENTS = (PHONE_ONSET, PHONE_CENTRE)
PHONE, PHONE_IN_CONTEXT = "phone", "phone_in_context"
# What windows say of the phone under their middle is not about the one that their letter stands for.
OF_TOLD_PHONES = (PHONE, PHONE_IN_CONTEXT, "phone_class")


@dataclass(frozen=True, eq=False)
class ToldPhones:
    """The phones under one time of all windows.

    Attributes
    ----------
    table
        A row a window that has such a phone, in their order: the columns of the phones table, and `row`, the window's
        among the tokens that are selected.
    times
        Seconds of the samples of a window, (sample,), from its first.
    delay_s
        How long before the middle of windows the phones lie.
    notes
        In sentences, what was left out.
    """

    table: pd.DataFrame
    times: np.ndarray
    delay_s: float
    notes: tuple[str, ...]

    @classmethod
    def of(cls, experiment: Experiment, delay_s: float) -> ToldPhones:
        """Find the phone that lies `delay_s` before the middle of each window that is selected.

        Parameters
        ----------
        experiment
            A recording of windows (`record_letter_relevance`), with phones.
        delay_s
            As `letter_delay` estimates it: one for all windows.

        Raises
        ------
        ArgumentError
            Windows do not reach so far.
        DataError
            The tokens of the store are no windows, or no phone lies there in any.

        Examples
        --------
        >>> import tempfile
        >>> from layerstats.store import open_store, store_arrays
        >>> tokens = pd.DataFrame({"token": ["u@0"], "utterance": "u", "word": "as", "speaker": "f1", "split": "test"})
        >>> told = [("u@0", 0, "ae", 0.1, 0.3), ("u@0", 1, "z", 0.3, 0.5)]
        >>> phones = pd.DataFrame(told, columns=["token", "phone_index", "label", "onset_s", "offset_s"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     times = {"input": np.arange(9) / 10}
        ...     values = {"input": np.zeros((1, 9))}
        ...     path = store_arrays(f"{folder}/s.zarr", tokens, values, time_s=times, phones=phones)
        ...     found = ToldPhones.of(open_store(path), 0.15)
        >>> found.labels("phone"), found.samples("phone_onset"), found.samples("phone_centre")
        (array(['ae'], dtype=object), array([1]), array([2]))
        """
        tokens, phones, times = experiment.tokens, experiment.phones, window_times(experiment)
        place = middle_s(times) - delay_s
        if not times[0] <= place <= times[-1]:
            raise ArgumentError(
                f"The 'delay_s' parameter must lie between {middle_s(times) - times[-1]:.3f} and "
                f"{middle_s(times) - times[0]:.3f}, what windows have about their middle, but got {delay_s!r} instead."
            )
        under = phones.loc[((phones["onset_s"] <= place) & (phones["offset_s"] > place)).to_numpy()]
        # Where labels overlap, the one that begins last.
        under = under.sort_values("onset_s", kind="stable").drop_duplicates("token", keep="last")
        under = under.assign(row=pd.Index(tokens["token"]).get_indexer(pd.Index(under["token"]))).sort_values("row")
        if under.empty:
            raise DataError(f"No labelled phone lies {delay_s:.3f} s before the middle of any window.")
        missing = len(tokens) - len(under)
        notes = (f"The phone of a window is the one {1000 * delay_s:.0f} ms before its middle.",)
        if missing:
            notes += (f"Left out: {missing} of {len(tokens)} windows in which no labelled phone lies there.",)
        return cls(under.reset_index(drop=True), times, delay_s, notes)

    @property
    def rows(self) -> np.ndarray:
        """The windows that have a phone, among the tokens that are selected, (window,)."""
        return self.table["row"].to_numpy()

    def samples(self, alignment: str) -> np.ndarray:
        """Return the sample of each window with a phone at which this begins, or has its centre, (window,).

        A phone that begins before the window does is aligned at its first sample.
        """
        return phone_samples(self.table, self.times, alignment)

    def labels(self, by: str) -> np.ndarray:
        """Return what each phone is called, (window,): see `phone_names`."""
        return phone_names(self.table, by)


def phone_samples(phones: pd.DataFrame, times: np.ndarray, alignment: str) -> np.ndarray:
    """Return the first sample that lies in each phone, or the one next to its centre, (phone,).

    Parameters
    ----------
    phones
        ``onset_s, offset_s`` in seconds on the axis of `times`.
    times
        (sample,) in seconds, evenly spaced.
    alignment
        "phone_onset" or "phone_centre".

    Examples
    --------
    >>> phones = pd.DataFrame({"onset_s": [0.14], "offset_s": [0.5]})
    >>> [int(phone_samples(phones, np.arange(10) / 10, name)[0]) for name in PHONE_ALIGNMENTS]
    [2, 3]
    """
    check_choice("alignment", alignment, PHONE_ALIGNMENTS)
    onset, offset = (phones[name].to_numpy(dtype=float) for name in ("onset_s", "offset_s"))
    if alignment == PHONE_ONSET:
        # As the store has it: a sample on the boundary of two phones belongs to the later one.
        found = np.searchsorted(times, onset)
    else:
        found = np.rint(((onset + offset) / 2 - times[0]) / hop_of(times)).astype(int)
    return np.clip(found, 0, len(times) - 1)


def phone_names(phones: pd.DataFrame, by: str) -> np.ndarray:
    """Return what phones are called, (phone,): by themselves, with their neighbours, or by a column of the phones.

    Parameters
    ----------
    phones
        Rows of the phones table.
    by
        "phone", its label; "phone_in_context", as triphones are written ("previous-phone+following", "#" at an edge);
        or a column, for instance "phone_class" or "position".

    Examples
    --------
    >>> one = pd.DataFrame({"label": ["s"], "previous": ["ae"], "following": ["#"]})
    >>> phone_names(one, "phone_in_context").tolist()
    ['ae-s+#']
    """
    wanted = ["label"] if by == PHONE else ["previous", "label", "following"] if by == PHONE_IN_CONTEXT else [by]
    check_columns(phones, wanted, "the phones")
    parts = [phones[name].to_numpy(dtype=object) for name in wanted]
    if len(parts) == 1:
        return parts[0]
    return parts[0] + "-" + parts[1] + "+" + parts[2]


def window_times(experiment: Experiment) -> np.ndarray:
    """Return the seconds of the samples of windows, (sample,), from the first.

    Raises
    ------
    DataError
        The tokens of the store are no windows, it has no phones, or no recording.
    """
    if "utterance" not in experiment.tokens.columns:
        raise DataError(
            f"The tokens of {experiment.path.name} are no windows of utterances: letters are read in windows, which "
            "record_letter_relevance() records."
        )
    if experiment.phones.empty:
        raise DataError(
            f"{experiment.path.name} has no phones, so that no window can be aligned by one: align the corpus "
            "(layerstats align) before recording."
        )
    if not experiment.has_recording:
        table = experiment.recordings
        finished = table.loc[table["complete"].astype(bool), "recording"].tolist()
        if not finished:
            raise DataError(f"{experiment.path.name} has no finished recording.")
        experiment = experiment.recording(finished[0])
    return experiment.times(experiment.layers[0])


def middle_s(times: np.ndarray) -> float:
    """Return the middle of a window in seconds from its first sample."""
    return float(times[0] + times[-1]) / 2


def hop_of(times: np.ndarray) -> float:
    """Return the seconds from one sample to the next."""
    return float(times[-1] - times[0]) / (len(times) - 1)
