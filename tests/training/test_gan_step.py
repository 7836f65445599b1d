"""One training step against the same step written plainly: modules, automatic differentiation, separate calls."""

import pytest
import torch
from torch.nn import functional as F

from layerstats.models import ConvolutionalEncoder, InfoWaveGAN, WaveGenerator, seeded
from layerstats.training.gan.losses import code_loss
from layerstats.training.gan.options import GanOptions
from layerstats.training.gan.passes import EncoderPass, generate
from layerstats.training.gan.step import LOSSES, TrainingStep

SAMPLES = 1024


def small(kind="ciwgan", phase_shuffle=0, seed=0):
    with seeded(seed):
        network = InfoWaveGAN(kind, 3, 10, width=2, samples=SAMPLES, phase_shuffle=phase_shuffle).train()
        speech = torch.randn(12, SAMPLES)
        # Away from kinks and from gradients that cancel, which Adam would make steps of from rounding alone.
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(parameter, std=0.3)
            else:
                parameter.detach().mul_(1.5)
    options = GanOptions(
        kind, 3, 10, 2, phase_shuffle=phase_shuffle, batch_size=4, critic_updates=2, penalty=5.0, learning_rate=1e-3
    )
    return network, speech, options


def weights(module):
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


def plain_step(network, speech, options):
    """The published algorithm, with the random numbers drawn in the same order."""
    generator, critic, reader = network.generator, network.discriminator, network.q_network
    adam = {"lr": options.learning_rate, "betas": (0.5, 0.9)}
    of_critic, of_generator = (torch.optim.Adam(part.parameters(), **adam) for part in (critic, generator))
    of_code = torch.optim.RMSprop(
        [*reader.parameters(), *generator.parameters()], lr=options.code_learning_rate, alpha=0.9, eps=1e-5
    )

    def latent(tokens):
        codes = network.draw_codes(tokens)
        return torch.cat([codes, network.draw_noise(tokens)], dim=1), codes

    batch = options.batch_size
    order, mixes = torch.randperm(len(speech)), torch.rand(2 * batch, 1)
    latents, _ = latent(2 * batch)
    for _ in range(2):
        torch.randint(0, 1, (4, 3))
    losses = []
    for update in range(2):
        rows = slice(batch * update, batch * (update + 1))
        real, mix = speech[order[rows]], mixes[rows]
        fake = generator(latents[rows]).detach()
        mixed = (real + mix * (fake - real)).requires_grad_()
        (slopes,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
        penalty = options.penalty * ((slopes.norm(dim=1) - 1) ** 2).mean()
        gap = critic(real).mean() - critic(fake).mean()
        of_critic.zero_grad()
        (penalty - gap).backward()
        of_critic.step()
        losses.append((gap.detach(), penalty.detach()))
    latents, _ = latent(batch)
    torch.randint(0, 1, (4, 1))
    generator_loss = -critic(generator(latents)).mean()
    of_generator.zero_grad()
    generator_loss.backward()
    of_generator.step()
    latents, codes = latent(batch)
    logits = reader(generator(latents))
    crossed = F.cross_entropy if options.kind == "ciwgan" else F.binary_cross_entropy_with_logits
    loss = crossed(logits, codes)
    of_code.zero_grad()
    loss.backward()
    of_code.step()
    means = torch.tensor(losses).mean(dim=0)
    return torch.stack([*means, generator_loss.detach(), loss.detach()])


@pytest.mark.parametrize("kind", ["ciwgan", "fiwgan"])
def test_a_step_is_the_published_algorithm(kind):
    network, speech, options = small(kind)
    expected, _, _ = small(kind)
    with seeded(1):
        losses = TrainingStep(network, speech, options)()
    with seeded(1):
        plainly = plain_step(expected, speech, options)
    torch.testing.assert_close(losses, plainly, rtol=1e-3, atol=2e-3)
    for name in ("generator", "discriminator", "q_network"):
        done, wanted = weights(getattr(network, name)), weights(getattr(expected, name))
        before = weights(getattr(small(kind)[0], name))
        assert (done - wanted).norm() < 0.03 * (wanted - before).norm(), name


def test_each_update_moves_its_own_networks():
    network, speech, options = small(phase_shuffle=2)
    step = TrainingStep(network, speech, options)
    moves = {"critic": {"discriminator"}, "generator": {"generator"}, "code": {"generator", "q_network"}}
    for update, moving in moves.items():
        before = {name: weights(part) for name, part in network.named_children()}
        getattr(step, f"_update_{update}")()
        after = {name: weights(part) for name, part in network.named_children()}
        assert {name for name in before if not torch.equal(before[name], after[name])} == moving


def test_generator_pass_is_the_module():
    with seeded(0):
        generator, latent = WaveGenerator(latent=10, width=2, samples=2048), torch.randn(3, 10)
        for name, parameter in generator.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(parameter)
    torch.testing.assert_close(generate(generator, latent), generator(latent))
    one, other = (
        torch.autograd.grad(speech.square().sum(), list(generator.parameters()))
        for speech in (generate(generator, latent), generator(latent))
    )
    for fast, plain in zip(one, other, strict=True):
        torch.testing.assert_close(fast, plain, rtol=1e-3, atol=1e-4 * float(plain.abs().max()))


def test_encoder_pass_is_the_module():
    with seeded(0):
        encoder = ConvolutionalEncoder(3, width=2, samples=2048).eval()
        speech, cotangent = torch.randn(4, 2048).requires_grad_(), torch.randn(4, 3)
    logits = encoder(speech)
    heard = EncoderPass(encoder, speech.detach(), [(0,)] * 4)
    torch.testing.assert_close(heard.logits, logits.detach(), rtol=1e-4, atol=1e-5)
    logits.backward(cotangent)
    expected = [parameter.grad.clone() for parameter in encoder.parameters()]
    heard.backward(cotangent)
    heard.store_gradients()
    torch.testing.assert_close(heard.input_gradient(), speech.grad, rtol=1e-3, atol=1e-5)
    for parameter, gradient in zip(encoder.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-4 * float(gradient.abs().max()))


def test_code_loss_by_definition():
    with seeded(0):
        logits, bits = torch.randn(5, 3), torch.randint(2, (5, 3)).float()
    hot = F.one_hot(torch.tensor([0, 2, 1, 1, 0]), 3).float()
    softmax = -(hot * (logits.exp() / logits.exp().sum(dim=1, keepdim=True)).log()).sum(dim=1).mean()
    torch.testing.assert_close(code_loss("ciwgan", logits, hot), softmax)
    ones = 1 / (1 + (-logits).exp())
    sigmoid = -(bits * ones.log() + (1 - bits) * (1 - ones).log()).mean()
    torch.testing.assert_close(code_loss("fiwgan", logits, bits), sigmoid)


def test_every_token_comes_before_any_comes_again():
    network, speech, options = small()
    step = TrainingStep(network, speech, options)
    with seeded(0):
        heard = torch.cat([step._next_tokens(8) for _ in range(6)])
    for epoch in heard.split(12):
        assert torch.equal(epoch.sort().values, torch.arange(12))


@pytest.mark.parametrize("kind", ["ciwgan", "fiwgan"])
def test_bfloat16_runs_on_the_cpu_and_stays_near(kind):
    network, speech, options = small(kind, phase_shuffle=2)
    options = GanOptions(**{**options.__dict__, "precision": "bfloat16"})
    with seeded(2):
        losses = TrainingStep(network, speech, options)()
    exact, _, _ = small(kind, phase_shuffle=2)
    with seeded(2):
        expected = TrainingStep(exact, speech, GanOptions(**{**options.__dict__, "precision": "float32"}))()
    torch.testing.assert_close(losses, expected, rtol=0.05, atol=0.05)
    assert len(losses) == len(LOSSES)
