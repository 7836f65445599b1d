"""Corpora where a token is a whole sound file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from layerstats.corpora.audio import Channel, FileAudio, Segment, one_rate, probe_files
from layerstats.corpora.corpus import Corpus
from layerstats.corpora.folders import composed
from layerstats.corpora.phones import empty_phones
from layerstats.corpora.sharing import UNKNOWN, Sharing
from layerstats.errors import CorpusError


def corpus_of_files(
    name: str,
    rows: Sequence[tuple[Path, Mapping[str, object]]],
    folder: Path,
    channel: Channel = None,
    damaged: str = "error",
    notes: tuple[str, ...] = (),
    sharing: Sharing = UNKNOWN,
) -> Corpus:
    """Return a corpus of whole files, without phones.

    Parameters
    ----------
    name : str
        Name of the corpus.
    rows : sequence of (Path, mapping)
        Each file with what is known about it: `token, word, speaker, split` and further columns. How long it lasts is
        what the file says.
    folder : Path
        Where the files were looked for, for the message where there are none.
    channel : int, "mix" or None
        See `layerstats.corpora.audio.probe_audio`.
    damaged : {"error", "skip", "keep"}, default "error"
        See `layerstats.corpora.audio.probe_files`.
    notes : tuple of str
        What the reader has to say.
    sharing : Sharing
        Whether sounds may be passed on.

    Raises
    ------
    CorpusError
        If there are no files or their sampling rates differ.
    AudioError
        If a file is corrupt, empty, cut short or stereo.
    """
    if not rows:
        raise CorpusError(f"No recordings of {name} below {folder}. Check the path and the layout of the folder.")
    found, left_out = probe_files([path for path, _ in rows], channel, damaged)
    there = [(found[path], known) for path, known in rows if path in found]
    segments = {composed(str(known["token"])): Segment(file.path, 0, file.samples) for file, known in there}
    first = ("token", "word", "speaker", "split")
    tokens = pd.DataFrame(
        [
            {key: composed(str(known[key])) for key in first}
            | {"duration_s": file.duration_s}
            | {key: value for key, value in known.items() if key not in (*first, "duration_s")}
            for file, known in there
        ]
    )
    rate_hz = one_rate(found.values())
    return Corpus(name, tokens, empty_phones(), rate_hz, FileAudio(segments, channel), (*notes, *left_out), sharing)
