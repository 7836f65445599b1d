"""ABX by its definition: a loop over all triplets, and means over contexts, speakers and pairs."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd


def angle(one: np.ndarray, other: np.ndarray) -> float:
    sizes = np.linalg.norm(one) * np.linalg.norm(other)
    return float(np.arccos(np.clip(one @ other / sizes, -1, 1)))


def euclidean(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.linalg.norm(one - other))


def error_of(x: np.ndarray, a: np.ndarray, b: np.ndarray, distance=angle) -> float:
    difference = distance(x, a) - distance(x, b)
    return 0.5 if abs(difference) < 1e-7 else float(difference > 0)


def cells_by_hand(values, phones: pd.DataFrame, mode: str, context: str, distance=angle) -> dict:
    """Return the error of every (speaker of A and B, speaker of X, context, phone of A, phone of B), and triplets."""
    rows = list(zip(values, phones["label"], phones["speaker"], phones["previous"], phones["following"], strict=True))
    found = defaultdict(list)
    for number_a, (a, label_a, speaker_a, *context_a) in enumerate(rows):
        for b, label_b, speaker_b, *context_b in rows:
            if label_b == label_a or speaker_b != speaker_a or (context == "same" and context_b != context_a):
                continue
            for number_x, (x, label_x, speaker_x, *context_x) in enumerate(rows):
                alike = label_x == label_a and (context == "any" or context_x == context_a)
                said = speaker_x == speaker_a if mode == "within" else speaker_x != speaker_a
                if alike and said and number_x != number_a:
                    where = tuple(context_a) if context == "same" else ()
                    found[speaker_a, speaker_x, where, label_a, label_b].append(error_of(x, a, b, distance))
    return found


def rate_by_hand(cells: dict, leave_out: str | None = None) -> float:
    """Return the mean over contexts, then over speakers (pairs of speakers), then over ordered pairs of phones."""
    triplets = pd.DataFrame(
        [(*key, np.mean(errors)) for key, errors in cells.items() if leave_out not in key[:2]],
        columns=["speaker", "speaker_x", "context", "a", "b", "error"],
    )
    over_contexts = triplets.groupby(["speaker", "speaker_x", "a", "b"])["error"].mean()
    return float(over_contexts.groupby(["a", "b"]).mean().mean())
