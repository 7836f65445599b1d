"""Small values as a prior, and small differences between neighbours in time and frequency."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from layerstats.checks import check_not_negative
from layerstats.probes.maximization.hearing import Hearing
from layerstats.probes.maximization.priors.none import NoPrior
from layerstats.store.schema import Attribute


class SmoothPrior(NoPrior):
    """Subtract an L1, an L2 and a total-variation penalty from the objective.

    Of what is heard, x, the penalty is ``l1 * sum |x| + l2 * sum(x^2) + total_variation * sum |x_i - x_j|`` over
    neighbours i, j along each axis (anisotropic total variation; Mahendran & Vedaldi 2015, sections 3.1 and 3.2, with
    exponents 2 and 1). Krug & Stober (2018, section 3.2) have L1 and L2 of .001 each, and no total variation.

    Parameters
    ----------
    hearing : Hearing
        What the network hears.
    l2, total_variation, l1 : float
        Weights of the penalties. The usual ones cost a start of N(0, .1) noise on 90 x 80 mels some 0.1 and 1.6
        units of log-probability.
    bounds : pair of float, optional
        As for `NoPrior`.

    Examples
    --------
    >>> import torch
    >>> prior = SmoothPrior(Hearing(("time", "mel"), (1, 2)), l2=1.0, total_variation=10.0)
    >>> heard = torch.tensor([[[1.0, 3.0]]])
    >>> prior.penalty(heard, heard)
    tensor([30.])
    """

    name = "smooth"

    def __init__(
        self,
        hearing: Hearing,
        *,
        l2: float = 1e-3,
        total_variation: float = 1e-3,
        l1: float = 0.0,
        bounds: tuple[float, float] | None = None,
    ) -> None:
        super().__init__(hearing, bounds=bounds)
        check_not_negative("l1", l1)
        check_not_negative("l2", l2)
        check_not_negative("total_variation", total_variation)
        self.l1, self.l2, self.total_variation = float(l1), float(l2), float(total_variation)
        self.attrs: Mapping[str, Attribute] = {**self.attrs, "l2": self.l2, "total_variation": self.total_variation}
        if self.l1:
            self.attrs = {**self.attrs, "l1": self.l1}

    def penalty(self, variables: Tensor, heard: Tensor) -> Tensor | None:
        """Return the weighted penalties, (start,)."""
        axes = tuple(range(1, heard.ndim))
        total = self.l2 * heard.square().sum(axes)
        if self.l1:
            total = total + self.l1 * heard.abs().sum(axes)
        for axis in axes:
            total = total + self.total_variation * heard.diff(dim=axis).abs().sum(axes)
        return total
