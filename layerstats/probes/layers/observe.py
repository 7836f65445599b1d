"""One pass through a network, looked at: what the chosen layers gave, and which modules of known kinds ran in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from layerstats.probes.inputs import Prepared, call, copied, first_tensor
from layerstats.probes.layers.capture import capturing, hooked

# Their outputs are (token, channel, ...).
_CHANNELS_SECOND = (
    *(nn.Conv1d, nn.ConvTranspose1d, nn.Conv2d, nn.ConvTranspose2d),
    *(nn.MaxPool1d, nn.AvgPool1d, nn.LPPool1d, nn.AdaptiveAvgPool1d, nn.AdaptiveMaxPool1d),
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.InstanceNorm1d, nn.InstanceNorm2d, nn.GroupNorm),
)
# Their outputs end with the channels.
_CHANNELS_LAST = (nn.Linear, nn.Bilinear, nn.LayerNorm, nn.RMSNorm, nn.Embedding)
_ATTENTION = (nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)


@dataclass(frozen=True)
class Kind:
    """What the type of a module says of its output: which axis the channels are, and where it is known, the tokens."""

    channel: int
    token: int | None = None


def kind_of(module: nn.Module) -> Kind | None:
    """Return what a module's type says of the axes of its output; None where it says nothing.

    Examples
    --------
    >>> kind_of(nn.LSTM(2, 3, batch_first=True)), kind_of(nn.LSTM(2, 3)), kind_of(nn.ReLU())
    (Kind(channel=-1, token=0), Kind(channel=-1, token=1), None)
    """
    if isinstance(module, nn.RNNBase):
        return Kind(-1, 0 if module.batch_first else 1)
    if isinstance(module, _ATTENTION):
        attention = module if isinstance(module, nn.MultiheadAttention) else module.self_attn
        return Kind(-1, 0 if attention.batch_first else 1)
    if isinstance(module, _CHANNELS_SECOND):
        return Kind(1, 0)
    if isinstance(module, nn.LayerNorm | nn.RMSNorm) and len(module.normalized_shape) != 1:
        return None
    return Kind(-1) if isinstance(module, _CHANNELS_LAST) else None


@dataclass(frozen=True)
class ForwardPass:
    """What one forward pass gave.

    Parameters
    ----------
    outputs : dict of str to Tensor
        The output of every chosen layer, a copy.
    kinds : dict of str to (Kind, shape)
        For every module of a known kind that ran: what its type says, and the shape of its output.
    mixing : set of str
        Modules that work along time instead, as the Linear of an MLP-Mixer: their types say nothing.
    """

    outputs: dict[str, Tensor]
    kinds: dict[str, tuple[Kind, tuple[int, ...]]]
    mixing: frozenset[str] = frozenset()


def observe(
    model: nn.Module,
    layers: Sequence[str],
    prepared: Prepared,
    choose: Callable[[object], Tensor] | None = None,
) -> ForwardPass:
    """Run a network once on a copy of its input and return what its layers gave.

    Parameters
    ----------
    model : torch.nn.Module
        In eval mode.
    layers : sequence of str
        Names of modules.
    prepared : Tensor or mapping
        Its input.
    choose : callable, optional
        Picks the tensor to record from a module's output.

    Raises
    ------
    ArgumentError
        A layer does not run, runs more than once, or gives no real tensor.
    NetworkError
        The network failed.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU())
    >>> seen = observe(network, ["1"], torch.zeros(2, 1, 10))
    >>> seen.outputs["1"].shape, seen.kinds
    (torch.Size([2, 4, 8]), {'0': (Kind(channel=1, token=0), (2, 4, 8))})
    """
    kinds: dict[str, tuple[Kind, tuple[int, ...]]] = {}
    mixing: set[str] = set()
    channels: dict[tuple[int, ...], int] = {}

    def module_ran(name: str, kind: Kind, _module: nn.Module, args: tuple, _kwargs: dict, output: object) -> None:
        made = first_tensor(output)
        if made is None or made.is_nested:
            return
        if _mixes_time(kind, first_tensor(args), made, channels):
            mixing.add(name)
        else:
            kinds[name] = kind, tuple(made.shape)

    hooks = {
        name: partial(module_ran, name, kind)
        for name, module in model.named_modules()
        if (kind := kind_of(module)) is not None and not isinstance(module, torch.jit.ScriptModule)
    }
    with (
        torch.no_grad(),
        capturing(model, layers, lambda _, output: output.detach().clone(), choose=choose) as outputs,
        hooked(model, hooks),
    ):
        call(model, copied(prepared))
    return ForwardPass(outputs, kinds, frozenset(mixing))


def _mixes_time(kind: Kind, heard: Tensor | None, made: Tensor, channels: dict[tuple[int, ...], int]) -> bool:
    """Whether a module takes for channels what the module before it gave as time; `channels` is what is known so far.

    Modules are told apart by the sizes of time and channels, in any order, since they are often swapped between two.
    """
    if heard is None or heard.is_nested or heard.ndim != 3 or made.ndim != 3:
        return False
    token = 0 if kind.token is None else kind.token
    known = channels.get(_sizes(heard.shape, token))
    mixes = known is not None and known != heard.shape[kind.channel]
    place = kind.channel % 3
    # The channels of what mixes time are on the axis that is left.
    channel = 3 - token - place if mixes and token != place else place
    channels[_sizes(made.shape, token)] = made.shape[channel]
    return mixes


def _sizes(shape: torch.Size, token: int) -> tuple[int, ...]:
    return tuple(sorted(size for axis, size in enumerate(shape) if axis != token))
