"""Layer-wise relevance propagation: from a score back to the input and to layers, by rules of operations."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, allow_mutation_on_saved_tensors, get_gradient_edge
from torch.utils.checkpoint import CheckpointError

from layerstats.checks import check_choice
from layerstats.errors import ArgumentError, DataError, NetworkError
from layerstats.models import running
from layerstats.models.device import device_of, dtype_of
from layerstats.probes.inputs import Prepared, call, differentiable, first_tensor, main_tensor, tensors_of
from layerstats.probes.layers.capture import capturing
from layerstats.probes.recording.ready import check_ready
from layerstats.probes.relevance.operations.registry import OperationRule
from layerstats.probes.relevance.operations.weight_types import weights_in
from layerstats.probes.relevance.rules.choice import RuleBook
from layerstats.probes.relevance.rules.rule import Rule
from layerstats.probes.relevance.tracing import Propagation, Values

Start = Callable[[object], Tensor]


@dataclass(frozen=True)
class Propagated:
    """Relevance of a score, by token.

    Parameters
    ----------
    values : mapping of str to Tensor
        By layer ("input" is the input), shaped as what it gave.
    start : Tensor
        (token,), the relevance that was handed back.
    conservation_error : mapping of str to Tensor
        By operation in the order in which relevance went back, (token,): what it lost, in parts of the start; negative
        where it made some. Operations are named by their layer; those that a larger module calls itself, and further
        ones of a layer, have their name or number after that. "total" is what is missing at the input, or,
        where relevance was not handed so far, the sum.
    scale : mapping of str to Tensor
        By layer, (token,): the largest absolute relevance, by which maps of a rule that rescales were divided; 1 else.
    rules : str
        Rules, as text.
    dtype : str
        Type in which the network ran.
    """

    values: Mapping[str, Tensor]
    start: Tensor
    conservation_error: Mapping[str, Tensor]
    scale: Mapping[str, Tensor]
    rules: str
    dtype: str


def relevance_by_rules(
    network: nn.Module,
    input: Prepared,
    start: Start,
    rule: str | OperationRule = "epsilon",
    *,
    rules: Mapping[str | type, str | OperationRule] | None = None,
    to: str | Sequence[str] = "input",
    start_layer: str = "",
    start_value: str | None = None,
    dtype: torch.dtype | None = None,
    values: Values | None = None,
) -> Propagated:
    """Relevance of a score by layer-wise relevance propagation (Bach et al. 2015).

    Rules belong to operations in the order of execution, so that functions, modules that are used twice, sums that are
    no modules and activations in place are all the same.

    Parameters
    ----------
    network : torch.nn.Module
        Any network as it was written, neither compiled nor scripted.
    input : Tensor or mapping of str to Tensor
        What it is called with, tokens first.
    start : callable
        Returns the scores, (token,), of the network's output.
    rule : str or Rule
        Of linear operations; see `rules`.
    rules : mapping, optional
        Rules of parts, see `RuleBook`.
    to : str or sequence of str
        "input" or names of layers: of what they give relevance is told.
    start_layer : str
        The layer of whose output `start` is a function; "" is the network.
    start_value : {"score", "one"}, optional
        How much relevance is handed back: the score itself, or 1; by default what the rule says, which is the score but
        for the adapted rule (Krug & Stober 2018).
    dtype : torch.dtype, optional
        Type in which the network runs; by default that of its weights, or float64 where the rule asks for it.
    values : callable, optional
        Values of operations that are known already, by (number, name, layer), in place of computing them.

    Raises
    ------
    ArgumentError
        An argument is not allowed.
    DataError
        The input holds NaN or infinite values.
    NetworkError
        The network cannot be run or watched, an operation has no rule, or relevance is not a number.

    Examples
    --------
    >>> class Residual(nn.Module):
    ...     def forward(self, values):
    ...         return nn.functional.linear(values, torch.eye(2)) + values
    >>> found = relevance_by_rules(Residual(), torch.tensor([[1.0, 2.0]]), lambda output: output[:, 0], "lrp_0")
    >>> found.values["input"].tolist()
    [[2.0, 0.0]]
    """
    options = {"rules": rules, "to": to, "start_layer": start_layer, "start_value": start_value}
    (found,) = relevances_by_rules(network, input, [start], rule, **options, dtype=dtype, values=values)
    return found


def relevances_by_rules(
    network: nn.Module,
    input: Prepared,
    starts: Sequence[Start],
    rule: str | OperationRule = "epsilon",
    *,
    rules: Mapping[str | type, str | OperationRule] | None = None,
    to: str | Sequence[str] = "input",
    start_layer: str = "",
    start_value: str | None = None,
    dtype: torch.dtype | None = None,
    values: Values | None = None,
) -> Generator[Propagated, None, None]:
    """Yield the relevance of several scores of the same input: the network runs once, with a way back for each.

    Parameters
    ----------
    starts : sequence of callable
        Each returns the scores, (token,), of the network's output.
    network, input, rule, rules, to, start_layer, start_value, dtype, values
        As for `relevance_by_rules`.
    """
    check_traceable(network)
    book = RuleBook(rule, rules, network)
    layers = (to,) if isinstance(to, str) else tuple(to)
    hidden = [name for name in layers if name != "input"]
    assert isinstance(book.rule, Rule)
    wanted = dtype or book.rule.dtype or _own_type(network, input)
    start_value = start_value or book.rule.start
    check_choice("start_value", start_value, ("score", "one"))
    tokens = len(main_tensor(input))
    _check_finite(input)
    device = device_of(network) or main_tensor(input).device
    with (
        running(network, device, differentiate=True),
        weights_in(network, wanted),
        allow_mutation_on_saved_tensors(),
    ):
        given, speech = differentiable(_as_type(input, wanted, device))
        if speech is None and "input" in layers:
            raise ArgumentError(
                f"Relevance needs an input of real numbers, but got {main_tensor(input).dtype}. Name a layer with to=."
            )
        mode = Propagation(network, book, main_tensor(given), values)
        with mode.named(), capturing(network, hidden, _edge) as edges, mode:
            output = _run(network, given) if not start_layer else _until(network, given, start_layer)
            mode.check_output(output)
            several = [start(output) for start in starts]
        for scores in several:
            _check_scores(scores, tokens)
        places = {name: speech if name == "input" else edges[name] for name in layers}
        for number, scores in enumerate(several, start=1):
            mode.account.begin()
            amount = scores.detach() if start_value == "score" else torch.ones_like(scores)
            found = _handed_back(scores, list(places.values()), amount, again=number < len(several))
            yield _propagated(mode, dict(zip(layers, found, strict=True)), amount, str(wanted))


def _propagated(mode: Propagation, found: Mapping[str, Tensor | None], amount: Tensor, dtype: str) -> Propagated:
    """Return what came back to each layer, and what was lost on the way."""
    book, relevances, scales = mode.book, {}, {}
    assert isinstance(book.rule, Rule)
    for name, relevance in found.items():
        if relevance is None:
            raise NetworkError(f"The score does not depend on what {name!r} gives, so it has no relevance there.")
        relevances[name], scales[name] = relevance, amount.new_ones(len(amount))
        if book.rule.rescales:
            relevances[name], scales[name] = _rescaled(relevance)
    errors = mode.account.errors(amount, found.get("input"))
    return Propagated(relevances, amount, errors, scales, str(book), dtype.removeprefix("torch."))


@dataclass(frozen=True)
class WatchedOperation:
    """An operation that has a rule, as it ran.

    Parameters
    ----------
    number : int
        In the order of execution, from 0.
    name, layer : str
        Of the operation, and of the module that called it ("" is the network).
    output : Tensor or tuple of Tensor
        What it gave.
    """

    number: int
    name: str
    layer: str
    output: Any


def watch_operations(
    network: nn.Module, input: Prepared, dtype: torch.dtype | None = None
) -> tuple[WatchedOperation, ...]:
    """Run a network and return the operations that have rules, with the numbers that `relevance_by_rules` gives them.

    Parts of what they gave can be given to it as `values`, for instance windows of one run over an utterance.

    Parameters
    ----------
    network, input, dtype
        As for `relevance_by_rules`; by default the type of the network's weights.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU())
    >>> [(found.number, found.name, found.layer) for found in watch_operations(network, torch.zeros(1, 1, 8))]
    [(0, 'conv1d', '0'), (1, 'relu', '1')]
    """
    check_traceable(network)
    wanted, device = dtype or _own_type(network, input), device_of(network) or main_tensor(input).device
    found: list[WatchedOperation] = []

    def keep(number: int, name: str, layer: str, value: Any) -> None:
        # The next operation may work in place on it.
        copies = [part.detach().clone() for part in (value if isinstance(value, tuple) else (value,))]
        found.append(WatchedOperation(number, name, layer, tuple(copies) if isinstance(value, tuple) else copies[0]))

    with running(network, device, differentiate=True), weights_in(network, wanted):
        given, _ = differentiable(_as_type(input, wanted, device))
        mode = Propagation(network, RuleBook("lrp_0", None, network), main_tensor(given), watch=keep)
        with mode.named(), allow_mutation_on_saved_tensors(), mode:
            _run(network, given)
    return tuple(found)


def check_traceable(network: nn.Module) -> None:
    """Raise `NetworkError` where operations of the network cannot be seen: it is compiled, scripted or without weights.

    Examples
    --------
    >>> check_traceable(torch.compile(nn.ReLU(), backend="eager"))
    Traceback (most recent call last):
    layerstats.errors.NetworkError: Relevance needs to see the operations of the network, but torch.compile compiled ...
    """
    check_ready(network)
    for name, module in network.named_modules():
        scripted = isinstance(module, torch.jit.ScriptModule)
        compiled = (
            type(module).__name__ == "OptimizedModule" or getattr(module, "_compiled_call_impl", None) is not None
        )
        if scripted or compiled:
            how = "torch.jit made a script of" if scripted else "torch.compile compiled"
            raise NetworkError(
                f"Relevance needs to see the operations of the network, but {how} {name or 'it'!r}. Give the network "
                f"that was {'scripted or traced' if scripted else 'compiled'}, with the same weights."
            )


def _rescaled(relevance: Tensor) -> tuple[Tensor, Tensor]:
    """Relevance of each token by its largest absolute value, and that."""
    if len(relevance) == 0:
        return relevance, relevance.new_ones(0)
    largest = relevance.abs().reshape(len(relevance), -1).amax(1)
    largest = torch.where(largest == 0, 1.0, largest)
    return relevance / largest.reshape(-1, *(1 for _ in relevance.shape[1:])), largest


def _edge(_layer: str, output: Tensor) -> GradientEdge:
    """Place of what a layer gives in the graph, which begins there where the network detached its values before."""
    return get_gradient_edge(output if output.requires_grad else output.requires_grad_())


def _handed_back(scores: Tensor, places: Sequence[Any], amount: Tensor, *, again: bool) -> tuple[Tensor | None, ...]:
    try:
        return torch.autograd.grad([scores], places, [amount], allow_unused=True, retain_graph=again)
    except CheckpointError as error:
        raise NetworkError(
            "Relevance needs to see the operations of the network, but torch.utils.checkpoint runs a part of it again "
            "on the way back. Call that part itself."
        ) from error


class _Reached(BaseException):
    """Ends a run at the layer whose output is wanted; no code of a network catches it."""

    def __init__(self, output: object) -> None:
        super().__init__()
        self.output = output


def _run(network: nn.Module, given: Prepared) -> object:
    try:
        return call(network, given)
    except NetworkError as error:
        if "TorchScript" not in str(error):
            raise
        raise NetworkError(
            f"Relevance needs to see the operations of the network, but a function that this {type(network).__name__} "
            "calls is a script of torch.jit. Let it call the function that was scripted or traced."
        ) from error


def _until(network: nn.Module, given: Prepared, layer: str) -> object:
    modules = dict(network.named_modules())
    if layer not in modules:
        raise ArgumentError(f"The network has no layer {layer!r}. Its layers are: {', '.join(list(modules)[1:61])}.")

    def stop(_module: nn.Module, _args: tuple, output: object) -> None:
        raise _Reached(output)

    hook = modules[layer].register_forward_hook(stop)
    try:
        _run(network, given)
    except _Reached as reached:
        return reached.output
    finally:
        hook.remove()
    raise ArgumentError(f"Layer {layer!r} does not run when the network does.")


def _own_type(network: nn.Module, input: Prepared) -> torch.dtype:
    """Type of the weights; of a network without weights that of its input."""
    speech = main_tensor(input)
    has_weights = any(weight.is_floating_point() for weight in network.parameters())
    return dtype_of(network) if has_weights or not speech.is_floating_point() else speech.dtype


def _as_type(input: Prepared, dtype: torch.dtype, device: torch.device) -> Prepared:
    def converted(value: Tensor) -> Tensor:
        return value.to(device, dtype) if value.is_floating_point() else value.to(device)

    if isinstance(input, Tensor):
        return converted(input)
    return {name: converted(value) if isinstance(value, Tensor) else value for name, value in input.items()}


def _check_finite(input: Prepared) -> None:
    for name, value in tensors_of(input).items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            bad = torch.nonzero(~torch.isfinite(value))[0].tolist()
            raise DataError(f"The {name} holds NaN or infinite values, the first at {bad}: relevance needs numbers.")


def _check_scores(scores: object, tokens: int) -> None:
    if first_tensor(scores) is not scores or not isinstance(scores, Tensor) or scores.shape != (tokens,):
        found = f"shape {tuple(scores.shape)}" if isinstance(scores, Tensor) else type(scores).__name__
        raise ArgumentError(f"The start must be a tensor of one score a token, ({tokens},), but got {found}.")
    if not scores.requires_grad:
        raise NetworkError(
            "The score does not depend on the input by operations that can be watched: the network detaches its "
            "values, or leaves torch, on the way."
        )
    if not bool(torch.isfinite(scores).all()):
        raise NetworkError("The score is NaN or infinite, so that there is no relevance to hand back.")
