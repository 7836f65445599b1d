"""What a page to listen to is made of: draws of stored outcomes, and natural exemplars of their classes."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError

if TYPE_CHECKING:
    import xarray as xr

    from layerstats.models import MelFrontEnd
    from layerstats.models.vocoders import Vocoder
    from layerstats.report.audition import Draw, Sound, SpectrogramAxes
    from layerstats.store import Experiment

# Draws that are in memory at once.
_AT_ONCE = 32
# Where spectrograms have a label.
_LABELLED_HZ = (250, 500, 1000, 2000, 4000)
NATURAL = "natural"


@dataclass(frozen=True)
class Voices:
    """What makes stored outcomes audible.

    Parameters
    ----------
    priors : mapping of str to str
        By their kind, such as "autoencoder", how they are opened: "autoencoder:FILE".
    vocoder : Vocoder, optional
        Griffin-Lim by default.
    device : str
        "auto" or a torch device.
    """

    priors: Mapping[str, str]
    vocoder: Vocoder | None
    device: str

    def prior_of(self, outcome: xr.Dataset) -> str | None:
        """Return how the prior of outcomes is opened; None where the outcomes say all of it."""
        return self.priors.get(str(outcome.attrs["prior"]))


def priors_by_kind(priors: Sequence[str]) -> dict[str, str]:
    """Return priors by their kind: what stands before the colon.

    Raises
    ------
    ArgumentError
        One has no kind.
    """
    wrong = [prior for prior in priors if ":" not in prior]
    if wrong:
        raise ArgumentError(f"--priors takes KIND:FILE, such as autoencoder:FILE.safetensors, but got {wrong[0]!r}.")
    return {prior.partition(":")[0]: prior for prior in priors}


def chosen_outcomes(
    experiment: Experiment,
    set_ups: Sequence[str] | None,
    networks: Sequence[str] | None,
    nulls: Sequence[str] | None,
) -> pd.DataFrame:
    """Return rows of `experiment.outcomes`: of the set-ups, networks and nulls asked for.

    By default these are all set-ups of the first network, without nulls; ["all"] stands for all networks. Nulls with
    networks of their own, such as untrained ones, are there whatever networks are asked for.

    Raises
    ------
    ArgumentError
        There are no outcomes, or no such set-up, network or null.
    """
    found = experiment.outcomes
    if found.empty:
        raise ArgumentError(
            f"{experiment.path} has no outcomes of maximizations. Make some: layerstats maximize CHECKPOINT STORE"
        )
    real = found.loc[found["null"] == "", "network"]
    if networks is None:
        networks = list(map(str, real[:1]))
    wanted = {"set_up": set_ups, "network": None if networks == ["all"] else networks, "null": nulls}
    for column, names in wanted.items():
        there = set(map(str, found[column])) - {""}
        unknown = [each for each in names or () if each not in there]
        if unknown:
            has = _list(sorted(there)) or "none"
            what = column.replace("_", "-")
            raise ArgumentError(f"{experiment.path} has no outcomes of the {what} {unknown[0]!r}; it has {has}.")
    chosen = found["null"].isin(["", *(nulls or ())]).to_numpy()
    if set_ups is not None:
        chosen = chosen & found["set_up"].isin(list(set_ups)).to_numpy()
    if networks != ["all"]:
        chosen = chosen & (found["network"].isin(networks) | ~found["network"].isin(list(real))).to_numpy()
    if not chosen.any():
        raise ArgumentError(
            f"No outcomes of {experiment.path} are so. There are: {_list(found['name'])}. Nulls are named by --nulls."
        )
    return found.iloc[np.flatnonzero(chosen)].reset_index(drop=True)


def _list(names: Iterable[object]) -> str:
    return ", ".join(map(repr, dict.fromkeys(map(str, names))))


def drawn_rows(outcome: xr.Dataset, targets: Sequence[str] | None, draws: int) -> np.ndarray:
    """Return the first so many starts of every target, by their numbers: whatever became of them.

    Raises
    ------
    ArgumentError
        There is no such target.
    """
    of_row = outcome["target"].to_numpy().astype(object)
    there = list(dict.fromkeys(map(str, of_row)))
    unknown = [each for each in targets or () if each not in there]
    if unknown:
        raise ArgumentError(
            f"Nobody attempted the class {unknown[0]!r} in the outcomes {outcome.attrs['set_up']!r}; there are "
            f"{_list(there)}."
        )
    numbers, chosen = outcome["number"].to_numpy(), []
    for target in there if targets is None else targets:
        own = np.flatnonzero(of_row == target)
        chosen.append(own[np.argsort(numbers[own], kind="stable")[:draws]])
    return np.concatenate([np.zeros(0, dtype=int), *chosen])


def shown_front_end(outcomes: pd.DataFrame) -> MelFrontEnd:
    """Return the front end whose spectrograms are shown: the networks' own, else the published one.

    Raises
    ------
    ArgumentError
        The networks have different front ends, whose spectrograms are not comparable.
    """
    if len(set(outcomes["front_end"])) > 1:
        raise ArgumentError(
            f"The networks {_list(outcomes['network'])} have different front ends, so that their spectrograms "
            "cannot be compared. Choose some of one: --networks NAME"
        )
    from layerstats.models import MelFrontEnd

    settings: Any = json.loads(str(outcomes["front_end"].iloc[0]))
    return MelFrontEnd(**settings)


def axes_of(front_end: MelFrontEnd) -> SpectrogramAxes:
    """Return how the axes of the spectrograms of a front end are labelled."""
    from layerstats.report.audition import SpectrogramAxes

    bank = front_end.filterbank.double().numpy()
    hz = np.arange(bank.shape[1]) * front_end.rate_hz / front_end.n_fft
    centres = bank @ hz / bank.sum(axis=1)
    bands = np.arange(len(centres))
    labelled = [each for each in _LABELLED_HZ if centres[0] <= each <= centres[-1]]
    heights = {f"{each} Hz": (float(np.interp(each, centres, bands)) + 0.5) / len(bands) for each in labelled}
    duration_s = front_end.frames * front_end.hop / front_end.rate_hz
    return SpectrogramAxes(duration_s, heights, float(front_end.configuration["range_db"]))


def draws_of(
    experiment: Experiment, name: str, rows: np.ndarray, front_end: MelFrontEnd, voices: Voices
) -> Iterator[Draw]:
    """Yield draws of one set of outcomes, a few at a time.

    Raises
    ------
    AudioError
        A start is silent; the message names it.
    """
    from layerstats.report.audition import Draw

    outcome = experiment.outcome(name)
    before, after = (
        sounds_of(experiment, name, outcome, rows, which, front_end, voices) for which in ("before", "after")
    )
    judged = _judgements(experiment, name, outcome, rows)
    for row, start_before, start_after in zip(rows, before, after, strict=True):
        start = outcome.isel(start=int(row))
        yield Draw(
            start=str(start["start"].item()),
            target=str(start["target"].item()),
            set_up=str(outcome.attrs["set_up"]),
            network=str(outcome.attrs["network"]),
            number=int(start["number"].item()),
            seed=int(start["seed"].item()),
            before=start_before,
            after=start_after,
            judgements=judged[int(row)],
            null=str(outcome.attrs.get("null", "")),
            command=_command(experiment.path.name, name, outcome, start, voices),
            facts=_facts(outcome, start),
        )


def sounds_of(
    experiment: Experiment,
    name: str,
    outcome: xr.Dataset,
    rows: np.ndarray,
    which: str,
    front_end: MelFrontEnd,
    voices: Voices,
) -> Iterator[Sound]:
    """Yield the sounds of some starts with what the network heard of them."""
    from layerstats.probes.maximization.rendering import rendered
    from layerstats.probes.outcome_speech import outcome_speech
    from layerstats.report.audition import Sound

    names = outcome["start"].to_numpy().astype(object)[rows].tolist()
    prior = voices.prior_of(outcome)
    options: Any = {"which": which, "prior": prior, "device": voices.device}
    speech = outcome_speech(experiment, name=name, starts=names, vocoder=voices.vocoder, **options)
    for first in range(0, len(rows), _AT_ONCE):
        heard = rendered(outcome, rows[first : first + _AT_ONCE], **options)
        for start, own in zip(names[first : first + _AT_ONCE], heard, strict=True):
            waveform = speech.audio(start)
            shown = own if own.ndim == 2 else spectrogram_of(waveform, speech.rate_hz, front_end)
            yield Sound(waveform, speech.rate_hz, shown)


def spectrogram_of(waveform: np.ndarray, rate_hz: int, front_end: MelFrontEnd) -> np.ndarray:
    """Return features (time, mel) of a waveform (sample,)."""
    import torch

    from layerstats.corpora.audio import resample

    return front_end(torch.from_numpy(resample(waveform, rate_hz, front_end.rate_hz))[None])[0].numpy()


def _judgements(experiment: Experiment, name: str, outcome: xr.Dataset, rows: np.ndarray) -> dict[int, pd.DataFrame]:
    """Return what each judge says of each row, the target network first."""
    heard: list[tuple[str, np.ndarray, np.ndarray]] = []
    targets = outcome["target"].to_numpy().astype(object)[rows]
    if "scores_after" in outcome:
        heard.append(_of_scores(str(outcome.attrs["network"]), outcome["scores_after"].isel(start=rows), targets))
    known = experiment.judgements
    for judge in known.loc[(known["outcomes"] == name) & known["complete"].astype(bool), "judge"]:
        said = experiment.judgement(outcomes=name, judge=str(judge)).isel(start=rows)
        if judge == outcome.attrs["network"]:
            continue
        if "score" in said:
            heard.append(_of_scores(str(judge), said["score"], targets))
        else:
            heard.append((str(judge), said["response"].to_numpy().astype(object), np.full(len(rows), np.nan)))
    return {
        int(row): pd.DataFrame(
            {
                "judge": [judge for judge, _, _ in heard],
                "response": [str(responses[place]) for _, responses, _ in heard],
                "score": [float(scores[place]) for _, _, scores in heard],
            }
        )
        for place, row in enumerate(rows)
    }


def _of_scores(judge: str, scores: xr.DataArray, targets: np.ndarray) -> tuple[str, np.ndarray, np.ndarray]:
    """Return what is heard, the response of the highest score, and the score of the target."""
    values = scores.to_numpy()
    responses = scores[scores.dims[1]].to_numpy().astype(object)
    column = pd.Index(responses).get_indexer(pd.Index(targets))
    own = np.where(column >= 0, values[np.arange(len(values)), column], np.nan)
    return judge, responses[values.argmax(axis=1)], own


def _facts(outcome: xr.Dataset, start: xr.Dataset) -> dict[str, str]:
    """Return what else there is to say of a start, as text."""
    attrs = outcome.attrs
    told = {"prior": attrs["prior"], "objective": attrs["objective"], "begun from": start["token"].item()}
    facts = {name: str(value) for name, value in told.items() if value}
    facts["steps"] = f"{int(start['steps'].item())}{', stalled' if start['stalled'].item() else ''}"
    facts["displacement"] = (
        f"{start['displacement'].item():.3g} in what is optimised, {start['displacement_heard'].item():.3g} in what is "
        "heard (L2)"
    )
    if "scores_before" in start and start["target"].item() in start["class"].to_numpy():
        scores = [start[f"scores_{when}"].sel({"class": start["target"].item()}).item() for when in ("before", "after")]
        facts["score of the target network"] = f"{scores[0]:.3f} before, {scores[1]:.3f} after"
    return facts


def _command(store: str, name: str, outcome: xr.Dataset, start: xr.Dataset, voices: Voices) -> str:
    """Return what makes a start again, as it is typed; the checkpoint is called as the network is."""
    attrs = outcome.attrs
    # Set-up and network name what is no null.
    if attrs.get("null"):
        return f"layerstats.probes.make_again(network, {store!r}, {str(start['start'].item())!r}, name={name!r})"
    words = ["layerstats", "maximize", f"{attrs['network']}.safetensors", store]
    words += ["--again", str(start["start"].item()), "--set-up", str(attrs["set_up"]), "--name", str(attrs["network"])]
    prior = voices.prior_of(outcome)
    if prior is not None:
        words += ["--prior", prior]
    if start["token"].item():
        words += ["--corpus", str(attrs.get("corpus", "CORPUS"))]
    return shlex.join(words)
