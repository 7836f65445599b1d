"""Which alignments a store of windows knows, and what figures and tables call them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from layerstats.checks import check_choice
from layerstats.errors import StoreError
from layerstats.stats.averages.reading.stored_windows import ALIGNED_SAMPLE, NONE
from layerstats.store import Experiment, open_store

BY_TIME = "_by_time"
PUBLISHED = ("max_relevance", "min_relevance")


@dataclass(frozen=True)
class StoredAlignment:
    """A way to align the windows of a store.

    Attributes
    ----------
    alignment
        As `read_windows` takes it.
    recording
        By whose values; None of the middle of windows.
    name
        What people call it: "maximum of adapted relevance".

    Examples
    --------
    >>> StoredAlignment("max_relevance", "relevance", "max_relevance_of_relevance").alignment
    'max_relevance'
    """

    alignment: str
    recording: str | None
    name: str

    @property
    def written(self) -> str:
        """How it is chosen: "none", or RECORDING:ALIGNMENT."""
        return self.alignment if self.recording is None else f"{self.recording}:{self.alignment}"


def stored_alignments(
    experiment: Experiment | str | os.PathLike[str], chosen: Sequence[str] | None = None
) -> tuple[StoredAlignment, ...]:
    """Return the alignments that the windows of a store can be averaged by.

    Parameters
    ----------
    experiment
        A store of windows.
    chosen
        Which, in which order: "none", or RECORDING:ALIGNMENT, for instance "gradient:min_relevance"; by default "none"
        and, of every trained recording, the largest and the least relevance over the map, as far as they are stored.

    Raises
    ------
    ArgumentError
        If one of those chosen is not there.
    StoreError
        If none is chosen and no recording knows where its windows are aligned.

    Examples
    --------
    >>> [alignment.name for alignment in stored_alignments("letters.zarr")]
    ['none', 'maximum of adapted relevance']
    """
    store = experiment if isinstance(experiment, Experiment) else open_store(experiment)
    found = [StoredAlignment(NONE, None, NONE)]
    table = store.recordings
    for recording in table.loc[table["trained"].astype(bool) & table["complete"].astype(bool), "recording"].astype(str):
        view = store.in_recording(recording)
        if ALIGNED_SAMPLE in view.variables:
            method = str(view.recording_attrs.get("method", recording))
            for one in map(str, view.layer(view.layers[0])["alignment"].to_numpy()):
                found.append(StoredAlignment(one, recording, alignment_name(one, method)))
    if chosen is not None:
        known = {one.written: one for one in found}
        for name in chosen:
            check_choice("alignments", name, list(known))
        return tuple(known[name] for name in chosen)
    if len(found) == 1:
        raise StoreError(
            f"No recording of {store.path} says where windows are aligned under every letter. Record relevance with "
            "alignments (alignments=True, in the shell --alignments), or choose the middle of windows: 'none'."
        )
    return tuple(one for one in found if one.alignment in (NONE, *PUBLISHED))


def alignment_name(alignment: str, method: str = "") -> str:
    """Return what people call an alignment.

    Parameters
    ----------
    alignment
        As `read_windows` takes it.
    method
        Of the recording whose values align.

    Examples
    --------
    >>> alignment_name("max_relevance", "adapted"), alignment_name("min_relevance_by_time", "gradient")
    ('maximum of adapted relevance', 'time step of least gradient')
    >>> alignment_name("phone_onset")
    'phone onset'
    """
    least = alignment.startswith("min_")
    if not least and not alignment.startswith("max_"):
        return alignment.replace("_", " ")
    what = method if method == "gradient" else f"{method} relevance"
    if alignment.endswith(BY_TIME):
        return f"time step of {'least' if least else 'largest'} {what}"
    return f"{'minimum' if least else 'maximum'} of {'the ' if what == method else ''}{what}"
