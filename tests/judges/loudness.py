"""A judge in one small file: it says how loud a clip is, and scores both of its answers."""

import numpy as np
import pandas as pd

LIMIT = 0.02


class Loudness:
    """Says "loud" or "soft"; the scores are how far the power is above the limit, and below it."""

    def __init__(self, name: str = "loudness") -> None:
        self.name = name
        self.responses = ("loud", "soft")
        self.attrs = {"kind": "loudness", "limit": LIMIT}

    def judge(self, clips):
        """Judge by the mean power of the clip."""
        tokens = clips.tokens["token"]
        power = np.square(clips.waveforms(slice(None))).mean(axis=1)
        scores = {"loud": power - LIMIT, "soft": LIMIT - power}
        frames = [pd.DataFrame({"token": tokens, "response": said, "score": scores[said]}) for said in self.responses]
        return pd.concat(frames).assign(judge=self.name)
