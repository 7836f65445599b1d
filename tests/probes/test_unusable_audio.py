"""Audio that cannot be used is found before anything is recorded."""

import numpy as np
import pytest

from layerstats.corpora import Clips, Corpus
from layerstats.corpora.audio import MemoryAudio
from layerstats.errors import AudioError
from layerstats.probes import record_activations
from layerstats.store import open_store


@pytest.fixture
def one_silent(small):
    """Sixty-one tokens, of which the last but one is silent."""
    clips = small.small_clips(tokens=61)
    source = clips.corpus.source
    audio = {token: np.round(source.load(token) * 32768).astype(np.int16) for token in clips.tokens["token"]}
    audio["t059"][:] = 0
    corpus = clips.corpus
    return Corpus("one silent", corpus.tokens, corpus.phones, corpus.rate_hz, MemoryAudio(audio))


def test_before_a_store_is_begun(tmp_path, small, one_silent):
    clips = Clips(one_silent, rate_hz=8000, samples=1024)
    told = []
    with pytest.raises(AudioError, match=r"'t059' cannot be used: .*silent.*damaged='skip'"):
        record_activations(
            small.small_network(),
            clips,
            tmp_path / "a.zarr",
            layers=["1"],
            batch_size=4,
            progress=lambda *at: told.append(at),
        )
    assert told == []
    assert not (tmp_path / "a.zarr").exists()


def test_left_out_on_request(tmp_path, small, one_silent):
    clips = Clips(one_silent, rate_hz=8000, samples=1024, damaged="skip")
    record_activations(small.small_network(), clips, tmp_path / "a.zarr", layers=["1"], batch_size=4)
    tokens = open_store(tmp_path / "a.zarr").tokens["token"]
    assert len(tokens) == 60
    assert "t059" not in set(tokens)
