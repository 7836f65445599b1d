"""The decoder that alignment and recognition share: pocketsphinx, and audio as it takes it."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerstats.checks import require

RATE_HZ = 16000
PADDING_S = 0.2
# Digital silence has no spectrum; a little noise gives the model's silence something to match.
NOISE = 0.003


def make_decoder(purpose: str) -> Any:
    """Return pocketsphinx with its own model of American English, and no search chosen yet."""
    pocketsphinx = require("pocketsphinx", purpose, "speech")
    # No pruning: what is said is known, and beams only lose it. No lattice: its best path puts false ends
    # into short words.
    beams = {"beam": 1e-300, "wbeam": 1e-300, "pbeam": 1e-300}
    return pocketsphinx.Decoder(lm=None, loglevel="FATAL", bestpath=False, **beams)


def padded_audio(speech: np.ndarray) -> bytes:
    """Return speech (sample,) at 16 kHz between stretches of faint noise, as the decoder takes it."""
    padding = np.zeros(round(PADDING_S * RATE_HZ), dtype=np.float32)
    padded = np.concatenate([padding, speech / np.abs(speech).max() * 0.7, padding])
    # The same noise for every token: what is found does not depend on the tokens before.
    noisy = padded + NOISE * np.random.default_rng(0).standard_normal(len(padded))
    return np.round(noisy * 32767).clip(-32768, 32767).astype("<i2").tobytes()


def decode(decoder: Any, data: bytes) -> None:
    """Run pocketsphinx over one utterance."""
    decoder.start_utt()
    decoder.process_raw(data, full_utt=True)
    decoder.end_utt()
