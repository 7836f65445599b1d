"""Clips of a listening test from outcomes of maximizations in a store, and natural tokens beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_count
from layerstats.errors import ArgumentError
from layerstats.files import plain_stem

if TYPE_CHECKING:
    from layerstats.cli.auditioned_draws import Voices
    from layerstats.models.vocoders import Vocoder
    from layerstats.store import Experiment

_STORED = "stored"
_NATURAL = "natural"


@dataclass(frozen=True)
class OutcomeChoice:
    """Which outcomes of a store are heard.

    Parameters
    ----------
    set_ups, networks, nulls, targets : list of str, optional
        As for `layerstats audition`; by default all set-ups of the first network without nulls.
    draws : int
        The first so many starts of each class, set-up and network, whatever became of them.
    natural : str, optional
        Natural tokens of the same words, as many a word: "stored" for those of the store, or a corpus.
    natural_role : {"test", "reference"}
        Whether natural tokens are a condition or hidden references.
    """

    set_ups: list[str] | None = None
    networks: list[str] | None = None
    nulls: list[str] | None = None
    targets: list[str] | None = None
    draws: int = 3
    natural: str | None = None
    natural_role: str = "test"


def write_outcome_clips(
    store: Path,
    folder: Path,
    choice: OutcomeChoice,
    priors: Sequence[str] | None = None,
    vocoder: Vocoder | None = None,
    device: str = "auto",
) -> pd.DataFrame:
    """Make outcomes audible, write them as sound files, and return the table of clips.

    Returns
    -------
    DataFrame
        `clip, file` (below `folder`), `condition` (the set-up; with the network where there are several, and the null
        where it is one; or "natural"), `target, role, set_up, network, null, start, number, token`.

    Raises
    ------
    ArgumentError
        There are no such outcomes.
    AudioError
        A start is silent.
    """
    from layerstats.cli.auditioned_draws import Voices, chosen_outcomes, drawn_rows, priors_by_kind
    from layerstats.store import open_store

    check_count("draws", choice.draws)
    check_choice("natural_role", choice.natural_role, ("test", "reference"))
    voices = Voices(priors_by_kind(priors or []), vocoder, device)
    experiment = open_store(store)
    found = chosen_outcomes(experiment, choice.set_ups, choice.networks, choice.nulls)
    names = [str(name) for name in found["name"]]
    rows = {name: drawn_rows(experiment.outcome(name), choice.targets, choice.draws) for name in names}
    several = len(set(found["network"].tolist())) > 1
    clips = [clip for name in names for clip in _outcome_clips(experiment, name, rows[name], folder, voices, several)]
    if choice.natural is not None:
        clips += _natural_clips(experiment, rows, folder, voices, choice)
    return pd.DataFrame(clips)


def _outcome_clips(
    experiment: Experiment, name: str, rows: np.ndarray, folder: Path, voices: Voices, several: bool
) -> list[dict[str, Any]]:
    from layerstats.corpora.wav_files import write_wav
    from layerstats.probes.outcome_speech import outcome_speech

    outcome = experiment.outcome(name)
    starts = outcome["start"].to_numpy().astype(object)[rows].tolist()
    options: Any = {"prior": voices.prior_of(outcome), "vocoder": voices.vocoder, "device": voices.device}
    speech = outcome_speech(experiment, name=name, starts=starts, **options)
    set_up, network, null = (str(outcome.attrs.get(each, "")) for each in ("set_up", "network", "null"))
    condition = " ".join([set_up, *([network] if several else []), *([null] if null else [])])
    clips, taken = [], set()
    for token in speech.tokens.to_dict("records"):
        clip = f"{condition} {token['token']}"
        file = f"{plain_stem(name, token['token'], taken=taken)}.wav"
        write_wav(folder / file, speech.audio(token["token"]), speech.rate_hz)
        clips.append(
            {
                "clip": clip,
                "file": file,
                "condition": condition,
                "target": token["word"],
                "role": "test",
                "set_up": set_up,
                "network": network,
                "null": null,
                "start": token["token"],
                "number": token["number"],
                "token": token["begun_from"],
            }
        )
    return clips


def _natural_clips(
    experiment: Experiment, rows: dict[str, np.ndarray], folder: Path, voices: Voices, choice: OutcomeChoice
) -> list[dict[str, Any]]:
    """Return natural tokens, which pass through the front end and the vocoder of what they are compared with."""
    from layerstats.cli.auditioned_draws import shown_front_end
    from layerstats.cli.auditioned_exemplars import natural_exemplars
    from layerstats.corpora.wav_files import write_wav

    found = experiment.outcomes
    front_end = shown_front_end(found.loc[found["name"].isin(list(rows))].reset_index(drop=True))
    corpus = None if choice.natural == _STORED else choice.natural
    clips = []
    exemplars = natural_exemplars(experiment, rows, corpus, choice.draws, front_end, voices)
    for number, exemplar in enumerate(exemplars):
        file = f"{_NATURAL}.{number}.wav"
        write_wav(folder / file, exemplar.sound.waveform, exemplar.sound.rate_hz)
        clips.append(
            {
                "clip": f"{_NATURAL} {exemplar.word} {exemplar.token}",
                "file": file,
                "condition": _NATURAL,
                "target": exemplar.word,
                "role": choice.natural_role,
                "token": exemplar.token,
            }
        )
    if not clips:
        raise ArgumentError(
            f"{experiment.path} holds no natural tokens of these words. Name a corpus: --natural demo, or keep some: "
            "layerstats maximize --nulls natural"
        )
    return clips
