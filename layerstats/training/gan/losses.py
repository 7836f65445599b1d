"""How well the Q-network reads the codes back."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def code_loss(kind: str, logits: Tensor, codes: Tensor) -> Tensor:
    """Return the cross-entropy of codes given the Q-network's outputs, (token, codes) both.

    Softmax over the categories of a ciwGAN; the mean over bits of sigmoid cross-entropies for a fiwGAN (Begus 2021,
    section 3).

    Examples
    --------
    >>> import torch
    >>> round(float(code_loss("fiwgan", torch.zeros(2, 3), torch.ones(2, 3))), 4)
    0.6931
    """
    if kind == "ciwgan":
        return F.cross_entropy(logits, codes)
    return F.binary_cross_entropy_with_logits(logits, codes)
