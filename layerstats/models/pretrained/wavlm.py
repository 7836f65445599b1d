"""WavLM: wav2vec2's convolutions before a transformer with gated relative positions."""

from __future__ import annotations

from layerstats.models.pretrained.wav2vec2 import open_waveform_network
from layerstats.models.speech_network import SpeechNetwork


def open_wavlm(place: str) -> SpeechNetwork:
    """Open a WavLM (Chen et al. 2022)."""
    return open_waveform_network("wavlm", "WavLMModel", place)
