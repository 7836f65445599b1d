"""Files that lost a byte read without an error, and sound like noise from there on."""

import re

import numpy as np
import pandas as pd
import pytest

from layerstats.corpora import Clips, Corpus, find_damage, noise_onset, read_fsdd, read_timit
from layerstats.corpora.audio import MemoryAudio
from layerstats.errors import ArgumentError, AudioError, CorpusError


def a_byte_lost(codes: np.ndarray, at: int) -> np.ndarray:
    """16-bit samples as they are read after one byte of the file was lost."""
    data = codes.astype("<i2").tobytes()
    return np.frombuffer(data[: 2 * at + 1] + data[2 * at + 2 :] + b"\0", dtype="<i2")


@pytest.fixture
def damaged_demo(small_demo):
    """Two tokens of the built-in corpus, the second with a byte lost half-way."""
    tokens = small_demo.tokens.iloc[:2]
    codes = {token: np.round(small_demo.audio(token) * 32768).astype(np.int16) for token in tokens["token"]}
    broken = tokens["token"].iloc[1]
    codes[broken] = a_byte_lost(codes[broken], len(codes[broken]) // 2)
    phones = small_demo.phones.loc[small_demo.phones["token"].isin(tokens["token"])].reset_index(drop=True)
    return Corpus("damaged", tokens, phones, small_demo.rate_hz, MemoryAudio(codes))


def test_speech_is_not_noise(small_demo):
    assert find_damage(small_demo).empty


def test_a_lost_byte_is_found_where_it_was_lost(damaged_demo):
    found = find_damage(damaged_demo)
    assert list(found.columns) == ["token", "word", "speaker", "noise_onset_s"]
    tokens = damaged_demo.tokens
    assert found["token"].tolist() == [tokens["token"].iloc[1]]
    assert abs(found["noise_onset_s"].iloc[0] - tokens["duration_s"].iloc[1] / 2) < 0.1


@pytest.mark.parametrize("length", [0, 1, 100, 639])
def test_less_than_two_frames_is_never_noise(length):
    assert noise_onset(np.random.default_rng(0).uniform(-1, 1, length), 16000) is None


def test_quiet_noise_and_loud_tones_are_kept():
    noise = np.random.default_rng(0).uniform(-1, 1, 16000)
    assert noise_onset(noise, 16000) == 0.0
    assert noise_onset(0.8 * noise, 16000) is None
    assert noise_onset(np.sign(np.sin(np.arange(16000) / 20)), 16000) is None


def test_clips_refuse_skip_or_keep(damaged_demo):
    good, broken = damaged_demo.tokens["token"]
    with pytest.raises(AudioError, match=f"{re.escape(broken)}.*noise at full scale.*damaged='skip'"):
        Clips(damaged_demo).waveforms(slice(None))
    skipping = Clips(damaged_demo, damaged="skip")
    assert skipping.tokens["token"].tolist() == [good]
    assert set(skipping.phones["token"]) == {good}
    assert skipping.attrs["skipped_tokens"] == [broken]
    assert Clips(damaged_demo, damaged="keep").waveforms(slice(None)).shape[0] == 2
    with pytest.raises(ArgumentError, match="'damaged'"):
        Clips(damaged_demo, damaged="mend")
    with pytest.raises(CorpusError, match="damaged"):
        _ = Clips(damaged_demo.subset(tokens=broken), damaged="skip")


def test_the_rule_changes_the_hash_only_through_the_tokens(damaged_demo):
    good = damaged_demo.subset(tokens=damaged_demo.tokens["token"].iloc[0])
    assert Clips(good, damaged="skip").content_hash() == Clips(good).content_hash()
    hashes = {Clips(damaged_demo, damaged=rule).content_hash() for rule in ("skip", "keep")}
    assert len(hashes) == 2


@pytest.mark.realdata
def test_real_speech(real_data):
    sentences = read_timit(real_data("timit"), unit="sentence")
    damaged = set(find_damage(sentences)["token"])
    # Neighbouring samples of a whole sentence correlate, unless much of it is noise.
    for token in sentences.tokens["token"]:
        samples = sentences.audio(token)
        correlation = np.corrcoef(samples[:-1], samples[1:])[0, 1]
        assert token in damaged if correlation < 0.2 else token not in damaged or correlation < 0.7
    assert find_damage(read_fsdd(real_data("fsdd"))).empty


def test_found_table_is_tidy(damaged_demo):
    assert pd.api.types.is_float_dtype(find_damage(damaged_demo)["noise_onset_s"])
