"""The sound alone: a log-mel spectrogram as a network of one layer, beside which networks are judged."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from layerstats.checks import check_count
from layerstats.errors import ArgumentError
from layerstats.models.pretrained.log_mel import LogMel, above_floor
from layerstats.models.speech_network import SpeechHearing, SpeechNetwork

KIND = "acoustics"
_AXES = ("token", "channel", "sample")
_MOST = 128
_WINDOW_S, _HOP_S = 0.025, 0.01


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


def mel_network(mels: int = 80, rate_hz: int = 16000) -> SpeechNetwork:
    """Make a log-mel spectrogram, Hann windows of 25 ms every 10 ms, that is recorded as a network is.

    Parameters
    ----------
    mels : int
        Number of bands, from 1 to 128.
    rate_hz : int
        Sampling rate in Hz; bands reach up to half of it.

    Examples
    --------
    >>> import torch
    >>> network = mel_network(80, 8000)
    >>> network(network.hearing.prepare(torch.zeros(2, 8000))).shape
    torch.Size([2, 80, 101])
    """
    check_count("mels", mels)
    check_count("rate_hz", rate_hz)
    if mels > _MOST:
        raise ArgumentError(f"A spectrogram has from 1 to {_MOST} mel bands, but got mels={mels}.")
    # An even number of samples, so that windows have a middle.
    spectrogram = LogMel(rate_hz, 2 * round(_WINDOW_S * rate_hz / 2), round(_HOP_S * rate_hz), mels, edges="constant")
    hearing = SpeechHearing(
        KIND,
        rate_hz,
        MelInput(spectrogram),
        default_layers=("features",),
        axes={"features": _AXES},
        input_axes=_AXES,
        input_hop_s=spectrogram.hop / rate_hz,
        input_window_s=spectrogram.n_fft / rate_hz,
    )
    return SpeechNetwork(Features().eval(), hearing, f"mel {mels}")


def open_mel(place: str) -> SpeechNetwork:
    """Make a log-mel spectrogram at 16 kHz of as many bands as `place` says.

    Examples
    --------
    >>> open_mel("80").hearing.rate_hz
    16000
    """
    if not place.isdecimal() or not 1 <= int(place) <= _MOST:
        raise ArgumentError(
            f"Say of how many mel bands the spectrogram is, from 1 to {_MOST}: mel:80. Got mel:{place}."
        )
    return mel_network(int(place))
