"""The gradient of the critic's loss, written out.

It takes 10 passes over a batch (3 forward, 3 back, 1 for the tangent, 3 for the weights) where automatic
differentiation twice takes 14, and no second derivative is left to a library: it runs in bfloat16 and channels-last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from layerstats.models import ConvolutionalEncoder
from layerstats.training.gan.passes import EncoderPass

PARTS = 3  # real speech, generated speech, and the mixtures of both at which the penalty is taken


@dataclass(frozen=True)
class CriticLosses:
    """What the critic's loss is made of; the loss is `penalty - gap`.

    Parameters
    ----------
    gap : Tensor
        Mean score of real speech minus mean score of generated speech.
    penalty : Tensor
        The weighted gradient penalty.
    """

    gap: Tensor
    penalty: Tensor


@torch.no_grad()
def critic_gradients(
    critic: ConvolutionalEncoder,
    real: Tensor,
    generated: Tensor,
    mix: Tensor,
    shifts: Sequence[Sequence[int]],
    penalty: float = 10.0,
    precision: torch.dtype = torch.float32,
) -> CriticLosses:
    """Put the gradient of the Wasserstein loss with gradient penalty on the critic's parameters.

    The loss is mean D(generated) - mean D(real) + penalty * mean (norm of dD/dx at x - 1)^2, with x = real + mix *
    (generated - real) (Gulrajani et al. 2017, algorithm 1; Donahue et al. 2019).

    Parameters
    ----------
    critic : ConvolutionalEncoder
        One output. Its parameters' `grad` are overwritten.
    real, generated : Tensor
        (token, sample), as many of either.
    mix : Tensor
        (token, 1), between 0 and 1.
    shifts : sequence of sequence of int
        Phase shuffle: for each of the first four layers the shifts of real, generated and mixed speech, in samples.
    penalty : float
        Weight of the penalty, the lambda of the papers.
    precision : torch.dtype
        In which activations are computed; norms and sums are in float32.

    Returns
    -------
    CriticLosses

    Examples
    --------
    >>> critic, speech = ConvolutionalEncoder(outputs=1, width=1), torch.rand(2, 16384)
    >>> losses = critic_gradients(critic, speech, -speech, torch.rand(2, 1), [(0, 1, -2)] * 4)
    >>> critic.logits.weight.grad.shape
    torch.Size([1, 256])
    """
    tokens = len(real)
    heard, mixed = slice(0, 2 * tokens), slice(2 * tokens, None)
    both = EncoderPass(critic, torch.cat([real, generated, torch.lerp(real, generated, mix)]), shifts, precision)
    # The loss's derivative by the scores of real and generated speech; for the mixtures the score itself.
    cotangent = torch.tensor([[-1.0 / tokens], [1.0 / tokens], [1.0]], device=real.device)
    both.backward(cotangent.repeat_interleave(tokens, dim=0))
    slopes = both.input_gradient(mixed)
    norms = torch.linalg.vector_norm(slopes, dim=1, keepdim=True)
    # A norm of zero has no direction; automatic differentiation takes zero there too.
    direction = slopes / norms.clamp_min(torch.finfo(torch.float32).tiny)
    both.tangent(2 * penalty / tokens * (norms - 1) * direction, mixed, part=PARTS - 1)
    both.store_gradients(rows_of_biases=heard)
    real_scores, generated_scores, _ = both.logits.chunk(PARTS)
    return CriticLosses(real_scores.mean() - generated_scores.mean(), penalty * (norms - 1).square().mean())
