"""Corpora where a token is a whole sound file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from layerstats.corpora.audio import Channel, FileAudio, Segment, one_rate, probe_audio
from layerstats.corpora.corpus import Corpus
from layerstats.corpora.phones import empty_phones
from layerstats.errors import CorpusError


def corpus_of_files(
    name: str, rows: Sequence[tuple[Path, Mapping[str, object]]], folder: Path, channel: Channel = None
) -> Corpus:
    """Corpus of whole files, without phones.

    Parameters
    ----------
    name : str
        Name of the corpus.
    rows : sequence of (Path, mapping)
        Each file with what is known about it: `token, word, speaker, split` and further columns.
    folder : Path
        Where the files were looked for, for the message where there are none.
    channel : int, "mix" or None
        See `layerstats.corpora.audio.probe_audio`.

    Raises
    ------
    CorpusError
        If there are no files or their sampling rates differ.
    AudioError
        If a file is corrupt, empty or stereo.
    """
    if not rows:
        raise CorpusError(f"No recordings of {name} below {folder}. Check the path and the layout of the folder.")
    probed = [probe_audio(path, channel) for path, _ in rows]
    segments = {
        str(known["token"]): Segment(file.path, 0, file.samples) for file, (_, known) in zip(probed, rows, strict=True)
    }
    first = ("token", "word", "speaker", "split")
    tokens = pd.DataFrame(
        [
            {key: known[key] for key in first}
            | {"duration_s": file.duration_s}
            | {key: value for key, value in known.items() if key not in first}
            for file, (_, known) in zip(probed, rows, strict=True)
        ]
    )
    return Corpus(name, tokens, empty_phones(), one_rate(probed), FileAudio(segments, channel))
