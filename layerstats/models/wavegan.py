"""The convolutional stack of WaveGAN's discriminator, which ciwGAN's Q-network and our word classifier share."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from layerstats.checks import check_choice, check_positive
from layerstats.errors import ArgumentError

KERNEL = 25
STRIDE = 4
LAYERS = 5
# TensorFlow's 'SAME' padding for kernel 25, stride 4 and a length that 4 divides: one more on the right.
PADDING = (10, 11)


def check_samples(samples: int) -> None:
    """Raise `ArgumentError` unless five layers of stride 4 divide a clip of so many samples evenly."""
    if samples % STRIDE**LAYERS:
        raise ArgumentError(
            f"The 'samples' parameter must be a multiple of {STRIDE**LAYERS} (five layers of stride 4), "
            f"but got {samples!r} instead."
        )


def draw_glorot(model: nn.Module) -> None:
    """Draw every weight of a network Glorot-uniform and set every bias to zero, as TensorFlow's layers do."""
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        else:
            nn.init.xavier_uniform_(parameter)


class PhaseShuffle(nn.Module):
    """Shift a signal by a few samples, at random, while training; do nothing in eval mode.

    One shift of -radius ... radius samples is drawn for each call and used for the whole batch; the samples that
    move in at the edge are reflections (Donahue et al. 2019; Begus & Zhou 2022, section 3).

    Parameters
    ----------
    radius : int
        Largest shift in samples. 0 switches the shuffle off.

    Examples
    --------
    >>> PhaseShuffle(2).eval()(torch.arange(3.0))
    tensor([0., 1., 2.])
    """

    def __init__(self, radius: int) -> None:
        super().__init__()
        self.radius = radius

    def forward(self, signal: Tensor) -> Tensor:
        """Return `signal` (token, channel, sample), shifted along its samples while training."""
        if not self.training or self.radius == 0:
            return signal
        shift = int(torch.randint(-self.radius, self.radius + 1, ()))
        padded = F.pad(signal, (max(shift, 0), max(-shift, 0)), mode="reflect")
        start = max(-shift, 0)
        return padded[..., start : start + signal.shape[-1]]

    def extra_repr(self) -> str:
        """Show the radius where the module is printed."""
        return f"radius={self.radius}"


class ConvolutionalLayer(nn.Module):
    """Pad, convolve with kernel 25 and stride 4, apply LeakyReLU: (token, channel, sample) to a quarter of the samples.

    The padding is a module of its own so that the layer's geometry can be read from its modules.

    Examples
    --------
    >>> import torch
    >>> ConvolutionalLayer(1, 4, slope=0.2)(torch.zeros(2, 1, 64)).shape
    torch.Size([2, 4, 16])
    """

    def __init__(self, channels_in: int, channels_out: int, slope: float) -> None:
        super().__init__()
        self.padding = nn.ConstantPad1d(PADDING, 0.0)
        self.convolution = nn.Conv1d(channels_in, channels_out, KERNEL, stride=STRIDE)
        self.activation = nn.LeakyReLU(slope)

    def forward(self, signal: Tensor) -> Tensor:
        """Return the activations (token, channel, sample), before any phase shuffle."""
        return self.activation(self.convolution(self.padding(signal)))


class ConvolutionalEncoder(nn.Module):
    """Five strided convolutions over a waveform and one dense layer: WaveGAN's discriminator, ciwGAN's Q-network.

    With 16,384 samples and width d the layers `conv1` ... `conv5` give 4096 x d, 1024 x 2d, 256 x 4d, 64 x 8d and
    16 x 16d activations (sample x channel); `logits` is the dense layer after them. There is no batch normalisation.
    What a `conv` module returns is its series after the activation and before the phase shuffle.

    Parameters
    ----------
    outputs : int
        Number of outputs: 1 for a discriminator, the number of codes or words otherwise.
    width : int
        Channels of `conv1`, the d of the papers (64 there).
    slope : float
        Slope of LeakyReLU for negative inputs. 0 is a plain ReLU.
    phase_shuffle : int
        Radius in samples of the phase shuffle after `conv1` ... `conv4`, while training.
    samples : int
        Length of the clips; a multiple of 1024.
    initialisation : {"torch", "glorot"}
        How fresh weights are drawn: torch's own way, or Glorot-uniform with zero biases as TensorFlow draws those of
        the published networks.

    Raises
    ------
    ArgumentError
        A parameter is out of range.

    References
    ----------
    Begus & Zhou (2022), section 3; Donahue, McAuley & Puckette (2019), Adversarial audio synthesis.

    Examples
    --------
    >>> import torch
    >>> encoder = ConvolutionalEncoder(outputs=8, width=2)
    >>> encoder(torch.zeros(3, 16384)).shape
    torch.Size([3, 8])
    """

    def __init__(
        self,
        outputs: int,
        width: int = 64,
        slope: float = 0.2,
        phase_shuffle: int = 2,
        samples: int = 16384,
        initialisation: str = "torch",
    ) -> None:
        super().__init__()
        for name, value in {"outputs": outputs, "width": width, "samples": samples}.items():
            check_positive(name, value)
        check_choice("initialisation", initialisation, ("torch", "glorot"))
        if phase_shuffle < 0 or slope < 0:
            name, value = ("phase_shuffle", phase_shuffle) if phase_shuffle < 0 else ("slope", slope)
            raise ArgumentError(f"The {name!r} parameter must be 0 or more, but got {value!r} instead.")
        check_samples(samples)
        self.configuration: dict[str, int | float | str] = {
            "outputs": outputs,
            "width": width,
            "slope": slope,
            "phase_shuffle": phase_shuffle,
            "samples": samples,
            "initialisation": initialisation,
        }
        channels = [1] + [width * 2**index for index in range(LAYERS)]
        self.conv1 = ConvolutionalLayer(channels[0], channels[1], slope)
        self.shuffle1 = PhaseShuffle(phase_shuffle)
        self.conv2 = ConvolutionalLayer(channels[1], channels[2], slope)
        self.shuffle2 = PhaseShuffle(phase_shuffle)
        self.conv3 = ConvolutionalLayer(channels[2], channels[3], slope)
        self.shuffle3 = PhaseShuffle(phase_shuffle)
        self.conv4 = ConvolutionalLayer(channels[3], channels[4], slope)
        self.shuffle4 = PhaseShuffle(phase_shuffle)
        self.conv5 = ConvolutionalLayer(channels[4], channels[5], slope)
        self.flatten = nn.Flatten()
        self.logits = nn.Linear(channels[5] * (samples // STRIDE**LAYERS), outputs)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw fresh weights where the layers' own way of drawing them is not the network's."""
        if self.configuration["initialisation"] == "glorot":
            draw_glorot(self)

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the outputs (token, output) before any softmax or sigmoid.

        Parameters
        ----------
        waveform : Tensor
            (token, sample) or (token, channel, sample) with one channel.

        Raises
        ------
        ArgumentError
            The shape is another one.
        """
        signal = waveform.unsqueeze(1) if waveform.ndim == 2 else waveform
        if signal.ndim != 3 or signal.shape[1] != 1 or signal.shape[2] != self.configuration["samples"]:
            raise ArgumentError(
                f"The network takes waveforms (token, {self.configuration['samples']}) or "
                f"(token, 1, {self.configuration['samples']}), but got {tuple(waveform.shape)} instead."
            )
        signal = self.shuffle1(self.conv1(signal))
        signal = self.shuffle2(self.conv2(signal))
        signal = self.shuffle3(self.conv3(signal))
        signal = self.shuffle4(self.conv4(signal))
        return self.logits(self.flatten(self.conv5(signal)))
