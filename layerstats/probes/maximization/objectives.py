"""What is maximized: a class of the network's output, a channel, or one unit of any of its modules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from layerstats.errors import ArgumentError
from layerstats.probes.inputs import call, copied
from layerstats.probes.layers.capture import capturing
from layerstats.probes.units import Unit, UnitValues, classes_of_window


@dataclass(frozen=True)
class Scores:
    """What a network says of a batch of starts.

    Parameters
    ----------
    objective : Tensor
        (start,), in the network's graph.
    logits : Tensor or None
        (start, class), in the graph; None where the network's output is not of that shape.
    """

    objective: Tensor
    logits: Tensor | None


class Objective:
    """The value of a unit for each start, with its gradient.

    Parameters
    ----------
    network : torch.nn.Module
        The target network.
    units : sequence of Unit
        What is maximized in each start of a batch, in order.
    objective : str
        Of a class "log_probability", "probability" (both by softmax) or "logit"; of a layer's units "activation".
    device : torch.device, optional
        Where the network runs; the CPU by default.

    Raises
    ------
    ArgumentError
        The objective does not fit the units.

    Examples
    --------
    >>> from layerstats.probes.maximization import read_unit
    >>> network = nn.Linear(2, 3)
    >>> units = [read_unit(name, network, ["a", "b", "c"]) for name in ("c", "a")]
    >>> Objective(network, units, "probability")(torch.zeros(2, 2)).objective.shape
    torch.Size([2])
    """

    def __init__(
        self,
        network: nn.Module,
        units: Sequence[Unit],
        objective: str = "log_probability",
        device: torch.device | None = None,
    ) -> None:
        self.network, self.units, self.name, self.device = network, tuple(units), objective, device
        self.values = UnitValues(network, units, objective, device)

    def at(self, rows: Sequence[int]) -> Objective:
        """Return the objective of some of the starts."""
        return Objective(self.network, [self.units[row] for row in rows], self.name, self.device)

    @property
    def classes(self) -> Tensor | None:
        """Numbers of the classes that are maximized, (start,); None where units of layers are among the targets."""
        return self.values.classes

    def __call__(self, heard: Tensor) -> Scores:
        """Run the network on what it hears, (start, ...), one entry a unit.

        Raises
        ------
        ArgumentError
            The output has no such class, channel or position.
        NetworkError
            The network fails, or gives another number of values than starts.
        """
        # Modules may work in place on what they are given, the first one on what is maximized.
        with capturing(self.network, self.values.layers, lambda _layer, output: output.clone()) as kept:
            output = call(self.network, copied(heard))
        logits = classes_of_window(output, len(heard))
        if logits is None and not self.values.layers:
            raise ArgumentError(
                f"The classes of a {type(self.network).__name__} cannot be maximized: it does not give (start, class). "
                "Name a channel of one of its layers, LAYER:CHANNEL."
            )
        return Scores(self.values(output, kept), logits)
