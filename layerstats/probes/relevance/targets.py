"""Whose score is explained: a class, a unit of any layer, the own word of each token, or a function of the output."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import torch
from torch import Tensor, nn

from layerstats.checks import check_choice, check_columns
from layerstats.errors import ArgumentError
from layerstats.probes.gradients import OWN_WORD
from layerstats.probes.units import ACTIVATION, CLASS_OBJECTIVES, Unit, UnitValues, class_logits, read_unit

Named = int | str | Unit
Target = Named | Sequence[Named] | Callable[[object, pd.DataFrame | None], Tensor]

# What relevance by rules may begin with: the value itself, or 1 as in Krug & Stober (2018).
ONE = "one"
FUNCTION = "function"


class TargetScore:
    """The score of each token of a batch, in the network's graph.

    Parameters
    ----------
    network : torch.nn.Module
        Any network.
    target : int, str, Unit, sequence of these, or callable
        The number of a class from 0; a name as `layerstats.probes.units.read_unit` reads it ("yes", "a:12", "conv2:5",
        "conv2:5:10/3"); "own_word", the class that is named as the word of the token; one of these for each token; or
        a function of (the network's output, rows of the tokens table) that returns the scores, (token,).
    tokens : int
        How many there are.
    start : str, optional
        Of classes "logit" (the default: what the network gives), "log_probability" or "probability" (by softmax over
        the classes); of units of layers "activation"; or "one", with which relevance by rules begins as 1.
    labels : sequence of str, optional
        Names of the classes in order, for instance `card.outputs`.
    table : DataFrame, optional
        Rows of the tokens table, with `word` where the target is the own word.
    device : torch.device, optional
        Where the network runs.

    Raises
    ------
    ArgumentError
        There is no such target, or the start does not fit it.

    Examples
    --------
    >>> score = TargetScore(nn.Linear(2, 3), ["b", "a"], 2, labels=["a", "b", "c"])
    >>> score(torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), {})
    tensor([2., 4.])
    """

    def __init__(
        self,
        network: nn.Module,
        target: Target,
        tokens: int,
        *,
        start: str | None = None,
        labels: Sequence[str] | None = None,
        table: pd.DataFrame | None = None,
        device: torch.device | None = None,
    ) -> None:
        if table is not None and len(table) != tokens:
            raise ArgumentError(f"The table of tokens has {len(table)} rows, but the input holds {tokens} tokens.")
        self.network, self.target, self.tokens, self.table, self.device = network, target, tokens, table, device
        self.labels = None if labels is None else tuple(labels)
        self.units: tuple[Unit, ...] = ()
        self.objective = FUNCTION
        if callable(target):
            check_choice("start", start or FUNCTION, (FUNCTION, ONE))
        else:
            self.units = _units(network, target, tokens, labels, table)
            natural = ACTIVATION if self.units[0].layer else "logit"
            allowed = (ACTIVATION, ONE) if self.units[0].layer else (*CLASS_OBJECTIVES, ONE)
            check_choice("start", start or natural, allowed)
            self.objective = natural if start in (None, ONE) else str(start)
        self.start = start or self.objective
        self.values = UnitValues(network, self.units, self.objective, device) if self.units else None

    @property
    def layers(self) -> tuple[str, ...]:
        """Layers whose outputs the score is taken from."""
        return () if self.values is None else self.values.layers

    @property
    def name(self) -> str | list[str]:
        """What it is called in attributes."""
        if callable(self.target):
            return f"function {getattr(self.target, '__qualname__', type(self.target).__qualname__)}"
        if isinstance(self.target, str) and self.target == OWN_WORD:
            return OWN_WORD
        names = [unit.name for unit in self.units]
        return names[0] if len(set(names)) == 1 else names

    def at(self, rows: Sequence[int]) -> TargetScore:
        """Return the score of some of the tokens, any of them as often as it is named."""
        target = self.target if callable(self.target) else [self.units[row] for row in rows]
        table = None if self.table is None else self.table.iloc[list(rows)]
        options = {"start": self.start, "labels": self.labels, "table": table, "device": self.device}
        return TargetScore(self.network, target, len(rows), **options)

    def starting(self, start: str) -> TargetScore:
        """Return the score of the same targets with another start."""
        target = self.target if callable(self.target) else self.units
        options = {"start": start, "labels": self.labels, "table": self.table, "device": self.device}
        return TargetScore(self.network, target, self.tokens, **options)

    def __call__(self, output: object, kept: Mapping[str, Tensor]) -> Tensor:
        """Return the scores (token,) from what the network and the layers of `layers` gave.

        Raises
        ------
        ArgumentError
            The output has no such class, channel or place, or the function returns something else.
        NetworkError
            A layer gives another number of values than tokens.
        """
        if self.values is not None:
            logits = class_logits(output, self.tokens) if self.labels is not None and not self.layers else None
            if logits is not None and logits.shape[1] != len(self.labels or ()):
                raise ArgumentError(
                    f"{len(self.labels or ())} labels were given for {logits.shape[1]} outputs of the network."
                )
            return self.values(output, kept)
        scores = self.target(output, self.table)  # pyright: ignore[reportCallIssue]
        if not isinstance(scores, Tensor) or scores.shape != (self.tokens,):
            found = f"shape {tuple(scores.shape)}" if isinstance(scores, Tensor) else type(scores).__name__
            raise ArgumentError(
                f"The function that is the target must return a tensor of one score a token, ({self.tokens},), but it "
                f"returned {found}."
            )
        return scores


def _units(
    network: nn.Module, target: object, tokens: int, labels: Sequence[str] | None, table: pd.DataFrame | None
) -> tuple[Unit, ...]:
    if isinstance(target, str) and target == OWN_WORD:
        if table is None or labels is None:
            raise ArgumentError(
                "The target 'own_word' needs the words of the tokens and the names of the classes: give tokens= (a "
                "table with the column 'word') and labels=, for instance card.outputs."
            )
        check_columns(table, ["word"], "the table of tokens")
        named: list[object] = list(table["word"])
    elif isinstance(target, Sequence) and not isinstance(target, str):
        named = list(target)
        if len(named) != tokens or not named:
            raise ArgumentError(f"{len(named)} targets were given for {tokens} tokens: give one, or one for each.")
    else:
        named = [target] * tokens
    read: dict[object, Unit] = {}
    for one in named:
        if one not in read:
            read[one] = _unit(network, one, labels)
    return tuple(read[one] for one in named)


def _unit(network: nn.Module, one: object, labels: Sequence[str] | None) -> Unit:
    if isinstance(one, Unit):
        return one
    if isinstance(one, str):
        return read_unit(one, network, labels)
    if isinstance(one, bool) or not isinstance(one, int) or one < 0:
        raise ArgumentError(
            "The 'target' parameter must be the number of a class from 0, the name of a class or unit, 'own_word', one "
            f"of these for each token, or a function, but got {one!r}."
        )
    return Unit(str(one), "", one)
