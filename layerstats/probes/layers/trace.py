"""One token through the network: which modules run, in which order, on which grid, and what each layer depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn

from layerstats.models import gradients
from layerstats.probes.inputs import InputTime, Prepared, call, copied, first_tensor, main_tensor, with_noise
from layerstats.probes.layers.activation_functions import UNKNOWN, activation_of
from layerstats.probes.layers.axes import Axes, check_axes
from layerstats.probes.layers.capture import capturing, hooked
from layerstats.probes.layers.choose import lookup
from layerstats.probes.layers.geometry import WINDOWED, Grid, by_length, union, window_of

DEFAULT_AXES = ("token", "channel", "sample")


@dataclass(frozen=True)
class LayerFacts:
    """What one token told of a layer.

    Parameters
    ----------
    name : str
        Name of the module.
    axes : tuple of str
        Names of its output's axes.
    channels : int
        Product of the axes that are neither token nor sample.
    grid : Grid
        Centres, hop and receptive field, in input samples.
    geometry : {"layers", "gradients", "length_ratio"}
        Where the grid was read from. The last is the fall-back where neither the modules nor the gradients give one.
    context : {"local", "clip", "unverified"}
        What an output depends on: its receptive field; the whole clip (attention, recurrence, a norm over time); or
        unknown, because no gradient could be taken.
    activation : str
        Name of the activation function, or "unknown".
    slope : float or None
        Its slope for negative inputs, where it has one.
    last_module : str
        Type of the module that made its output: the last one inside it, or the layer itself.
    hears_input : bool or None
        Whether its output depends on the input at all; None where no gradient could be taken.
    """

    name: str
    axes: tuple[str, ...]
    channels: int
    grid: Grid
    geometry: str
    context: str
    activation: str
    slope: float | None
    last_module: str
    hears_input: bool | None


@dataclass(frozen=True, eq=False)
class _Output:
    tensor: Tensor
    grids: tuple[Grid, ...]
    activation: tuple[str, float | None]
    last_module: str
    # What later layers were given, and the number of works in place on it by then.
    given_on: Tensor
    version: int


class _Trace:
    """The tensors seen so far, with the grids they lie on. Tensors are kept alive, so that an address names one."""

    def __init__(self, time_axis: int) -> None:
        self.time_axis = time_axis
        self.kept: list[Tensor] = []
        self.grids: dict[int, Grid] = {}
        self.history: list[Grid] = []
        self.activations: dict[int, tuple[str, float | None]] = {}
        self.makers: dict[int, str] = {}
        self.outputs: dict[str, _Output] = {}

    def put(self, tensor: Tensor, grid: Grid) -> None:
        self.grids[_address(tensor)] = grid
        self.history.append(grid)

    def find(self, tensor: Tensor, count: int) -> Grid | None:
        """Return the grid of a tensor with `count` samples; where a function made it, one that covers its origins."""
        known = self.grids.get(_address(tensor))
        if known is not None and known.count == count:
            return known
        return self.cover(count)

    def cover(self, count: int) -> Grid | None:
        """Return a grid that covers all seen so far that have `count` samples and the latest such hop."""
        fitting = [grid for grid in self.history if grid.count == count]
        return union(grid for grid in fitting if grid.hop == fitting[-1].hop) if fitting else None

    def module_ran(self, module: nn.Module, args: tuple, kwargs: dict, output: object) -> None:
        given, made = first_tensor((args, kwargs)), first_tensor(output)
        if given is None or made is None:
            return
        self.kept += [given, made]
        # A module that passes its input on, as dropout does here, does not make it.
        self.makers.setdefault(_address(made), type(module).__name__)
        if activation_of(module) != UNKNOWN:
            self.activations[_address(made)] = activation_of(module)
        if isinstance(module, WINDOWED):
            self._windowed(module, given, made)
        else:
            self._pointwise(given, made)

    def layer_ran(self, name: str, module: nn.Module, output: Tensor, count: int) -> None:
        self.kept.append(output)
        grids = tuple(grid for grid in (self.find(output, count), self.cover(count)) if grid is not None)
        activation = self.activations.get(_address(output), UNKNOWN)
        maker = self.makers.get(_address(output), type(module).__name__)
        # Tensors of inference mode count no changes, and have no gradients either.
        version = 0 if output.is_inference() else output._version
        # A copy, which later work in place does not change.
        self.outputs[name] = _Output(output.clone(), grids, activation, maker, output, version)

    def _windowed(self, module: nn.Module, given: Tensor, made: Tensor) -> None:
        one_dimensional = type(module).__name__.endswith("1d")
        for axis in (-1,) if one_dimensional else (self.time_axis, -3 - self.time_axis):
            grid = self.find(given, given.shape[axis])
            window = window_of(module, axis)
            if grid is not None and window is not None:
                self.put(made, grid.through(window, made.shape[axis]))
                return

    def _pointwise(self, given: Tensor, made: Tensor) -> None:
        # A module without a kernel is taken to leave time alone if it keeps its length; gradients check that later.
        grid = self.grids.get(_address(given))
        if grid is None:
            grid = next((self.cover(size) for size in reversed(given.shape) if self.cover(size) is not None), None)
        if grid is not None and grid.count in made.shape:
            self.put(made, grid)


def _address(tensor: Tensor) -> int:
    # Views (transposed, unsqueezed) share it with their origin; sparse tensors have none.
    return tensor.untyped_storage().data_ptr() if tensor.layout is torch.strided else id(tensor)


def trace_layers(
    model: nn.Module,
    prepared: Prepared,
    time: InputTime,
    layers: Sequence[str],
    axes: Axes | None = None,
    choose_output: Callable[[object], Tensor] | None = None,
) -> dict[str, LayerFacts]:
    """Run one token and read off each layer's axes, geometry and activation function.

    The geometry is composed from the modules in the order in which they run (padding, convolution and pooling modules;
    others are taken to keep time as it is). Then the gradients of three outputs with respect to the input are taken: if
    they reach beyond the receptive field so found, the layer's context is the whole clip.

    Parameters
    ----------
    model : torch.nn.Module
        In eval mode.
    prepared : Tensor or mapping
        Its input for one token.
    time : InputTime
        Where time is in that input.
    layers : sequence of str
        Names of modules.
    axes : sequence of str, or mapping of layer names or patterns to such
        Names of the axes of the layers' outputs; (token, channel, sample) unless given.
    choose_output : callable, optional
        Picks the tensor to record from a module's output.

    Raises
    ------
    ArgumentError
        A layer does not run, runs more than once, or its axes do not fit.
    """
    named = {name: _axes_for(name, axes) for name in layers}

    def traced(given: Prepared, noise: Tensor | None) -> dict[str, LayerFacts]:
        trace = _Trace(_time_axis(named.values()))
        trace.kept.append(main_tensor(given))
        trace.put(main_tensor(given), Grid(time.samples))
        _run(model, given, trace, named, choose_output)
        reached = _InputReach(noise, time.axis, list(trace.outputs.values()))
        facts = {name: _facts(name, named[name], output, time, reached) for name, output in trace.outputs.items()}
        return {name: facts[name] for name in named}

    try:
        with gradients(model), torch.autograd.graph.allow_mutation_on_saved_tensors():
            return traced(*with_noise(prepared))
    except RuntimeError:
        # Some networks run without gradients only, for instance those that leave torch and come back.
        with torch.no_grad():
            return traced(copied(prepared), None)


def _run(
    model: nn.Module,
    given: Prepared,
    trace: _Trace,
    named: Mapping[str, Sequence[str]],
    choose_output: Callable[[object], Tensor] | None,
) -> None:
    leaves = {
        name: trace.module_ran
        for name, module in model.named_modules()
        if not isinstance(module, torch.jit.ScriptModule)
        and "parametrizations" not in name
        and (isinstance(module, WINDOWED) or not any(module.children()))
    }
    with (
        hooked(model, leaves),
        capturing(model, list(named), partial(_layer_ran, model, trace, named), choose=choose_output),
    ):
        call(model, given)


def _layer_ran(model: nn.Module, trace: _Trace, named: Mapping[str, Sequence[str]], name: str, output: Tensor) -> None:
    names = check_axes(name, named[name], tuple(output.shape))
    trace.layer_ran(name, model.get_submodule(name), output, output.shape[names.index("sample")])


def _axes_for(layer: str, axes: Axes | None) -> tuple[str, ...]:
    return tuple(lookup(axes, layer, DEFAULT_AXES) if isinstance(axes, Mapping) else axes or DEFAULT_AXES)


def _time_axis(named: Iterable[Sequence[str]]) -> int:
    # Which of the last two axes is time in the network's two-dimensional modules: as in the layers that have both.
    places = [names.index("sample") - len(names) for names in named if len(names) == 4 and "sample" in names]
    return places[0] if places and places[0] in (-1, -2) else -1


@dataclass(frozen=True)
class _HeardWhole:
    """A layer whose outputs hear all of the input that any later layer does: so does what depends on these outputs."""

    output: _Output
    sample_axis: int
    indices: list[int]
    ends: tuple[int, int]

    def is_heard_by(self, total: Tensor) -> bool:
        """Tell whether a number depends on one of these outputs."""
        given_on = self.output.given_on
        if given_on._version != self.output.version:
            return False  # it became something else in place
        (gradient,) = torch.autograd.grad(total, given_on, retain_graph=True, allow_unused=True)
        if gradient is None:
            return False
        samples = torch.tensor(self.indices, device=gradient.device)
        return bool((gradient.index_select(self.sample_axis, samples) != 0).any())


class _InputReach:
    """What gradients say of the input that the outputs of layers depend on; asked in the order in which these ran.

    Gradients go back to the last layer that heard all there is before they go back to the input: a network of many
    layers of attention is not gone through once more for each of them.
    """

    def __init__(self, noise: Tensor | None, time_axis: int, outputs: Sequence[_Output]) -> None:
        self.noise, self.time_axis = noise, time_axis
        self.later = [output for output in outputs if output.tensor.requires_grad]
        self.heard: _HeardWhole | None = None

    def reach(self, output: _Output, sample_axis: int) -> tuple[dict[int, tuple[int, int]] | None, bool | None]:
        """Return the first and the last input sample with a gradient, for three outputs, and whether there is a path.

        None, None where no gradients are to be had.
        """
        if self.noise is None or not output.tensor.requires_grad:
            return None, None
        self.later.remove(output)
        count = output.tensor.shape[sample_axis]
        found = {}
        for index in sorted({count // 3, count // 2, 2 * count // 3}):
            total = _mixed([output.tensor.select(sample_axis, index)])
            through = self.heard is not None and self.heard.is_heard_by(total)
            found[index] = self.heard.ends if through and self.heard is not None else self._ends(total)
        reach = {index: ends for index, ends in found.items() if ends}
        self._keep(output, sample_axis, reach)
        return reach, any(ends is not None for ends in found.values())

    def _keep(self, output: _Output, sample_axis: int, reach: Mapping[int, tuple[int, int]]) -> None:
        """Keep a layer whose outputs all hear the same, if that is all that later ones hear."""
        if len(reach) < 3 or len(set(reach.values())) > 1 or not self.later:
            return
        (ends,) = set(reach.values())
        known = self.heard is not None and self.heard.ends == ends
        if known or self._ends(_mixed([later.tensor for later in self.later])) == ends:
            self.heard = _HeardWhole(output, sample_axis, list(reach), ends)

    def _ends(self, total: Tensor) -> tuple[int, int] | tuple[()] | None:
        """Return the first and the last input sample with a gradient: () where all are zero, None without a path."""
        assert self.noise is not None
        (gradient,) = torch.autograd.grad(total, self.noise, retain_graph=True, allow_unused=True)
        if gradient is None:
            return None
        touched = (gradient != 0).movedim(self.time_axis, 0).flatten(1).any(dim=1).nonzero()
        return (int(touched[0]), int(touched[-1])) if len(touched) else ()


def _mixed(tensors: Sequence[Tensor]) -> Tensor:
    # Random weights: in a plain sum the contributions of channels could cancel.
    return torch.stack([(tensor * torch.randn_like(tensor)).sum().double() for tensor in tensors]).sum()


def _facts(name: str, axes: Sequence[str], output: _Output, time: InputTime, reached: _InputReach) -> LayerFacts:
    sample_axis = list(axes).index("sample")
    count = output.tensor.shape[sample_axis]
    reach, hears = reached.reach(output, sample_axis)
    grid, geometry, context = _settle(output.grids, reach, count, time)
    channels = output.tensor.numel() // count  # of one token
    facts = (grid, geometry, context, *output.activation, output.last_module, hears)
    return LayerFacts(name, tuple(axes), channels, *facts)


def _settle(
    grids: Sequence[Grid], reach: Mapping[int, tuple[int, int]] | None, count: int, time: InputTime
) -> tuple[Grid, str, str]:
    """Choose among what the modules say, what the gradients say, and the ratio of lengths."""
    # What hears the whole input does so whatever its modules say: attention after convolutions of a long reach.
    everything = bool(reach) and all(ends == (0, time.samples - 1) for ends in (reach or {}).values())
    if reach is not None and not everything:
        for grid in grids:
            if all(_within(grid.bounds(index), ends) for index, ends in reach.items()):
                return grid, "layers", "local"
        measured = _measure(reach, count, time.samples)
        if measured is not None:
            return measured, "gradients", "local"
    context = "unverified" if reach is None else "clip"
    if grids:
        return (grids[0] if reach is None else replace(grids[0], field=time.samples)), "layers", context
    return by_length(count, time.samples), "length_ratio", context


def _within(bounds: tuple[float, float], ends: tuple[int, int]) -> bool:
    return bounds[0] <= ends[0] and ends[1] <= bounds[1]


def _measure(reach: Mapping[int, tuple[int, int]], count: int, samples: int) -> Grid | None:
    """Return the grid on which three outputs depend on equally long, evenly spaced stretches inside the input."""
    if len(reach) < 3:
        return None
    (first, (low, high)), *others = reach.items()
    hop = (others[-1][1][0] - low) / (others[-1][0] - first)
    even = all(ends == (low + hop * (index - first), high + hop * (index - first)) for index, ends in others)
    if not even or hop <= 0 or low == 0 or others[-1][1][1] == samples - 1:
        return None
    return Grid(count, start=(low + high) / 2 - hop * first, hop=hop, field=high - low + 1)
