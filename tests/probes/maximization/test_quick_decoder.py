"""Quicker ways to compute a network give its values and gradients, and leave it as it was."""

import numpy as np
import pytest
import torch
from torch import nn

from layerstats.models import CommandClassifier, MelAutoencoder, seeded
from layerstats.probes.maximization import AutoencoderPrior, hearing_of
from layerstats.probes.maximization.places import differentiating
from layerstats.probes.maximization.quick_decoder import UpsampledConvolution


@pytest.mark.parametrize(
    ("up", "kernel", "padding"), [((3, 2), (3, 3), 1), ((2, 2), (3, 5), (1, 2)), ((1, 4), (1, 3), (0, 1))]
)
def test_a_convolution_before_upsampling_is_the_one_after_it(up, kernel, padding):
    with seeded(1):
        convolution = nn.Conv2d(3, 2, kernel, padding=padding).double()
        maps = torch.randn(2, 3, 5, 7, dtype=torch.float64, requires_grad=True)
        weights = torch.randn(2, 2, 5 * up[0], 7 * up[1], dtype=torch.float64)
    slow = convolution(nn.Upsample(scale_factor=up)(maps))
    quick = UpsampledConvolution(convolution, up)(maps)
    torch.testing.assert_close(quick, slow, rtol=0, atol=1e-13)
    gradients = [torch.autograd.grad((given * weights).sum(), maps)[0] for given in (quick, slow)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-13)


def test_an_autoencoder_prior_decodes_as_the_autoencoder():
    with seeded(2):
        network, autoencoder = CommandClassifier(2).double(), MelAutoencoder(7, (2, 3, 4, 5)).double()
        codes = torch.randn(3, 7, dtype=torch.float64)
    prior = AutoencoderPrior(hearing_of(network), autoencoder)
    torch.testing.assert_close(prior.render(codes), autoencoder.decode(codes), rtol=0, atol=1e-14)


def test_networks_have_their_own_tensors_again_whatever_happens():
    with seeded(3):
        network = CommandClassifier(2)
    weight = network.conv2[0].weight
    values, place, strides = weight.detach().clone(), weight.data_ptr(), weight.stride()

    def use():
        with differentiating([network], "cpu"):
            assert network.conv2[0].weight.is_contiguous(memory_format=torch.channels_last)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use()
    assert (weight.data_ptr(), weight.stride()) == (place, strides)
    assert network.conv2[0].weight is weight
    np.testing.assert_array_equal(weight.detach(), values)
