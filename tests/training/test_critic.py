"""The written-out gradient of the critic's loss against automatic differentiation, twice."""

import pytest
import torch

from layerstats.models import ConvolutionalEncoder, seeded
from layerstats.training.gan.critic import critic_gradients

SHIFTS = [(1, -2, 0), (2, -1, 1), (-2, 0, 2), (0, 1, -1)]


def moved(signal, shift):
    """Phase shuffle by definition: sample n is sample n - shift, reflected at the edges."""
    length = signal.shape[-1]
    origin = (torch.arange(length) - shift).abs()
    return signal[..., torch.where(origin >= length, 2 * (length - 1) - origin, origin)]


def scores(critic, waveforms, group):
    signal = waveforms[:, None]
    for index in range(5):
        signal = getattr(critic, f"conv{index + 1}")(signal)
        if index < 4:
            signal = moved(signal, SHIFTS[index][group])
    return critic.logits(signal.flatten(1))[:, 0]


def reference(critic, real, generated, mix, penalty):
    mixed = (real + mix * (generated - real)).requires_grad_()
    (slopes,) = torch.autograd.grad(scores(critic, mixed, 2).sum(), mixed, create_graph=True)
    penalties = penalty * (slopes.norm(dim=1) - 1).square().mean()
    gap = scores(critic, real, 0).mean() - scores(critic, generated, 1).mean()
    critic.zero_grad()
    (penalties - gap).backward()
    return gap.detach(), penalties.detach(), {name: value.grad.clone() for name, value in critic.named_parameters()}


@pytest.fixture
def case():
    with seeded(0):
        critic = ConvolutionalEncoder(1, width=3, samples=2048, initialisation="glorot")
        for name, parameter in critic.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(parameter, std=0.1)
        return critic, torch.randn(4, 2048), torch.randn(4, 2048), torch.rand(4, 1)


def test_gradients_are_those_of_automatic_differentiation(case):
    critic, *speech = case
    gap, penalties, expected = reference(critic, *speech, penalty=7.0)
    losses = critic_gradients(critic, *speech, SHIFTS, penalty=7.0)
    torch.testing.assert_close(losses.gap, gap, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(losses.penalty, penalties, rtol=1e-5, atol=1e-6)
    for name, parameter in critic.named_parameters():
        atol = 1e-4 * float(expected[name].abs().max()) + 1e-7
        torch.testing.assert_close(parameter.grad, expected[name], rtol=1e-4, atol=atol)


def test_bfloat16_gives_nearly_the_same_direction(case):
    critic, *speech = case
    _, _, expected = reference(critic, *speech, penalty=10.0)
    critic_gradients(critic, *speech, SHIFTS, precision=torch.bfloat16)
    for name, parameter in critic.named_parameters():
        if name != "logits.bias":
            cosine = torch.cosine_similarity(parameter.grad.flatten(), expected[name].flatten(), dim=0)
            assert cosine > 0.99, name
            assert parameter.grad.dtype == torch.float32


def test_silence_has_no_direction_and_no_nan():
    critic = ConvolutionalEncoder(1, width=1, samples=1024)
    torch.nn.init.zeros_(critic.logits.weight)
    silence = torch.zeros(2, 1024)
    losses = critic_gradients(critic, silence, silence, torch.rand(2, 1), [(0, 0, 0)] * 4)
    assert losses.penalty == pytest.approx(10.0)
    assert all(torch.isfinite(parameter.grad).all() for parameter in critic.parameters())
