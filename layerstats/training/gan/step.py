"""One training step: some updates of the critic, one of the generator, one of Q-network and generator."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim import Optimizer

from layerstats.models import InfoWaveGAN
from layerstats.training.gan.critic import PARTS, critic_gradients
from layerstats.training.gan.losses import code_loss
from layerstats.training.gan.options import GanOptions
from layerstats.training.gan.passes import EncoderPass, generate
from layerstats.training.gan.processes import Processes

SHUFFLED_LAYERS = 4
# TensorFlow's RMSProp, which the original uses, adds 1e-10 under the root; torch adds outside it.
RMSPROP_ALPHA, RMSPROP_EPS = 0.9, 1e-5
LOSSES = ("critic_gap", "penalty", "generator_loss", "code_loss")


class TrainingStep:
    """Optimisers and the order of updates; random numbers come from torch's global state, on the CPU.

    Parameters
    ----------
    model : InfoWaveGAN
        On the device where it is trained, in training mode.
    waveforms : Tensor
        Real speech, (token, sample), on the CPU or the device.
    options : GanOptions
    processes : Processes
    """

    def __init__(
        self,
        model: InfoWaveGAN,
        waveforms: Tensor,
        options: GanOptions,
        processes: Processes | None = None,
    ) -> None:
        self.model, self.waveforms, self.options = model, waveforms, options
        self.processes = processes or Processes()
        self.device = next(model.parameters()).device
        self.precision = getattr(torch, options.precision)
        adam = {"lr": options.learning_rate, "betas": (0.5, 0.9), "fused": True}
        self.optimisers: dict[str, Optimizer] = {
            "critic": torch.optim.Adam(model.discriminator.parameters(), **adam),
            "generator": torch.optim.Adam(model.generator.parameters(), **adam),
            "code": torch.optim.RMSprop(
                [*model.q_network.parameters(), *model.generator.parameters()],
                lr=options.code_learning_rate,
                alpha=RMSPROP_ALPHA,
                eps=RMSPROP_EPS,
            ),
        }
        self.order = torch.empty(0, dtype=torch.long)

    def __call__(self) -> Tensor:
        """Do one step; return its losses, named by `LOSSES`, averaged over the critic's updates and the processes."""
        gap, penalty = self._update_critic()
        losses = torch.stack([gap, penalty, self._update_generator(), self._update_code()]).float()
        self.processes.average_([losses])
        return losses

    def _update_critic(self) -> tuple[Tensor, Tensor]:
        options, critic = self.options, self.model.discriminator
        batches = options.critic_updates * options.batch_size
        chosen, mix = self._next_tokens(batches), torch.rand(batches, 1)
        latent, _ = self._latent(batches)
        shifts = [self._shifts(PARTS) for _ in range(options.critic_updates)]
        # The generator does not change meanwhile: everything that the critic hears is made in one call.
        with torch.no_grad():
            generated = generate(self.model.generator, self._shares(latent), self.precision)
        gaps, penalties = [], []
        for update, (real, fake, mixture) in enumerate(
            zip(
                self._shares(chosen, on_device=False).chunk(options.critic_updates),
                generated.chunk(options.critic_updates),
                self._shares(mix).chunk(options.critic_updates),
                strict=True,
            )
        ):
            speech = self.waveforms[real].to(self.device)
            losses = critic_gradients(
                critic, speech, fake, mixture, shifts[update], options.penalty, precision=self.precision
            )
            self._step("critic")
            gaps.append(losses.gap)
            penalties.append(losses.penalty)
        return torch.stack(gaps).mean(), torch.stack(penalties).mean()

    def _update_generator(self) -> Tensor:
        latent, _ = self._latent(self.options.batch_size)
        generated = self._generated(latent)
        heard = EncoderPass(self.model.discriminator, generated, self._shifts(1), self.precision)
        heard.backward(torch.full_like(heard.logits, -1 / len(generated)))
        self.optimisers["generator"].zero_grad()
        generated.backward(heard.input_gradient())
        self._step("generator")
        return -heard.logits.mean()

    def _update_code(self) -> Tensor:
        latent, codes = self._latent(self.options.batch_size)
        generated = self._generated(latent)
        heard = EncoderPass(self.model.q_network, generated, self._shifts(1), self.precision)
        logits = heard.logits.requires_grad_()
        loss = code_loss(self.options.kind, logits, self.processes.share(codes).to(self.device))
        heard.backward(torch.autograd.grad(loss, logits)[0])
        self.optimisers["code"].zero_grad()
        heard.store_gradients()
        generated.backward(heard.input_gradient())
        self._step("code")
        return loss.detach()

    def _generated(self, latent: Tensor) -> Tensor:
        """Return this process's share of the waveforms of these latent vectors, as a function of the generator."""
        return generate(self.model.generator, self.processes.share(latent).to(self.device), self.precision)

    def _shifts(self, parts: int) -> list[list[int]]:
        """Draw the phase shuffle of one pass: a shift for each call of each layer."""
        radius = self.options.phase_shuffle
        return torch.randint(-radius, radius + 1, (SHUFFLED_LAYERS, parts)).tolist()

    def _step(self, name: str) -> None:
        optimiser = self.optimisers[name]
        parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
        self.processes.average_([parameter.grad for parameter in parameters])
        optimiser.step()

    def _latent(self, tokens: int) -> tuple[Tensor, Tensor]:
        codes = self.model.draw_codes(tokens)
        return torch.cat([codes, self.model.draw_noise(tokens)], dim=1), codes

    def _shares(self, drawn: Tensor, on_device: bool = True) -> Tensor:
        """Return this process's part of each of the critic's batches, in one tensor."""
        parts = [self.processes.share(batch) for batch in drawn.chunk(self.options.critic_updates)]
        return torch.cat(parts).to(self.device if on_device else "cpu")

    def _next_tokens(self, count: int) -> Tensor:
        """Return the next tokens to hear; every token comes once before any comes again."""
        while len(self.order) < count:
            self.order = torch.cat([self.order, torch.randperm(len(self.waveforms))])
        chosen, self.order = self.order[:count], self.order[count:]
        return chosen
