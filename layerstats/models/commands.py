"""The classifier of spoken commands of Soomro et al. (2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from layerstats.checks import check_positive
from layerstats.errors import ArgumentError
from layerstats.models.mel import MelFrontEnd, open_front_end
from layerstats.models.wavegan import draw_glorot

LAYERS = 3  # convolutions, and dense layers before the last


class CommandClassifier(nn.Module):
    """Three convolutions over a mel spectrogram and three dense layers: logits of words.

    `conv1` ... `conv3` (kernels of 2 x 2, without padding) and `dense1` ... `dense3` give what comes after their ReLU.
    Pooling by 2 x 2 and dropout follow each convolution, dropout each dense layer; `logits` is the last layer, before
    any softmax. With the published settings and 35 words there are 1,646,459 parameters. Weights are drawn
    Glorot-uniform, biases are zero.

    Parameters
    ----------
    outputs : int
        Number of words.
    channels : sequence of int
        Channels of the three convolutions.
    hidden : sequence of int
        Units of the three dense layers.
    dropout : float
        Share of the values set to zero after each layer while training.
    front_end : MelFrontEnd or mapping, optional
        The front end whose settings are taken, or its settings; by default the published ones.

    Raises
    ------
    ArgumentError
        A parameter is out of range.

    References
    ----------
    Soomro et al. (2019), figure 1.

    Examples
    --------
    >>> import torch
    >>> network = CommandClassifier(outputs=35)
    >>> sum(parameter.numel() for parameter in network.parameters())
    1646459
    >>> network(torch.zeros(2, 90, 80)).shape, network(torch.randn(2, 22050)).shape
    (torch.Size([2, 35]), torch.Size([2, 35]))
    """

    def __init__(
        self,
        outputs: int = 35,
        channels: Sequence[int] = (8, 16, 32),
        hidden: Sequence[int] = (512, 256, 128),
        dropout: float = 0.2,
        front_end: MelFrontEnd | Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        for name, values in {"outputs": [outputs], "channels": channels, "hidden": hidden}.items():
            for value in values:
                check_positive(name, value)
        for name, values in {"channels": channels, "hidden": hidden}.items():
            if len(values) != LAYERS:
                raise ArgumentError(
                    f"The {name!r} parameter must be {LAYERS} numbers, but got {list(values)!r} instead."
                )
        if not 0 <= dropout < 1:
            raise ArgumentError(f"The 'dropout' parameter must be at least 0 and below 1, but got {dropout!r} instead.")
        self.front_end = open_front_end(front_end)
        self.configuration: dict[str, Any] = {
            "outputs": outputs,
            "channels": list(channels),
            "hidden": list(hidden),
            "dropout": dropout,
            "front_end": dict(self.front_end.configuration),
        }
        self.conv1, self.shrink1 = _convolution(1, channels[0]), _shrink(dropout)
        self.conv2, self.shrink2 = _convolution(channels[0], channels[1]), _shrink(dropout)
        self.conv3, self.shrink3 = _convolution(channels[1], channels[2]), _shrink(dropout)
        self.flatten = nn.Flatten()
        self.dense1, self.dropout1 = _dense(channels[2] * self._places(), hidden[0]), nn.Dropout(dropout)
        self.dense2, self.dropout2 = _dense(hidden[0], hidden[1]), nn.Dropout(dropout)
        self.dense3, self.dropout3 = _dense(hidden[1], hidden[2]), nn.Dropout(dropout)
        self.logits = nn.Linear(hidden[2], outputs)
        self.reset_parameters()

    def _places(self) -> int:
        """Return how many places of time and mel are left after the convolutions."""
        time, mel = self.front_end.frames, self.front_end.mels
        for _ in range(LAYERS):
            time, mel = (time - 1) // 2, (mel - 1) // 2
        if time < 1 or mel < 1:
            raise ArgumentError(
                f"A spectrogram of {self.front_end.frames} frames and {self.front_end.mels} mels is too small for "
                "three convolutions with pooling. Pass a front_end with more frames or mels."
            )
        return time * mel

    def reset_parameters(self) -> None:
        """Draw fresh weights as the published network's were."""
        draw_glorot(self)

    def features(self, waveforms: Tensor) -> Tensor:
        """Return what the network hears (token, time, mel) of waveforms (token, sample)."""
        return self.front_end(waveforms)

    def forward(self, heard: Tensor) -> Tensor:
        """Return the logits (token, word) of waveforms (token, sample) or of features (token, time, mel).

        Raises
        ------
        ArgumentError
            The shape is another one.
        """
        features = self.features(heard) if heard.ndim == 2 else heard
        self.front_end.check_features(features)
        maps = self.shrink1(self.conv1(features.unsqueeze(1)))
        maps = self.shrink3(self.conv3(self.shrink2(self.conv2(maps))))
        units = self.dropout1(self.dense1(self.flatten(maps)))
        return self.logits(self.dropout3(self.dense3(self.dropout2(self.dense2(units)))))


def _convolution(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, 2), nn.ReLU())


def _shrink(dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.MaxPool2d(2), nn.Dropout(dropout))


def _dense(units_in: int, units_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(units_in, units_out), nn.ReLU())
