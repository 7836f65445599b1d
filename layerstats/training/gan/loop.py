"""Training of a ciwGAN or fiwGAN from beginning to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from layerstats.checks import check_positive
from layerstats.corpora import Clips, Corpus
from layerstats.errors import FitError
from layerstats.files import replacing
from layerstats.models import InfoWaveGAN, choose_device, repeatable, seeded
from layerstats.training.gan.card import gan_card
from layerstats.training.gan.listen import write_samples
from layerstats.training.gan.monitor import MOST_WATCHED, HeldOutSpeech, watch
from layerstats.training.gan.options import GanOptions, check_batch, codes_for
from layerstats.training.gan.processes import Processes, own_device, started_processes
from layerstats.training.gan.result import GanResult
from layerstats.training.gan.step import LOSSES, TrainingStep
from layerstats.training.sides import hold_out_speakers
from layerstats.training.state import state_to_resume, write_state

# A network is kept as the best only while it neither says one thing nor hears one thing.
LEAST_DIVERSITY, LEAST_CODE_ENTROPY = 0.5, 0.5


def train_gan(
    corpus: Corpus | Clips,
    *,
    kind: str = "ciwgan",
    codes: int | None = None,
    latent: int = 100,
    width: int = 64,
    slope: float = 0.2,
    phase_shuffle: int = 2,
    batch_size: int = 64,
    critic_updates: int = 5,
    penalty: float = 10.0,
    learning_rate: float = 1e-4,
    code_learning_rate: float = 1e-4,
    steps: int = 100_000,
    hours: float | None = None,
    watch_every: int = 250,
    listen_every: int = 1000,
    seed: int = 0,
    device: str = "auto",
    precision: str = "float32",
    folder: str | Path | None = None,
    resume: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> GanResult:
    """Train a ciwGAN or fiwGAN on speech without its labels.

    Losses, order of updates and optimisers are those of Begus & Zhou (2022, section 3) and Donahue et al. (2019):
    Wasserstein loss with gradient penalty, five updates of the critic for one of the generator, Adam for both; then one
    update of the Q-network *and* the generator by RMSProp on the cross-entropy of the codes. Tokens whose `split` is
    "train" are learned from; those of "test" are only looked at. Words are used for the record, never for learning or
    for choosing the step that is kept: that is the one whose codes tell held-out clips apart best and whose speech is
    nearest to them, by unlabelled measures (`code_information - spectral_distance`), if it has not collapsed.

    Start the program with torchrun to train in several processes: each takes its share of the batch. On a GPU
    the same seed gives the same network as well; training on several GPUs has not been tried.

    Parameters
    ----------
    corpus : Corpus or Clips
        Speech; a Corpus is heard as `Clips(corpus)`, whose `samples` is the slice length.
    kind : {"ciwgan", "fiwgan"}
        One-hot codes or bits.
    codes : int, optional
        Number of categories or bits; by default one category a word, or as many bits as number the words.
    latent, width, slope, phase_shuffle
        As for `InfoWaveGAN`.
    batch_size, critic_updates, penalty, learning_rate, code_learning_rate, seed, precision
        As for `GanOptions`.
    steps : int
        Updates of the generator, those before a resumption included.
    hours : float, optional
        Longest time that this call may train.
    watch_every, listen_every : int
        After how many steps the network is looked at (and its state written), and samples are written.
    device : str
        "auto" (a GPU where there is one), or a torch device.
    folder : path, optional
        Where the state, `history.csv` and samples (`listen/`) are written.
    resume : bool
        Go on from the state in `folder`; on a CPU with the same number of threads, to the same losses.
    progress : callable, optional
        Called with (steps done, steps in all).

    Returns
    -------
    GanResult

    Raises
    ------
    AudioError
        The audio of a token cannot be used; before anything is trained.
    ArgumentError
        A parameter is out of range; or the folder holds another training.
    AudioError
        A clip is longer than the slice.
    CorpusError
        There are too few tokens for a batch, more words than codes, or speakers on both sides.
    FitError
        The losses became NaN before the network had been looked at even once.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> speech = demo_corpus(words=["ask", "wash"], voices=4)
    >>> result = train_gan(speech, width=1, batch_size=2, critic_updates=1, steps=1)
    >>> result.history["step"].tolist()
    [1]
    """
    for name, value in {"steps": steps, "watch_every": watch_every, "listen_every": listen_every}.items():
        check_positive(name, value)
    if hours is not None:
        check_positive("hours", hours)
    clips = hold_out_speakers(corpus if isinstance(corpus, Clips) else Clips(corpus), seed)
    clips.check_audio()
    words = sorted(clips.tokens["word"].unique())
    options = GanOptions(
        kind=kind,
        codes=codes_for(kind, len(words), codes),
        latent=latent,
        width=width,
        slope=slope,
        phase_shuffle=phase_shuffle,
        batch_size=batch_size,
        critic_updates=critic_updates,
        penalty=penalty,
        learning_rate=learning_rate,
        code_learning_rate=code_learning_rate,
        seed=seed,
        precision=precision,
    )
    place = own_device(choose_device(device))
    learned = np.flatnonzero(clips.tokens["split"] == "train")
    folder = None if folder is None else Path(folder)
    with started_processes(place) as processes, seeded(seed, place), repeatable():
        check_batch(batch_size, len(learned), processes.count)
        state = state_to_resume(folder, resume, asdict(options), clips.content_hash())
        run = _Run(clips, learned, words, options, place, processes)
        run.begin(folder, state)
        stopped = run.train(steps, hours, watch_every, listen_every, progress)
        return run.result(stopped, place)


class _Run:
    """One training: the network, what has been seen of it, and what is kept."""

    def __init__(
        self,
        clips: Clips,
        learned: np.ndarray,
        words: list[str],
        options: GanOptions,
        place: torch.device,
        processes: Processes,
    ) -> None:
        self.clips, self.options, self.processes = clips, options, processes
        self.corpus_hash = clips.content_hash()
        self.model = InfoWaveGAN(
            options.kind,
            options.codes,
            options.latent,
            options.width,
            clips.one_length("Training"),
            options.slope,
            options.phase_shuffle,
        ).to(place)
        self.model.train()
        waveforms = torch.from_numpy(clips.waveforms(learned))
        self.step = TrainingStep(self.model, waveforms, options, processes)
        self.held_out = _held_out(clips, words)
        self.done, self.seconds, self.best_step = 0, 0.0, 0
        self.rows: list[dict[str, float]] = []
        self.best: dict[str, Tensor] = {}
        self.folder: Path | None = None

    def begin(self, folder: Path | None, state: dict[str, Any] | None) -> None:
        """Take up the training that left this state, if any, and write into `folder`."""
        self.folder = folder
        if state is not None:
            self.model.load_state_dict(state["model"])
            for name, optimiser in self.step.optimisers.items():
                optimiser.load_state_dict(state["optimisers"][name])
            torch.set_rng_state(state["random"])
            self.step.order = state["order"]
            self.done, self.seconds = state["step"], state["seconds"]
            self.rows, self.best_step, self.best = state["history"], state["best_step"], state["best"]

    def train(
        self,
        steps: int,
        hours: float | None,
        watch_every: int,
        listen_every: int,
        progress: Callable[[int, int], None] | None,
    ) -> str:
        """Train until `steps` are done or time is up; return why it ended."""
        began, before = time.perf_counter(), self.seconds
        losses: list[Tensor] = []
        while self.done < steps:
            losses.append(self.step())
            self.done += 1
            self.seconds = before + time.perf_counter() - began
            if not torch.isfinite(losses[-1]).all():
                return self._not_finite(losses[-1])
            late = hours is not None and self.processes.agree(self.seconds - before > 3600 * hours)
            if self.done % watch_every == 0 or self.done == steps or late:
                trouble = self._look(torch.stack(losses).mean(dim=0))
                if trouble:
                    return trouble
                losses = []
                if self.processes.first and self.folder is not None:
                    self._write(self.folder, listen=self.done % listen_every == 0 or late)
            if progress is not None:
                progress(self.done, steps)
            if late:
                return f"The time of {hours:g} h was up after step {self.done} of {steps}."
        return f"All {steps} steps were done."

    def result(self, stopped: str, place: torch.device) -> GanResult:
        """Return the network of the best step."""
        if not self.best:
            raise FitError(f"{stopped} Nothing had been saved yet. Choose a lower learning_rate, and check the audio.")
        self.model.load_state_dict(self.best)
        history = pd.DataFrame(self.rows)
        card = gan_card(self.clips, self.options, history, self.best_step, stopped, place, self.processes.count)
        return GanResult(
            self.model.cpu().eval(), card, history, self.best_step, stopped, first_process=self.processes.first
        )

    def _look(self, losses: Tensor) -> str | None:
        """Add a row to the history and keep the network if it is the best; return what is wrong with it."""
        if not all(bool(torch.isfinite(parameter).all()) for parameter in self.model.parameters()):
            return self._not_finite(losses)
        row = {"step": self.done, **dict(zip(LOSSES, losses.tolist(), strict=True)), **watch(self.model, self.held_out)}
        self.rows.append({**row, "seconds": round(self.seconds, 1)})
        if not self.best or best_row(self.rows) == len(self.rows) - 1:
            self.best_step = self.done
            self.best = {name: value.detach().cpu().clone() for name, value in self.model.state_dict().items()}
        return None

    def _not_finite(self, losses: Tensor) -> str:
        named = ", ".join(f"{name} {value:g}" for name, value in zip(LOSSES, losses.tolist(), strict=True))
        return f"The losses or weights were no longer finite at step {self.done} ({named})."

    def _write(self, folder: Path, listen: bool) -> None:
        write_state(
            folder,
            {
                "options": asdict(self.options),
                "corpus_hash": self.corpus_hash,
                "step": self.done,
                "seconds": self.seconds,
                "model": self.model.state_dict(),
                "optimisers": {name: optimiser.state_dict() for name, optimiser in self.step.optimisers.items()},
                "random": torch.get_rng_state(),
                "order": self.step.order,
                "history": self.rows,
                "best_step": self.best_step,
                "best": self.best,
            },
        )
        with replacing(folder / "history.csv") as partial:
            pd.DataFrame(self.rows).to_csv(partial, index=False)
        if listen:
            write_samples(self.model, folder / "listen" / f"step_{self.done:06d}", self.clips.rate_hz)


def best_row(rows: list[dict[str, float]]) -> int:
    """Return the position of the network to keep, by what it makes of unlabelled speech.

    Among those that have not collapsed it is the one with the largest `code_information - spectral_distance`: its codes
    tell held-out clips apart, and what it says is near them. Both are shares of what is possible.

    Examples
    --------
    >>> alive = {"diversity": 0.9, "code_entropy": 0.9, "spectral_distance": 0.3}
    >>> best_row([{**alive, "code_information": 0.2}, {**alive, "code_information": 0.4}])
    1
    """

    def collapsed(row: dict[str, float]) -> bool:
        return row["diversity"] < LEAST_DIVERSITY or row["code_entropy"] < LEAST_CODE_ENTROPY

    def worth(row: dict[str, float]) -> float:
        return row["code_information"] - row["spectral_distance"]

    return max(range(len(rows)), key=lambda index: (not collapsed(rows[index]), worth(rows[index])))


def _held_out(clips: Clips, words: list[str]) -> HeldOutSpeech:
    rows = np.flatnonzero(clips.tokens["split"] == "test")
    # At random, not at even steps: those may meet the same words again and again.
    rows = np.sort(np.random.default_rng(0).permutation(rows)[:MOST_WATCHED])
    numbers = np.array([words.index(word) for word in clips.tokens["word"].iloc[rows]])
    return HeldOutSpeech(torch.from_numpy(clips.waveforms(rows)), numbers)
