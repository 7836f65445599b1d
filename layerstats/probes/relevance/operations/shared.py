"""Operations that are linear in each of several things: what their rules are given of the network's rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from layerstats.probes.relevance.operations.call import OperationCall
from layerstats.probes.relevance.operations.linear import LinearOperation


class _Rule(Protocol):
    """A rule of linear operations, asked about one that is given."""

    def of(self, operation: LinearOperation, relevance: Tensor) -> Any: ...


class _Outputs(LinearOperation):
    """Outputs alone, with contributions of 1: what a rule of proportions shares of them is relevance by denominator."""

    def __init__(self, call: OperationCall, output: Tensor, bias: Tensor | None) -> None:
        super().__init__(call)
        self._output, self._bias = output, bias

    @property
    def input(self) -> Tensor:
        return self._output.new_ones(())

    @property
    def output(self) -> Tensor:
        return self._output

    @property
    def bias(self) -> Tensor | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self._bias

    def transposed(self, values: Tensor, weight: Tensor) -> Tensor:
        return values


@dataclass(frozen=True)
class Denominators:
    """Relevance of outputs by their denominators, as a rule of sums has them: z_j, or z_j moved away from 0.

    Parameters
    ----------
    call : OperationCall
        Whose outputs they are.
    sums : Rule
        The rule of sums: LRP-0, epsilon or epsilon-relative.
    linear : Rule
        The rule of linear operations, for calls that turn out to be one.
    """

    call: OperationCall
    sums: _Rule
    linear: _Rule

    def __call__(self, relevance: Tensor, output: Tensor, bias: Tensor | None = None) -> Tensor:
        """Return relevance by denominator: times a contribution to that output it is that contribution's relevance.

        Parameters
        ----------
        relevance, output : Tensor
            Of one shape.
        bias : Tensor, optional
            What no input contributed to the output, so that relevance is not conserved.
        """
        return self.sums.of(_Outputs(self.call, output, bias), relevance)
