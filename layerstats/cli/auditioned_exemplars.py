"""Natural tokens of the classes that a page to listen to shows beside what was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from layerstats.cli.auditioned_draws import NATURAL, Voices, drawn_rows, sounds_of
from layerstats.errors import ArgumentError

if TYPE_CHECKING:
    from layerstats.corpora import Corpus
    from layerstats.models import MelFrontEnd
    from layerstats.models.vocoders import Vocoder
    from layerstats.report.audition import Exemplar
    from layerstats.store import Experiment


def natural_exemplars(
    experiment: Experiment,
    rows: Mapping[str, np.ndarray],
    natural: str | None,
    number: int,
    front_end: MelFrontEnd,
    voices: Voices,
) -> Iterator[Exemplar]:
    """Return natural exemplars of the classes: of a corpus, read now, where one was given, else the store's."""
    from layerstats.models.vocoders import GriffinLim

    outcomes = {name: experiment.outcome(name) for name in rows}
    targets = list(
        dict.fromkeys(str(each) for name, own in rows.items() for each in outcomes[name]["target"].to_numpy()[own])
    )
    first = next(iter(outcomes.values()))
    if natural is None:
        return stored_exemplars(experiment, str(first.attrs["network"]), targets, number, front_end, voices)
    known = {
        str(each) for outcome in outcomes.values() if "class" in outcome.coords for each in outcome["class"].values
    }
    corpus = _natural_speech(natural, [target for target in targets if target in known])
    spoken = [target for target in targets if target in set(corpus.words)]
    # Of a network that hears waveforms, nothing passes through a vocoder.
    mels = "time" in list(first.attrs["heard_dims"])
    vocoder = (voices.vocoder or GriffinLim(front_end)) if mels else None
    return corpus_exemplars(corpus, spoken, number, front_end, vocoder)


def _natural_speech(natural: str, words: Sequence[str]) -> Corpus:
    """Return the corpus of natural tokens; the built-in one says just the words that are wanted."""
    from layerstats.corpora import open_corpus
    from layerstats.corpora.open import DEMO

    corpus = open_corpus(natural, words=words if natural in DEMO and words else None)
    if not set(words) & set(corpus.words):
        raise ArgumentError(
            f"The corpus {natural!r} has no words that were maximized ({', '.join(words[:20]) or 'none'})."
        )
    return corpus


def stored_exemplars(
    experiment: Experiment,
    network: str,
    targets: Sequence[str],
    number: int,
    front_end: MelFrontEnd,
    voices: Voices,
) -> Iterator[Exemplar]:
    """Yield the natural top exemplars that a store holds as a null, of a network where it has them, else of any."""
    from layerstats.report.audition import Exemplar

    found = experiment.outcomes
    complete = found["complete"].astype(bool).to_numpy()
    natural = np.flatnonzero((found["null"] == NATURAL).to_numpy() & complete)
    own = [row for row in natural if found["network"].iloc[row] == network]
    for row in (own or list(natural))[:1]:
        name = found["name"].iloc[row]
        outcome = experiment.outcome(str(name))
        there = set(outcome["target"].to_numpy().astype(object))
        rows = drawn_rows(outcome, [target for target in targets if target in there], number)
        tokens, words = (outcome[each].to_numpy().astype(object)[rows] for each in ("token", "target"))
        sounds = sounds_of(experiment, str(name), outcome, rows, "after", front_end, voices)
        for token, word, sound in zip(tokens, words, sounds, strict=True):
            yield Exemplar(str(token), str(word), "", sound)


def corpus_exemplars(
    corpus: Corpus, targets: Sequence[str], number: int, front_end: MelFrontEnd, vocoder: Vocoder | None, seed: int = 0
) -> Iterator[Exemplar]:
    """Yield tokens of the classes, drawn by a seed among those that were held out, where the corpus knows.

    They pass through the same front end and vocoder as what they are compared with; without a vocoder they sound as
    they are.
    """
    import torch

    from layerstats.corpora import Clips
    from layerstats.report.audition import Exemplar, Sound

    held_out = corpus.tokens["split"].to_numpy() == "test"
    words = corpus.tokens["word"].to_numpy()
    for target in targets:
        own = np.flatnonzero((words == target) & (held_out if held_out.any() else True))
        chosen = np.random.default_rng(seed).permutation(own)[:number]
        for token, speaker in corpus.tokens.iloc[chosen][["token", "speaker"]].itertuples(index=False):
            one = corpus.subset(tokens=[token])
            options = {"rate_hz": front_end.rate_hz, "samples": front_end.samples, "silence_s": 0.0}
            waveform = Clips(one, **options, too_long="trim").waveforms([0])[0]
            features = front_end(torch.from_numpy(waveform)[None])
            if vocoder is not None:
                waveform = vocoder.synthesise(features)[0].numpy()
            heard = 0.5 * waveform / np.abs(waveform).max()
            yield Exemplar(str(token), target, str(speaker), Sound(heard, front_end.rate_hz, features[0].numpy()))
