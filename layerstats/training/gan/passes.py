"""Passes through the networks in the layout in which convolutions are quickest, (token, sample, channel).

The modules in `layerstats.models` say what the networks are; here the same weights are used, and tests hold the
results to be the modules' own. A convolution of 25 taps and stride 4 is one of 7 taps and stride 1 over blocks of four
samples, and a transposed one is a convolution of 7 taps that gives blocks of four samples. In this layout a block is a
run of memory, and libraries are two to four times as quick at stride 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from layerstats.models import ConvolutionalEncoder, WaveGenerator
from layerstats.models.wavegan import KERNEL, LAYERS, PADDING, STRIDE

LEFT, RIGHT = PADDING
TAPS = 7  # in blocks of four samples
SPARE = TAPS * STRIDE - KERNEL  # samples that fill the last block; their weights are zero
_LEAKY_RELU_BACKWARD = torch.ops.aten.leaky_relu_backward
_CONVOLUTION_BACKWARD = torch.ops.aten.convolution_backward


def generate(generator: WaveGenerator, latent: Tensor, precision: torch.dtype = torch.float32) -> Tensor:
    """Return the generator's waveforms, (token, sample) in float32; automatic differentiation goes through.

    Examples
    --------
    >>> generate(WaveGenerator(latent=10, width=1), torch.zeros(3, 10)).shape
    torch.Size([3, 16384])
    """
    projected = F.linear(latent.to(precision), *(p.to(precision) for p in generator.projection.parameters()))
    channels = generator.transposed1.convolution.in_channels
    signal = F.relu(projected.unflatten(1, (channels, -1))).transpose(1, 2)
    for number in range(1, LAYERS + 1):
        layer = getattr(generator, f"transposed{number}").convolution
        signal = _transposed(signal, layer.weight.to(precision), layer.bias.to(precision))
        if number < LAYERS:
            signal = F.relu(signal)
    return torch.tanh(signal[..., 0].float())


def _transposed(signal: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    channels_in, channels_out, _ = weight.shape
    before = STRIDE * (TAPS // 2) - LEFT
    padded = F.pad(weight, (before, SPARE - before)).view(channels_in, channels_out, TAPS, STRIDE)
    phases = padded.flip(2).permute(3, 1, 0, 2).reshape(STRIDE * channels_out, channels_in, 1, TAPS)
    convolved = F.conv2d(
        as_image(signal),
        phases.contiguous(memory_format=torch.channels_last),
        bias.repeat(STRIDE),
        padding=(0, TAPS // 2),
    )
    return as_signal(convolved).reshape(len(signal), -1, channels_out)


class EncoderPass:
    """One pass of a batch forward and back through a critic or Q-network, layer by layer and by hand.

    Between the kinks of LeakyReLU the network is linear. `backward` gives the gradient at its input; `tangent` sends a
    direction at the input forward through the same masks, which is all that the gradient of a function of that gradient
    needs (second derivatives of LeakyReLU are zero). `store_gradients` then writes the gradients of the weights.

    Parameters
    ----------
    encoder : ConvolutionalEncoder
    speech : Tensor
        (token, sample).
    shifts : sequence of sequence of int
        Phase shuffle: for each of the first four layers a shift in samples for each of the equal parts of the batch.
    precision : torch.dtype
        In which activations are computed.

    Attributes
    ----------
    logits : Tensor
        The encoder's outputs, (token, output), float32.

    Examples
    --------
    >>> encoder, speech = ConvolutionalEncoder(outputs=2, width=1).eval(), torch.rand(3, 16384)
    >>> bool(torch.allclose(EncoderPass(encoder, speech, [(0,)] * 4).logits, encoder(speech), atol=1e-5))
    True
    """

    @torch.no_grad()
    def __init__(
        self,
        encoder: ConvolutionalEncoder,
        speech: Tensor,
        shifts: Sequence[Sequence[int]],
        precision: torch.dtype = torch.float32,
    ) -> None:
        self.encoder, self.shifts, self.precision = encoder, shifts, precision
        self.slope = float(encoder.configuration["slope"])
        self.layers = [getattr(encoder, f"conv{number}").convolution for number in range(1, LAYERS + 1)]
        self.weights = [_block_weight(layer.weight, precision) for layer in self.layers]
        # The dense layer sees (channel, sample); activations here are (sample, channel).
        dense = encoder.logits.weight.unflatten(1, (self.weights[-1].shape[0], -1))
        self.dense = dense.transpose(1, 2).flatten(1).to(precision)
        self.inputs = [shifted(speech.to(precision)[..., None], (0,))]
        self.outputs: list[Tensor] = []
        for index, layer in enumerate(self.layers):
            output = _convolve(self.inputs[index], self.weights[index], layer.bias.to(precision))
            self.outputs.append(F.leaky_relu_(output, self.slope))
            if index < LAYERS - 1:
                self.inputs.append(shifted(output, shifts[index]))
        self.flat = self.outputs[-1].flatten(1)
        self.logits = (self.flat @ self.dense.t()).float() + encoder.logits.bias

    @torch.no_grad()
    def backward(self, cotangent: Tensor) -> None:
        """Send the loss's gradient at the outputs, (token, output), back to the first layer."""
        self.cotangent = cotangent.to(self.precision)
        back = (self.cotangent @ self.dense).view(self.outputs[-1].shape)
        self.backs = [back] * LAYERS
        for index in reversed(range(LAYERS)):
            self.backs[index] = back = self._masked(back, index)
            if index:
                length = self.outputs[index - 1].shape[1]
                back = shifted_back(_convolve_back(back, self.weights[index], length), self.shifts[index - 1])

    @torch.no_grad()
    def input_gradient(self, rows: slice = slice(None)) -> Tensor:
        """Return the gradient at the waveforms of these rows, (token, sample), float32."""
        samples = STRIDE * self.outputs[0].shape[1]
        return _convolve_back(self.backs[0][rows], self.weights[0], samples)[..., 0].float()

    @torch.no_grad()
    def tangent(self, direction: Tensor, rows: slice, part: int) -> None:
        """Replace the activations of these rows by the forward image of a direction (token, sample) at the input.

        `part` is which of the equal parts of the batch the rows are, and so which shifts they had.
        """
        moving = direction.to(self.precision)[..., None]
        for index in range(LAYERS):
            image = shifted(moving, (self.shifts[index - 1][part] if index else 0,))
            moving = self._masked(_convolve(image, self.weights[index], None), index, rows)
            self.inputs[index][rows] = image
        self.flat[rows] = moving.flatten(1)

    @torch.no_grad()
    def store_gradients(self, rows_of_biases: slice = slice(None)) -> None:
        """Write the gradients into the parameters' `grad`; those of biases come from some rows only."""
        for layer, weight, image, back in zip(self.layers, self.weights, self.inputs, self.backs, strict=True):
            layer.weight.grad = _weight_gradient(image, back, weight)
            layer.bias.grad = back[rows_of_biases].sum((0, 1), dtype=torch.float32)
        dense = (self.cotangent.t() @ self.flat).float().unflatten(1, (-1, self.weights[-1].shape[0]))
        self.encoder.logits.weight.grad = dense.transpose(1, 2).flatten(1).contiguous()
        self.encoder.logits.bias.grad = self.cotangent[rows_of_biases].sum(0, dtype=torch.float32)

    def _masked(self, signal: Tensor, index: int, rows: slice = slice(None)) -> Tensor:
        return _LEAKY_RELU_BACKWARD(signal, self.outputs[index][rows], self.slope, True)


def as_image(signal: Tensor) -> Tensor:
    """(token, sample, channel) as an image (token, channel, 1, sample) that is channels-last in memory."""
    return signal.transpose(1, 2)[:, :, None]


def as_signal(image: Tensor) -> Tensor:
    """Undo `as_image`."""
    return image[:, :, 0].transpose(1, 2)


def shifted(signal: Tensor, shifts: Sequence[int]) -> Tensor:
    """Return the phase shuffle by known shifts with the zeros around it: (token, padded sample, channel).

    A shift is given for each of the equal parts of the batch; what moves in at an edge is reflected.
    """
    tokens, length, channels = signal.shape
    padded = signal.new_empty(tokens, length + LEFT + RIGHT + SPARE, channels)
    padded[:, :LEFT] = padded[:, LEFT + length :] = 0
    inner = padded[:, LEFT : LEFT + length]
    for source, target, shift in zip(signal.chunk(len(shifts)), inner.chunk(len(shifts)), shifts, strict=True):
        if shift >= 0:
            target[:, shift:] = source[:, : length - shift]
            target[:, :shift] = source[:, 1 : shift + 1].flip(1)
        else:
            target[:, :shift] = source[:, -shift:]
            target[:, shift:] = source[:, shift - 1 : -1].flip(1)
    return padded


def shifted_back(gradient: Tensor, shifts: Sequence[int]) -> Tensor:
    """Return the transpose of the phase shuffle: (token, sample, channel)."""
    length = gradient.shape[1]
    summed = torch.empty_like(gradient, memory_format=torch.contiguous_format)
    for source, target, shift in zip(gradient.chunk(len(shifts)), summed.chunk(len(shifts)), shifts, strict=True):
        if shift >= 0:
            target[:, : length - shift] = source[:, shift:]
            target[:, length - shift :] = 0
            target[:, 1 : shift + 1] += source[:, :shift].flip(1)
        else:
            target[:, -shift:] = source[:, :shift]
            target[:, :-shift] = 0
            target[:, shift - 1 : -1] += source[:, shift:].flip(1)
    return summed


def _block_weight(weight: Tensor, precision: torch.dtype) -> Tensor:
    """Weights (out, in, tap) as (out, sample of a block and in, 1, block), channels-last."""
    blocks = F.pad(weight.detach().to(precision), (0, SPARE)).unflatten(2, (TAPS, STRIDE))
    return blocks.permute(0, 3, 1, 2).flatten(1, 2)[:, :, None].contiguous(memory_format=torch.channels_last)


def _blocks(padded: Tensor) -> Tensor:
    tokens, length, channels = padded.shape
    return as_image(padded.view(tokens, length // STRIDE, STRIDE * channels))


def _convolve(padded: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return as_signal(F.conv2d(_blocks(padded), weight, bias))


def _convolve_back(back: Tensor, weight: Tensor, length: int) -> Tensor:
    blocks = as_image(back.new_empty(len(back), back.shape[1] + TAPS - 1, weight.shape[1]))
    gradient = as_signal(_gradients(back, blocks, weight, [True, False, False])[0])
    return gradient.reshape(len(back), length + LEFT + RIGHT + SPARE, -1)[:, LEFT : LEFT + length]


def _weight_gradient(padded: Tensor, back: Tensor, weight: Tensor) -> Tensor:
    gradient = _gradients(back, _blocks(padded), weight, [False, True, False])[1][:, :, 0].float()
    taps = gradient.unflatten(1, (STRIDE, -1)).permute(0, 2, 3, 1).flatten(2)
    return taps[..., :KERNEL].contiguous()


def _gradients(back: Tensor, image: Tensor, weight: Tensor, wanted: list[bool]) -> tuple[Tensor, Tensor, Tensor]:
    return _CONVOLUTION_BACKWARD(as_image(back), image, weight, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1, wanted)
