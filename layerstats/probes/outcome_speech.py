"""Stored outcomes of maximizations as speech: a corpus whose tokens are starts and whose words are their targets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr

from layerstats.checks import check_choice
from layerstats.corpora import Corpus
from layerstats.corpora.phones import empty_phones
from layerstats.errors import ArgumentError, AudioError
from layerstats.models import MelFrontEnd, choose_device
from layerstats.models.vocoders import GriffinLim, Vocoder, check_settings
from layerstats.probes.maximization.places import differentiating
from layerstats.probes.maximization.priors.protocol import Prior
from layerstats.probes.maximization.rendering import prior_of, rendered, stored_hearing
from layerstats.store import Experiment

# Half of full scale: room for players, and for what resamples it.
_PEAK = 16384
# Starts that are made into sound at once, and kept: neighbours are asked for one after another.
_BATCH = 32
# Of networks that hear waveforms and do not say so: the rate of `Clips`.
_RATE_HZ = 16000


def outcome_speech(
    experiment: Experiment,
    *,
    name: str | None = None,
    set_up: str | None = None,
    network: str | None = None,
    starts: Sequence[str] | None = None,
    which: str = "after",
    prior: str | Prior | None = None,
    vocoder: Vocoder | None = None,
    device: str = "auto",
) -> Corpus:
    """Make stored outcomes audible, each start when it is asked for.

    What a network with a mel front end heard becomes sound by a vocoder. A prior that makes waveforms of its own, or a
    network that hears them, needs none.

    Parameters
    ----------
    experiment : Experiment
        The store.
    name, set_up, network : str, optional
        Which outcomes, where there are several.
    starts : sequence of str, optional
        Which starts, in this order; by default all.
    which : {"after", "before"}
        What became of them, or what they began as.
    prior : str or Prior, optional
        Of codes: the prior that decodes them, "autoencoder:FILE" for instance.
    vocoder : Vocoder, optional
        By default Griffin-Lim with the settings of the front end.
    device : str
        "auto" (a GPU where there is one), or a torch device.

    Returns
    -------
    Corpus
        Without phones; tokens `token` (the start), `word` (the target), `speaker` (the target network), `split`
        ("maximized"), `duration_s, set_up, number, seed, begun_from` (the natural token, or ""), `which`. The audio has
        16 bits and a peak of half of full scale, and lasts as long as the network's clips.

    Raises
    ------
    ArgumentError
        There are no such outcomes or starts, a prior is missing, or the vocoder takes features of other mel parameters
        than those of the front end, which are named.
    AudioError
        A start is silent, or the vocoder gives no sound of it; when it is asked for.
    StoreError
        The outcomes are half-written, or the prior has other weights than those that the codes were made with.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.models import ConvolutionalEncoder
    >>> from layerstats.probes import maximize_activations
    >>> network = ConvolutionalEncoder(outputs=2, width=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     experiment = maximize_activations(network, ["0", "1"], f"{folder}/s.zarr", starts=1, steps=3)
    ...     outcome_speech(experiment).tokens[["token", "word", "split"]].values.tolist()
    [['0_00000', '0', 'maximized'], ['1_00000', '1', 'maximized']]
    """
    check_choice("which", which, ("after", "before"))
    outcome = experiment.outcome(name, set_up=set_up, network=network)
    names = outcome["start"].to_numpy().astype(object)
    rows = np.arange(len(names)) if starts is None else _rows(names, starts)
    voice = _Voice(outcome, which, prior, vocoder, device)
    tokens = pd.DataFrame(
        {
            "token": names[rows],
            "word": outcome["target"].to_numpy().astype(object)[rows],
            "speaker": str(outcome.attrs["network"]),
            "split": "maximized",
            "duration_s": voice.samples / voice.rate_hz,
            "set_up": str(outcome.attrs["set_up"]),
            "number": outcome["number"].to_numpy()[rows],
            "seed": outcome["seed"].to_numpy()[rows],
            "begun_from": outcome["token"].to_numpy().astype(object)[rows],
            "which": which,
        }
    )
    source = SynthesisedAudio(voice, tokens["token"].tolist(), rows.tolist())
    title = f"{outcome.attrs['set_up']}.{outcome.attrs['network']}"
    return Corpus(title, tokens, empty_phones(), voice.rate_hz, source)


def _rows(names: np.ndarray, starts: Sequence[str]) -> np.ndarray:
    if isinstance(starts, str) or not len(starts) or len(set(starts)) < len(starts):
        raise ArgumentError(f"The 'starts' parameter must list one or more different starts, but got {starts!r}.")
    rows = pd.Index(names).get_indexer(pd.Index(list(starts), dtype=object))
    if (rows < 0).any():
        missing = starts[int(np.flatnonzero(rows < 0)[0])]
        raise ArgumentError(f"There is no start {missing!r}; there are {names[0]!r} to {names[-1]!r} ({len(names)}).")
    return rows


class _Voice:
    """What makes waveforms of rows of outcomes."""

    def __init__(
        self, outcome: xr.Dataset, which: str, prior: str | Prior | None, vocoder: Vocoder | None, device: str
    ) -> None:
        self.outcome, self.which, self.device = outcome, which, device
        self.hearing = stored_hearing(outcome.attrs)
        self.prior = prior_of(outcome.attrs, prior) if f"codes_{which}" in outcome else None
        self.vocoder: Vocoder | None = None
        # A prior that says waveforms of its own.
        said = None if self.prior is None else getattr(self.prior, "rate_hz", None)
        if said is not None or self.hearing.dims == ("sample",):
            if vocoder is not None:
                raise ArgumentError(
                    f"The outcomes {outcome.attrs['set_up']!r} are waveforms: they need no vocoder, but got one."
                )
            self.rate_hz = int(said or outcome.attrs.get("rate_hz", _RATE_HZ))
            self.samples = int(self.hearing.front_end.get("samples", self.hearing.shape[0]))  # pyright: ignore
        elif self.hearing.front_end:
            front_end = MelFrontEnd(**self.hearing.front_end)  # pyright: ignore[reportArgumentType]
            self.vocoder = GriffinLim(front_end) if vocoder is None else vocoder
            check_settings(self.vocoder, self.hearing.front_end)
            self.rate_hz, self.samples = front_end.rate_hz, front_end.samples
        else:
            raise ArgumentError(
                f"The outcomes {outcome.attrs['set_up']!r} are ({', '.join(self.hearing.dims)}) of a network without a "
                "mel front end or waveforms: they have no sound."
            )

    def identity(self) -> str:
        """Return what determines every sound, the name of its start aside, as text."""
        vocoder = None if self.vocoder is None else {**self.vocoder.settings, **self.vocoder.attrs}
        about = {"key": self.outcome.attrs["key"], "which": self.which, "vocoder": vocoder}
        return json.dumps(about, sort_keys=True)

    def waveforms(self, rows: Sequence[int]) -> np.ndarray:
        """Return waveforms (start, sample) of any peak."""
        if self.vocoder is not None:
            features = torch.from_numpy(
                rendered(self.outcome, rows, self.which, prior=self.prior, device=self.device, batch_size=_BATCH)
            )
            return self._said(features)
        if self.prior is None or not hasattr(self.prior, "waveforms"):
            return rendered(self.outcome, rows, self.which, prior=self.prior, device=self.device, batch_size=_BATCH)
        speaking: Any = self.prior
        codes = self.outcome[f"codes_{self.which}"].isel(start=rows).to_numpy()
        with differentiating(self.prior.modules, self.device) as place, torch.no_grad():
            return speaking.waveforms(torch.from_numpy(codes).to(place)).float().cpu().numpy()

    def _said(self, features: torch.Tensor) -> np.ndarray:
        assert self.vocoder is not None
        # A vocoder of one's own knows where its weights are.
        own = isinstance(self.vocoder, GriffinLim)
        with torch.no_grad():
            sound = self.vocoder.synthesise(features.to(choose_device(self.device)) if own else features)
        if not isinstance(sound, torch.Tensor) or sound.ndim != 2 or len(sound) != len(features):
            got = tuple(sound.shape) if isinstance(sound, torch.Tensor) else type(sound).__name__
            raise ArgumentError(
                f"The vocoder {type(self.vocoder).__name__} must give waveforms ({len(features)}, sample), but gave "
                f"{got}."
            )
        return _of_length(sound.detach().float().cpu().numpy(), self.samples)


def _of_length(waveforms: np.ndarray, samples: int) -> np.ndarray:
    """Return waveforms of the length of a clip: vocoders often say a few samples more or less."""
    missing = samples - waveforms.shape[1]
    return np.pad(waveforms, ((0, 0), (0, missing))) if missing > 0 else waveforms[:, :samples]


@dataclass(frozen=True, eq=False)
class SynthesisedAudio:
    """Audio that is made when it is asked for, a few neighbours at once.

    Parameters
    ----------
    voice : object
        What makes it.
    starts : sequence of str
        Names of the starts.
    rows : sequence of int
        Of each start its row of the outcomes.
    """

    voice: _Voice = field(repr=False)
    starts: Sequence[str] = field(repr=False)
    rows: Sequence[int] = field(repr=False)
    _made: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {start: place for place, start in enumerate(self.starts)}

    def load(self, token: str) -> np.ndarray:
        """Return the audio of a start, float32 (sample,), as 16 bits hold it.

        Raises
        ------
        AudioError
            It is silent, or has NaN or infinite samples.
        """
        if token not in self._made:
            first = self._places[token] // _BATCH * _BATCH
            made = self.voice.waveforms(self.rows[first : first + _BATCH])
            self._made.clear()
            self._made.update(zip(self.starts[first : first + _BATCH], made, strict=True))
        waveform = self._made[token]
        peak = float(np.abs(waveform).max())
        if not np.isfinite(peak) or peak == 0:
            what = "is silent" if peak == 0 else "has NaN or infinite samples"
            raise AudioError(
                f"The sound of the start {token!r} of {self.voice.outcome.attrs['set_up']!r} {what} "
                f"({self.voice.which} maximization): nobody can hear it."
            )
        return np.rint(waveform * (_PEAK / peak)).astype(np.float32) / np.float32(32768)

    def fingerprints(self, tokens: Iterable[str]) -> list[str]:
        """Return what identifies the audio of each start, without making it."""
        made = self.voice.identity()
        return [hashlib.sha256(f"{made}\n{token}".encode()).hexdigest() for token in tokens]
