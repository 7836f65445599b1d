"""The autoencoder of mel spectrograms of Soomro et al. (2019): a prior over speech."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from layerstats.checks import check_positive
from layerstats.errors import ArgumentError
from layerstats.models.mel import MelFrontEnd, open_front_end
from layerstats.models.wavegan import draw_glorot

# Pooling by (time, mel) after the first three convolutions; the decoder repeats values by the same.
_POOLS = ((3, 2), (3, 2), (2, 2))
LAYERS = 4


class MelAutoencoder(nn.Module):
    """Mel spectrograms through a bottleneck of a few hundred codes, and back.

    Encoder: four convolutions of 2 x 2 with ReLU (`encoder.conv1` ...), pooling by (3, 2), (3, 2), (2, 2) after the
    first three, one dense layer to the codes, which are linear. Decoder: one dense layer, linear, then three
    convolutions of 2 x 2 with ReLU, each followed by repetition of values by (2, 2), (3, 2), (3, 2), and one of 3 x 3
    with a sigmoid. All are padded, 2 x 2 at the end only, so that they keep the size. With the published settings there
    are 3,433,777 parameters. Weights are drawn Glorot-uniform, biases are zero.

    The buffers `code_mean` (code,) and `code_root` (code, code) describe the codes of the speech that it learned from:
    `code_mean + code_root @ z`, z standard normal, has their mean and covariance. Before training these are 0 and 1.

    Parameters
    ----------
    codes : int
        Length of the bottleneck.
    channels : sequence of int
        Channels of the encoder's four convolutions; the decoder has them in the opposite order.
    front_end : MelFrontEnd or mapping, optional
        The front end whose settings are taken, or its settings; by default the published ones.

    Raises
    ------
    ArgumentError
        A parameter is out of range, or pooling does not divide the front end's frames and mels.

    References
    ----------
    Soomro et al. (2019), section 4.

    Examples
    --------
    >>> import torch
    >>> network = MelAutoencoder()
    >>> sum(parameter.numel() for parameter in network.parameters())
    3433777
    >>> codes = network.encode(torch.zeros(2, 90, 80))
    >>> codes.shape, network.decode(codes).shape
    (torch.Size([2, 256]), torch.Size([2, 90, 80]))
    """

    code_mean: Tensor
    code_root: Tensor

    def __init__(
        self,
        codes: int = 256,
        channels: Sequence[int] = (16, 32, 64, 128),
        front_end: MelFrontEnd | Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        for name, values in {"codes": [codes], "channels": channels}.items():
            for value in values:
                check_positive(name, value)
        if len(channels) != LAYERS:
            raise ArgumentError(
                f"The 'channels' parameter must be {LAYERS} numbers, but got {list(channels)!r} instead."
            )
        self.front_end = open_front_end(front_end)
        self.configuration: dict[str, Any] = {
            "codes": codes,
            "channels": list(channels),
            "front_end": dict(self.front_end.configuration),
        }
        self.codes = codes
        time, mel = self._places()
        self.encoder, self.decoder = nn.Sequential(), nn.Sequential()
        for number, (channels_in, channels_out) in enumerate(zip((1, *channels), channels, strict=False)):
            self.encoder.add_module(f"conv{number + 1}", _convolution(channels_in, channels_out))
            if number < len(_POOLS):
                self.encoder.add_module(f"pool{number + 1}", nn.MaxPool2d(_POOLS[number]))
        self.encoder.add_module("flatten", nn.Flatten())
        self.encoder.add_module("codes", nn.Linear(channels[-1] * time * mel, codes))
        self.decoder.add_module("dense", nn.Linear(codes, channels[-1] * time * mel))
        self.decoder.add_module("unflatten", nn.Unflatten(1, (channels[-1], time, mel)))
        backwards = tuple(reversed(channels))
        for number, (channels_in, channels_out) in enumerate(
            zip((backwards[0], *backwards), backwards[:-1], strict=False)
        ):
            self.decoder.add_module(f"conv{number + 1}", _convolution(channels_in, channels_out))
            self.decoder.add_module(f"repeat{number + 1}", nn.Upsample(scale_factor=_POOLS[-1 - number]))
        self.decoder.add_module("conv4", nn.Conv2d(channels[1], 1, 3, padding=1))
        self.register_buffer("code_mean", torch.empty(codes))
        self.register_buffer("code_root", torch.empty(codes, codes))
        self.reset_parameters()

    def _places(self) -> tuple[int, int]:
        """Return the places of time and mel that pooling leaves."""
        time, mel = self.front_end.frames, self.front_end.mels
        for pool in _POOLS:
            if time == 0 or time % pool[0] or mel % pool[1]:
                raise ArgumentError(
                    "Pooling must divide the spectrogram: the front end's frames must be a multiple of 18 and its mels "
                    f"of 8, but they are {self.front_end.frames} and {self.front_end.mels}."
                )
            time, mel = time // pool[0], mel // pool[1]
        return time, mel

    def reset_parameters(self) -> None:
        """Draw fresh weights as the published network's were, and forget the codes of the training speech."""
        draw_glorot(self)
        nn.init.zeros_(self.code_mean)
        nn.init.eye_(self.code_root)

    def features(self, waveforms: Tensor) -> Tensor:
        """Return what the network hears (token, time, mel) of waveforms (token, sample)."""
        return self.front_end(waveforms)

    def encode(self, features: Tensor) -> Tensor:
        """Return the codes (token, code) of features (token, time, mel).

        Raises
        ------
        ArgumentError
            The shape is another one.
        """
        self.front_end.check_features(features)
        return self.encoder(features.unsqueeze(1))

    def decode(self, codes: Tensor) -> Tensor:
        """Return features (token, time, mel), between 0 and 1, of codes (token, code).

        Raises
        ------
        ArgumentError
            The shape is another one.
        """
        return self.decode_logits(codes).sigmoid()

    def decode_logits(self, codes: Tensor) -> Tensor:
        """Return features (token, time, mel) before the sigmoid, which training is done with.

        Raises
        ------
        ArgumentError
            The shape is another one.
        """
        if codes.ndim != 2 or codes.shape[1] != self.codes:
            raise ArgumentError(f"Codes must be (token, {self.codes}), but got {tuple(codes.shape)} instead.")
        return self.decoder(codes).squeeze(1)

    def forward(self, heard: Tensor) -> Tensor:
        """Return features (token, time, mel) rebuilt from those given, or from waveforms (token, sample)."""
        return self.decode(self.encode(self.features(heard) if heard.ndim == 2 else heard))


def _convolution(channels_in: int, channels_out: int) -> nn.Sequential:
    # A kernel of 2 keeps the size with one more row and column at the end, as 'same' padding has it.
    return nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(channels_in, channels_out, 2), nn.ReLU())
