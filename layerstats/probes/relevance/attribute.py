"""The front door: the relevance of a network's input, or of what its layers give, for the score of each token."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, nullcontext
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from layerstats.errors import ArgumentError, DataError
from layerstats.models import part, running
from layerstats.probes.inputs import Prepared, main_tensor
from layerstats.probes.layers.choose import choose_layers
from layerstats.probes.layers.input_layer import INPUT
from layerstats.probes.recording.ready import check_ready
from layerstats.probes.relevance.attribution import Attribution
from layerstats.probes.relevance.methods import METHODS, Question, options_of
from layerstats.probes.relevance.places import Place
from layerstats.probes.relevance.rules import RULES
from layerstats.probes.relevance.targets import ONE, Target, TargetScore
from layerstats.store.schema import Attribute, clean_attributes

# What does not determine the values.
_UNTOLD = ("stretches", "batch_size", "values")


def attribute(
    network: nn.Module,
    input: Prepared,
    target: Target,
    method: str = "epsilon",
    *,
    to: str | Sequence[str] = INPUT,
    start: str | None = None,
    labels: Sequence[str] | None = None,
    tokens: pd.DataFrame | None = None,
    input_axes: Sequence[str] | None = None,
    **options: Any,
) -> Attribution:
    """Return the relevance of every value in a place of a network for the score of each token.

    Tokens are independent: each has the relevance that it has alone. The network is put in eval mode and left exactly
    as it was. The network runs where the input is.

    Parameters
    ----------
    network : torch.nn.Module
        Any network; of an InfoWaveGAN its Q-network.
    input : Tensor or mapping
        What it is called with, a batch of tokens: (token, sample), (token, time, mel), or keyword arguments, of which
        the first tensor is the speech.
    target : int, str, Unit, sequence of these, or callable
        Whose score is explained: the number of a class from 0; "yes", a class by its label; "a:12", a class at one
        frame; "conv2:5", a channel of any layer, averaged over its places; "conv2:5:10/3", one value of it;
        "own_word"; one of these for each token; or a function of (the network's output, `tokens`) that returns the
        scores, (token,).
    method : str
        "gradient", "input_x_gradient", "integrated_gradients", "occlusion", or a rule of layer-wise relevance
        propagation: "lrp_0", "epsilon", "epsilon_relative", "gamma", "alpha_beta", "z_plus", "flat" or "adapted".
    to : str or sequence of str
        "input", or names or patterns of layers whose outputs get the relevance; several of them are found together.
    start : str, optional
        Of classes "logit" (what the network gives, the default), "log_probability" or "probability"; of units of layers
        "activation". Relevance by rules begins with that value, or with "one", as the adapted rule does by default.
    labels : sequence of str, optional
        Names of the classes in order, for instance `card.outputs`.
    tokens : DataFrame, optional
        Rows of the tokens table, where the target asks for them.
    input_axes : sequence of str, optional
        Names of the axes of the speech, where time is not the one after the tokens (features) or the last (waveforms):
        the axis of time is named "time" or "sample".
    **options
        Of the method. "integrated_gradients": `steps` (50) and `replacement` ("zero"), where the path begins.
        "occlusion": `stretches` (a table of ``row, start, stop``, see `spoken_stretches`, or a function that makes it
        of `tokens`) or `patch` and `hop` (see `patches`), `replacement` ("zero", "mean", "noise", a number, other
        values, or a function; see `replacement_values`), `batch_size` (32); and of both `seed` (0), of noise. Rules:
        their numbers, for instance `epsilon`, `gamma`, or `alpha` and `beta`; `rules`, a mapping of layers, types of
        modules or operations to other rules (`RuleBook`), `dtype`, the type in which the network runs, and `values`,
        what its operations give where that is known (`relevance_by_rules`).

    Returns
    -------
    Attribution

    Raises
    ------
    ArgumentError
        The target, method, layer or option does not exist or does not fit.
    DataError
        The input, or the relevance, has NaN or infinite values; or a stretch lies beyond the input.
    NetworkError
        The network fails, or the score does not depend on the place by operations that torch can differentiate.

    References
    ----------
    Krug & Stober (2018), Introspection for convolutional automatic speech recognition. Shrikumar et al. (2017),
    Learning important features through propagating activation differences. Sundararajan et al. (2017), Axiomatic
    attribution for deep networks. Zeiler & Fergus (2014), Visualizing and understanding convolutional networks.

    Examples
    --------
    >>> network = nn.Linear(2, 2, bias=False)
    >>> _ = network.weight.data.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    >>> attribute(network, torch.tensor([[5.0, 6.0]]), "b", "input_x_gradient", labels=["a", "b"]).values
    tensor([[15., 24.]])
    """
    how = {"to": to, "start": start, "labels": labels, "tokens": tokens, "input_axes": input_axes}
    found: list[Attribution] = []
    attribute_each(network, input, [target], found.append, method, **how, **options)
    return found[0]


def attribute_each(
    network: nn.Module,
    input: Prepared,
    targets: Sequence[Target],
    use: Callable[[Attribution], object],
    method: str = "epsilon",
    *,
    to: str | Sequence[str] = INPUT,
    start: str | None = None,
    labels: Sequence[str] | None = None,
    tokens: pd.DataFrame | None = None,
    input_axes: Sequence[str] | None = None,
    **options: Any,
) -> None:
    """Find the relevance of a place for several targets; rules and gradients run the network once for all of them.

    Parameters
    ----------
    targets : sequence
        Each as for `attribute`, so that a sequence with one for each token is one of them.
    use : callable
        Given the relevance for each target in turn, so that only one is in memory; the network is not to run in it.
    network, input, method, to, start, labels, tokens, input_axes, **options
        As for `attribute`.

    Examples
    --------
    >>> network = nn.Linear(2, 2, bias=False)
    >>> _ = network.weight.data.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    >>> options = {"method": "gradient", "labels": ["a", "b"]}
    >>> attribute_each(network, torch.ones(1, 2), ["a", "b"], lambda found: print(found.values), **options)
    tensor([[1., 2.]])
    tensor([[3., 4.]])
    """
    chosen = options_of(method, options)
    asked = part(network)
    names = _places(asked, to)
    input = _plain_tensors(input)
    speech = main_tensor(input)
    _check_finite(speech, "The input")
    axis = _time_axis(speech, input_axes)
    if start is None and method in RULES and RULES[method].start == ONE:
        start = ONE
    # Rules run the network themselves, in a type of their own.
    inside = nullcontext() if method in RULES else running(asked, speech.device, differentiate=True)
    with torch.inference_mode(False):
        about = {"start": start, "labels": labels, "table": tokens, "device": speech.device}
        scores = [TargetScore(asked, target, len(speech), **about) for target in targets]
        scored = [layer for score in scores for layer in score.layers]
        check_ready(asked, [*dict.fromkeys([*scored, *(name for name in names if name != INPUT)])])
    single = isinstance(to, str) and len(names) == 1
    with torch.inference_mode(False), inside:
        question = Question(Place(asked, input, INPUT, scores[0]), names, chosen, axis)
        with closing(METHODS[method](question, scores)) as several:
            for score, found in zip(scores, several, strict=True):
                use(_finished(found, method, score, chosen, single))


def _finished(
    found: Attribution, method: str, score: TargetScore, options: Mapping[str, Any], single: bool
) -> Attribution:
    """Return the attribution with its attributes; warn of what its notes say."""
    values, error = found.values, found.completeness_error  # noqa: PD011 - tensors
    assert isinstance(values, dict)
    for name, value in values.items():
        _check_finite(value, f"The relevance at {name!r}")
    for note in found.notes:
        warnings.warn(note, UserWarning, stacklevel=4)
    attrs: dict[str, object] = {"method": method, "target": score.name, "start": score.start}
    told = {name: value for name, value in options.items() if name not in (*_UNTOLD, "rules", "dtype")}
    if told.get("replacement") != "noise":
        told.pop("seed", None)
    attrs |= {name: _plain(value) for name, value in told.items()}
    if single:
        values = next(iter(values.values()))
        error = next(iter(error.values())) if isinstance(error, dict) else error
    return Attribution(
        values,
        found.start,
        {**_cleaned(attrs), **found.attrs},
        found.conservation_error,
        found.scale,
        error,
        found.stretches,
        found.notes,
    )


def _cleaned(attrs: Mapping[str, object]) -> dict[str, Attribute]:
    return clean_attributes({name: value for name, value in attrs.items() if value is not None})


def _plain(value: object) -> object:
    if isinstance(value, Tensor):
        return f"values of shape {tuple(value.shape)}"
    if callable(value):
        return f"function {getattr(value, '__qualname__', type(value).__qualname__)}"
    return list(value) if isinstance(value, tuple) else value


def _plain_tensors(input: Prepared) -> Prepared:
    """Return the input as gradients can be taken of it, or raise `ArgumentError` where it is no batch of tokens."""
    if not isinstance(input, Tensor | Mapping):
        raise ArgumentError(
            f"The input must be a tensor or a mapping of keyword arguments, but got {type(input).__name__} instead."
        )
    speech = main_tensor(input)
    if speech.ndim == 0 or speech.numel() == 0 or speech.layout != torch.strided:
        kind = "" if speech.layout == torch.strided else f" and layout {speech.layout}"
        raise ArgumentError(
            f"The input must be a dense batch of at least one token, but got a tensor of shape {tuple(speech.shape)}"
            f"{kind}."
        )
    with torch.inference_mode(False):

        def plain(value: object) -> object:
            return value.clone() if isinstance(value, Tensor) and value.is_inference() else value

        return {name: plain(value) for name, value in input.items()} if isinstance(input, Mapping) else plain(input)  # pyright: ignore[reportReturnType]


def _places(network: nn.Module, to: str | Sequence[str]) -> tuple[str, ...]:
    patterns = [to] if isinstance(to, str) else list(to)
    if not patterns:
        raise ArgumentError("The 'to' parameter must name 'input' or layers, but got an empty list.")
    layers = [pattern for pattern in patterns if pattern != INPUT]
    found = choose_layers(network, layers) if layers else ()
    return ((INPUT,) if INPUT in patterns else ()) + found


def _time_axis(speech: Tensor, axes: Sequence[str] | None) -> int:
    if axes is None:
        return 1
    times = [number for number, name in enumerate(axes) if name in ("time", "sample")]
    if len(axes) != speech.ndim or len(times) != 1:
        raise ArgumentError(
            f"The names of the input's axes must be as many as its axes, one of them 'time' or 'sample', but got "
            f"{tuple(axes)!r} for the shape {tuple(speech.shape)}."
        )
    return times[0]


def _check_finite(values: Tensor, what: str) -> None:
    bad = ~torch.isfinite(values.reshape(len(values), -1)).all(1)
    if bool(bad.any()):
        raise DataError(
            f"{what} is NaN or infinite in {int(bad.sum())} of {len(bad)} tokens, first in row {int(bad.nonzero()[0])} "
            "of the batch. The audio or the weights of the network may be damaged."
        )
