"""Watch a network's operations as they run, in their order, and put rules in place of their gradients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from layerstats.errors import NetworkError
from layerstats.probes.relevance.conservation import Account
from layerstats.probes.relevance.operations.batch_norm import linear_before, shift_of
from layerstats.probes.relevance.operations.call import OperationCall, Shift, active_tensors, parameters_of
from layerstats.probes.relevance.operations.linear import WEIGHTED, is_unbatched
from layerstats.probes.relevance.operations.pointwise import constant
from layerstats.probes.relevance.operations.registry import expansion_of, is_routed, operation_named
from layerstats.probes.relevance.operations.routing import check_dropout, moved_as
from layerstats.probes.relevance.operations.weight_types import in_type
from layerstats.probes.relevance.rules.choice import RuleBook

# Value of an operation by its number, name and layer, where it is known already; None where it is to be computed.
Values = Callable[[int, str, str], Tensor | None]

_SAME = {
    "radd": "add", "iadd": "add", "isub": "sub", "rmul": "mul", "imul": "mul", "truediv": "div", "itruediv": "div",
    "idiv": "div", "true_divide": "div", "divide": "div", "subtract": "sub", "multiply": "mul", "negative": "neg",
    "imatmul": "matmul", "ipow": "pow", "rtruediv": "rdiv", "clip": "clamp", "absolute": "abs", "arccos": "acos",
}  # fmt: skip
_IN_PLACE = {"iadd", "isub", "imul", "itruediv", "idiv", "ipow"}
_LOOK = ("has_torch_function", "has_torch_function_unary", "has_torch_function_variadic")
_CALL = "_layerstats_call"
_SHIFT = "_layerstats_shift"
# Operations after which each value is still one of a channel, or a zero of the padding.
_MOVING = {
    *(f"max_pool{axes}d" for axes in (1, 2, 3)), "pad", "contiguous", "flatten", "reshape", "view", "squeeze",
    "unsqueeze", "transpose", "permute", "dropout", "getitem", "narrow", "clone", "unflatten", "swapaxes", "swapdims",
    "movedim", "moveaxis", "t", "T", "mT", "flip", "roll", "select", "index_select", "expand",
}  # fmt: skip


class Propagation(TorchFunctionMode):
    """While it is entered, operations on tensors that require gradients carry relevance back in their place.

    Parameters
    ----------
    network : torch.nn.Module
        Whose operations they are; enter `named` around its run, so that they know their layers.
    book : RuleBook
        The rules.
    input : Tensor
        What the network gets, (token, ...), which requires gradients.
    values : callable, optional
        Gives values that are known already.
    watch : callable, optional
        Called with (number, name, layer, value) after each operation that has a rule.
    """

    def __init__(
        self,
        network: nn.Module,
        book: RuleBook,
        input: Tensor,
        values: Values | None = None,
        watch: Callable[[int, str, str, Any], None] | None = None,
    ) -> None:
        super().__init__()
        self.network, self.book, self.values, self.watch = network, book, values, watch
        self.account = Account(len(input))
        self.number = 0
        # Places in torch's graph that came about by operations that were seen.
        self._seen: set[Any] = {input.grad_fn}
        self._checks = True
        self._names: Counter[str] = Counter()
        self._within: list[tuple[str, nn.Module]] = [("", network)]

    @contextmanager
    def named(self) -> Iterator[None]:
        """Know which module runs, by hooks that are gone afterwards."""
        with ExitStack() as stack:
            for name, module in self.network.named_modules():
                if name:
                    enter, leave = self._entering(name), self._leaving()
                    stack.callback(module.register_forward_pre_hook(enter, prepend=True).remove)
                    stack.callback(module.register_forward_hook(leave, always_call=True).remove)
            yield

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        active = [*active_tensors(args), *active_tensors(kwargs)]
        if not active or not torch.is_grad_enabled():
            return func(*args, **kwargs)
        name, in_place = _named(func)
        for tensor in active:
            self._check_seen(tensor)
        check_dropout(name, func, args, kwargs, self.place)
        if is_unbatched(name, args, kwargs):
            with self:
                return func(args[0][None], *args[1:], **kwargs)[0]
        if (expansion := expansion_of(name)) is not None:
            with self:
                return expansion(*args, **kwargs)
        if operation_named(name) is not None:
            return self._apply(name, in_place, func, args, kwargs, active)
        if isinstance(func, FunctionType) and not is_routed(name):
            with self:
                return _unoverridden(func)(*args, **kwargs)
        result = func(*args, **kwargs)
        found = active_tensors(result)
        if found and not is_routed(name):
            raise NetworkError(self._without_rule(name))
        for tensor in active if found or name == "setitem" else ():
            if not any(tensor is part for part in found):
                self._use(tensor)
        self._see([*found, *(active if name == "setitem" else ())])
        if name in _MOVING and len(active) == 1 and active[0] is args[0] and isinstance(result, Tensor):
            self._carry_shift(func, args, kwargs, result)
        return result

    def _carry_shift(self, func: Callable[..., Any], args: tuple, kwargs: dict, result: Tensor) -> None:
        """Know what a normalisation added to the values that moved."""
        shift = _shift_of(args[0])
        if shift is not None and result is not args[0]:
            with torch.no_grad():
                move, added = moved_as(func, args, kwargs)
                scaled, moved = move(shift.scaled), move(shift.values.expand(args[0].shape).contiguous()) + added
            setattr(result, _SHIFT, (Shift(shift.norm, scaled, moved, shift.steps + 1), result._version))

    def check_output(self, output: Any) -> None:
        """Raise `NetworkError` where what the network gives came about by what was not seen.

        What is done with it then, to make a score of it, is the caller's own doing.
        """
        for tensor in active_tensors(output):
            self._check_seen(tensor)
        self._checks = False

    def _check_seen(self, tensor: Tensor) -> None:
        """Raise `NetworkError` where a tensor came about by what was not seen: torch would take its gradient.

        That is a function with a gradient of its own, or a script.
        """
        place = tensor.grad_fn
        # A change in place of a view, or of what it is a view of, gives both new places.
        if (
            not self._checks
            or place is None
            or place in self._seen
            or tensor._is_view()
            or place.name() == "CopySlices"
        ):
            return
        layer, module = self._within[-1]
        where = f"Module {layer!r} ({type(module).__name__})" if layer else f"The {type(module).__name__}"
        raise NetworkError(
            f"{where} uses values that came about by an operation that cannot be watched ({place.name()}): an "
            "autograd.Function of its own, or a script. Write it with functions of torch for relevance."
        )

    def _see(self, tensors: list[Tensor]) -> None:
        new = [tensor.grad_fn for tensor in tensors]
        while new:
            place = new.pop()
            if place is not None and place not in self._seen:
                self._seen.add(place)
                new.extend(before for before, _ in place.next_functions)

    def _apply(
        self, name: str, in_place: bool, func: Callable[..., Any], args: tuple, kwargs: dict, active: list[Tensor]
    ) -> Any:
        args, kwargs, in_place = _not_in_place(func, args, kwargs, in_place)
        layer, module = self._within[-1]
        operation = operation_named(name)
        assert operation is not None
        call = OperationCall(
            name, _function(name, func, in_place), args, kwargs, layer, module, self.number,
            self.book.choose(operation, layer, module),
        )  # fmt: skip
        if call.rule is constant and not in_place:
            self.number += 1
            with torch.no_grad():
                return func(*args, **kwargs)
        if name in WEIGHTED:
            # Weights that are no parameters keep their type when the network runs in another.
            call.constants = [in_type(one, active[0].dtype) for one in call.constants]
        call.previous, call.axes = tuple(_call_of(tensor) for tensor in call.active), active[0].ndim
        call.shift = _shift_of(active[0])
        for tensor in call.active:
            self._use(tensor)
        given = self.values(self.number, name, layer) if self.values is not None else None
        result = _HandBack.apply(call, self._label(call), self.account, given, *call.active, *call.constants)
        if self.watch is not None:
            self.watch(self.number, name, layer, result)
        self.number += 1
        if isinstance(result, Tensor):
            setattr(result, _CALL, (call, result._version))
            if name == "batch_norm" and linear_before(call) is None:
                setattr(result, _SHIFT, (shift_of(call, active[0]), result._version))
        call.active, call.constants = [], []  # the graph has them
        if in_place:
            result = args[0].copy_(result)
        self._see(active_tensors(result))
        return result

    def _label(self, call: OperationCall) -> str:
        own = not any(True for _ in call.module.children())
        name = call.layer if call.layer and own else f"{call.layer}.{call.name}" if call.layer else call.name
        self._names[name] += 1
        return name if self._names[name] == 1 else f"{name}#{self._names[name]}"

    def _use(self, tensor: Tensor) -> None:
        if (before := getattr(tensor, _CALL, None)) is not None:
            before[0].uses += 1
        if (shifted := getattr(tensor, _SHIFT, None)) is not None:
            shifted[0].norm.shift_uses += 1

    @property
    def place(self) -> str:
        """What runs now, for messages."""
        layer, module = self._within[-1]
        return f"module {layer!r} ({type(module).__name__})" if layer else f"the {type(module).__name__}"

    def _without_rule(self, name: str) -> str:
        return (
            f"There is no rule for the operation {name!r}, which {self.place} calls, so relevance cannot go back "
            f"through it. Give one: a function of (call, relevance of the output) that returns the relevance of "
            f"the inputs, with @layerstats.probes.relevance.register_rule({name!r}); where the operation only "
            f"moves or copies values, register_routed({name!r})."
        )

    def _entering(self, name: str) -> Callable[..., None]:
        def enter(module: nn.Module, _args: tuple) -> None:
            self._within.append((name, module))

        return enter

    def _leaving(self) -> Callable[..., None]:
        def leave(_module: nn.Module, _args: tuple, _output: object) -> None:
            self._within.pop()

        return leave


class _HandBack(torch.autograd.Function):
    """Values forth, relevance back."""

    @staticmethod
    def forward(ctx: Any, call: OperationCall, label: str, account: Account, given: Any, *tensors: Tensor) -> Any:
        inputs = tensors[: len(call.active)]
        value = call.compute(inputs) if given is None else given.detach()
        if any(value is tensor for tensor in inputs):
            value = value.view_as(value)
        values = value if isinstance(value, tuple) else (value,)
        ctx.call, ctx.label, ctx.account, ctx.several = call, label, account, isinstance(value, tuple)
        ctx.save_for_backward(*tensors, *values)
        ctx.inputs, ctx.tensors = len(inputs), len(tensors)
        ctx.mark_non_differentiable(*(part for part in values if not part.is_floating_point()))
        return value

    @staticmethod
    def backward(ctx: Any, *relevances: Tensor) -> Any:
        saved, call = ctx.saved_tensors, ctx.call
        inputs, constants, outputs = saved[: ctx.inputs], saved[ctx.inputs : ctx.tensors], saved[ctx.tensors :]
        call.constants = list(constants)
        call.inputs, call.output = tuple(inputs), tuple(outputs) if ctx.several else outputs[0]
        # Nothing here changes saved tensors, so that nobody need watch each operation for it.
        with torch._C._DisableTorchDispatch():
            found = call.rule(call, tuple(relevances) if ctx.several else relevances[0])
            handed = found if isinstance(found, tuple | list) else (found,)
            _check_shapes(call, handed)
            ctx.account.add(call, ctx.label, relevances, handed)
        call.inputs, call.output, call.norm, call.unshared, call.constants = (), None, None, [], []
        return (None, None, None, None, *handed, *(None for _ in constants))


def _check_shapes(call: OperationCall, handed: Any) -> None:
    shapes = [None if part is None else tuple(part.shape) for part in handed]
    wanted = [tuple(tensor.shape) for tensor in call.inputs]
    if len(shapes) != len(wanted) or any(s is not None and s != w for s, w in zip(shapes, wanted, strict=True)):
        raise NetworkError(
            f"The rule of {call.name!r} in {call.place} must return the relevance of its inputs, of shape "
            f"{', '.join(map(str, wanted))}, but it returned {', '.join(map(str, shapes))}."
        )


def _named(func: Callable[..., Any]) -> tuple[str, bool]:
    """Name of an operation, whichever way it is called, and whether it works in place."""
    name = getattr(func, "__name__", type(func).__name__)
    if name in ("__get__", "__set__"):
        return getattr(func.__self__, "__name__", name), False  # pyright: ignore[reportFunctionMemberAccess]
    if name.startswith("__") and name.endswith("__"):
        name = name[2:-2]
        return _SAME.get(name, name), name in _IN_PLACE
    in_place = name.endswith("_")
    name = name.rstrip("_")
    return _SAME.get(name, name), in_place


def _function(name: str, func: Callable[..., Any], in_place: bool) -> Callable[..., Any]:
    if not in_place or parameters_of(func) is not None:
        return func
    return getattr(torch.Tensor, name, None) or getattr(torch, name)


def _not_in_place(
    func: Callable[..., Any], args: tuple, kwargs: dict[str, Any], in_place: bool
) -> tuple[tuple, dict[str, Any], bool]:
    """Arguments without `inplace=True`, and whether it was asked for."""
    signature = parameters_of(func)
    if in_place or signature is None or "inplace" not in signature.parameters:
        return args, kwargs, in_place
    bound = signature.bind(*args, **kwargs)
    in_place = bool(bound.arguments.get("inplace", False))
    if in_place:
        bound.arguments["inplace"] = False
    return bound.args, bound.kwargs, in_place


def _unoverridden(func: FunctionType) -> Callable[..., Any]:
    """Body of a function of torch that is made of others, which would otherwise ask for overrides of itself."""
    settled = {name: lambda *_args: False for name in _LOOK}
    body = FunctionType(
        func.__code__, {**func.__globals__, **settled}, func.__name__, func.__defaults__, func.__closure__
    )
    body.__kwdefaults__ = func.__kwdefaults__
    return body


def _shift_of(tensor: Tensor) -> Shift | None:
    """Return what a normalisation added to a tensor, unless it was changed in place since."""
    found = getattr(tensor, _SHIFT, None)
    return found[0] if found is not None and found[1] == tensor._version else None


def _call_of(tensor: Tensor) -> OperationCall | None:
    """Return the call that gave a tensor, unless it was changed in place since."""
    found = getattr(tensor, _CALL, None)
    return found[0] if found is not None and found[1] == tensor._version else None
