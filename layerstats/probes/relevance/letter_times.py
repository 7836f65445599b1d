"""When the letters of a known text are said, by the network itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
from torch import nn

from layerstats.corpora import Corpus, texts
from layerstats.models.letters import align
from layerstats.probes.relevance.reading import Reading, check_reader, read_utterances
from layerstats.tables import check_frame


def letter_times(network: nn.Module, corpus: Corpus, *, device: str = "auto") -> pd.DataFrame:
    """Find when each letter of each utterance's text is said: forced alignment by what the network says of letters.

    A network trained by connectionist temporal classification tells a letter where it is sure of it, for a frame or
    two, not from its beginning to its end.

    Parameters
    ----------
    network : torch.nn.Module
        A `Wav2Letter`, or a network with the same attributes.
    corpus : Corpus
        Utterances; what is said in them is their `word`.
    device : str
        "auto" (a GPU where there is one), or a torch device.

    Returns
    -------
    DataFrame
        A row a letter, spaces and apostrophes among them: `token, letter_index, letter, onset_s, offset_s, posterior,
        word, word_index, speaker, split`. Onset and offset are the middles of the first frame and of the one after the
        last; `posterior` is the letter's probability where it is highest. Signs of repetition stand for the letters
        that they repeat.

    Raises
    ------
    ArgumentError
        The network does not read letters, or a text has other characters or more letters than there are frames.
    AudioError, DataError
        The audio cannot be used, or what the network gives is NaN.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import Wav2Letter
    >>> times = letter_times(Wav2Letter(width=2, top=4), demo_corpus(sentences=["a fox ran"], voices=1, said_by=1))
    >>> "".join(times["letter"]), bool(times["onset_s"].is_monotonic_increasing)
    ('a fox ran', True)
    """
    reader = check_reader(network)
    readings = read_utterances(network, corpus, device=device)
    frames = [
        _times(reading, text, reader.frame_s) for reading, text in zip(readings, texts(corpus.tokens), strict=True)
    ]
    known = corpus.tokens[["token", "speaker", "split"]]
    return check_frame(pd.concat(frames, ignore_index=True).merge(known, on="token", how="left", validate="m:1"))


def _times(reading: Reading, text: str, frame_s: float) -> pd.DataFrame:
    aligned = align(reading.log_probabilities, text, reading.alphabet)
    surest = [
        reading.log_probabilities[first:stop, label].max()
        for first, stop, label in zip(aligned.first_frame, aligned.stop_frame, aligned.labels, strict=True)
    ]
    labels = aligned.labels.tolist()
    spelled = np.diff([0, *(len(reading.alphabet.decode(labels[: index + 1])) for index in range(len(labels)))])
    label_of = np.repeat(np.arange(len(labels)), spelled)
    word_index = np.cumsum([letter == " " for letter in text])
    words = text.split(" ")
    return pd.DataFrame(
        {
            "token": reading.token,
            "letter_index": np.arange(len(text)),
            "letter": list(text),
            "onset_s": aligned.first_frame[label_of] * frame_s + reading.first_s,
            "offset_s": aligned.stop_frame[label_of] * frame_s + reading.first_s,
            "posterior": np.exp(np.array(surest))[label_of],
            "word": [words[index] for index in word_index],
            "word_index": word_index,
        }
    )
