"""The methods by their names: what each needs to know, and what it makes of a network, an input and a score."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor

from layerstats.checks import check_choice, check_count
from layerstats.errors import ArgumentError
from layerstats.probes.layers.axes import output_tensor
from layerstats.probes.layers.input_layer import INPUT
from layerstats.probes.relevance.attribution import Attribution
from layerstats.probes.relevance.behind import squashed_by, squashed_note
from layerstats.probes.relevance.occlusion import occlude, patches
from layerstats.probes.relevance.places import Place, rows_of
from layerstats.probes.relevance.propagate import Propagated, relevances_by_rules
from layerstats.probes.relevance.replacements import replacement_values
from layerstats.probes.relevance.rules import RULES, Rule
from layerstats.probes.relevance.sensitivity import gradients_at, integrated_gradients
from layerstats.probes.relevance.targets import FUNCTION, ONE, TargetScore
from layerstats.probes.units import ACTIVATION

# Relevance for one target after the other; the network is under way until all is taken.
Found = Generator[Attribution, None, None]


@dataclass(frozen=True)
class Question:
    """What is asked of a method: the place and the score, where relevance goes, and the method's options."""

    place: Place
    names: tuple[str, ...]
    options: Mapping[str, Any]
    time_axis: int


def _gradients(question: Question, targets: Sequence[TargetScore], *, times_value: bool) -> Found:
    with closing(gradients_at(question.place, question.names, targets, times_value=times_value)) as found:
        for values, scores in found:
            yield Attribution(values, scores.detach(), {}, notes=_notes(scores))


def _integrated_gradients(question: Question) -> Attribution:
    steps = question.options["steps"]
    check_count("steps", steps)
    values, errors, scores = {}, {}, None
    for place, ends in _exchanged(question):
        values[place.name], scores, errors[place.name] = integrated_gradients(place, ends, steps)
    assert scores is not None
    return Attribution(values, scores.detach(), {}, completeness_error=errors, notes=_notes(_with_graph(question)))


def _occlusion(question: Question) -> Attribution:
    options = question.options
    check_count("batch_size", options["batch_size"])
    given, patch = options["stretches"], options["patch"]
    if (given is None) == (patch is None):
        raise ArgumentError(
            "Occlusion needs to know what is taken away at a time: either stretches= (a table of row, start, stop; "
            "spoken_stretches makes it of phones or words) or patch= (lengths along the axes, for instance (10, 16))."
        )
    table = question.place.score.table
    if callable(given) and table is None:
        raise ArgumentError("The function that makes the stretches is given the table of tokens: say tokens=.")
    stretches = options["stretches"](table) if callable(given) else given
    if stretches is not None and question.names != (INPUT,):
        raise ArgumentError("Stretches are places of the input: layers are occluded by patches, patch=.")
    values, found, scores = {}, None, None
    for place, instead in _exchanged(question):
        boxes = patches(instead.shape, patch, options["hop"]) if stretches is None else stretches
        axis = 1 if stretches is None else question.time_axis
        values[place.name], scores, found = occlude(place, boxes, instead, axis, options["batch_size"])
    assert scores is not None
    told = found if len(values) == 1 else None
    return Attribution(values, scores.detach(), {}, stretches=told, notes=_notes(_with_graph(question)))


def _by_rules(question: Question, targets: Sequence[TargetScore], *, rule: str) -> Found:
    """Hand relevance back from the scores by a rule, and by others where `rules` says so."""
    if len({layer for score in targets for layer in _layers_of(score)}) < 2:
        yield from _from_one_layer(question, targets, rule=rule)
    else:
        for score in targets:
            yield _from_layers(_about(question, score), rule=rule)


def _layers_of(score: TargetScore) -> list[str]:
    return list(dict.fromkeys(unit.layer for unit in score.units))


def _about(question: Question, score: TargetScore) -> Question:
    """Return the same question about another score."""
    place = question.place
    return replace(question, place=Place(place.network, place.prepared, place.name, score))


def _from_layers(question: Question, *, rule: str) -> Attribution:
    """Hand relevance back from a score whose units may be in several layers."""
    score = question.place.score
    layers = _layers_of(score)
    if len(layers) < 2:
        (found,) = _from_one_layer(question, [score], rule=rule)
        return found
    # What comes after a layer, as a normalisation, belongs to its operations: tokens of each layer run alone.
    rows = [[row for row, unit in enumerate(score.units) if unit.layer == layer] for layer in layers]
    found = [_from_layers(_of_rows(question, some), rule=rule) for some in rows]
    order = torch.tensor([row for some in rows for row in some]).argsort()

    def joined(parts: list[Tensor]) -> Tensor:
        return torch.cat(parts)[order.to(parts[0].device)]

    def lost(one: Attribution, name: str) -> Tensor:
        return one.conservation_error.get(name, torch.zeros_like(one.conservation_error["total"]))

    names = [*dict.fromkeys(name for one in found for name in one.conservation_error if name != "total"), "total"]
    values = [cast("dict[str, Tensor]", one.values) for one in found]
    if any(len(one[name]) != len(some) for one, some in zip(values, rows, strict=True) for name in one):
        raise ArgumentError(
            f"Targets in several layers ({', '.join(layers)}) go back to layers whose first axis is that of tokens: "
            "ask for one target layer after the other."
        )
    return Attribution(
        {name: joined([one[name] for one in values]) for name in question.names},
        joined([one.start for one in found]),
        found[0].attrs,
        {name: joined([lost(one, name) for one in found]) for name in names},
        {name: joined([one.scale[name] for one in found]) for name in found[0].scale},
        notes=tuple(dict.fromkeys(note for one in found for note in one.notes)),
    )


def _of_rows(question: Question, rows: list[int]) -> Question:
    """Return the same question about some of the tokens."""
    place = question.place
    some = Place(place.network, rows_of(place.prepared, rows, place.score.tokens), place.name, place.score.at(rows))
    return replace(question, place=some)


class _Start:
    """Where relevance of a score begins: in the network's output, or in that of a layer."""

    def __init__(self, score: TargetScore) -> None:
        check_choice("start", score.start, (*_RULE_STARTS, FUNCTION))
        self.score, self.begun = score, score.starting(ONE)
        # Of a layer, nothing after it needs to run, nor to have a rule.
        self.layer = score.layers[0] if score.layers else ""
        self.notes: tuple[str, ...] = ()
        self.probability: Tensor | None = None

    def __call__(self, output: object) -> Tensor:
        layer = self.layer
        scores = self.begun(output, {layer: output_tensor(layer, output, None)} if layer else {})
        self.notes = _notes(scores)
        if self.score.start == "probability":
            with torch.no_grad():
                self.probability = self.score(output, {})
        return scores


def _from_one_layer(question: Question, targets: Sequence[TargetScore], *, rule: str) -> Found:
    """Hand relevance back from scores all of whose units are in one layer, or in the output."""
    place, options = question.place, dict(question.options)
    rules, dtype, known = options.pop("rules"), options.pop("dtype"), options.pop("values")
    chosen = RULES[rule](**{name: value for name, value in options.items() if value is not None})
    starts = [_Start(score) for score in targets]
    found = relevances_by_rules(
        place.network,
        place.prepared,
        starts,
        chosen,
        rules=rules,
        to=question.names,
        start_layer=starts[0].layer,
        start_value="one" if place.score.start in (ONE, "probability") else "score",
        dtype=real_type(dtype),
        values=known,
    )
    with closing(found):
        for start, one in zip(starts, found, strict=True):
            yield _begun(one, start, chosen)


def _begun(found: Propagated, begun: _Start, rule: Rule) -> Attribution:
    """Return what was handed back from a start."""
    values, scale, start = dict(found.values), dict(found.scale), found.start
    if begun.probability is not None:
        # Tokens are independent and shares do not depend on what is shared: relevance is scaled as its start is.
        start = begun.probability.to(start)
        if rule.rescales:
            scale = {name: value * start for name, value in scale.items()}
        else:
            values = {name: value * start[(...,) + (None,) * (value.ndim - 1)] for name, value in values.items()}
    about = {"rules": found.rules, "dtype": found.dtype}
    about |= {name: getattr(rule, name) for name in _numbers(type(rule))}
    told = scale if rule.rescales else {}
    return Attribution(values, start, about, found.conservation_error, told, notes=begun.notes)


def _numbers(rule: type[Rule]) -> list[str]:
    """Return the names of a rule's numbers, as `epsilon`."""
    return [one.name for one in fields(rule)]  # pyright: ignore[reportArgumentType]


def real_type(given: str | torch.dtype | None) -> torch.dtype | None:
    """Return the type in which a network is asked to run, or raise `ArgumentError`.

    Examples
    --------
    >>> real_type("float64"), real_type(None)
    (torch.float64, None)
    """
    found = getattr(torch, given, None) if isinstance(given, str) else given
    if given is not None and (not isinstance(found, torch.dtype) or not found.is_floating_point):
        raise ArgumentError(f"The 'dtype' parameter must be a type of real numbers, as 'float64', but got {given!r}.")
    return found


def _exchanged(question: Question) -> list[tuple[Place, Tensor]]:
    """Return each place with what is put there instead of its values."""
    origin, replacement = question.place, question.options["replacement"]
    found = []
    for name in question.names:
        place = Place(origin.network, origin.prepared, name, origin.score)
        values = place.values()
        if not values.is_floating_point():
            raise ArgumentError(f"Whole numbers, as in {name!r}, cannot be replaced. Name a layer with to=.")
        axis = question.time_axis if name == INPUT else values.ndim - 1
        found.append((place, replacement_values(values, replacement, axis, question.options["seed"])))
    return found


def _with_graph(question: Question) -> Tensor:
    """Return the scores with the graph by which they came about from the input, or from a layer after whole numbers."""
    place = question.place
    if not place.values().is_floating_point():
        place = Place(place.network, place.prepared, question.names[0], place.score)
    return place.scores(place.values().requires_grad_())


def _notes(scores: Tensor) -> tuple[str, ...]:
    note = squashed_note(squashed_by(scores))
    return () if note is None else (note,)


# What relevance by rules may begin with.
_RULE_STARTS = ("logit", "probability", ACTIVATION, ONE)
# The options of each method with their usual values.
_REPLACED = {"replacement": "zero", "seed": 0}
_OPTIONS: dict[str, dict[str, Any]] = {
    "integrated_gradients": {"steps": 50, **_REPLACED},
    "occlusion": {"stretches": None, "patch": None, "hop": None, "batch_size": 32, **_REPLACED},
    **{
        name: {**dict.fromkeys(_numbers(rule)), "rules": None, "dtype": None, "values": None}
        for name, rule in RULES.items()
    },
}


def _one_by_one(
    question: Question, targets: Sequence[TargetScore], *, method: Callable[[Question], Attribution]
) -> Found:
    for score in targets:
        yield method(_about(question, score))


# What each makes of a question, for the scores of one target or of several.
METHODS: dict[str, Callable[[Question, Sequence[TargetScore]], Found]] = {
    "gradient": partial(_gradients, times_value=False),
    "input_x_gradient": partial(_gradients, times_value=True),
    "integrated_gradients": partial(_one_by_one, method=_integrated_gradients),
    "occlusion": partial(_one_by_one, method=_occlusion),
    **{name: partial(_by_rules, rule=name) for name in RULES},
}


def options_of(method: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a method, the usual ones where none are given, or raise `ArgumentError`."""
    check_choice("method", method, METHODS)
    known = _OPTIONS.get(method, {})
    unknown = [name for name in given if name not in known]
    if unknown:
        listed = f"Its options are: {', '.join(known)}" if known else "It has no options"
        raise ArgumentError(f"The method {method!r} has no option {', '.join(map(repr, unknown))}. {listed}.")
    return {**known, **{name: value for name, value in given.items() if value is not None}}
