"""Gradient ascent of many starts at once, each as if it were alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from layerstats.checks import check_choice, check_positive
from layerstats.errors import ArgumentError, DataError, NetworkError
from layerstats.probes.maximization.objectives import Objective, Scores
from layerstats.probes.maximization.priors.protocol import Prior, drawn

# Added to the root mean square of a gradient that it is divided by, and below which a gradient counts as none.
SMALLEST_RMS = 1e-5
DIRECTIONS = ("gradient", "random")


@dataclass(frozen=True)
class AscentSettings:
    """How starts are maximized.

    Parameters
    ----------
    optimiser : {"gradient_rms", "adam"}
        "gradient_rms" adds `rate` times the gradient divided by its root mean square over all that is optimised in a
        start (plus 1e-5), as Soomro et al. (2019) do; "adam" is Adam (Kingma & Ba 2015) with its usual constants.
    rate : float
        Length of a step: of what is optimised, the root mean square of the change (gradient_rms).
    steps : int
        Exactly so many, or at most so many with `until`; 0 changes nothing.
    until : float, optional
        Probability of the target at which a start takes no more steps.
    direction : {"gradient", "random"}
        "random" moves each start, in place of its ascent, by as far as its ascent went, in a direction drawn from its
        seed: what moving alone does.
    paths : bool
        Keep the objective and the displacement after every step.

    Raises
    ------
    ArgumentError
        A setting is out of range.

    Examples
    --------
    >>> AscentSettings(steps=0).rate
    0.01
    """

    optimiser: str = "gradient_rms"
    rate: float = 0.01
    steps: int = 20
    until: float | None = None
    direction: str = "gradient"
    paths: bool = False

    def __post_init__(self) -> None:
        check_choice("optimiser", self.optimiser, OPTIMISERS)
        check_choice("direction", self.direction, DIRECTIONS)
        check_positive("rate", self.rate)
        if isinstance(self.steps, bool) or not isinstance(self.steps, int) or self.steps < 0:
            raise ArgumentError(f"The 'steps' parameter must be a whole number from 0, but got {self.steps!r} instead.")
        if self.until is not None and not 0 < self.until <= 1:
            raise ArgumentError(f"The 'until' parameter must be a probability above 0, but got {self.until!r} instead.")
        if self.direction == "random" and self.paths:
            raise ArgumentError("Random directions are one move, without steps: there is no path to keep.")


@dataclass(frozen=True)
class Ascent:
    """What became of a batch of starts; everything is (start, ...), on the device that it was computed on.

    Parameters
    ----------
    variables_before, variables_after : Tensor
        What is optimised.
    heard_before, heard_after : Tensor
        What the network hears of it.
    logits_before, logits_after : Tensor or None
        (start, class), before any softmax; None where the network gives none.
    objective_before, objective_after : Tensor
        The value of the target, without penalties.
    steps : Tensor
        Steps that each start took.
    stalled : Tensor
        Whether, at one of its steps, the gradient of a start (penalties included) had a root mean square under 1e-5
        while the target was not the likeliest class (of a unit of a layer: at any step).
    objective_path, displacement_path : Tensor or None
        (start, step), from 0 to the number of steps.
    """

    variables_before: Tensor
    variables_after: Tensor
    heard_before: Tensor
    heard_after: Tensor
    logits_before: Tensor | None
    logits_after: Tensor | None
    objective_before: Tensor
    objective_after: Tensor
    steps: Tensor
    stalled: Tensor
    objective_path: Tensor | None = None
    displacement_path: Tensor | None = None

    @property
    def displacement(self) -> Tensor:
        """How far what is optimised has moved, (start,): the L2 norm of the difference."""
        return distance(self.variables_before, self.variables_after)

    @property
    def displacement_heard(self) -> Tensor:
        """How far what the network hears has moved, (start,)."""
        return distance(self.heard_before, self.heard_after)


def distance(before: Tensor, after: Tensor) -> Tensor:
    """Return the L2 norm of the difference of each start, (start,), in double precision."""
    return torch.linalg.vector_norm((after.double() - before.double()).flatten(1), dim=1)


class _GradientRms:
    """Steps of equal length: the gradient divided by its root mean square, plus a little."""

    def __init__(self, variables: Tensor, rate: float) -> None:
        self.rate = rate

    def move(self, gradient: Tensor, rms: Tensor) -> Tensor:
        return self.rate * (gradient / (rms + SMALLEST_RMS))


class _Adam:
    """Adam of Kingma & Ba (2015), upwards; each start has moments of its own, as every value has."""

    def __init__(self, variables: Tensor, rate: float) -> None:
        self.rate, self.taken = rate, 0
        self.first, self.second = torch.zeros_like(variables), torch.zeros_like(variables)

    def move(self, gradient: Tensor, rms: Tensor) -> Tensor:
        self.taken += 1
        self.first.lerp_(gradient, 0.1)
        self.second.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
        size = (self.second / (1 - 0.999**self.taken)).sqrt() + 1e-8
        return self.rate * (self.first / (1 - 0.9**self.taken)) / size


OPTIMISERS = {"gradient_rms": _GradientRms, "adam": _Adam}


def ascend(
    objective: Objective,
    prior: Prior,
    variables: Tensor,
    settings: AscentSettings,
    generators: Sequence[torch.Generator] = (),
    names: Sequence[str] | None = None,
) -> Ascent:
    """Maximize the objective of a batch of starts.

    The network and the prior's networks must be in a state to be differentiated (`models.running` with
    `differentiate`).

    Parameters
    ----------
    objective : Objective
        One unit a start.
    prior : Prior
        What is optimised.
    variables : Tensor
        Where the starts begin, (start, ...).
    settings : AscentSettings
        How.
    generators : sequence of torch.Generator
        One a start; only random directions draw from them.
    names : sequence of str, optional
        Of the starts, for messages.

    Returns
    -------
    Ascent

    Raises
    ------
    DataError
        A score or gradient is NaN or infinite; the first such start is named.
    NetworkError
        The target does not depend on the input by operations with a gradient.

    Examples
    --------
    >>> from layerstats.models import ConvolutionalEncoder, running
    >>> from layerstats.probes.maximization import plan_maximization, read_unit
    >>> network = ConvolutionalEncoder(outputs=2, width=1)
    >>> plan = plan_maximization(network, ["0"], starts=1)
    >>> noise = 0.1 * torch.randn(1, plan.hearing.size, generator=torch.Generator().manual_seed(1))
    >>> objective = Objective(network, [read_unit("0", network, ["0", "1"])], "log_probability")
    >>> with running(network, torch.device("cpu"), differentiate=True):
    ...     found = ascend(objective, plan.prior, noise, AscentSettings(steps=3))
    >>> bool(found.objective_after > found.objective_before), found.steps.tolist()
    (True, [3])
    """
    run = _Run(objective, prior, settings)
    found = run.climb(variables.detach())
    if settings.direction == "random":
        found = run.elsewhere(found, generators)
    _check_finite(found, names)
    return found


class _Run:
    def __init__(self, objective: Objective, prior: Prior, settings: AscentSettings) -> None:
        self.objective, self.prior, self.settings = objective, prior, settings

    def climb(self, start: Tensor) -> Ascent:
        """Take the steps, all starts side by side; those that are done keep their place."""
        settings, x = self.settings, start.clone()
        optimiser = OPTIMISERS[settings.optimiser](start, settings.rate)
        steps = torch.zeros(len(x), dtype=torch.int64, device=x.device)
        stalled = torch.zeros(len(x), dtype=torch.bool, device=x.device)
        first: tuple[Tensor, Scores] | None = None
        objectives, moved = [], []
        for _ in range(settings.steps):
            heard, scores, gradient = self._gradient(x)
            first = first or (heard, scores)
            if settings.paths:
                objectives.append(scores.objective)
                moved.append(distance(start, x))
            going = self._going(scores)
            # Where nothing else ends a start, asking whether all have ended would make a GPU wait.
            if settings.until is not None and not bool(going.any()):
                break
            rms = gradient.flatten(1).square().mean(1).sqrt()
            stalled |= going & (rms < SMALLEST_RMS) & ~self._is_answer(scores)
            across = (slice(None), *[None] * (x.ndim - 1))
            moves = optimiser.move(gradient, rms[across])
            x = torch.where(going[across], self.prior.constrain(x + moves), x)
            steps += going
        heard, scores = self._scores(x)
        first = first or (heard, scores)
        if settings.paths:
            # Where all were done early, nothing has changed since.
            missing = settings.steps + 1 - len(objectives)
            objectives += [scores.objective] * missing
            moved += [distance(start, x)] * missing
        return Ascent(
            start,
            x,
            first[0],
            heard,
            first[1].logits,
            scores.logits,
            first[1].objective,
            scores.objective,
            steps,
            stalled,
            torch.stack(objectives, 1) if settings.paths else None,
            torch.stack(moved, 1) if settings.paths else None,
        )

    def elsewhere(self, found: Ascent, generators: Sequence[torch.Generator]) -> Ascent:
        """Return the same starts moved as far as they went, in directions drawn at random."""
        start = found.variables_before
        direction = drawn(start.shape[1:], generators).to(start)
        length = torch.linalg.vector_norm(direction.flatten(1), dim=1)
        share = (found.displacement / length.double()).to(start.dtype)
        x = self.prior.constrain(start + share[(slice(None), *[None] * (start.ndim - 1))] * direction)
        heard, scores = self._scores(x)
        return replace(
            found,
            variables_after=x,
            heard_after=heard,
            logits_after=scores.logits,
            objective_after=scores.objective,
        )

    def _gradient(self, x: Tensor) -> tuple[Tensor, Scores, Tensor]:
        given = x.detach().requires_grad_()
        heard = self.prior.render(given)
        scores = self.objective(heard)
        if not scores.objective.requires_grad:
            raise NetworkError(
                "The target does not depend on the network's input by operations that torch can differentiate: a "
                "module on the way detaches its values, leaves torch, or works on whole numbers."
            )
        penalty = self.prior.penalty(given, heard)
        gained = scores.objective if penalty is None else scores.objective - penalty
        gradient = torch.autograd.grad(gained.sum(), given, allow_unused=True)[0]
        if gradient is None:
            raise NetworkError("The target does not depend on the network's input, so it has no gradient.")
        return heard.detach(), _detached(scores), gradient

    def _scores(self, x: Tensor) -> tuple[Tensor, Scores]:
        with torch.no_grad():
            heard = self.prior.render(x)
            return heard, self.objective(heard)

    def _going(self, scores: Scores) -> Tensor:
        """Tell which starts take another step."""
        classes = self.objective.classes
        if self.settings.until is None or classes is None or scores.logits is None:
            return torch.ones(len(scores.objective), dtype=torch.bool, device=scores.objective.device)
        probability = torch.softmax(scores.logits, dim=1).gather(1, classes[:, None])[:, 0]
        return probability < self.settings.until

    def _is_answer(self, scores: Scores) -> Tensor:
        """Tell of which starts the target is the likeliest class."""
        classes = self.objective.classes
        if classes is None or scores.logits is None:
            return torch.zeros(len(scores.objective), dtype=torch.bool, device=scores.objective.device)
        return scores.logits.argmax(dim=1) == classes


def _detached(scores: Scores) -> Scores:
    return Scores(scores.objective.detach(), None if scores.logits is None else scores.logits.detach())


def _check_finite(found: Ascent, names: Sequence[str] | None) -> None:
    """Raise `DataError` where a start has no finite score; a start that broke stays broken, so the last one tells."""
    bad = ~(torch.isfinite(found.objective_before) & torch.isfinite(found.objective_after))
    for values in (found.variables_after, found.heard_after, found.logits_after):
        if values is not None:
            bad |= ~torch.isfinite(values.flatten(1)).all(1)
    if bool(bad.any()):
        row = int(bad.nonzero()[0])
        first = f"in row {row} of the batch" if names is None else f"in {names[row]!r}"
        raise DataError(
            f"The target or its gradient is NaN or infinite in {int(bad.sum())} of {len(bad)} starts, first "
            f"{first}. The weights of the network or of the prior may be damaged, or the rate be too large."
        )
