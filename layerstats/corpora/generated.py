"""Speech that networks made, as a corpus on disk: sound files and a table of what they were made with."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from layerstats.checks import check_columns
from layerstats.corpora.corpus import Corpus
from layerstats.corpora.folders import corpus_folder
from layerstats.corpora.wav_files import write_wav
from layerstats.corpora.whole_files import corpus_of_files
from layerstats.errors import CorpusError
from layerstats.files import replacing

TABLE = "tokens.csv"
AUDIO = "audio"
TOUR = "tour.wav"
# Of each code or target in the tour, with a breath between tokens and a longer one between codes.
_TOUR_VOICES = 3
_SHORT_PAUSE_S, _LONG_PAUSE_S = 0.15, 0.6
# What makes more than a name of a file, on any system.
_PATH = re.compile(r"[/\\:\x00-\x1f]")
_TEXT = ("token", "word", "speaker", "split")
_CODES = ("code", "code_value")
# What only the tokens of outcomes of maximizations have.
_MAXIMIZED = "set_up"
_FURTHER_TEXT = ("code", "set_up", "begun_from", "which")


def write_generated(corpus: Corpus, folder: str | Path) -> list[Path]:
    """Write generated speech for listening and for later analyses.

    Parameters
    ----------
    corpus : Corpus
        From `layerstats.probes.generate_speech` or `layerstats.probes.outcome_speech`.
    folder : path
        Made where it is not there. It gets `tokens.csv`, a 16-bit WAV file a token in `audio/`, and `tour.wav`: all
        codes, or all targets of a maximization, one after another, each by the first three voices or starts.

    Returns
    -------
    list of Path
        The files written, the table first.

    Raises
    ------
    CorpusError
        The corpus was not generated, or the folder holds generated speech already.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.models import InfoWaveGAN, seeded
    >>> from layerstats.probes import generate_speech
    >>> with seeded(0):
    ...     network = InfoWaveGAN(codes=2, width=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in write_generated(generate_speech(network, voices=1, value=1), folder)]
    ['tokens.csv', 'tour.wav', 'code-0_value-1_noise-0000.wav', 'code-1_value-1_noise-0000.wav']
    """
    if _MAXIMIZED not in corpus.tokens:
        check_columns(corpus.tokens, _CODES, f"the tokens of {corpus.name}: it was not generated; it")
    folder = Path(folder)
    if (folder / TABLE).exists():
        raise CorpusError(f"{folder} holds generated speech already. Choose another folder, or remove this one.")
    (folder / AUDIO).mkdir(parents=True, exist_ok=True)
    files = [folder / AUDIO / f"{token}.wav" for token in corpus.tokens["token"]]
    for token, file in zip(corpus.tokens["token"], files, strict=True):
        write_wav(file, corpus.audio(token), corpus.rate_hz)
    write_wav(folder / TOUR, _tour(corpus), corpus.rate_hz)
    # Last, so that a folder with a table is a complete one.
    with replacing(folder / TABLE) as partial:
        corpus.tokens.drop(columns="duration_s").to_csv(partial, index=False)
    return [folder / TABLE, folder / TOUR, *files]


def read_generated(path: str | Path, damaged: str = "error") -> Corpus:
    """Read generated speech: what `write_generated`, or `layerstats generate`, wrote.

    Parameters
    ----------
    path : path
        The folder.
    damaged : {"error", "skip", "keep"}, default "error"
        Whether a file that cannot be read is an error, or left out ("skip").

    Returns
    -------
    Corpus
        Without phones. `word` names the code, `speaker` the noise vector; further columns of `tokens`: `code,
        code_value, peak`. Of outcomes of a maximization: as `layerstats.probes.outcome_speech` made it.

    Raises
    ------
    CorpusError
        The folder holds no generated speech, its table cannot be read, or a token names a file elsewhere.
    AudioError
        A file is missing or cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.models import InfoWaveGAN, seeded
    >>> from layerstats.probes import generate_speech
    >>> with seeded(0):
    ...     network = InfoWaveGAN(codes=2, width=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_generated(generate_speech(network, voices=2, value=1), folder)
    ...     speech = read_generated(folder)
    >>> speech.tokens[["word", "speaker", "code_value"]].drop_duplicates("word").values.tolist()
    [['code 0', 'noise 0000', 1.0], ['code 1', 'noise 0000', 1.0]]
    """
    folder = corpus_folder(path, "generated speech")
    if not (folder / TABLE).is_file():
        raise CorpusError(f"{folder} holds no generated speech: there is no {TABLE}. Make some: layerstats generate")
    table = _read_table(folder / TABLE)
    rows = [(folder / AUDIO / f"{row['token']}.wav", row) for row in table.to_dict("records")]
    return corpus_of_files("generated", rows, folder, damaged=damaged)


def _read_table(file: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(file, dtype=dict.fromkeys([*_TEXT, *_FURTHER_TEXT], "str"), keep_default_na=False)
    except (ValueError, OSError) as error:  # of pandas too
        raise CorpusError(f"Cannot read {file}: {error}. Make it again: layerstats generate") from error
    check_columns(table, [*_TEXT, *(() if _MAXIMIZED in table else _CODES)], f"{file}")
    if "code_value" in table and not pd.api.types.is_numeric_dtype(table["code_value"]):
        values = ", ".join(map(repr, table["code_value"].unique()[:3]))
        raise CorpusError(f"The column 'code_value' of {file} must hold numbers, but has {values}.")
    strange = [token for token in table["token"] if not _is_file_name(token)]
    if strange:
        raise CorpusError(
            f"The tokens in {file} must be names of files in its folder {AUDIO!r}, without their suffix, but one is "
            f"{strange[0][:80]!r}."
        )
    return table


def _is_file_name(token: str) -> bool:
    return 0 < len(token.encode()) <= 250 and token not in (".", "..") and not _PATH.search(token)


def _tour(corpus: Corpus) -> np.ndarray:
    """Return the codes or targets one after another, values of a code side by side: float32 (sample,)."""
    short, long = (np.zeros(round(pause * corpus.rate_hz), np.float32) for pause in (_SHORT_PAUSE_S, _LONG_PAUSE_S))
    parts = []
    together = ["word"] if _MAXIMIZED in corpus.tokens else list(_CODES)
    for _, tokens in corpus.tokens.groupby(together, sort=False):
        for token in tokens["token"].iloc[:_TOUR_VOICES]:
            parts += [corpus.audio(str(token)), short]
        parts.append(long)
    return np.concatenate(parts)
