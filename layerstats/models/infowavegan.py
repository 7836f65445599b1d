"""ciwGAN and fiwGAN: WaveGAN's generator and critic with a Q-network that reads the codes back out of the speech."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from layerstats.checks import check_choice, check_positive
from layerstats.errors import ArgumentError
from layerstats.models.wavegan import (
    KERNEL,
    LAYERS,
    PADDING,
    STRIDE,
    ConvolutionalEncoder,
    check_samples,
    draw_glorot,
)

KINDS = ("ciwgan", "fiwgan")
PARTS = ("q_network", "discriminator", "generator")
LARGEST_BIT_TABLE = 16


class TransposedLayer(nn.Module):
    """Transposed convolution with kernel 25 and stride 4, then an activation: (token, channel, sample) to four times.

    The output is cropped as the transpose of 'SAME' padding has it: 10 samples on the left, 11 on the right.
    """

    def __init__(self, channels_in: int, channels_out: int, activation: nn.Module) -> None:
        super().__init__()
        left, right = PADDING
        self.convolution = nn.ConvTranspose1d(channels_in, channels_out, KERNEL, stride=STRIDE, padding=left)
        self.excess = right - left  # the padding argument crops as much on either side
        self.activation = activation

    def forward(self, signal: Tensor) -> Tensor:
        """Return the activations (token, channel, sample)."""
        return self.activation(self.convolution(signal)[..., : -self.excess])


class WaveGenerator(nn.Module):
    """WaveGAN's generator: a latent vector becomes a waveform.

    With 16,384 samples and width d: a dense layer to 16 x 16d (sample x channel) and a ReLU, four transposed
    convolutions to 64 x 8d, 256 x 4d, 1024 x 2d and 4096 x d with a ReLU each, and one to 16384 x 1 with tanh.
    There is no batch normalisation. Weights are drawn Glorot-uniform, biases are zero.

    Parameters
    ----------
    latent : int
        Length of the latent vector.
    width : int
        Channels before the last layer, the d of the papers (64 there).
    samples : int
        Length of the waveforms; a multiple of 1024.

    Raises
    ------
    ArgumentError
        A parameter is out of range.

    References
    ----------
    Donahue, McAuley & Puckette (2019), Adversarial audio synthesis, Table 3; Begus & Zhou (2022), section 3.

    Examples
    --------
    >>> WaveGenerator(latent=10, width=2)(torch.zeros(3, 10)).shape
    torch.Size([3, 16384])
    """

    def __init__(self, latent: int = 100, width: int = 64, samples: int = 16384) -> None:
        super().__init__()
        for name, value in {"latent": latent, "width": width, "samples": samples}.items():
            check_positive(name, value)
        check_samples(samples)
        self.latent = latent
        channels = [width * 2**index for index in reversed(range(LAYERS))]
        self._start = (channels[0], samples // STRIDE**LAYERS)
        self.projection = nn.Linear(latent, channels[0] * self._start[1])
        self.activation = nn.ReLU()
        self.transposed1 = TransposedLayer(channels[0], channels[1], nn.ReLU())
        self.transposed2 = TransposedLayer(channels[1], channels[2], nn.ReLU())
        self.transposed3 = TransposedLayer(channels[2], channels[3], nn.ReLU())
        self.transposed4 = TransposedLayer(channels[3], channels[4], nn.ReLU())
        self.transposed5 = TransposedLayer(channels[4], 1, nn.Tanh())
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw fresh weights."""
        draw_glorot(self)

    def forward(self, latent: Tensor) -> Tensor:
        """Return waveforms (token, sample) between -1 and 1.

        Parameters
        ----------
        latent : Tensor
            (token, latent).

        Raises
        ------
        ArgumentError
            The shape is another one.
        """
        if latent.ndim != 2 or latent.shape[1] != self.latent:
            raise ArgumentError(
                f"The generator takes latent vectors (token, {self.latent}), but got {tuple(latent.shape)} instead."
            )
        signal = self.activation(self.projection(latent).unflatten(1, self._start))
        for layer in (self.transposed1, self.transposed2, self.transposed3, self.transposed4, self.transposed5):
            signal = layer(signal)
        return signal[:, 0]


class InfoWaveGAN(nn.Module):
    """A generator, a critic and a Q-network with weights of its own, as in ciwGAN and fiwGAN.

    A latent vector is the code and then noise between -1 and 1. In a ciwGAN the code is one of `codes` categories,
    one-hot; in a fiwGAN it is `codes` bits, of which any may be one. Called on latent vectors (token, latent) the
    network gives the generator's waveforms (token, sample).

    Parameters
    ----------
    kind : {"ciwgan", "fiwgan"}
        Categories or bits.
    codes : int
        Number of categories or of bits.
    latent : int
        Length of the latent vector, codes included.
    width : int
        Channels of the outermost layers, the d of the papers (64 there).
    samples : int
        Length of the waveforms; a multiple of 1024.
    slope : float
        Slope of LeakyReLU in the critic and the Q-network.
    phase_shuffle : int
        Radius in samples of the phase shuffle in the critic and the Q-network, while training.

    Attributes
    ----------
    generator : WaveGenerator
    discriminator : ConvolutionalEncoder
        The critic: one output.
    q_network : ConvolutionalEncoder
        One output a category or bit, before the softmax or sigmoid.

    Raises
    ------
    ArgumentError
        A parameter is out of range, or the code leaves no room for noise.

    References
    ----------
    Begus (2021), CiwGAN and fiwGAN; Begus & Zhou (2022), section 3.

    Examples
    --------
    >>> network = InfoWaveGAN("fiwgan", codes=3, latent=10, width=1)
    >>> network.code_table().shape
    torch.Size([8, 3])
    >>> latent = torch.cat([network.draw_codes(2), network.draw_noise(2)], dim=1)
    >>> network.q_network(network(latent)).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        kind: str = "ciwgan",
        codes: int = 8,
        latent: int = 100,
        width: int = 64,
        samples: int = 16384,
        slope: float = 0.2,
        phase_shuffle: int = 2,
    ) -> None:
        super().__init__()
        check_choice("kind", kind, KINDS)
        check_positive("codes", codes)
        if codes >= latent:
            raise ArgumentError(
                f"The 'latent' parameter must be larger than 'codes' ({codes}), so that noise is left beside the code, "
                f"but got {latent!r} instead."
            )
        self.kind, self.codes, self.latent = kind, codes, latent
        self.configuration: dict[str, int | float | str] = {
            "kind": kind,
            "codes": codes,
            "latent": latent,
            "width": width,
            "samples": samples,
            "slope": slope,
            "phase_shuffle": phase_shuffle,
        }
        self.generator = WaveGenerator(latent, width, samples)
        self.discriminator = ConvolutionalEncoder(1, width, slope, phase_shuffle, samples, "glorot")
        self.q_network = ConvolutionalEncoder(codes, width, slope, phase_shuffle, samples, "glorot")

    def forward(self, latent: Tensor) -> Tensor:
        """Return the generator's waveforms (token, sample) of latent vectors (token, latent)."""
        return self.generator(latent)

    def code_table(self, value: float = 1.0) -> Tensor:
        """Return every code there is, (code, codes): one-hot vectors, or bit vectors in counting order.

        Parameters
        ----------
        value : float
            What stands for a one; training knows 1 only, larger values go beyond it.

        Raises
        ------
        ArgumentError
            There are more than 16 bits.
        """
        if self.kind == "ciwgan":
            return value * torch.eye(self.codes)
        if self.codes > LARGEST_BIT_TABLE:
            raise ArgumentError(
                f"A table of all codes is made for at most {LARGEST_BIT_TABLE} bits, but this network has {self.codes}."
            )
        return value * torch.tensor(list(itertools.product((0.0, 1.0), repeat=self.codes)))

    def draw_noise(self, tokens: int, generator: torch.Generator | None = None) -> Tensor:
        """Return the part of `tokens` latent vectors that is not code, uniform between -1 and 1."""
        return 2 * torch.rand(tokens, self.latent - self.codes, generator=generator) - 1

    def draw_codes(self, tokens: int, generator: torch.Generator | None = None) -> Tensor:
        """Return `tokens` random codes (token, codes): categories equally often, or independent fair bits."""
        if self.kind == "ciwgan":
            drawn = torch.randint(self.codes, (tokens,), generator=generator)
            return nn.functional.one_hot(drawn, self.codes).float()
        return torch.randint(2, (tokens, self.codes), generator=generator).float()


def part(model: nn.Module, name: str = "q_network") -> nn.Module:
    """Return one of the networks in an InfoWaveGAN; any other network is its own only part.

    Parameters
    ----------
    model : torch.nn.Module
        An `InfoWaveGAN`, or another network.
    name : {"q_network", "discriminator", "generator"}
        Which.

    Raises
    ------
    ArgumentError
        There is no such part.

    Examples
    --------
    >>> type(part(InfoWaveGAN(width=1), "generator")).__name__
    'WaveGenerator'
    """
    check_choice("name", name, PARTS)
    if isinstance(model, InfoWaveGAN):
        return getattr(model, name)
    if name != PARTS[0]:
        raise ArgumentError(f"A {type(model).__name__} has no part {name!r}; only an InfoWaveGAN has.")
    return model
