"""Files that lost a byte read without an error, and sound like noise from there on."""

import re

import numpy as np
import pandas as pd
import pytest
import soundfile

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
    assert list(found.columns) == ["token", "word", "speaker", "noise_onset_s", "reason"]
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
    with pytest.raises(AudioError, match=f"{re.escape(broken)}.*noise at full scale.*damaged='keep'"):
        Clips(damaged_demo).check_audio()
    skipping = Clips(damaged_demo, damaged="skip")
    assert skipping.tokens["token"].tolist() == [good]
    assert set(skipping.phones["token"]) == {good}
    assert skipping.attrs["skipped_tokens"] == [broken]
    keeping = Clips(damaged_demo, damaged="keep")
    keeping.check_audio()
    assert keeping.waveforms(slice(None)).shape[0] == 2
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
    damaged = real_data("timit_damaged")
    sentences = read_timit(damaged, unit="sentence")
    found = find_damage(sentences)["token"].tolist()
    # In one of the 33 recordings the noise is quiet or in the pauses.
    assert len(sentences) == 33
    assert set(sentences.tokens["token"]) - set(found) == {"mbgt0_sx351"}
    assert find_damage(read_timit(real_data("timit"), unit="sentence")).empty
    assert find_damage(read_fsdd(real_data("fsdd"))).empty


def as_file(tmp_path, samples, subtype="PCM_16", name="1_anna_7.wav", **options):
    """A corpus of one sound file."""
    soundfile.write(tmp_path / name, samples, 16000, subtype=subtype, **options)
    return read_fsdd(tmp_path)


SPEECH = 0.5 * np.sin(np.arange(8000) / 13) * np.hanning(8000)
RNG = np.random.default_rng(1)


@pytest.mark.parametrize(
    ("samples", "subtype"),
    [
        (np.append(SPEECH, 1.4 * RNG.uniform(-1, 1, 2400)), "FLOAT"),
        (np.append(SPEECH, RNG.uniform(-1, 1, 2400)), "FLOAT"),
        (np.append(SPEECH, (0.9 * RNG.standard_normal(2400)).clip(-1, 1)), "DOUBLE"),
        (np.append(SPEECH, (2 * RNG.standard_normal(2400)).clip(-1, 1)), "PCM_16"),
        (np.append(SPEECH, (0.55 * RNG.standard_normal(2400)).clip(-1, 1)), "PCM_24"),
        (np.append(SPEECH, 0.94 * RNG.uniform(-1, 1, 2400)), "PCM_16"),
        (0.4 * SPEECH + 0.55 + 0.01 * RNG.standard_normal(8000), "PCM_16"),
        (SPEECH * 32767 + RNG.standard_normal(8000), "FLOAT"),
        (np.round(RNG.uniform(-31000, 31000, 8000)), "FLOAT"),
        (1e-30 * SPEECH, "FLOAT"),
    ],
)
def test_loud_speech_in_any_format_is_whole(tmp_path, samples, subtype):
    corpus = as_file(tmp_path, samples, subtype)
    assert find_damage(corpus).empty
    assert np.abs(Clips(corpus).waveforms([0])).max() == pytest.approx(1)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32"])
def test_a_byte_lost_in_a_file_of_any_width(tmp_path, subtype):
    speech = np.clip(3 * SPEECH + 0.1 * RNG.standard_normal(8000), -0.99, 0.99)
    corpus = as_file(tmp_path, speech, subtype)
    data = (tmp_path / "1_anna_7.wav").read_bytes()
    (tmp_path / "1_anna_7.wav").write_bytes(data[:9001] + data[9002:] + b"\0")
    assert len(find_damage(corpus)) == 1


@pytest.mark.parametrize(("samples", "subtype"), [(np.zeros(8000), "PCM_16"), (np.append(SPEECH, np.nan), "FLOAT")])
def test_silence_and_values_that_are_not_finite_are_damage(tmp_path, samples, subtype):
    as_file(tmp_path, SPEECH, name="2_anna_7.wav")
    corpus = as_file(tmp_path, samples, subtype)
    found = find_damage(corpus)
    assert found["token"].tolist() == ["1_anna_7"]
    assert found["noise_onset_s"].isna().all()
    assert re.search("silent|NaN", found["reason"].item())
    for rule in ("error", "keep"):  # there is nothing to keep
        with pytest.raises(AudioError, match=r"'1_anna_7' cannot be used: .*damaged='skip'"):
            Clips(corpus, damaged=rule).check_audio()
    skipping = Clips(corpus, damaged="skip")
    skipping.check_audio()
    assert skipping.tokens["token"].tolist() == ["2_anna_7"]


def test_found_table_is_tidy(damaged_demo):
    assert pd.api.types.is_float_dtype(find_damage(damaged_demo)["noise_onset_s"])
