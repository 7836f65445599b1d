"""Codes of words by many voices, with known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def make_codes():
    """Return a function that makes codes: each word has its own, but for a share of tokens whose code is random."""

    def make(words=8, codes=8, speakers=32, noise=0.3, seed=0):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame(
            [(f"w{word:02}", f"s{speaker:02}", word % codes) for speaker in range(speakers) for word in range(words)],
            columns=["word", "speaker", "own"],
        )
        random = rng.integers(codes, size=len(frame))
        code = np.where(rng.random(len(frame)) < noise, random, frame["own"])
        held_out = frame["speaker"].str[1:].astype(int) % 4 == 0
        return frame.drop(columns="own").assign(
            token=[f"t{number}" for number in range(len(frame))],
            split=np.where(held_out, "test", "train"),
            code=pd.Series(code).astype(str),
            certainty=0.9,
        )

    return make
