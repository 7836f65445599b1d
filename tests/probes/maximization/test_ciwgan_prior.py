import hashlib

import pytest
import torch

from layerstats.errors import ArgumentError
from layerstats.models import CommandClassifier, InfoWaveGAN, load_checkpoint, seeded
from layerstats.probes.generate import generate_speech
from layerstats.probes.maximization import CiwganPrior, Hearing, hearing_of, open_prior
from layerstats.resources import bundled

HEARING = Hearing(("sample",), (16384,), {}, torch.float64)


def generators(count):
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


@pytest.fixture(scope="module")
def network():
    with seeded(3):
        return InfoWaveGAN("ciwgan", codes=4, latent=12, width=1)


def test_starts_are_codes_of_training_or_small_noise(network):
    prior = CiwganPrior(HEARING, network)
    own = prior.start("own", None, generators(50), 0.1)
    codes, noise = own[:, :4], own[:, 4:]
    assert torch.equal(codes.sum(dim=1), torch.ones(50, dtype=torch.float64))
    assert len(codes.unique(dim=0)) == 4
    assert 0.9 < noise.abs().max() <= 1
    small = prior.start("codes", None, generators(50), 0.1)
    assert 0.08 < small.std() < 0.12
    assert torch.equal(own[7:8], prior.start("own", None, [torch.Generator().manual_seed(7)], 0.1))


def test_what_is_said_is_what_generate_speech_says():
    """At the network's own rate the waveform is the generator's, but for its peak."""
    network, _ = load_checkpoint(bundled("data", "checkpoints", "ciwgan.safetensors"))
    speech = generate_speech(network, codes=["2"], voices=1, seed=4, silence_s=0)
    noise = network.draw_noise(1, torch.Generator().manual_seed(4))
    latent = torch.cat([network.code_table()[2:3], noise], dim=1)
    prior = CiwganPrior(Hearing(("sample",), (16384,)), network)
    said = prior.waveforms(latent)[0].detach().numpy()
    # The corpus is 16-bit sound with a peak of one half.
    assert abs(said - 2 * speech.audio(speech.tokens["token"][0])).max() < 1e-4


def test_gradients_through_resampling_and_the_front_end_are_finite_differences(network):
    listener = CommandClassifier(outputs=2).double().eval()
    prior = CiwganPrior(hearing_of(listener), network)
    assert prior.rate_hz == 22050
    latent = prior.start("own", None, generators(1), 0.1).requires_grad_()
    (slopes,) = torch.autograd.grad(listener(prior.render(latent))[0, 0], latent)
    for place in range(0, 12, 3):
        step = torch.zeros_like(latent)
        step[:, place] = 1e-7
        with torch.no_grad():
            high, low = (listener(prior.render(latent + sign * step))[0, 0] for sign in (1, -1))
        assert slopes[0, place].item() == pytest.approx(((high - low) / 2e-7).item(), rel=1e-3, abs=1e-6)


def test_the_callers_network_stays_as_it_is(network):
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    prior = CiwganPrior(HEARING, network)
    prior.render(prior.start("own", None, generators(1), 0.1))
    assert all(torch.equal(weight, before[name]) for name, weight in network.state_dict().items())
    assert next(network.parameters()).dtype == torch.float32


def test_by_name_its_checkpoint_is_told():
    path = bundled("data", "checkpoints", "ciwgan.safetensors")
    prior = open_prior(f"ciwgan:{path}", HEARING)
    assert prior.attrs["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert prior.attrs["rate_hz"] == 16000


def test_a_network_without_a_generator_is_refused():
    with pytest.raises(ArgumentError, match="CommandClassifier has no generator"):
        CiwganPrior(HEARING, CommandClassifier(outputs=2))
