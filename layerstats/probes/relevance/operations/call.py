"""One call of one operation: what it was called with, where, and what a rule needs to know of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class _Slot:
    """Stands in stored arguments for the active tensor of that number."""

    number: int


@dataclass(frozen=True)
class _Constant:
    """Stands in stored arguments for the tensor of that number through which no relevance flows."""

    number: int


@dataclass(frozen=True)
class Norm:
    """The normalisation that followed a linear operation: its output is `scale` times what it got, plus `shift`.

    Parameters
    ----------
    scale, shift : Tensor
        (channel,).
    output : Tensor
        What the normalisation gave, (token, channel, ...).
    """

    scale: Tensor
    shift: Tensor
    output: Tensor


@dataclass(frozen=True)
class Shift:
    """What a normalisation made of values that only moved since, on their way to a linear operation.

    Parameters
    ----------
    norm : OperationCall
        The call of the normalisation.
    scaled : Tensor
        Its input times its scale, shaped as the values.
    values : Tensor
        What it added to that, of a shape that expands to it.
    steps : int
        Operations from the normalisation to the next one: as many uses as there are where nothing else uses the values.
    """

    norm: OperationCall
    scaled: Tensor
    values: Tensor
    steps: int


@dataclass(eq=False)
class OperationCall:
    """One call of an operation on tensors through which relevance flows.

    Parameters
    ----------
    name : str
        Name of the operation as torch has it, whichever way it was called: "conv1d", "relu", "add".
    function : callable
        What computes it, not in place.
    args, kwargs : tuple, dict
        As it was called; read them by `argument`.
    layer : str
        Path of the module that called it; "" for the network itself.
    module : torch.nn.Module
        That module.
    number : int
        Its number among the operations that have a rule, in the order of execution, from 0.
    rule : callable
        Gives the relevance of the active inputs from (this call, the relevance of the output).

    Examples
    --------
    >>> import torch
    >>> inputs, weight = torch.ones(1, 2), torch.eye(2)
    >>> call = OperationCall("linear", nn.functional.linear, (inputs, weight), {}, "", nn.Linear(2, 2), 0, print)
    >>> call.name, call.argument(1, "weight").shape
    ('linear', torch.Size([2, 2]))
    """

    name: str
    function: Callable[..., Any]
    args: tuple
    kwargs: dict[str, Any]
    layer: str
    module: nn.Module
    number: int
    rule: Callable[[OperationCall, Any], Any] = field(repr=False)
    inputs: tuple[Tensor, ...] = ()
    output: Any = None
    previous: tuple[OperationCall | None, ...] = ()
    axes: int = 0
    uses: int = 0
    norm: Norm | None = None
    shift: Shift | None = None
    shift_uses: int = 0
    merged_after: bool = False
    promised: bool = False
    unshared: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.active: list[Tensor] = []
        # They are kept as the active ones are: the network may change them in place after the call.
        self.constants: list[Tensor] = []
        self.args = tuple(self._put_away(value) for value in self.args)
        self.kwargs = {name: self._put_away(value) for name, value in self.kwargs.items()}

    def compute(self, inputs: Sequence[Tensor], constants: Sequence[Tensor] | None = None) -> Any:
        """Value of the operation at other values of its active tensors, and perhaps of the others."""
        others = self.constants if constants is None else constants
        args = [_filled(value, inputs, others) for value in self.args]
        return self.function(*args, **{name: _filled(value, inputs, others) for name, value in self.kwargs.items()})

    def argument(self, position: int, name: str, default: Any = None) -> Any:
        """Return an argument by its position or name; active tensors are those of `inputs`."""
        if name in self.kwargs:
            value = self.kwargs[name]
        else:
            value = self.args[position] if position < len(self.args) else default
        return _filled(value, self.inputs, self.constants)

    def is_active(self, position: int, name: str) -> bool:
        """Whether relevance flows through the argument (which is one tensor)."""
        value = self.kwargs.get(name, self.args[position] if position < len(self.args) else None)
        return isinstance(value, _Slot)

    @property
    def place(self) -> str:
        """Where it was called, for messages."""
        return f"module {self.layer!r} ({type(self.module).__name__})" if self.layer else type(self.module).__name__

    def _put_away(self, value: Any) -> Any:
        if isinstance(value, Tensor) and value.requires_grad:
            self.active.append(value)
            return _Slot(len(self.active) - 1)
        if isinstance(value, Tensor):
            self.constants.append(value)
            return _Constant(len(self.constants) - 1)
        if isinstance(value, list | tuple):
            return _like(value, [self._put_away(part) for part in value])
        return value


def _filled(value: Any, active: Sequence[Tensor], constants: Sequence[Tensor]) -> Any:
    if isinstance(value, _Slot):
        return active[value.number]
    if isinstance(value, _Constant):
        return constants[value.number]
    if isinstance(value, list | tuple):
        return _like(value, [_filled(part, active, constants) for part in value])
    return value


def _like(value: list | tuple, parts: list) -> list | tuple:
    return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)


def active_tensors(value: Any) -> list[Tensor]:
    """Return the tensors through which relevance flows, in arguments or results of whatever nesting."""
    if isinstance(value, Tensor):
        return [value] if value.requires_grad else []
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [tensor for part in value for tensor in active_tensors(part)]
    return []


@lru_cache(maxsize=512)
def parameters_of(function: Callable[..., Any]) -> inspect.Signature | None:
    """Return the signature of a function that is written in Python; None of others."""
    # Operators of tensors (`values**2`) are functions around built-in ones, whose parameters Python does not know.
    try:
        return inspect.signature(function) if inspect.isfunction(function) else None
    except ValueError:
        return None
