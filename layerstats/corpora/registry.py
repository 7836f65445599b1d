"""The corpora that a name stands for: a reader in a file of its own joins by one line here.

A reader is a function ``read(path, *, damaged, ...) -> Corpus``. Where it takes ``words``, it chooses them itself; all
further parameters are options in the corpus's name, checked by their annotations.
"""

from __future__ import annotations

from collections.abc import Callable

from layerstats.corpora.corpus import Corpus
from layerstats.corpora.fsdd import read_fsdd
from layerstats.corpora.generated import read_generated
from layerstats.corpora.librispeech import read_librispeech
from layerstats.corpora.speech_commands import read_speech_commands
from layerstats.corpora.textgrids import read_textgrids
from layerstats.corpora.timit import read_timit

READERS: dict[str, Callable[..., Corpus]] = {
    "timit": read_timit,
    "speech_commands": read_speech_commands,
    "fsdd": read_fsdd,
    "librispeech": read_librispeech,
    "textgrids": read_textgrids,
    "generated": read_generated,
}
