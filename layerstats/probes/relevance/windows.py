"""Emitted letters: the windows in which a network reads a letter, and what was said there."""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_lowercase

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from layerstats.checks import check_choice, check_count
from layerstats.corpora import Corpus, texts, utterance
from layerstats.errors import CorpusError, DataError
from layerstats.models import Wav2Letter, device_for, running
from layerstats.models.letters import spoken_letters
from layerstats.probes.relevance.reading import LetterRun, Reading, check_reader, read_utterances, window_middle_s
from layerstats.tables import check_frame

FRAMES = ("runs", "all")
CONTEXTS = ("inside", "padded")
EMPTY = ("skip", "error")
COLUMNS = (
    *("token", "utterance", "letter", "expected", "correct", "letter_index", "frame", "start_frame", "time_s"),
    *("posterior", "speaker", "word", "word_index", "phone", "phone_class", "split"),
)
# Of the utterance, what is not the window's: how long it is, and all that is said in it.
_OF_UTTERANCES = ("token", "word", "sentence", "duration_s")

_LONGER = (
    "Pass longer speech (tokens that are utterances and not words, as of timit:PATH?unit=sentence or "
    "textgrids:PATH?unit=recording), or a network that reads it."
)


def emitted_letters(
    network: nn.Module,
    corpus: Corpus,
    *,
    frames: str = "runs",
    context: str = "inside",
    empty: str = "skip",
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Find the windows of a corpus in which a network reads a letter a to z, by one pass over each utterance.

    The unit is the emitted letter: neighbouring windows share all but two frames, so that the frames of a run are not
    several observations. Blanks, spaces, apostrophes and signs of repetition are no letters here.

    Parameters
    ----------
    network : torch.nn.Module
        A `Wav2Letter`, or a network with the same attributes.
    corpus : Corpus
        Utterances; what is said in them is their `word`.
    frames : {"runs", "all"}, default "runs"
        A window for every run of frames with the same letter, the one that is surest of it; or one for every frame
        (Krug & Stober 2018, section 4).
    context : {"inside", "padded"}, default "inside"
        Only windows that lie in the utterance, or also those that reach beyond its ends and hear padding.
    empty : {"skip", "error"}, default "skip"
        What becomes of utterances without a window, because they are too short or no letter is read in them: left out
        and counted in `frame.attrs["notes"]`, or an error.
    device : str
        "auto" (a GPU where there is one), or a torch device.
    progress : callable, optional
        Called with (utterances done, utterances in all).

    Returns
    -------
    DataFrame
        A row a window: `token` ("<utterance>@<frame>"), `utterance`, `letter`, `expected` (what was said in its place,
        "" where nothing was), `correct`, `letter_index` (its place in the text that was read), `frame` (of the
        outputs, with the utterance padded as in training), `start_frame` (the first of the features that the window
        hears; all are odd or all even), `time_s` (the middle of the window, in seconds of the utterance), `posterior`
        (the letter's probability), `speaker`, `word` and `word_index` (the word that was said there), `phone` and
        `phone_class` (under the middle; "" where there is none), `split`, and what else is known of the utterance.

    Raises
    ------
    ArgumentError
        The network does not read letters, or there is no such choice of frames, context or what to do without windows.
    AudioError
        The audio of an utterance cannot be used.
    DataError
        No utterance has a window, or, with `empty` "error", one has none; or what the network gives is NaN.

    References
    ----------
    Krug & Stober (2018), section 4.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import Wav2Letter, seeded
    >>> corpus = demo_corpus(sentences=["the quick fox jumped over a lazy dog"], voices=2, said_by=2)
    >>> with seeded(0):
    ...     network = Wav2Letter(width=4, top=8)
    >>> windows = emitted_letters(network, corpus, frames="all")
    >>> bool((windows["start_frame"] >= 0).all()), windows["utterance"].nunique()
    (True, 2)
    """
    check_choice("frames", frames, FRAMES)
    check_choice("context", context, CONTEXTS)
    check_choice("empty", empty, EMPTY)
    reader = check_reader(network)
    phones = dict(iter(corpus.phones.groupby("token", sort=False)))
    found: list[pd.DataFrame] = []
    without: dict[str, bool] = {}  # whether the utterance is too short
    readings = read_utterances(network, corpus, device=device)
    for number, (reading, text) in enumerate(zip(readings, texts(corpus.tokens), strict=True), start=1):
        windows = _windows(reading, frames, context)
        if windows.empty:
            without[reading.token] = reading.first_inside == reading.stop_inside
        else:
            found.append(_described(windows, reading, text, phones.get(reading.token), reader))
        if progress is not None:
            progress(number, len(corpus))
    if without and (empty == "error" or not found):
        way_out = "empty='skip' leaves them out." if found else _LONGER
        raise DataError(f"{_no_windows(without, len(corpus), reader)} {way_out}")
    known = corpus.tokens.drop(columns=[name for name in _OF_UTTERANCES if name in corpus.tokens])
    known = known.drop(columns=[name for name in found[0] if name in known]).assign(utterance=corpus.tokens["token"])
    windows = pd.concat(found, ignore_index=True).merge(known, on="utterance", how="left", validate="m:1")
    windows["token"] = windows["utterance"] + "@" + windows["frame"].astype("str")
    windows = windows.loc[:, [*COLUMNS, *(name for name in windows if name not in COLUMNS)]]
    windows.attrs["notes"] = (_no_windows(without, len(corpus), reader),) if without else ()
    return check_frame(windows, user_columns=[name for name in windows if name not in COLUMNS])


def drawn_window(
    network: nn.Module, corpus: Corpus, letter: str, *, utterances: int = 20, seed: int = 0
) -> tuple[Tensor, pd.Series]:
    """Draw one window that a network reads as a letter, among some utterances of a corpus.

    Parameters
    ----------
    network : torch.nn.Module
        A `Wav2Letter`, or a network with the same attributes.
    corpus : Corpus
        The utterances.
    letter : str
        One of a to z.
    utterances : int, default 20
        How many are looked through, drawn at random.
    seed : int
        Of the utterances and the window.

    Returns
    -------
    torch.Tensor
        (token, time, mel) what the network hears of the one window, normalised with its utterance.
    pandas.Series
        The window's row of `emitted_letters`.

    Raises
    ------
    ArgumentError
        The network reads no letters.
    CorpusError
        It does not read this letter in these utterances.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import Wav2Letter, seeded
    >>> corpus = demo_corpus(sentences=["the quick fox jumped over a lazy dog"], voices=2, said_by=2)
    >>> with seeded(0):
    ...     network = Wav2Letter(width=4, top=8)
    >>> letter = emitted_letters(network, corpus)["letter"].iloc[0]
    >>> window, row = drawn_window(network, corpus, letter)
    >>> tuple(window.shape), row["letter"] == letter
    ((1, 206, 128), True)
    """
    check_count("utterances", utterances)
    reader = check_reader(network)
    names = corpus.tokens["token"].tolist()
    draw = np.random.default_rng(seed)
    some = corpus.subset(tokens=[names[place] for place in sorted(draw.permutation(len(names))[:utterances])])
    windows = emitted_letters(reader, some).query("letter == @letter")
    if windows.empty:
        raise CorpusError(
            f"The network reads no {letter!r} in {len(some)} utterances of this corpus. Look among more utterances, or "
            "choose another letter."
        )
    chosen = windows.iloc[int(draw.integers(len(windows)))]
    samples = torch.from_numpy(utterance(corpus, str(chosen["utterance"]), reader.front_end.rate_hz))
    with running(reader, device_for(reader, "cpu")):
        features = reader.features(samples[None])
    start = int(chosen["start_frame"])
    return features[:, start : start + reader.receptive_field], chosen


def _windows(reading: Reading, frames: str, context: str) -> pd.DataFrame:
    """Return a row a window: `frame, letter, letter_index, posterior`."""
    first, stop = reading.first_inside, reading.stop_inside
    if context == "padded":
        first, stop = 0, len(reading.log_probabilities)
    rows = []
    for run in reading.runs:
        heard = range(max(run.first_frame, first), min(run.stop_frame, stop))
        if run.symbol not in ascii_lowercase or not heard:
            continue
        scores = _scores(reading, run, heard)
        chosen = [int(scores.argmax())] if frames == "runs" else range(len(heard))
        rows += [(heard[index], run.symbol, run.text_start, float(np.exp(scores[index]))) for index in chosen]
    return pd.DataFrame(rows, columns=["frame", "letter", "letter_index", "posterior"])


def _scores(reading: Reading, run: LetterRun, heard: range) -> np.ndarray:
    return reading.log_probabilities[heard.start : heard.stop, reading.alphabet.letters.index(run.symbol)]


def _described(
    windows: pd.DataFrame, reading: Reading, text: str, phones: pd.DataFrame | None, reader: Wav2Letter
) -> pd.DataFrame:
    """Add when each window is, and what was said there."""
    start = np.array([reader.window_start(frame) for frame in windows["frame"]])
    time_s = window_middle_s(reader, start)
    said = spoken_letters(text, reading.text)
    expected = [said[index][0] for index in windows["letter_index"]]
    word_index = [text.count(" ", 0, said[index][1]) for index in windows["letter_index"]]
    words = text.split(" ")
    label, phone_class = _phones_at(time_s, phones)
    return windows.assign(
        utterance=reading.token,
        expected=pd.Series(expected, dtype="str"),
        correct=[letter == other for letter, other in zip(windows["letter"], expected, strict=True)],
        start_frame=start,
        time_s=time_s,
        word=[words[index] for index in word_index],
        word_index=word_index,
        phone=label,
        phone_class=phone_class,
    )


def _phones_at(time_s: np.ndarray, phones: pd.DataFrame | None) -> tuple[np.ndarray, np.ndarray]:
    """Return label and class of the phone at each time, "" where there is none."""
    empty = np.full(len(time_s), "", dtype=object)
    if phones is None:
        return empty, empty.copy()
    row = np.searchsorted(phones["onset_s"].to_numpy(), time_s, side="right") - 1
    inside = (row >= 0) & (time_s < phones["offset_s"].to_numpy()[row])
    label, phone_class = phones["label"].to_numpy(dtype=object), phones["phone_class"].to_numpy(dtype=object)
    return np.where(inside, label[row], ""), np.where(inside, phone_class[row], "")


def _no_windows(without: dict[str, bool], utterances: int, reader: Wav2Letter) -> str:
    """Say how many utterances have no window, and why."""
    short = sum(without.values())
    seconds = reader.receptive_field * reader.front_end.hop / reader.front_end.rate_hz
    return (
        f"{len(without)} of {utterances} utterances have no window, for instance {next(iter(without))!r}: {short} are "
        f"shorter than the {reader.receptive_field} frames ({seconds:.2f} s) that the network hears at once, in "
        f"{len(without) - short} it reads no letter a to z there."
    )
