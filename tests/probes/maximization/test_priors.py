"""The ladder of priors: where starts begin, what they cost, and what does not fit."""

import numpy as np
import pytest
import torch

from layerstats.errors import ArgumentError
from layerstats.models import ConvolutionalEncoder
from layerstats.probes.maximization import (
    AutoencoderPrior,
    Hearing,
    NoPrior,
    Prior,
    SmoothPrior,
    hearing_of,
    open_prior,
)

KINDS = ("none", "smooth", "autoencoder")


def test_small_values_cost_their_size_and_their_squares():
    prior = SmoothPrior(Hearing(("time", "mel"), (2, 2)), l1=0.5, l2=0.25, total_variation=0)
    heard = torch.tensor([[[1.0, -2.0], [0.0, 4.0]]], requires_grad=True)
    penalty = prior.penalty(heard, heard)
    assert penalty.tolist() == [0.5 * 7 + 0.25 * 21]
    (gradient,) = torch.autograd.grad(penalty.sum(), heard)
    assert gradient.tolist() == [[[1.0, -1.5], [0.0, 2.5]]]
    assert "l1" not in SmoothPrior(prior.hearing).attrs, "outcomes that were made without it keep their key"


def test_uniform_starts_need_two_axes_and_come_from_their_own_seeds():
    seeds = [torch.Generator().manual_seed(seed) for seed in (3, 4)]
    prior = NoPrior(Hearing(("time", "mel"), (20, 30)))
    starts = prior.start("xavier_uniform", None, seeds, 0.1)
    assert torch.equal(starts[1:], prior.start("xavier_uniform", None, [torch.Generator().manual_seed(4)], 9.0))
    with pytest.raises(ArgumentError, match="two axes or more"):
        NoPrior(Hearing(("sample",), (20,))).start("xavier_uniform", None, seeds, 0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_prior_keeps_to_the_protocol(nets, kind):
    prior = nets.prior(kind)
    assert isinstance(prior, Prior)
    given = torch.rand(3, 6, 4, dtype=torch.float64)
    for start in prior.starts:
        seeds = nets.generators([1, 2, 3])
        variables = prior.start(start, given if start == "data" else None, seeds, 0.1)
        assert variables.ndim == 1 + len(prior.dims)
        alone = prior.start(start, given[1:2] if start == "data" else None, nets.generators([2]), 0.1)
        torch.testing.assert_close(alone[0], variables[1])
        assert prior.render(variables).shape == (3, 6, 4)
        assert prior.constrain(variables).shape == variables.shape


@pytest.mark.parametrize("kind", KINDS)
def test_starts_from_data_need_data(nets, kind):
    with pytest.raises(ArgumentError, match="give a corpus"):
        nets.prior(kind).start("data", None, nets.generators([0]), 0.1)


def test_noise_has_the_deviation_asked_for_whatever_the_type(nets):
    hearing = Hearing(("time", "mel"), (90, 80))
    noise = NoPrior(hearing).start("noise", None, nets.generators([0]), 0.3)
    assert float(noise.std()) == pytest.approx(0.3, rel=0.03)
    double = NoPrior(Hearing(hearing.dims, hearing.shape, {}, torch.float64))
    assert torch.equal(double.start("noise", None, nets.generators([0]), 0.3), noise.double())


def test_codes_of_the_encoders_own_distribution(nets):
    prior = nets.prior("autoencoder")
    codes = prior.start("own", None, nets.generators(range(4000)), 0.1).numpy()
    root = prior.autoencoder.code_root.numpy()
    np.testing.assert_allclose(codes.mean(0), [1, 2, 3], atol=0.15)
    np.testing.assert_allclose(np.cov(codes.T), root @ root.T, atol=0.35)


def test_penalties_by_their_definition(nets):
    prior = nets.prior("smooth")
    heard = torch.randn(2, 6, 4, dtype=torch.float64)
    for row in range(2):
        x = heard[row].numpy()
        along = np.abs(x[1:] - x[:-1]).sum() + np.abs(x[:, 1:] - x[:, :-1]).sum()
        assert float(prior.penalty(heard, heard)[row]) == pytest.approx(0.02 * (x**2).sum() + 0.03 * along)


def test_front_ends_must_agree(nets):
    hearing = Hearing(("time", "mel"), (6, 4), {"frames": 6, "mels": 4, "hop": 256})
    with pytest.raises(ArgumentError, match="hop is 200 there and 256 in the network"):
        AutoencoderPrior(hearing, nets.autoencoder(hop=200))
    with pytest.raises(ArgumentError, match="6 time x 4 mel, but the network hears 16384 sample"):
        AutoencoderPrior(hearing_of(ConvolutionalEncoder(2, width=1)), nets.autoencoder())
    with pytest.raises(ArgumentError, match="ConvolutionalEncoder has no encode, decode"):
        AutoencoderPrior(hearing, ConvolutionalEncoder(2, width=1))


def test_a_prior_leaves_the_network_that_it_is_made_of(nets):
    network = nets.autoencoder()
    hearing = Hearing(("time", "mel"), (6, 4), network.front_end.configuration, torch.float64)
    prior = AutoencoderPrior(hearing, network.train())
    assert network.training
    assert network.decoder.weight.dtype == torch.float32
    assert prior.autoencoder.decoder.weight.dtype == torch.float64


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("magic", "'none', 'smooth'"),
        ("autoencoder", "autoencoder:FILE"),
        ("none:file.safetensors", "takes no file"),
        ("smooth?l3=1", "l2, total_variation, l1, bounds"),
        ("smooth?l2=much", "option 'l2'"),
        ("smooth?l2", "l2"),
        ("smooth?l2=-1", "zero or above"),
        ("autoencoder:nowhere.safetensors", "no checkpoint"),
    ],
)
def test_unknown_priors_and_options_are_refused(name, message):
    with pytest.raises((ArgumentError, FileNotFoundError), match=message):
        open_prior(name, Hearing(("time", "mel"), (6, 4)))


def test_bounds_must_be_two_numbers():
    with pytest.raises(ArgumentError, match="bounds"):
        open_prior("none", Hearing(("time", "mel"), (6, 4)), bounds=(1, 0))


def test_what_unknown_networks_hear_must_be_said(nets):
    with pytest.raises(ArgumentError, match="hearing="):
        hearing_of(nets.classifier())
