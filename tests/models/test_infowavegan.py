"""ciwGAN and fiwGAN against the facts of the papers."""

import itertools

import pytest
import torch
from torch.nn import functional as F

from layerstats.errors import ArgumentError
from layerstats.models import (
    ConvolutionalEncoder,
    InfoWaveGAN,
    ModelCard,
    WaveGenerator,
    load_checkpoint,
    part,
    save_checkpoint,
    seeded,
    untrained,
)


@pytest.mark.parametrize("width", [1, 3])
def test_generator_layers_have_the_papers_shapes(width):
    generator, shapes = WaveGenerator(width=width), []
    modules = [generator.activation, *(getattr(generator, f"transposed{number}") for number in range(1, 6))]
    for module in modules:
        module.register_forward_hook(lambda _, __, out: shapes.append(tuple(out.shape[1:])))
    assert generator(torch.zeros(2, 100)).shape == (2, 16384)
    d = width
    assert shapes == [(16 * d, 16), (8 * d, 64), (4 * d, 256), (2 * d, 1024), (d, 4096), (1, 16384)]


def test_parameter_counts_at_the_papers_width():
    """Worked out by hand from the layers: 25 taps, d = 64, 100 latent variables, 8 words."""
    with torch.device("meta"):
        network = InfoWaveGAN(codes=8, width=64)

    def count(module):
        return sum(parameter.numel() for parameter in module.parameters())

    convolutions = 25 * (1 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 1024) + (64 + 128 + 256 + 512 + 1024)
    transposed = 25 * (1024 * 512 + 512 * 256 + 256 * 128 + 128 * 64 + 64 * 1) + (512 + 256 + 128 + 64 + 1)
    assert count(network.generator) == 100 * 16384 + 16384 + transposed == 19_065_345
    assert count(network.discriminator) == convolutions + 16384 + 1 == 17_427_969
    assert count(network.q_network) == convolutions + 8 * 16384 + 8 == 17_542_664


def test_generated_samples_depend_on_latent_by_the_crop_of_same_padding():
    """Transposed 'SAME' convolution: output m is full-length output m + 10, of which 11 are cut off on the right."""
    with seeded(0):
        layer = WaveGenerator(width=2, samples=1024).transposed3
        signal = torch.randn(1, layer.convolution.in_channels, 16)
    full = F.conv_transpose1d(signal, layer.convolution.weight, layer.convolution.bias, stride=4)
    torch.testing.assert_close(layer(signal), F.relu(full[..., 10:-11]))


def test_rectified_after_the_projection_and_bounded_at_the_end():
    with seeded(0):
        generator = WaveGenerator(width=2, samples=1024)
    rectified = []
    generator.activation.register_forward_hook(lambda _, __, out: rectified.append(out))
    speech = generator(20 * torch.randn(8, 100))
    assert rectified[0].min() == 0
    assert speech.abs().max() <= 1
    assert speech.min() < 0 < speech.max()


def test_weights_are_glorot_uniform_with_zero_biases():
    with seeded(0):
        network = InfoWaveGAN(codes=4, width=8, samples=1024)
    weight = network.q_network.conv3.convolution.weight
    limit = (6 / (25 * (16 + 32))) ** 0.5
    assert 0.99 * limit < weight.abs().max() <= limit
    weight = network.generator.transposed2.convolution.weight
    assert weight.abs().max() <= (6 / (25 * (64 + 32))) ** 0.5
    assert float(weight.detach().std()) == pytest.approx((2 / (25 * (64 + 32))) ** 0.5, rel=0.02)
    for name, parameter in network.named_parameters():
        assert not name.endswith("bias") or bool((parameter == 0).all())


def test_parts_have_weights_of_their_own():
    with seeded(0):
        network = InfoWaveGAN(codes=1, latent=5, width=1, samples=1024)
    assert not torch.equal(network.discriminator.conv1.convolution.weight, network.q_network.conv1.convolution.weight)
    pointers = [parameter.data_ptr() for parameter in network.parameters()]
    assert len(set(pointers)) == len(pointers)


def test_codes_of_a_ciwgan_are_one_hot_and_equally_likely():
    network = InfoWaveGAN("ciwgan", codes=4, latent=10, width=1, samples=1024)
    drawn = network.draw_codes(4000, torch.Generator().manual_seed(0))
    assert torch.equal(drawn.sum(dim=1), torch.ones(4000))
    torch.testing.assert_close(drawn.mean(dim=0), torch.full((4,), 0.25), atol=0.03, rtol=0)
    assert torch.equal(network.code_table(2.0), 2 * torch.eye(4))


def test_codes_of_a_fiwgan_are_independent_fair_bits():
    network = InfoWaveGAN("fiwgan", codes=3, latent=10, width=1, samples=1024)
    drawn = network.draw_codes(8000, torch.Generator().manual_seed(0))
    patterns = drawn @ torch.tensor([4.0, 2.0, 1.0])
    torch.testing.assert_close(torch.bincount(patterns.long()) / 8000, torch.full((8,), 1 / 8), atol=0.02, rtol=0)
    expected = torch.tensor(list(itertools.product((0.0, 1.5), repeat=3)))
    assert torch.equal(network.code_table(1.5), expected)


def test_noise_fills_the_rest_of_the_latent_vector():
    network = InfoWaveGAN("ciwgan", codes=4, latent=10, width=1, samples=1024)
    noise = network.draw_noise(5000, torch.Generator().manual_seed(0))
    assert noise.shape == (5000, 6)
    assert -1 <= noise.min() < -0.99
    assert 0.99 < noise.max() <= 1
    assert noise.std() == pytest.approx(3**-0.5, rel=0.02)


def test_the_codes_loss_reaches_the_generator():
    network = InfoWaveGAN("fiwgan", codes=2, latent=10, width=1, samples=1024)
    codes = network.draw_codes(4)
    logits = network.q_network(network(torch.cat([codes, network.draw_noise(4)], dim=1)))
    F.binary_cross_entropy_with_logits(logits, codes).backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in network.generator.parameters())
    assert all(parameter.grad is None for parameter in network.discriminator.parameters())


def test_checkpoint_and_untrained_twin(tmp_path):
    network = InfoWaveGAN("fiwgan", codes=2, latent=10, width=1, samples=1024).eval()
    loaded, card = load_checkpoint(save_checkpoint(tmp_path / "x.safetensors", network, ModelCard("x", "An example.")))
    latent = torch.randn(2, 10)
    assert torch.equal(loaded(latent), network(latent))
    assert card.architecture["arguments"]["kind"] == "fiwgan"
    again, twin = untrained(card, 1), untrained(part(network), 1)
    assert again.configuration == network.configuration
    assert bool((twin.conv1.convolution.bias == 0).all())
    assert not torch.equal(twin.conv1.convolution.weight, network.q_network.conv1.convolution.weight)


def test_parts_by_name():
    network, encoder = InfoWaveGAN(width=1), ConvolutionalEncoder(2, width=1)
    assert part(network) is network.q_network
    assert part(network, "discriminator") is network.discriminator
    assert part(encoder) is encoder
    with pytest.raises(ArgumentError, match="ConvolutionalEncoder has no part 'generator'"):
        part(encoder, "generator")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "infogan"}, "'ciwgan', 'fiwgan'"),
        ({"codes": 100}, "latent.*larger than 'codes'.*got 100"),
        ({"codes": 0}, "codes"),
        ({"samples": 16000}, "samples"),
        ({"width": -1}, "width"),
    ],
)
def test_parameters_out_of_range_are_named(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        InfoWaveGAN(**arguments)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ArgumentError, match=r"\(token, 100\).*\(2, 99\)"):
        WaveGenerator(width=1)(torch.zeros(2, 99))
    with pytest.raises(ArgumentError, match=r"at most 16 bits.*17"):
        InfoWaveGAN("fiwgan", codes=17, width=1).code_table()
