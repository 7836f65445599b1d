"""Which operations there are, of what kind each is, and how it hands relevance back by default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from layerstats.probes.relevance.operations.call import OperationCall

# Gives the relevance of the active inputs (one tensor, or one each) from the call and the relevance of its output.
OperationRule = Callable[[OperationCall, Any], Any]
# The same with what gives relevance by denominator in third place, see `shared.Denominators`.
SharedRule = Callable[[OperationCall, Any, Any], Any]


@dataclass(frozen=True)
class Operation:
    """An operation that has a rule.

    Parameters
    ----------
    name : str
        As torch has it: "conv1d".
    kind : str
        "linear" and "sum" get the rule of the method; the others have one of their own.
    rule : callable or None
        How it hands relevance back where no other rule was chosen.
    shared : callable, optional
        How it does with denominators of the network's rule of sums, see `register_shared`.
    """

    name: str
    kind: str
    rule: OperationRule | None
    shared: SharedRule | None = None


_OPERATIONS: dict[str, Operation] = {}
_EXPANSIONS: dict[str, Callable[..., Any]] = {}
_ROUTED: set[str] = set()


def register_rule(*operations: str, kind: str = "other") -> Callable[[OperationRule], OperationRule]:
    """Decorate a function that hands relevance back through operations.

    Parameters
    ----------
    *operations : str
        Names of functions or methods of torch, as the error about an operation without a rule says them.
    kind : str
        A word by which `rules=` may choose all operations of a kind.

    Returns
    -------
    callable
        The decorator. The function gets an `OperationCall` (its `inputs` are the tensors through which relevance flows,
        in the order of the arguments; `output`, `argument()`) and the relevance of the output, and returns that of each
        input: a tensor, or a tuple of them where there are several.

    Examples
    --------
    >>> @register_rule("erfinv")
    ... def all_of_it(call, relevance):
    ...     return relevance
    >>> operation_named("erfinv").kind
    'other'
    """

    def register(rule: OperationRule) -> OperationRule:
        for name in operations:
            _OPERATIONS[name] = Operation(name, kind, rule)
        return rule

    return register


def register_shared(*operations: str, kind: str) -> Callable[[SharedRule], SharedRule]:
    """Decorate a function that shares relevance through operations in proportion to contributions.

    Parameters
    ----------
    *operations : str
        Names of functions or methods of torch.
    kind : str
        A word by which `rules=` may choose all operations of a kind.

    Returns
    -------
    callable
        The decorator. The function gets an `OperationCall`, the relevance of its output, and `Denominators`, which
        give relevance by denominator as the network's rule of sums has it.
    """

    def register(shared: SharedRule) -> SharedRule:
        for name in operations:
            _OPERATIONS[name] = Operation(name, kind, None, shared)
        return shared

    return register


def register_expansion(name: str, function: Callable[..., Any]) -> None:
    """Say what an operation is made of: the function gets its arguments, and is run in its place with rules.

    Parameters
    ----------
    name : str
        Name of a function or method of torch.
    function : callable
        Returns the same values by operations that have rules.

    Examples
    --------
    >>> import torch
    >>> register_expansion("hypot", lambda input, other: (input.square() + other.square()).sqrt())
    >>> float(expansion_of("hypot")(torch.tensor(3.0), torch.tensor(4.0)))
    5.0
    """
    _EXPANSIONS[name] = function


def register_linear(*operations: str, kind: str = "linear") -> None:
    """Say that operations get the rule of the method; `kind` is "linear" or "sum"."""
    for name in operations:
        _OPERATIONS[name] = Operation(name, kind, None)


def register_routed(*operations: str) -> None:
    """Say that an operation only moves or copies values, so that relevance goes back where each came from.

    Examples
    --------
    >>> register_routed("rot90")
    >>> is_routed("rot90")
    True
    """
    _ROUTED.update(operations)


def operation_named(name: str) -> Operation | None:
    """Return the operation of that name, or None where it has no rule."""
    return _OPERATIONS.get(name)


def expansion_of(name: str) -> Callable[..., Any] | None:
    """Return what stands in for an operation, or None."""
    return _EXPANSIONS.get(name)


def is_routed(name: str) -> bool:
    """Whether an operation only moves or copies values."""
    return name in _ROUTED


def kinds() -> tuple[str, ...]:
    """Return the words for kinds of operations."""
    return tuple(sorted({operation.kind for operation in _OPERATIONS.values()}))
