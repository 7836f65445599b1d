"""What a rule is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar

import torch
from torch import Tensor

from layerstats.errors import ArgumentError
from layerstats.probes.relevance.operations.call import OperationCall
from layerstats.probes.relevance.operations.linear import LinearOperation, linear_view


class Rule(ABC):
    """How a linear operation shares the relevance of its outputs among its inputs.

    A rule is a frozen dataclass of its numbers, with a `name` and one method, `share`, some lines of operations that
    are linear themselves: forward with parts of inputs and weights, and back.

    Examples
    --------
    >>> from layerstats.probes.relevance.rules import Epsilon
    >>> isinstance(Epsilon(), Rule), Epsilon().name
    (True, 'epsilon')
    """

    name: ClassVar[str]
    # Whether relevance is conserved where the operation has no bias.
    conserves: ClassVar[bool] = False
    # Type in which the network runs unless another is asked for; None is the type of its weights.
    dtype: ClassVar[torch.dtype | None] = None
    # How much relevance is handed back: the "score" itself, or "one".
    start: ClassVar[str] = "score"
    # Whether maps are divided by their largest absolute value.
    rescales: ClassVar[bool] = False

    @abstractmethod
    def share(self, operation: LinearOperation, relevance: Tensor) -> Tensor:
        """Return the relevance of the operation's input.

        Parameters
        ----------
        operation : LinearOperation
            What is known of it: `input, weight, bias, output, forward(values, weight), back(values, weight)`.
        relevance : Tensor
            Of its output.
        """

    def __call__(self, call: OperationCall, relevance: Tensor) -> Any:
        """Relevance of the active inputs of a call."""
        return self.of(linear_view(call), relevance)

    def of(self, operation: LinearOperation, relevance: Tensor) -> Any:
        """Relevance of the active inputs of an operation's call, which knows whether it was to be conserved."""
        shared = self.share(operation, relevance)
        operation.call.promised = self.promises(operation)
        return operation.inputs_of(shared)

    def promises(self, operation: LinearOperation) -> bool:
        """Whether all relevance that can be shared is handed on in this call."""
        return self.conserves and operation.bias is None

    def of_sums(self) -> Rule | None:
        """Return the rule of sums, means and averages in a network of this rule; None is LRP-0."""
        return None

    def __post_init__(self) -> None:
        """Raise `ArgumentError` where a number is none, or negative."""
        for one in fields(self):  # pyright: ignore[reportArgumentType]
            value = getattr(self, one.name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if isinstance(one.default, float) and not (number and 0 <= value < float("inf")):
                raise ArgumentError(
                    f"The number {one.name!r} of the rule {self.name} must be at least 0, but got {value!r} instead."
                )

    def __str__(self) -> str:
        """As `read_rule` reads it: epsilon(epsilon=1e-06)."""
        numbers = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields(self))  # pyright: ignore[reportArgumentType]
        return f"{self.name}({numbers})" if numbers else self.name


def per_token(values: Tensor, statistic: Callable[[Tensor], Tensor]) -> Tensor:
    """Statistic of the absolute values of each token, so shaped that it multiplies them."""
    return statistic(values.abs().reshape(len(values), -1)).reshape(-1, *(1 for _ in values.shape[1:]))


def stabilised(values: Tensor, epsilon: float | Tensor) -> Tensor:
    """Values moved away from 0 by epsilon, each to the side of its sign.

    Examples
    --------
    >>> import torch
    >>> stabilised(torch.tensor([0.0, -1.0, 2.0]), 0.5)
    tensor([ 0.5000, -1.5000,  2.5000])
    """
    return torch.copysign(torch.as_tensor(epsilon, dtype=values.dtype, device=values.device), values).add_(values)
