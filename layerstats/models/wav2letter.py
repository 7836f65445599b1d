"""The convolutional network that reads letters off speech: Wav2Letter, as Krug & Stober (2018) built it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from layerstats.checks import check_choice, check_count
from layerstats.errors import ArgumentError
from layerstats.models.letters import Alphabet
from layerstats.models.mel import UTTERANCES, MelFrontEnd, check_lengths, open_front_end

# Kernels of the twelve convolutions; the first one takes every other frame.
KERNELS = (48, *[7] * 8, 32, 1, 1)
STRIDE = 2
PADDINGS = ("same", "valid")


class LetterLayer(nn.Sequential):
    """A convolution over time, normalised over the batch, then ReLU: `convolution`, `norm`, `relu`.

    The convolution has no bias of its own, since the normalisation has one. Where zeros cannot be put at both ends
    evenly, `pad` puts them there before.

    Parameters
    ----------
    channels_in, channels_out : int
        Channels.
    kernel, stride : int
        Frames of the kernel, and from one output to the next.

    Examples
    --------
    >>> layer = LetterLayer(3, 5, 32)
    >>> layer.pad_by(31)
    >>> layer(torch.randn(2, 3, 20)).shape
    torch.Size([2, 5, 20])
    """

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        if (kernel - stride) % 2:
            self.pad = nn.ZeroPad1d(0)
        self.convolution = nn.Conv1d(channels_in, channels_out, kernel, stride, bias=False)
        self.norm = nn.BatchNorm1d(channels_out)
        self.relu = nn.ReLU()

    def pad_by(self, frames: int) -> None:
        """Put so many zeros around the input; where they are odd, the one more comes behind."""
        if hasattr(self, "pad"):
            self.pad.padding = (frames // 2, frames - frames // 2)
        else:
            self.convolution.padding = (frames // 2,)


class Wav2Letter(nn.Module):
    """Twelve convolutions over time from a mel spectrogram to logits of letters, one every second frame.

    `conv1` has kernels of 48 frames and takes every other frame, `conv2` ... `conv9` kernels of 7, `conv10` of 32,
    `conv11` and `conv12` of 1. The mel bands are the channels of the input. `conv1` ... `conv11` give what comes after
    their batch normalisation and ReLU; `conv12` gives the logits. Every logit depends on 206 frames: 1.65 s. With the
    published settings there are 26,286,621 parameters. Weights are drawn Glorot-uniform, biases are zero.

    Utterances have any length, and each is heard alone: its features are z-normalised by themselves, and with
    `lengths` what pads it in a batch changes nothing.

    Parameters
    ----------
    front_end : MelFrontEnd or mapping, optional
        The front end whose settings are taken, or its settings; by default the published ones, `UTTERANCES`.
    width : int
        Channels of `conv1` ... `conv9`.
    top : int
        Channels of `conv10` and `conv11`.
    alphabet : {"ctc", "repetition"}
        What the outputs stand for, see `letters.Alphabet`: `network.alphabet` is it.

    Raises
    ------
    ArgumentError
        A parameter is out of range.

    References
    ----------
    Krug & Stober (2018), section 3.1; Collobert, Puhrsch & Synnaeve (2016), Wav2Letter, arXiv:1609.03193.

    Examples
    --------
    >>> network = Wav2Letter(width=4, top=8).eval()
    >>> network(torch.zeros(1, 300, 128)).shape, network(torch.randn(1, 32000)).shape
    (torch.Size([1, 150, 29]), torch.Size([1, 125, 29]))
    >>> network.receptive_field, network.frame_s
    (206, 0.016)
    """

    def __init__(
        self,
        front_end: MelFrontEnd | Mapping[str, Any] | None = None,
        *,
        width: int = 256,
        top: int = 2048,
        alphabet: str = "ctc",
    ) -> None:
        super().__init__()
        check_count("width", width)
        check_count("top", top)
        self.alphabet = Alphabet(alphabet)
        self.front_end = open_front_end(UTTERANCES if front_end is None else front_end)
        self.configuration: dict[str, Any] = {
            "front_end": dict(self.front_end.configuration),
            "width": width,
            "top": top,
            "alphabet": alphabet,
        }
        channels = (self.front_end.mels, *[width] * 9, top, top)
        for number, kernel in enumerate(KERNELS[:-1]):
            layer = LetterLayer(channels[number], channels[number + 1], kernel, STRIDE if number == 0 else 1)
            self.add_module(f"conv{number + 1}", layer)
        self.conv12 = nn.Conv1d(top, len(self.alphabet.letters), KERNELS[-1])
        self.padding = "same"
        self.reset_parameters()

    @property
    def padding(self) -> str:
        """How utterances are padded at their ends.

        "same": zeros are put at both ends before every convolution, as in training: (time // 2) frames come out.
        "valid": nothing is, and frame k sees the features from 2k to 2k + 205 and no padding.
        """
        return self._padding

    @padding.setter
    def padding(self, padding: str) -> None:
        check_choice("padding", padding, PADDINGS)
        self._padding = padding
        for layer in self.layers():
            if isinstance(layer, LetterLayer):
                convolution = layer.convolution
                layer.pad_by(convolution.kernel_size[0] - convolution.stride[0] if padding == "same" else 0)

    @property
    def receptive_field(self) -> int:
        """Frames of the features on which one logit depends."""
        return KERNELS[0] + STRIDE * sum(kernel - 1 for kernel in KERNELS[1:])

    @property
    def frame_s(self) -> float:
        """Seconds from one frame of the logits to the next."""
        return STRIDE * self.front_end.hop / self.front_end.rate_hz

    def window_start(self, frame: int) -> int:
        """Return the first frame of the features that a frame of the logits depends on; padding is below 0."""
        before = 0
        if self.padding == "same":
            before = (KERNELS[0] - STRIDE) // 2 + STRIDE * sum((kernel - 1) // 2 for kernel in KERNELS[1:])
        return STRIDE * frame - before

    def frames_of(self, frames: Tensor) -> Tensor:
        """Return how many frames of logits features of so many frames give."""
        if self.padding == "same":
            return torch.div(frames, STRIDE, rounding_mode="floor")
        return torch.div(frames - self.receptive_field, STRIDE, rounding_mode="floor") + 1

    def layers(self) -> list[nn.Module]:
        """Return `conv1` ... `conv12`, in the order of execution."""
        return [getattr(self, f"conv{number + 1}") for number in range(len(KERNELS))]

    def reset_parameters(self) -> None:
        """Draw fresh weights Glorot-uniform; normalisations begin as they do in torch."""
        for module in self.modules():
            if isinstance(module, nn.Conv1d):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.BatchNorm1d):
                module.reset_parameters()

    def features(self, waveforms: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return what the network hears (token, time, mel) of waveforms (token, sample)."""
        return self.front_end(waveforms, lengths)

    def forward(self, heard: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the logits (token, frame, letter) of waveforms (token, sample) or of features (token, time, mel).

        Parameters
        ----------
        heard : Tensor
            Utterances; where they differ in length, padded at their ends.
        lengths : Tensor, optional
            How long each utterance is (token,), in samples of waveforms or frames of features. Logits beyond its end
            mean nothing.

        Raises
        ------
        ArgumentError
            The shape is another one, or without padding an utterance is shorter than the receptive field.
        """
        if heard.ndim == 2:
            features = self.features(heard, lengths)
            lengths = None if lengths is None else self.front_end.frames_of(lengths)
        else:
            features = heard
        self.front_end.check_features(features)
        if lengths is not None:
            check_lengths(lengths, features, "frames")
        self._check_long_enough(features, lengths)
        maps = features.transpose(1, 2)
        silenced = None
        if lengths is not None:
            maps = maps.masked_fill(_beyond(lengths, maps.shape[2]), 0.0)
            silenced = _beyond(self.frames_of(lengths), int(self.frames_of(torch.tensor(maps.shape[2]))))
        for layer in self.layers():
            maps = layer(maps)
            if silenced is not None and self.padding == "same":
                maps = maps.masked_fill(silenced, 0.0)
        return maps.transpose(1, 2)

    def _check_long_enough(self, features: Tensor, lengths: Tensor | None) -> None:
        shortest = features.shape[1] if lengths is None else int(lengths.min())
        least = STRIDE if self.padding == "same" else self.receptive_field
        if shortest < least:
            raise ArgumentError(
                f"With padding {self.padding!r} the network reads utterances of at least {least} frames "
                f"({least * self.front_end.hop / self.front_end.rate_hz:.3f} s), but got one of {shortest}."
            )


def _beyond(lengths: Tensor, frames: int) -> Tensor:
    """Tell where maps (token, channel, frame) lie beyond an utterance's end, (token, 1, frame)."""
    return (torch.arange(frames, device=lengths.device) >= lengths[:, None])[:, None]
