"""Which rule an operation gets: by the name of its layer, the type of its module, its own name, or its kind."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from torch import nn

from layerstats.errors import ArgumentError
from layerstats.probes.layers.choose import matches
from layerstats.probes.relevance.operations.batch_norm import merge, sign
from layerstats.probes.relevance.operations.call import OperationCall
from layerstats.probes.relevance.operations.pointwise import activation, constant
from layerstats.probes.relevance.operations.registry import (
    Operation,
    OperationRule,
    SharedRule,
    kinds,
    operation_named,
)
from layerstats.probes.relevance.operations.shared import Denominators
from layerstats.probes.relevance.rules.built_in import RULES, Adapted, Epsilon, EpsilonRelative, LrpZero
from layerstats.probes.relevance.rules.rule import Rule

# What is no way of sharing among contributions: what a normalisation does, and what hands on all it gets, or nothing.
OTHER_RULES: dict[str, OperationRule] = {"merge": merge, "sign": sign, "pass": activation, "constant": constant}


def read_rule(text: str | OperationRule) -> OperationRule:
    """Read a rule: its name, with numbers in brackets where they are to differ from its own.

    Parameters
    ----------
    text : str or callable
        "epsilon", "epsilon(0.01)", "alpha_beta(alpha=1, beta=0)", "merge", "sign", "pass" or "constant"; a rule stays
        what it is.

    Raises
    ------
    ArgumentError
        There is no such rule, or it has no such numbers.

    Examples
    --------
    >>> read_rule("epsilon(0.01)")
    Epsilon(epsilon=0.01)
    """
    if not isinstance(text, str):
        if not callable(text):
            raise ArgumentError(f"A rule must be a name, a Rule or a function, but got {text!r} instead.")
        return text
    name, bracket, rest = text.strip().partition("(")
    if name in OTHER_RULES and not bracket:
        return OTHER_RULES[name]
    if name not in RULES:
        raise ArgumentError(f"There is no rule {text!r}. Rules are: {', '.join([*RULES, *OTHER_RULES])}.")
    try:
        call = ast.parse(f"{name}({rest if bracket else ')'}", mode="eval").body
        assert isinstance(call, ast.Call)
        numbers = [ast.literal_eval(value) for value in call.args]
        named = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
        return RULES[name](*numbers, **named)
    except (SyntaxError, ValueError, TypeError, AssertionError):
        own = ", ".join(f"{field.name}={field.default}" for field in fields(RULES[name]))  # pyright: ignore[reportArgumentType]
        takes = f"takes the numbers {own}" if own else "takes no numbers"
        raise ArgumentError(f"The rule {text!r} cannot be read: {name} {takes}.") from None


@dataclass(frozen=True)
class SharedByRule:
    """What an operation that is linear in each of several things does with a rule: that rule's way with sums."""

    shared: SharedRule
    rule: Rule

    def __call__(self, call: OperationCall, relevance: Any) -> Any:
        """Relevance of the active inputs of a call."""
        sums = self.rule.of_sums()
        # Shares in proportion to contributions; the flat rule has none, and LRP-0 stands in for it.
        in_proportion = sums if isinstance(sums, Epsilon | EpsilonRelative) else LrpZero()
        return self.shared(call, relevance, Denominators(call, in_proportion, self.rule))

    def __str__(self) -> str:
        """As `read_rule` reads it."""
        return str(self.rule)


class RuleBook:
    """The rules of a network's operations.

    Parameters
    ----------
    rule : str or Rule
        Of the linear operations (convolutions, linear layers) and, as `Rule.of_sums` says, of sums and averages.
    rules : mapping, optional
        Others by the name of a layer, or of a module around it, or a pattern ("conv1", "encoder.*"), by the type of a
        module (the class, or its name), by the name of an operation ("conv1d", "linear", "batch_norm", "add") or by a
        kind of operation ("linear", "sum", "activation"). Where several fit, the first in this order is taken. A rule
        of shares is for the linear operations, sums and normalisations of a layer, not for its activations.
    network : torch.nn.Module
        Whose layers are named.

    Raises
    ------
    ArgumentError
        A rule cannot be read, or is for something that is neither a layer nor a type nor an operation.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU(), nn.Conv1d(4, 2, 3))
    >>> print(RuleBook("epsilon", {"0": "flat"}, network))
    epsilon(epsilon=1e-06); 0: flat
    """

    def __init__(
        self, rule: str | OperationRule, rules: Mapping[str | type, str | OperationRule] | None, network: nn.Module
    ) -> None:
        self.rule = read_rule(rule)
        if not isinstance(self.rule, Rule):
            raise ArgumentError(f"The rule of the network must be one of {', '.join(RULES)}, but got {rule!r} instead.")
        if not isinstance(rules or {}, Mapping):
            raise ArgumentError(
                f"The 'rules' parameter must map layers, types or operations to rules, as {{'conv1': 'flat'}}, but got "
                f"{rules!r}."
            )
        self.rules = {key: read_rule(value) for key, value in (rules or {}).items()}
        self._check(network)

    def choose(self, operation: Operation, layer: str, module: nn.Module) -> OperationRule:
        """Return the rule of an operation that a module calls."""
        assert isinstance(self.rule, Rule)
        for chosen in self._fitting(operation, layer, module):
            # A rule of shares says nothing about an activation in the same module.
            if isinstance(chosen, Rule) and operation.shared is not None:
                return SharedByRule(operation.shared, chosen)
            if not isinstance(chosen, Rule) or operation.kind in ("linear", "sum", "batch_norm"):
                return chosen
        if operation.shared is not None:
            return SharedByRule(operation.shared, self.rule)
        if operation.kind == "linear":
            return self.rule
        if operation.kind == "sum":
            return self.rule.of_sums() or LrpZero()
        if operation.kind == "batch_norm" and isinstance(self.rule, Adapted):
            return sign
        assert operation.rule is not None
        return operation.rule

    def __str__(self) -> str:
        """As text: the rule of the network, then those of its parts."""
        parts = [f"{key if isinstance(key, str) else key.__name__}: {_told(rule)}" for key, rule in self.rules.items()]
        return "; ".join([_told(self.rule), *parts])

    def _fitting(self, operation: Operation, layer: str, module: nn.Module) -> list[OperationRule]:
        own = self._of_layer(layer)
        around = [rule for name in _around(layer) for rule in self._of_layer(name)]
        if operation.kind == "batch_norm":
            # What is said of the module around is about the shares of its linear operations.
            around = [rule for rule in around if not isinstance(rule, Rule)]
        by_type = [rule for key, rule in self.rules.items() if key == type(module).__name__ or _is_type(key, module)]
        by_name = [self.rules[name] for name in (operation.name, operation.kind) if name in self.rules]
        return [*own, *around, *by_type, *by_name]

    def _of_layer(self, layer: str) -> list[OperationRule]:
        exact = [self.rules[layer]] if layer and layer in self.rules else []
        fits = [rule for key, rule in self.rules.items() if isinstance(key, str) and layer and matches(layer, key)]
        return [*exact, *fits]

    def _check(self, network: nn.Module) -> None:
        modules = dict(network.named_modules())
        types = {type(module).__name__ for module in modules.values()}
        for key in self.rules:
            if not isinstance(key, str):
                known = any(_is_type(key, module) for module in modules.values())
            else:
                known = key in types or key in kinds() or operation_named(key) is not None
                known = known or any(matches(name, key) for name in modules if name)
            if not known:
                layers = ", ".join([name for name in modules if name][:60])
                raise ArgumentError(
                    f"A rule is given for {key!r}, which is no layer of this {type(network).__name__}, no type of its "
                    f"modules ({', '.join(sorted(types))}), no operation that has a rule and no kind of operation "
                    f"({', '.join(kinds())}). Its layers are: {layers}."
                )


def _around(layer: str) -> list[str]:
    """Return the modules around a layer, the nearest first."""
    parts = layer.split(".")
    return [".".join(parts[:number]) for number in range(len(parts) - 1, 0, -1)]


def _is_type(key: object, module: nn.Module) -> bool:
    return isinstance(key, type) and isinstance(module, key)


def _told(rule: OperationRule) -> str:
    return str(rule) if isinstance(rule, Rule) else getattr(rule, "__name__", type(rule).__name__)
