"""Outcomes of maximizations that began from natural tokens, as a store gives them."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr


@pytest.fixture
def outcomes():
    """Make an outcome set and its tokens: codes of words and speakers, from which maximization takes a share away."""

    def make(words=("no", "one", "yes"), speakers=8, codes=6, by_word=1.0, by_speaker=0.7, moves=1.0, seed=0):
        rng = np.random.default_rng(seed)
        word = np.repeat(np.arange(len(words)), speakers)
        speaker = np.tile(np.arange(speakers), len(words))
        of_word, of_speaker = rng.normal(size=(len(words), codes)), rng.normal(size=(speakers, codes))
        own = rng.normal(size=(len(word), codes))
        before = by_word * of_word[word] + by_speaker * of_speaker[speaker] + own
        margin = rng.normal(1.0, 2.0, len(word))
        direction = rng.normal(size=before.shape)
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        after = before + moves * direction * np.exp(-0.3 * margin + 0.2 * rng.normal(size=len(word)))[:, None]
        # Two classes: the word itself and whichever comes next.
        scores = np.full((len(word), len(words)), 1e-6)
        scores[np.arange(len(word)), word] = 1 / (1 + np.exp(-margin))
        scores[np.arange(len(word)), (word + 1) % len(words)] = 1 / (1 + np.exp(margin))
        sure = np.where(np.arange(len(words)) == word[:, None], 0.9, 0.1 / (len(words) - 1))
        tokens = pd.DataFrame(
            {
                "token": [f"{words[w]}_{s}" for w, s in zip(word, speaker, strict=True)],
                "word": np.array(words)[word],
                "speaker": [f"p{s}" for s in speaker],
                "split": "test",
            }
        )
        outcome = xr.Dataset(
            {
                "token": ("start", tokens["token"].to_numpy(dtype=object)),
                "target": ("start", tokens["word"].to_numpy(dtype=object)),
                "codes_before": (("start", "code"), before.astype(np.float32)),
                "codes_after": (("start", "code"), after.astype(np.float32)),
                "scores_before": (("start", "class"), scores.astype(np.float32)),
                "scores_after": (("start", "class"), sure.astype(np.float32)),
            },
            coords={
                "start": np.array([f"{token}_start" for token in tokens["token"]], dtype=object),
                "class": np.array(words, dtype=object),
            },
            attrs={"network": "commands_0", "prior": "autoencoder"},
        )
        return outcome, tokens

    return make
