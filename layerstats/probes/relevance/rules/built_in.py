"""The rules of the package: LRP-0, epsilon, gamma, alpha-beta, z-plus, flat, and the adapted rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from layerstats.checks import check_choice
from layerstats.probes.relevance.operations.linear import LinearOperation
from layerstats.probes.relevance.rules.rule import Rule, per_token, stabilised

_TYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class LrpZero(Rule):
    """Shares in proportion to contributions, z_ij / z_j (Bach et al. 2015, Eq. 56).

    Examples
    --------
    >>> LrpZero()
    LrpZero()
    """

    name: ClassVar[str] = "lrp_0"
    conserves: ClassVar[bool] = True

    def share(self, operation: LinearOperation, relevance: Tensor) -> Tensor:
        """z_ij / z_j of R_j."""
        return operation.input * operation.back(operation.quotient(relevance, operation.output))


@dataclass(frozen=True)
class Epsilon(Rule):
    """As LRP-0, with z_j moved away from 0 by epsilon (Bach et al. 2015, Eq. 58), which absorbs relevance.

    Parameters
    ----------
    epsilon : float
        In units of the output.

    Examples
    --------
    >>> Epsilon(1e-3)
    Epsilon(epsilon=0.001)
    """

    epsilon: float = 1e-6
    name: ClassVar[str] = "epsilon"

    def share(self, operation: LinearOperation, relevance: Tensor) -> Tensor:
        """z_ij / (z_j + epsilon sgn z_j) of R_j."""
        shared = relevance / stabilised(operation.output, self.epsilon)
        return operation.input * operation.back(shared)

    def of_sums(self) -> Rule:
        """Return the same rule."""
        return self


@dataclass(frozen=True)
class EpsilonRelative(Rule):
    """As the epsilon rule, with an epsilon for each token and operation: a fraction of its mean ``|z_j|``.

    Parameters
    ----------
    epsilon : float
        Fraction of the mean absolute output.

    Examples
    --------
    >>> EpsilonRelative(0.01)
    EpsilonRelative(epsilon=0.01)
    """

    epsilon: float = 0.01
    name: ClassVar[str] = "epsilon_relative"

    def share(self, operation: LinearOperation, relevance: Tensor) -> Tensor:
        """z_ij / (z_j + epsilon mean|z| sgn z_j) of R_j."""
        output = operation.output
        mean = per_token(output, lambda sizes: sizes.mean(1))
        shared = operation.quotient(relevance, stabilised(output, self.epsilon * mean))
        return operation.input * operation.back(shared)

    def of_sums(self) -> Rule:
        """Return the same rule."""
        return self


@dataclass(frozen=True)
class Gamma(Rule):
    """Contributions of the output's own sign count 1 + gamma times (Montavon et al. 2019, for inputs of both signs).

    Parameters
    ----------
    gamma : float
        0 is LRP-0; with a large one only contributions of the output's sign get relevance.

    Examples
    --------
    >>> Gamma(0.25)
    Gamma(gamma=0.25)
    """

    gamma: float = 0.25
    name: ClassVar[str] = "gamma"
    conserves: ClassVar[bool] = True

    def share(self, operation: LinearOperation, relevance: Tensor) -> Tensor:
        """(z_ij + gamma z_ij+) / (z_j + gamma z_j+) of R_j where z_j > 0, else with the negative parts."""
        output = operation.output
        above, positive = output > 0, parts_sum(operation, positive=True)
        strengthened = output + self.gamma * torch.where(above, positive, output - positive)
        factor = operation.quotient(relevance, strengthened)
        shared = operation.input * operation.back(factor)
        for sign, chosen in ((True, above), (False, ~above)):
            shared = shared + self.gamma * parts_back(operation, sign, torch.where(chosen, factor, 0.0))
        return shared


@dataclass(frozen=True)
class AlphaBeta(Rule):
    """Positive and negative contributions apart: alpha z_ij+ / z_j+ - beta z_ij- / z_j- (Bach et al. 2015, Eq. 60).

    Parameters
    ----------
    alpha, beta : float
        Weights of the two; relevance is conserved only where alpha - beta is 1.
    bias : bool
        Whether the bias is a contribution, which keeps its share.

    Examples
    --------
    >>> AlphaBeta(alpha=2.0, beta=1.0)
    AlphaBeta(alpha=2.0, beta=1.0, bias=True)
    """

    alpha: float = 2.0
    beta: float = 1.0
    bias: bool = True
    name: ClassVar[str] = "alpha_beta"

    def share(self, operation: LinearOperation, relevance: Tensor) -> Tensor:
        """Alpha z_ij+ / z_j+ minus beta z_ij- / z_j- of R_j."""
        shared = torch.zeros_like(operation.input)
        for positive, weight in ((True, self.alpha), (False, -self.beta)):
            if weight:
                total = parts_sum(operation, positive, self.bias)
                shared = shared + weight * parts_back(operation, positive, operation.quotient(relevance, total))
        return shared


@dataclass(frozen=True)
class ZPlus(Rule):
    """Positive contributions only, z_ij+ / z_j+ (Montavon et al. 2017, Eq. 18, for inputs of both signs).

    Parameters
    ----------
    bias : bool
        Whether a positive bias is a contribution, which keeps its share.

    Examples
    --------
    >>> ZPlus(bias=True)
    ZPlus(bias=True)
    """

    bias: bool = False
    name: ClassVar[str] = "z_plus"
    conserves: ClassVar[bool] = True

    def share(self, operation: LinearOperation, relevance: Tensor) -> Tensor:
        """z_ij+ / z_j+ of R_j."""
        return AlphaBeta(1.0, 0.0, self.bias).share(operation, relevance)

    def promises(self, operation: LinearOperation) -> bool:
        """Unless the bias keeps its share."""
        return not self.bias or operation.bias is None


@dataclass(frozen=True)
class Flat(Rule):
    """The same share for every input that is connected, whatever its value (Lapuschkin et al. 2019).

    Examples
    --------
    >>> Flat()
    Flat()
    """

    name: ClassVar[str] = "flat"
    conserves: ClassVar[bool] = True

    def share(self, operation: LinearOperation, relevance: Tensor) -> Tensor:
        """R_j by the number of its inputs."""
        ones = torch.ones_like(operation.weight)
        number = operation.forward(torch.ones_like(operation.input), ones)
        return operation.back(operation.quotient(relevance, number), ones)

    def promises(self, operation: LinearOperation) -> bool:
        """Promise it always: a bias has no share."""
        return True

    def of_sums(self) -> Rule:
        """Return the same rule: what gets a share whatever its value may be 0."""
        return self


@dataclass(frozen=True)
class Adapted(Rule):
    """The rule of Krug & Stober 2018 (Eqs. 3 and 4): shares of ``|z_j|``, with the sign of the normalised output.

    Relevance is not conserved: shares change their sign where BatchNorm does. z is computed in float64, since shares
    of a z_j near 0 are without bound; the way back takes float32. Relevance starts from 1. The paper divides
    each layer's relevance by its largest absolute value; every step is linear in relevance, so that once at the
    end is the same, token by token.

    Parameters
    ----------
    epsilon : float
        Added to ``|z_j|``.
    back : {"float32", "float64"}
        Type of the convolutions on the way back.

    Examples
    --------
    >>> from layerstats.probes.relevance.rules import RULES
    >>> sorted(RULES)
    ['adapted', 'alpha_beta', 'epsilon', 'epsilon_relative', 'flat', 'gamma', 'lrp_0', 'z_plus']
    >>> Adapted().epsilon
    1e-21
    """

    epsilon: float = 1e-21
    back: str = "float32"
    name: ClassVar[str] = "adapted"
    dtype: ClassVar[torch.dtype | None] = torch.float64
    start: ClassVar[str] = "one"
    rescales: ClassVar[bool] = True

    def share(self, operation: LinearOperation, relevance: Tensor) -> Tensor:
        """``z_ij / (|z_j| + epsilon) sgn(bn(z_j))`` of ``R_j``."""
        call = operation.call
        signs = (call.output if call.norm is None else call.norm.output).sign()
        shared = signs.mul_(relevance).div_(call.output.abs().add_(self.epsilon))
        return operation.input * operation.back(shared, operation.own_weight, _TYPES[self.back])

    def __post_init__(self) -> None:
        """Check the type too."""
        super().__post_init__()
        check_choice("back", self.back, _TYPES)

    def of_sums(self) -> Rule:
        """Return the epsilon rule with the same epsilon."""
        return Epsilon(self.epsilon)


def parts_sum(operation: LinearOperation, positive: bool, bias: bool = True) -> Tensor:
    """Sum of the contributions of one sign, z_j+ or z_j-."""
    total = None
    for values, weight in _parts(operation, positive):
        found = operation.forward(values, weight)
        total = found if total is None else total + found
    assert total is not None
    if bias and operation.bias is not None:
        total = total + _part(operation.bias, positive)
    return total


def parts_back(operation: LinearOperation, positive: bool, factor: Tensor) -> Tensor:
    """Contributions of one sign times a factor of each output, summed over outputs."""
    shared = torch.zeros_like(operation.input)
    for values, weight in _parts(operation, positive):
        shared = shared + values * operation.back(factor, weight)
    return shared


def _parts(operation: LinearOperation, positive: bool) -> list[tuple[Tensor, Tensor]]:
    values, weight = operation.input, operation.weight
    parts = [(_part(values, sign), _part(weight, positive == sign)) for sign in (True, False)]
    # After a ReLU no input is negative, which saves half of the convolutions.
    return parts if bool((values < 0).any()) else parts[:1]


def _part(values: Tensor, positive: bool) -> Tensor:
    return values.clamp_min(0) if positive else values.clamp_max(0)


RULES: dict[str, type[Rule]] = {
    rule.name: rule for rule in (LrpZero, Epsilon, EpsilonRelative, Gamma, AlphaBeta, ZPlus, Flat, Adapted)
}
