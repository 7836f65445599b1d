"""The speech that the shipped ciwGAN and fiwGAN learn from: many more synthetic voices than the demo's."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from layerstats.corpora import Corpus, demo_corpus
from layerstats.corpora.audio import MemoryAudio


def training_speech(words: Sequence[str], manners: int) -> Corpus:
    """Return the words by every voice there is, with the demo's held-out voices as the test side.

    A voice that is learned from says every word in several manners: rates and pitches drawn by seeds 0, 1, ... The
    held-out voices say them as in the demo, and nowhere else.
    """
    demo = demo_corpus(words)
    held_out = demo.subset(split="test")
    voices = set(demo_corpus(words=[words[0]], voices=128).tokens["speaker"]) - set(held_out.tokens["speaker"])
    tokens, phones = [held_out.tokens], [held_out.phones]
    audio = {token: held_out.audio(token) for token in held_out.tokens["token"]}
    for manner in range(manners):
        said = demo_corpus(words, voices=sorted(voices), seed=manner)
        names = {token: f"{token}_{manner}" for token in said.tokens["token"]}
        tokens.append(said.tokens.assign(token=said.tokens["token"].map(names), split="train"))
        phones.append(said.phones.assign(token=said.phones["token"].map(names)))
        audio |= {name: said.audio(token) for token, name in names.items()}
    name = "demo with more voices"
    return Corpus(name, pd.concat(tokens), pd.concat(phones), demo.rate_hz, MemoryAudio(audio))
