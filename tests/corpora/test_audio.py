import wave

import numpy as np
import pytest
import soundfile

from layerstats.corpora.audio import FileAudio, MemoryAudio, Segment, one_rate, probe_audio, read_audio, resample
from layerstats.errors import ArgumentError, AudioError, CorpusError


def test_sphere_gives_the_pcm_that_was_written(tmp_path, noise, write_sphere):
    codes = np.round(noise(5000) * 32767).astype("<i2")
    write_sphere(tmp_path / "SA1.WAV", codes)
    found = probe_audio(tmp_path / "SA1.WAV")
    assert (found.rate_hz, found.samples, found.channels) == (16000, 5000, 1)
    np.testing.assert_array_equal(read_audio(found.path), (codes / 32768).astype(np.float32))
    np.testing.assert_array_equal(read_audio(found.path, 100, 300), (codes[100:300] / 32768).astype(np.float32))


def test_shortened_sphere_names_the_remedy(tmp_path, noise, write_sphere):
    codes = np.round(noise(500) * 32767).astype("<i2")
    write_sphere(tmp_path / "SA1.WAV", codes, coding="pcm,embedded-shorten-v2.00")
    with pytest.raises(AudioError, match=r"compressed with 'shorten'.*sph2pipe"):
        probe_audio(tmp_path / "SA1.WAV")


def test_eight_bit_codes_are_centred_on_128(tmp_path):
    codes = np.array([0, 64, 128, 129, 255], dtype=np.uint8)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(codes.tobytes())
    expected = np.array([-1.0, -0.5, 0.0, 1 / 128, 127 / 128], dtype=np.float32)
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav"), expected)


def test_corrupt_file(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF this is not a sound file at all")
    with pytest.raises(AudioError, match=r"a\.wav: it is corrupt or of an unknown format"):
        probe_audio(tmp_path / "a.wav")


def test_empty_files(tmp_path):
    (tmp_path / "nothing.wav").touch()
    with pytest.raises(AudioError, match="0 bytes"):
        probe_audio(tmp_path / "nothing.wav")
    soundfile.write(tmp_path / "header.wav", np.zeros(0), 16000)
    with pytest.raises(AudioError, match="empty"):
        probe_audio(tmp_path / "header.wav")


def test_missing_file(tmp_path):
    with pytest.raises(AudioError, match="There is no sound file"):
        probe_audio(tmp_path / "a.wav")


def test_silent_file(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(1000), 16000)
    with pytest.raises(AudioError, match="silent"):
        read_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_in_audio(tmp_path, noise, value):
    samples = noise(1000)
    samples[10] = value
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"NaN or infinite values .*1 of 1000"):
        read_audio(tmp_path / "a.wav")


def test_stereo_is_read_only_by_choice(tmp_path, noise):
    both = np.stack([noise(1000, 1), noise(1000, 2)], axis=1).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", both, 16000, subtype="FLOAT")
    for refused in (probe_audio, read_audio):
        with pytest.raises(AudioError, match=r"2 channels.*channel=0"):
            refused(tmp_path / "a.wav")
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav", channel=1), both[:, 1])
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav", channel="mix"), both.mean(axis=1), rtol=1e-6)
    with pytest.raises(AudioError, match="no channel 2"):
        read_audio(tmp_path / "a.wav", channel=2)
    with pytest.raises(ArgumentError, match="'mix'"):
        read_audio(tmp_path / "a.wav", channel="left")


def test_stretch_behind_the_end(tmp_path, noise):
    soundfile.write(tmp_path / "a.wav", noise(1000), 16000)
    with pytest.raises(AudioError, match="Samples 500 to 1001"):
        read_audio(tmp_path / "a.wav", 500, 1001)


def test_file_cut_short_after_it_was_opened(tmp_path, noise):
    soundfile.write(tmp_path / "a.wav", noise(1000), 16000, subtype="PCM_16")
    audio = FileAudio({"a": Segment(tmp_path / "a.wav", 0, 1000)})
    (tmp_path / "a.wav").write_bytes((tmp_path / "a.wav").read_bytes()[:1044])
    with pytest.raises(AudioError, match="cut short"):
        audio.load("a")


def test_resampling_keeps_a_tone_and_the_duration():
    time = np.arange(22050) / 22050
    found = resample(np.sin(2 * np.pi * 440 * time).astype(np.float32), 22050, 16000)
    assert found.dtype == np.float32
    assert len(found) == 16000
    expected = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    np.testing.assert_allclose(found[500:-500], expected[500:-500], atol=1e-3)


def test_one_rate_names_the_files_that_differ(tmp_path, noise):
    soundfile.write(tmp_path / "a.wav", noise(100), 16000)
    soundfile.write(tmp_path / "b.wav", noise(100), 8000)
    files = [probe_audio(tmp_path / name) for name in ("a.wav", "b.wav")]
    assert one_rate(files[:1]) == 16000
    with pytest.raises(CorpusError, match=r"a\.wav has 16000 Hz and .*b\.wav has 8000 Hz"):
        one_rate(files)


def test_fingerprints_know_content_not_place(tmp_path, noise):
    (tmp_path / "elsewhere").mkdir()
    for path in (tmp_path / "a.wav", tmp_path / "elsewhere" / "b.wav"):
        soundfile.write(path, noise(100), 16000)
    here, there = (
        FileAudio({"t": Segment(path, 0, 50)}) for path in (tmp_path / "a.wav", tmp_path / "elsewhere" / "b.wav")
    )
    other = FileAudio({"t": Segment(tmp_path / "a.wav", 0, 51)})
    assert here.fingerprints(["t"]) == there.fingerprints(["t"]) != other.fingerprints(["t"])
    memory = [MemoryAudio({"t": np.array(codes, dtype=np.int16)}) for codes in ([1, 2], [1, 3])]
    assert memory[0].fingerprints(["t"]) != memory[1].fingerprints(["t"])
