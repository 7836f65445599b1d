"""The loop of supervised training: epochs of batches in random order, that a kill does not undo."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from layerstats.checks import check_choice, check_positive
from layerstats.errors import CorpusError, FitError
from layerstats.files import replacing
from layerstats.models import device_of
from layerstats.training.state import state_to_resume, write_state

_POOL = 50  # batches within which tokens are put in order of length
SCHEDULES = ("constant", "one_cycle")


@dataclass(frozen=True)
class EpochOptions:
    """How a network is trained by epochs.

    Parameters
    ----------
    epochs : int
        Passes through the training tokens.
    batch_size : int
        Tokens in a step.
    learning_rate : float
        Step size of Adam, or its highest.
    schedule : {"constant", "one_cycle"}
        Whether the step size stays as it is, or rises over the first tenth of the steps and then falls along a half
        cosine.
    seed : int
        Seed of weights, order and whatever else is drawn.

    Raises
    ------
    ArgumentError
        A value is out of range.

    Examples
    --------
    >>> EpochOptions().learning_rate
    0.001
    """

    epochs: int = 50
    batch_size: int = 32
    learning_rate: float = 1e-3
    schedule: str = "constant"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "learning_rate"):
            check_positive(name, getattr(self, name))
        check_choice("schedule", self.schedule, SCHEDULES)


class EpochTraining:
    """Optimiser, schedule, random order and history of one training.

    Parameters
    ----------
    model : torch.nn.Module
        On the device where it is trained. Its weights, and torch's own random state, are seeded by the caller.
    tokens : int
        Number of tokens to learn from.
    loss : callable
        Returns the mean loss of tokens by their numbers (a tensor), with a generator on the CPU to draw from.
    look : callable
        Returns what is to be noted of the network after each epoch, by name.
    options : EpochOptions
    lengths : Tensor, optional
        Length of each token (token,); tokens of about the same length come into one batch then, so that little of it
        is padding.
    """

    def __init__(
        self,
        model: nn.Module,
        tokens: int,
        loss: Callable[[Tensor, torch.Generator], Tensor],
        look: Callable[[], Mapping[str, float]],
        options: EpochOptions,
        lengths: Tensor | None = None,
    ) -> None:
        if tokens == 0:
            raise CorpusError("There are no tokens to learn from: no token's 'split' is \"train\".")
        self.model, self.tokens, self.loss, self.look, self.options = model, tokens, loss, look, options
        self.lengths = lengths
        self.random = torch.Generator().manual_seed(options.seed)
        self.steps = options.epochs * -(-tokens // options.batch_size)
        self.optimiser = torch.optim.Adam(model.parameters(), lr=options.learning_rate)
        self.schedule: torch.optim.lr_scheduler.LRScheduler
        if options.schedule == "one_cycle":
            self.schedule = torch.optim.lr_scheduler.OneCycleLR(
                self.optimiser, options.learning_rate, total_steps=self.steps + 1, pct_start=0.1
            )
        else:
            self.schedule = torch.optim.lr_scheduler.ConstantLR(self.optimiser, factor=1.0)
        self.rows: list[dict[str, float]] = []
        self.steps_done, self.seconds = 0, 0.0

    def run(
        self,
        folder: Path | None = None,
        resume: bool = False,
        told: Mapping[str, object] | None = None,
        corpus_hash: str = "",
        progress: Callable[[int, int], None] | None = None,
    ) -> pd.DataFrame:
        """Train all epochs, or those that are left, and return the history.

        Parameters
        ----------
        folder : Path, optional
            Where state and `history.csv` are written after every epoch.
        resume : bool
            Go on from the state in `folder`.
        told : mapping, optional
            What else decides what comes out; a training is resumed with the same only.
        corpus_hash : str
            Hash of the speech; likewise.
        progress : callable, optional
            Called with (steps done, steps in all).

        Raises
        ------
        ArgumentError
            There is nothing to resume, or it was another training.
        FitError
            The loss became NaN or infinite.
        """
        options = {**asdict(self.options), **(told or {})}
        state = state_to_resume(folder, resume, options, corpus_hash)
        if state is not None:
            self._take_up(state)
        began = time.perf_counter() - self.seconds
        while len(self.rows) < self.options.epochs:
            loss = self._epoch(progress)
            self.model.eval()
            with torch.no_grad():
                seen = dict(self.look())
            self.seconds = time.perf_counter() - began
            epoch = {"epoch": len(self.rows) + 1, "steps": self.steps_done, "loss": loss}
            self.rows.append({**epoch, **seen, "seconds": self.seconds})
            if folder is not None:
                write_state(folder, {"options": options, "corpus_hash": corpus_hash, **self._state()})
                with replacing(folder / "history.csv") as partial:
                    pd.DataFrame(self.rows).to_csv(partial, index=False)
        return pd.DataFrame(self.rows)

    def _epoch(self, progress: Callable[[int, int], None] | None) -> float:
        """Go through the training tokens once; return the mean loss."""
        self.model.train()
        batches = self._batches()
        losses = []
        for batch in batches:
            loss = self.loss(batch, self.random)
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            self.schedule.step()
            losses.append(loss.detach())
            self.steps_done += 1
            if progress is not None:
                progress(self.steps_done, self.steps)
        # Once an epoch: a GPU would have to be waited for at every step.
        told = torch.stack(losses).double().cpu()
        wrong = (~torch.isfinite(told)).nonzero()
        if len(wrong):
            step = self.steps_done - len(batches) + int(wrong[0]) + 1
            raise FitError(
                f"The loss became {told[wrong[0]].item()} at step {step} of {self.steps}. "
                "Choose a lower learning_rate, and check the audio for extreme values."
            )
        sizes = torch.tensor([len(batch) for batch in batches], dtype=told.dtype)
        return float((told * sizes).sum() / self.tokens)

    def _batches(self) -> Sequence[Tensor]:
        """Return the numbers of the tokens of every batch, in random order."""
        order, size = torch.randperm(self.tokens, generator=self.random), self.options.batch_size
        if self.lengths is None:
            return order.split(size)
        batches = [
            batch
            for pool in order.split(_POOL * size)
            for batch in pool[self.lengths[pool].argsort(stable=True)].split(size)
        ]
        return [batches[index] for index in torch.randperm(len(batches), generator=self.random)]

    def _state(self) -> dict[str, Any]:
        place = device_of(self.model)
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "order": self.random.get_state(),
            "random": torch.get_rng_state(),
            "random_of_the_gpu": torch.cuda.get_rng_state(place)
            if place is not None and place.type == "cuda"
            else None,
            "history": self.rows,
            "steps": self.steps_done,
            "seconds": self.seconds,
        }

    def _take_up(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.random.set_state(state["order"])
        torch.set_rng_state(state["random"])
        place = device_of(self.model)
        if place is not None and place.type == "cuda" and state["random_of_the_gpu"] is not None:
            torch.cuda.set_rng_state(state["random_of_the_gpu"], place)
        self.rows, self.steps_done, self.seconds = state["history"], state["steps"], state["seconds"]
