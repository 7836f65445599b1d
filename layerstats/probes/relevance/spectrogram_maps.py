"""Relevance on the spectrogram that a network heard, as tables for figures: frequency in Hz, time in seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from layerstats.checks import check_columns
from layerstats.corpora import Corpus, clips_for, utterance
from layerstats.errors import ArgumentError, DataError
from layerstats.models import MelFrontEnd, running
from layerstats.probes.gradients import OWN_WORD
from layerstats.probes.relevance.attribute import attribute
from layerstats.probes.relevance.reading import check_reader, padded
from layerstats.probes.relevance.targets import Target
from layerstats.tables import check_frame

Methods = Sequence[str] | Mapping[str, Mapping[str, Any]]


def letter_maps(network: nn.Module, corpus: Corpus, windows: pd.DataFrame, methods: Methods) -> pd.DataFrame:
    """Return the relevance of windows for the letters that were read in them.

    Each window is heard by itself, without padding: what lies beyond it has no part in the letter. Its features are
    those of its utterance, which is normalised as a whole.

    Parameters
    ----------
    network : torch.nn.Module
        A `Wav2Letter`, or a network with the same attributes.
    corpus : Corpus
        The utterances.
    windows : DataFrame
        Rows of `emitted_letters`: `token, utterance, letter, start_frame`.
    methods : sequence of str, or mapping of str to options
        As `attribute` takes them: ``["gradient", "adapted"]``, or with options, ``{"epsilon": {"epsilon": 1e-3}}``.

    Returns
    -------
    DataFrame
        A row a window, method, frame and mel band: `token, utterance, letter, method, time_s` (of the utterance),
        `mel, frequency_hz` (its centre), `input` (what the network heard), `relevance`.

    Raises
    ------
    ArgumentError
        The network does not read letters, or there is no such method.
    DataError
        There are no windows, or a window reaches beyond its utterance.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import Wav2Letter, seeded
    >>> corpus = demo_corpus(sentences=["the quick fox jumped over a lazy dog"], voices=1, said_by=1)
    >>> window = corpus.tokens.loc[:, ["token"]].assign(utterance=corpus.tokens["token"], letter="a", start_frame=7)
    >>> with seeded(0):
    ...     table = letter_maps(Wav2Letter(width=4, top=8), corpus, window, ["gradient"])
    >>> len(table) == 206 * 128, round(float(table["time_s"].min()), 3)
    (True, 0.056)
    """
    check_columns(windows, ["token", "utterance", "letter", "start_frame"], "the table of windows")
    if windows.empty:
        raise DataError("There are no windows whose relevance could be found.")
    reader, heard = check_reader(network), []
    front_end, length = reader.front_end, reader.receptive_field
    with running(network, torch.device("cpu")):
        for name, start in zip(windows["utterance"], windows["start_frame"].astype(int), strict=True):
            samples = torch.from_numpy(utterance(corpus, name, front_end.rate_hz))
            features = reader.features(samples[None])[0]
            if not 0 <= start <= len(features) - length:
                raise DataError(
                    f"The window from frame {start} of {name!r} reaches beyond its {len(features)} frames. Choose "
                    "windows that lie in the utterance (context='inside')."
                )
            heard.append(features[start : start + length])
    labels = list(reader.alphabet.letters)
    with padded(reader, "valid"):
        targets = [f"{letter}:0" for letter in windows["letter"]]
        found = _relevance(network, torch.stack(heard), targets, methods, labels=labels)
    starts = windows["start_frame"].to_numpy(dtype=float) * front_end.hop / front_end.rate_hz
    about = windows.loc[:, ["token", "utterance", "letter"]].reset_index(drop=True)
    return _table(about, torch.stack(heard), found, starts, front_end)


def clip_maps(
    network: nn.Module,
    corpus: Corpus,
    methods: Methods,
    *,
    target: Target = OWN_WORD,
    labels: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return the relevance of clips for the words, or other classes, that a network hears in them.

    Parameters
    ----------
    network : torch.nn.Module
        A network of mel features with its front end in it (`network.front_end`), such as `CommandClassifier`.
    corpus : Corpus
        The speech; every token is heard.
    methods
        As in `letter_maps`.
    target, labels
        As `attribute` takes them; labels by default `network.words`, where it has these.

    Returns
    -------
    DataFrame
        A row a token, method, frame and mel band: `token, word, speaker, method, time_s` (of the clip), `mel,
        frequency_hz, input, relevance`.

    Raises
    ------
    ArgumentError
        The network has no mel front end; or as `attribute` does.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import CommandClassifier
    >>> network = CommandClassifier(outputs=2, channels=(1, 1, 1), hidden=(2, 2, 2))
    >>> speech = demo_corpus(words=["wash"], voices=2)
    >>> table = clip_maps(network, speech, ["gradient"], target="wash", labels=["ask", "wash"])
    >>> len(table) == 2 * 90 * 80, table["word"].unique().tolist()
    (True, ['wash'])
    """
    front_end = getattr(network, "front_end", None)
    if not isinstance(front_end, MelFrontEnd):
        raise ArgumentError(
            f"Relevance is laid over mel spectrograms, but {type(network).__name__} has no front end that makes them. "
            "Of networks that hear waveforms, relevance is a series: record_relevance."
        )
    clips = clips_for(network, corpus)
    clips.one_length("Relevance over spectrograms")
    with running(network, torch.device("cpu")):
        heard = front_end(torch.from_numpy(clips.waveforms(slice(None))))
    found = _relevance(network, heard, target, methods, labels=labels, tokens=clips.tokens)
    about = clips.tokens.loc[:, ["token", "word", "speaker"]].reset_index(drop=True)
    return _table(about, heard, found, np.zeros(len(about)), front_end)


def _relevance(
    network: nn.Module, heard: Tensor, target: Target, methods: Methods, **options: Any
) -> dict[str, np.ndarray]:
    chosen = methods if isinstance(methods, Mapping) else {name: {} for name in methods}
    found = {}
    for method, own in chosen.items():
        values = attribute(network, heard, target, method, **options, **own).values  # noqa: PD011 - tensors
        assert isinstance(values, Tensor)
        found[method] = values.detach().float().numpy()
    return found


def _table(
    about: pd.DataFrame, heard: Tensor, relevance: Mapping[str, np.ndarray], start_s: np.ndarray, front_end: MelFrontEnd
) -> pd.DataFrame:
    tokens, frames, mels = heard.shape
    row, frame, mel = (axis.ravel() for axis in np.indices((tokens, frames, mels)))
    columns = {name: about[name].to_numpy()[row] for name in about.columns}
    place = {
        "time_s": start_s[row] + frame * front_end.hop / front_end.rate_hz,
        "mel": mel,
        "frequency_hz": front_end.centres_hz[mel],
        "input": heard.detach().numpy().ravel(),
    }
    tables = [
        pd.DataFrame({**columns, "method": method, **place, "relevance": values.ravel()})
        for method, values in relevance.items()
    ]
    return check_frame(pd.concat(tables, ignore_index=True), user_columns=list(about.columns))
