"""Recordings whose values are shares of a score: under a phone these are added up, where activations are averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layerstats.store import Experiment

RELEVANCE = "relevance"
# By how much the score rises with a value: no share of it.
GRADIENT = "gradient"
# Of channels: no sum of theirs.
ROOT_MEAN_SQUARE = "root_mean_square"


def are_shares(view: Experiment) -> bool:
    """Return whether the values of a recording are shares of a score, which add up over time.

    Relevance is, by whatever rule, and so is a gradient times what it is the gradient by; a gradient alone says how
    steep the score is, an activation is no part of a score, and a root mean square over channels has lost the signs.

    Parameters
    ----------
    view
        A recording.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import pandas as pd
    >>> from layerstats.store import open_store, store_arrays
    >>> tokens = pd.DataFrame({"token": ["a"], "word": "ask", "speaker": "s1", "split": "test"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     about = {"quantity": "relevance", "method": "epsilon"}
    ...     path = store_arrays(f"{folder}/s.zarr", tokens, {"conv1": np.eye(1)}, time_s={"conv1": [0.1]}, attrs=about)
    ...     are_shares(open_store(path))
    True
    """
    attributes = view.recording_attrs
    if attributes.get("method") == GRADIENT or view.summary == ROOT_MEAN_SQUARE:
        return False
    return view.quantity == RELEVANCE or "method" in attributes or attributes.get("times_activation") is True
