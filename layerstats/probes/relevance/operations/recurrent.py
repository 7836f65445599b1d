"""Cells that remember: a gate gets no relevance, the signal that it lets through gets all (Arras et al. 2017, 2019).

A new state is what is kept of the last one plus what is new, and what is new is a function of a candidate that is
linear in input and hidden state. Gates are constants, sums and linear parts have the rule of sums, functions hand on
all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import handle_torch_function, has_torch_function

from layerstats.errors import NetworkError
from layerstats.probes.relevance.operations.call import OperationCall
from layerstats.probes.relevance.operations.registry import register_expansion, register_shared
from layerstats.probes.relevance.operations.shared import Denominators

_KINDS = ("lstm", "gru", "rnn_tanh", "rnn_relu")


def recurrent_layer(
    kind: str, input: Tensor, hidden: Tensor, cell: Tensor | None, *weights: Tensor
) -> tuple[Tensor, ...]:
    """Run one layer of cells in one direction: an operation of its own, which has a rule.

    Parameters
    ----------
    kind : {"lstm", "gru", "rnn_tanh", "rnn_relu"}
        As torch calls the function that computes it.
    input : Tensor
        (time, token, channel).
    hidden, cell : Tensor
        First state, (token, unit); the cell state of an LSTM only.
    *weights : Tensor
        Of the input, of the hidden state, and perhaps the biases of both, as torch has them.

    Returns
    -------
    tuple of Tensor
        Hidden states (time, token, unit), and of an LSTM the last cell state (token, unit).
    """
    tensors = tuple(tensor for tensor in (input, hidden, cell) if tensor is not None)
    if has_torch_function(tensors):
        return handle_torch_function(recurrent_layer, tensors, kind, input, hidden, cell, *weights)
    state = hidden[None] if cell is None else (hidden[None], cell[None])
    found = getattr(torch, kind)(input, state, weights, len(weights) == 4, 1, 0.0, False, False, False)
    return (found[0],) if cell is None else (found[0], found[2][0])


@dataclass(frozen=True)
class _Steps:
    """What the steps of a layer gave, all (time, token, unit): ``state = kept + new``.

    ``new`` is a gate times a function of ``candidate = W_input x + reset * (W_hidden h)``, biases included. A plain
    cell has only a candidate.
    """

    candidate: Tensor
    new: Tensor | None = None
    kept: Tensor | None = None
    reset: Tensor | None = None

    def shares(self, one_by: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor | None]:
        """Part of a state's relevance that a contribution of 1 to the candidate gets, and the part that is kept."""
        by_candidate = one_by(self.candidate)
        if self.new is None or self.kept is None:
            return by_candidate, None
        by_state = one_by(self.new + self.kept)
        return self.new * by_state * by_candidate, self.kept * by_state


@register_shared("recurrent_layer", kind="recurrent")
def recurrent(call: OperationCall, relevance: tuple[Tensor, ...], denominators: Denominators) -> Any:
    """Go back step by step: a state's relevance to what was kept and what was new, and of that to input and hidden."""
    kind, given, hidden, cell = (call.argument(place, "") for place in range(4))
    weights = [call.argument(place, "") for place in range(4, 8)]
    output = call.output[0]
    before = torch.cat([hidden[None], output[:-1]])
    parts = F.linear(given, weights[0], weights[2]), F.linear(before, weights[1], weights[3])
    steps = _STEPS[kind](*parts, before, cell)

    def one_by(values: Tensor) -> Tensor:
        by_token = values.transpose(0, 1)
        return denominators(torch.ones_like(by_token), by_token).transpose(0, 1)

    to_candidate, to_kept = steps.shares(one_by)
    # Parts of 1, not of relevance, were shared, and biases keep theirs: nothing was promised.
    call.promised, call.unshared = False, []
    units = slice(-2 * output.shape[2], -output.shape[2]) if kind == "lstm" else slice(-output.shape[2], None)
    of_input, of_hidden = (weight[units] for weight in weights[:2])
    by_candidate = torch.empty_like(output)
    remembered = torch.zeros_like(output[0])
    kept = relevance[1] if kind == "lstm" else remembered
    for step in reversed(range(len(output))):
        state = relevance[0][step] + remembered + kept
        by_candidate[step] = state * to_candidate[step]
        through = by_candidate[step] if steps.reset is None else by_candidate[step] * steps.reset[step]
        remembered = before[step] * (through @ of_hidden)
        kept = kept if to_kept is None else state * to_kept[step]
    found = [given * (by_candidate @ of_input)]
    states = [(2, remembered), (3, kept)] if kind == "lstm" else [(2, remembered + kept)]
    return (*(found if call.is_active(1, "") else []), *(part for place, part in states if call.is_active(place, "")))


def _lstm_steps(given: Tensor, remembered: Tensor, _before: Tensor, cell: Tensor) -> _Steps:
    ingate, forget, candidate, _ = (given + remembered).chunk(4, 2)
    new, keep, kept = ingate.sigmoid() * candidate.tanh(), forget.sigmoid(), torch.empty_like(candidate)
    for step in range(len(new)):
        kept[step] = keep[step] * cell
        cell = kept[step] + new[step]
    return _Steps(candidate, new, kept)


def _gru_steps(given: Tensor, remembered: Tensor, before: Tensor, _cell: None) -> _Steps:
    of_input, of_hidden = given.chunk(3, 2), remembered.chunk(3, 2)
    reset, update = ((of_input[gate] + of_hidden[gate]).sigmoid() for gate in range(2))
    candidate = of_input[2] + reset * of_hidden[2]
    return _Steps(candidate, (1 - update) * candidate.tanh(), update * before, reset)


def _plain_steps(given: Tensor, remembered: Tensor, _before: Tensor, _cell: None) -> _Steps:
    return _Steps(given + remembered)


_STEPS: dict[str, Callable[..., _Steps]] = {
    "lstm": _lstm_steps, "gru": _gru_steps, "rnn_tanh": _plain_steps, "rnn_relu": _plain_steps,
}  # fmt: skip


def _layers(kind: str) -> Callable[..., tuple[Tensor, ...]]:
    def run(
        input: Tensor, state: Any, weights: Sequence[Tensor], has_biases: bool, num_layers: int, dropout: float,
        train: bool, bidirectional: bool, batch_first: bool = False,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        """Layers and directions one after the other; in eval mode nothing drops out between them."""
        states = state if kind == "lstm" else (state,)
        directions, number = 1 + bidirectional, 4 if has_biases else 2
        if not isinstance(weights, list | tuple):
            raise NetworkError(f"Relevance cannot go back through a packed sequence ({kind}): give padded sequences.")
        if len(weights) != num_layers * directions * number:
            raise NetworkError(f"Relevance cannot go back through a layer of {kind} cells with projections.")
        sequence = input.transpose(0, 1) if batch_first else input
        last: list[tuple[Tensor, ...]] = []
        for layer in range(num_layers):
            found = []
            for place in range(layer * directions, (layer + 1) * directions):
                backwards = place % directions == 1
                first = [each[place] for each in states]
                own = weights[place * number : (place + 1) * number]
                steps = sequence.flip(0) if backwards else sequence
                output, *cell = recurrent_layer(kind, steps, first[0], *(first[1:] or [None]), *own)
                last.append((output[-1], *cell))
                found.append(output.flip(0) if backwards else output)
            sequence = torch.cat(found, 2) if bidirectional else found[0]
        finals = (torch.stack(each) for each in zip(*last, strict=True))
        return (sequence.transpose(0, 1) if batch_first else sequence, *finals)

    return run


def _cell(kind: str) -> Callable[..., Any]:
    def run(input: Tensor, state: Any, *weights: Tensor | None) -> Any:
        """One step of a layer."""
        hidden, memory = state if kind == "lstm" else (state, None)
        given = [weight for weight in weights if weight is not None]
        output, *cell = recurrent_layer(kind, input[None], hidden, memory, *given)
        return (output[0], *cell) if kind == "lstm" else output[0]

    return run


for _kind in _KINDS:
    register_expansion(_kind, _layers(_kind))
    register_expansion(f"{_kind}_cell", _cell(_kind))
