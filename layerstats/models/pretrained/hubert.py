"""HuBERT: wav2vec2's architecture, trained to tell clusters of masked frames."""

from __future__ import annotations

from layerstats.models.pretrained.wav2vec2 import open_waveform_network
from layerstats.models.speech_network import SpeechNetwork


def open_hubert(place: str) -> SpeechNetwork:
    """Open a HuBERT (Hsu et al. 2021)."""
    return open_waveform_network("hubert", "HubertModel", place)
