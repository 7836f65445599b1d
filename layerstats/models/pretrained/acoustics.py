"""The sound alone: a log-mel spectrogram as a network of one layer, beside which networks are judged."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from layerstats.errors import ArgumentError
from layerstats.models.pretrained.log_mel import LogMel, above_floor
from layerstats.models.speech_network import SpeechHearing, SpeechNetwork

KIND = "acoustics"
_AXES = ("token", "channel", "sample")
_MOST = 128


@dataclass(frozen=True)
class MelInput:
    """From waveforms to log-mel features; what fills a token is silence, which no frame of its own speech hears.

    Parameters
    ----------
    spectrogram : LogMel
        Windows and bands.
    """

    spectrogram: LogMel

    def __call__(self, waveforms: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the features (token, mel, frame)."""
        return above_floor(self.spectrogram(waveforms))


class Features(nn.Module):
    """A network that passes on what it hears, by its one layer, "features"."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        """Return the features."""
        return self.features(features)


def open_mel(place: str) -> SpeechNetwork:
    """Make a log-mel spectrogram at 16 kHz, 25 ms windows every 10 ms, of as many bands as `place` says.

    Examples
    --------
    >>> import torch
    >>> network = open_mel("80")
    >>> network(network.hearing.prepare(torch.zeros(2, 16000))).shape
    torch.Size([2, 80, 101])
    """
    if not place.isdecimal() or not 1 <= int(place) <= _MOST:
        raise ArgumentError(
            f"Say of how many mel bands the spectrogram is, from 1 to {_MOST}: mel:80. Got mel:{place}."
        )
    spectrogram = LogMel(mels=int(place), edges="constant")
    hearing = SpeechHearing(
        KIND,
        spectrogram.rate_hz,
        MelInput(spectrogram),
        default_layers=("features",),
        axes={"features": _AXES},
        input_axes=_AXES,
        input_hop_s=spectrogram.hop / spectrogram.rate_hz,
        input_window_s=spectrogram.n_fft / spectrogram.rate_hz,
    )
    return SpeechNetwork(Features().eval(), hearing, f"mel {place}")
