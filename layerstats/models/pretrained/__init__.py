"""Networks by name: those that others trained, checkpoints of this package, and what a Python file makes."""

from layerstats.models.pretrained.acoustics import mel_network
from layerstats.models.pretrained.opening import open_network, open_network_and_card
from layerstats.models.pretrained.registry import ADAPTERS, Adapter
from layerstats.models.pretrained.torchcrepe import Crepe, crepe_network
from layerstats.models.pretrained.wav2vec2 import waveform_network
from layerstats.models.pretrained.whisper import whisper_network
from layerstats.models.speech_network import SpeechHearing, SpeechNetwork

__all__ = [
    "ADAPTERS",
    "Adapter",
    "Crepe",
    "SpeechHearing",
    "SpeechNetwork",
    "crepe_network",
    "mel_network",
    "open_network",
    "open_network_and_card",
    "waveform_network",
    "whisper_network",
]
