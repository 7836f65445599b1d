"""Judging outcomes of maximizations: every judge hears what was made for every network, now or at any later time."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from layerstats.corpora import Clips, Corpus
from layerstats.errors import ArgumentError, DataError, StoreError
from layerstats.judges.judging import opened
from layerstats.judges.outcome_answers import answers, check_own_scores, checked_scores, stored_responses
from layerstats.judges.outcome_hearing import DIRECT, check_responses, check_weights, hearing_of_judge
from layerstats.judges.people import People
from layerstats.judges.protocol import Judge, NetworkJudge, check_judgements
from layerstats.store import Experiment, JudgementWriter, content_hash, missing_together, open_store
from layerstats.store.schema import check_name, clean_attributes

if TYPE_CHECKING:
    from layerstats.models.vocoders import Vocoder
    from layerstats.probes.maximization.priors import Prior

# Starts that are made into sound, and judged, at once.
SOUND_BATCH = 32


@dataclass(frozen=True, eq=False)
class _Set:
    """One set of outcomes, what decodes it, and how each judge hears it."""

    name: str
    outcomes: xr.Dataset
    prior: Prior | None
    vocoder: Vocoder | None
    device: str
    hearings: Mapping[str, str]

    def heard(self, rows: slice) -> np.ndarray:
        """Return what the target network heard, (start, ...)."""
        from layerstats.probes.maximization.rendering import rendered

        return rendered(self.outcomes, rows, prior=self.prior, device=self.device)

    def speech(self, experiment: Experiment, starts: Sequence[str]) -> Corpus:
        """Return some starts as speech, each a token, whose sound is made when it is asked for."""
        from layerstats.probes.outcome_speech import outcome_speech

        options: dict[str, Any] = {"prior": self.prior, "vocoder": self.vocoder, "device": self.device}
        speech = outcome_speech(experiment, name=self.name, starts=list(starts), **options)
        about = {name: str(self.outcomes.attrs.get(name, "")) for name in ("set_up", "network", "null")}
        return replace(speech, tokens=speech.tokens.assign(outcomes=self.name, **about))


def judge(
    store: str | os.PathLike[str],
    judges: Sequence[str | Judge],
    *,
    set_ups: Sequence[str] | None = None,
    networks: Sequence[str] | None = None,
    priors: Sequence[str | Prior] = (),
    words: Sequence[str] | None = None,
    vocoder: Vocoder | None = None,
    device: str = "auto",
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Experiment:
    """Ask judges what they hear in outcomes of maximizations, and keep what they say in the store.

    Every judge judges every set of outcomes: with the K target networks as judges that is K x K. A network whose front
    end has the settings of the target network's hears what that one heard; all other judges hear the sound. Judging
    that was stopped goes on where it stopped; a judge whose answer is there is not asked again.

    Parameters
    ----------
    store : path
        A store with outcomes.
    judges : sequence of str or Judge
        Names as for `open_judge` (checkpoints by their paths, "pocketsphinx", "people:FILE", ...), or anything that
        keeps to the protocol `Judge`.
    set_ups, networks : sequence of str, optional
        Only outcomes of these set-ups, of these target networks; all by default.
    priors : sequence of str or Prior
        What decodes stored codes, "autoencoder:FILE" for instance, one for each kind of prior that was used.
    words : sequence of str, optional
        What judges without words of their own may hear; by default the classes of the target networks.
    vocoder : Vocoder, optional
        What makes sound of features; by default Griffin-Lim.
    device : str
        "auto" (a GPU where there is one), or a torch device.
    overwrite : bool
        Replace judgements of a judge of the same name that is another one, or heard otherwise.
    progress : callable, optional
        Called with (starts judged, starts in all), of all sets and judges.

    Returns
    -------
    Experiment
        The store: `judgements` lists what is there, `judgement` gives it.

    Raises
    ------
    ArgumentError
        There is no such judge, set-up or network, or no outcomes at all; a judge has other labels, or other settings of
        its front end, than the target network.
    AudioError
        The sound of a start is silent.
    DataError
        A judge gives something else than its protocol says, NaN for instance; or the target network gives what is
        stored other scores than it did.
    StoreError
        The outcomes are half-written, were made by other weights than those of the judge of that name, or the store
        holds another judge's answer under this name.

    Examples
    --------
    >>> from layerstats.probes import maximize_activations
    >>> from layerstats.resources import bundled
    >>> import tempfile
    >>> from layerstats.models import load_checkpoint
    >>> network, card = load_checkpoint(bundled("data", "checkpoints", "words.safetensors"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/s.zarr"
    ...     options = {"starts": 2, "steps": 2, "card": card, "network_name": "words"}
    ...     _ = maximize_activations(network, ["ask", "wash"], path, **options)
    ...     experiment = judge(path, [str(bundled("data", "checkpoints", "words.safetensors"))])
    ...     experiment.judgement(judge="words")["score"].shape
    (4, 8)
    """
    experiment = open_store(store, incomplete="allow")
    names = _chosen(experiment, set_ups, networks)
    datasets = {name: experiment.outcome(name) for name in names}
    classes = dict.fromkeys(str(word) for dataset in datasets.values() for word in _classes(dataset))
    asked = opened(judges, tuple(words) if words is not None else tuple(classes) or None, device)
    _check_people(asked, datasets, experiment)
    sets = [_prepared(name, dataset, asked, priors, vocoder, device) for name, dataset in datasets.items()]
    total = sum(one.outcomes.sizes["start"] for one in sets) * len(asked)
    done = 0
    for one in sets:
        for count in _judged(experiment, one, asked, overwrite):
            done += count
            if progress is not None:
                progress(done, total)
    return open_store(store)


def _chosen(experiment: Experiment, set_ups: Sequence[str] | None, networks: Sequence[str] | None) -> list[str]:
    table = experiment.outcomes
    if table.empty:
        raise ArgumentError(f"{experiment.path} holds no outcomes. Make some: layerstats maximize CHECKPOINT STORE.")
    for column, wanted in (("set_up", set_ups), ("network", networks)):
        if wanted is None:
            continue
        unknown = [value for value in wanted if value not in set(table[column])]
        if isinstance(wanted, str) or unknown:
            there = ", ".join(map(repr, dict.fromkeys(table[column])))
            got = repr(wanted) if isinstance(wanted, str) else repr(unknown[0])
            raise ArgumentError(f"The {column}s to be judged must be a list of these: {there}; but got {got}.")
        table = table.loc[table[column].isin(list(wanted))]
    if table.empty:
        raise ArgumentError(f"{experiment.path} holds no outcomes of these set-ups and networks together.")
    half = table.loc[~table["complete"].astype(bool)]
    if len(half):
        raise StoreError(
            f"The outcomes {half['name'].tolist()[0]!r} of {experiment.path} are half-written. Run the call that made "
            "them again: it goes on where it stopped."
        )
    return table["name"].tolist()


def _classes(outcomes: xr.Dataset) -> list[str]:
    return [str(name) for name in outcomes["class"].to_numpy()] if "class" in outcomes.coords else []


def _check_people(asked: Sequence[Judge], datasets: Mapping[str, xr.Dataset], experiment: Experiment) -> None:
    real = [name for name, dataset in datasets.items() if not dataset.attrs.get("null")]
    for one in asked:
        told = isinstance(one, People) and ("outcomes" in one.places or {"set_up", "network"} <= set(one.places))
        if isinstance(one, People) and not told and len(real) > 1:
            raise DataError(
                f"The identifications of {one.name!r} need the columns 'set_up' and 'network': there are {len(real)} "
                "sets of outcomes, and starts are called the same in all. Or choose one (set_ups=, networks=)."
            )
    people = [one for one in asked if isinstance(one, People)]
    known = [_places(experiment.outcome(name), name) for name in experiment.outcomes["name"]] if people else []
    for one in people:
        strange = one.strangers(pd.concat(known, ignore_index=True))
        if len(strange):
            raise DataError(
                f"{len(strange)} identifications of {one.name!r} are of no start in {experiment.path}, first "
                f"{strange[0]}. What people heard must be called as the starts and outcomes are."
            )


def _places(outcomes: xr.Dataset, name: str) -> pd.DataFrame:
    """Return the starts of outcomes with what tells them from those of others."""
    about = {column: str(outcomes.attrs.get(column, "")) for column in ("set_up", "network", "null")}
    return pd.DataFrame({"token": outcomes["start"].to_numpy().astype(object), "outcomes": name, **about})


def _prepared(
    name: str,
    outcomes: xr.Dataset,
    asked: Sequence[Judge],
    priors: Sequence[str | Prior],
    vocoder: Vocoder | None,
    device: str,
) -> _Set:
    """Look at everything that can be wrong with a set and its judges before anyone listens."""
    targets = sorted({str(target) for target in outcomes["target"].to_numpy()})
    hearings = {}
    for one in asked:
        check_name("judge", one.name)
        clean_attributes(_told(one))
        check_weights(one, outcomes.attrs)
        check_responses(one, outcomes.attrs, _classes(outcomes), targets)
        hearings[one.name] = hearing_of_judge(one, outcomes.attrs)
    prior = None
    if "codes_after" in outcomes:
        from layerstats.probes.maximization.rendering import prior_of

        kind = outcomes.attrs["prior"]
        fitting = [one for one in priors if _kind(one) == kind]
        prior = prior_of(outcomes.attrs, fitting[0] if fitting else None)
    if "sound" in hearings.values():
        vocoder = _voice(outcomes, prior, vocoder)
    return _Set(name, outcomes, prior, vocoder, device, hearings)


def _voice(outcomes: xr.Dataset, prior: Prior | None, vocoder: Vocoder | None) -> Vocoder | None:
    """Return what makes sound of features; None where what was made is a waveform."""
    settings = json.loads(str(outcomes.attrs.get("front_end") or "{}"))
    if not settings or hasattr(prior, "waveforms"):
        return None
    from layerstats.models import MelFrontEnd
    from layerstats.models.vocoders import GriffinLim

    return GriffinLim(MelFrontEnd(**settings)) if vocoder is None else vocoder


def _kind(prior: str | Prior) -> str:
    return prior.partition("?")[0].partition(":")[0] if isinstance(prior, str) else prior.name


def _told(one: Judge) -> dict[str, object]:
    hashed = {"network_hash": one.network_hash} if isinstance(one, NetworkJudge) else {}
    return {f"judge_{name}": value for name, value in {**one.attrs, **hashed}.items()}


def _judged(experiment: Experiment, one: _Set, asked: Sequence[Judge], overwrite: bool) -> Iterator[int]:
    """Judge one set, and yield how many judgements have come, block by block."""
    starts = one.outcomes["start"].to_numpy().astype(object)
    by_name = {judge.name: judge for judge in asked}
    writers: dict[str, JudgementWriter] = {}
    responses: dict[str, list[str] | None] = {}
    for each in asked:
        scored = _is_scored(experiment, one, each, starts, overwrite)
        responses[each.name] = stored_responses(each, _classes(one.outcomes)) if scored else None
        writers[each.name] = _writer(experiment.path, one, each, responses[each.name], overwrite)
    judges_of = {id(writer): name for name, writer in writers.items()}
    for writer in writers.values():
        yield sum(rows.stop - rows.start for rows in writer.written)
    for rows, lacking in missing_together(writers.values()):
        lackers = [by_name[judges_of[id(writer)]] for writer in lacking]
        said = _said(experiment, one, lackers, rows, starts, responses)
        for writer in lacking:
            writer.write(rows, said[judges_of[id(writer)]])
        yield (rows.stop - rows.start) * len(lacking)
    for writer in writers.values():
        writer.finish()


def _said(
    experiment: Experiment,
    one: _Set,
    lackers: Sequence[Judge],
    rows: slice,
    starts: np.ndarray,
    responses: Mapping[str, list[str] | None],
) -> dict[str, dict[str, np.ndarray]]:
    """Return what judges say of a block: what it was heard as is made once, and sound in small batches."""
    said: dict[str, dict[str, np.ndarray]] = {}
    direct = [each for each in lackers if one.hearings[each.name] in DIRECT and isinstance(each, NetworkJudge)]
    if direct:
        heard = one.heard(rows)
        for each in direct:
            named = responses[each.name] or []
            scores = checked_scores(each.scores(heard), each, starts[rows], named)
            check_own_scores(each, one.outcomes, rows, scores, named)
            said[each.name] = {"score": scores}
    listeners = [each for each in lackers if each not in direct]
    parts: dict[str, list[dict[str, np.ndarray]]] = {each.name: [] for each in listeners}
    if listeners:
        speech = one.speech(experiment, starts[rows].tolist())
        for first in range(rows.start, rows.stop, SOUND_BATCH):
            batch = starts[first : min(first + SOUND_BATCH, rows.stop)].tolist()
            clips = _clips(speech.subset(tokens=batch))
            for each in listeners:
                frame = check_judgements(each.judge(clips), each, batch)
                parts[each.name].append(answers(frame, each, batch, responses[each.name]))
    for name, answered in parts.items():
        said[name] = {what: np.concatenate([part[what] for part in answered]) for what in answered[0]}
    return said


def _clips(speech: Corpus) -> Clips:
    # Noise is what some starts end as, and it is to be judged; silence is refused.
    return Clips(speech, too_long="trim", damaged="keep")


def _is_scored(experiment: Experiment, one: _Set, each: Judge, starts: np.ndarray, overwrite: bool) -> bool:
    """Tell whether a judge scores everything it can say: it says so, the store does, or its first answers do."""
    told = getattr(each, "scored", True if isinstance(each, NetworkJudge) else None)
    if told is not None:
        return bool(told)
    table = experiment.judgements
    there = table.loc[(table["outcomes"] == one.name) & (table["judge"] == each.name), "name"]
    if len(there) and not overwrite:
        return "score" in open_store(experiment.path, incomplete="allow").judgement(str(there.iloc[0]))
    batch = starts[:SOUND_BATCH].tolist()
    frame = check_judgements(each.judge(_clips(one.speech(experiment, batch))), each, batch)
    return bool(frame["score"].notna().any()) and len(each.responses) > 0


def _writer(path: Path, one: _Set, each: Judge, responses: list[str] | None, overwrite: bool) -> JudgementWriter:
    hears = one.hearings[each.name]
    about: dict[str, object] = {**_told(each), "judge_hears": hears}
    if hears == "sound" and one.vocoder is not None:
        about |= {f"judge_{name}": value for name, value in one.vocoder.attrs.items()}
    key = content_hash(clean_attributes(about), {"outcomes": one.outcomes.attrs["key"]})
    return JudgementWriter(path, one.name, each.name, responses, key=key, attrs=about, overwrite=overwrite)
