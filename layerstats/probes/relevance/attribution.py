"""What an attribution is: the relevance of every value for a score, and what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
from torch import Tensor

from layerstats.store.schema import Attribute


@dataclass(frozen=True, eq=False)
class Attribution:
    """Relevance of the values in one or several places of a network for the score of each token.

    Parameters
    ----------
    values : Tensor or dict of str to Tensor
        Shaped like the input, or like what the layer gives, on the network's device; by place where several were asked
        for ("input", names of layers).
    start : Tensor
        (token,), what the relevance starts from: the score of each token, or the relevance that rules are given there.
    attrs : mapping of str to plain values
        What determines the values: `method`, `target`, `start`, and what the method has of options.
    conservation_error : mapping of str to Tensor
        Of rules: by layer, (token,), how far the sum of relevance there is from `start`, as a share of it.
    scale : mapping of str to Tensor
        Of rules that rescale (the adapted one): by place, (token,), the largest absolute relevance, by which `values`
        were divided; empty for others.
    completeness_error : Tensor, dict of str to Tensor, or None
        Of integrated gradients: (token,), how far the sum of the values is from the difference between the scores of
        the input and of what it is compared with, as a share of that difference; by place where `values` is.
    stretches : DataFrame or None
        Of occlusion: what was occluded, a row each, with `drop`, by how much the score fell.
    notes : tuple of str
        What to know before these values are read.

    Examples
    --------
    >>> import torch
    >>> Attribution(torch.tensor([[2.0, -1.0]]), torch.tensor([1.0]), {"method": "input_x_gradient"}).attrs["method"]
    'input_x_gradient'
    """

    values: Tensor | dict[str, Tensor]
    start: Tensor
    attrs: Mapping[str, Attribute]
    conservation_error: Mapping[str, Tensor] = field(default_factory=dict)
    scale: Mapping[str, Tensor] = field(default_factory=dict)
    completeness_error: Tensor | dict[str, Tensor] | None = None
    stretches: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
