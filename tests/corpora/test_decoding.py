"""Stretches of compressed files are those of the whole file; files that were cut or never finished are refused."""

import struct

import numpy as np
import pytest
import soundfile

from layerstats.corpora.audio import probe_audio, probe_files, read_audio
from layerstats.corpora.decoding import decoded
from layerstats.corpora.headers import length_fault
from layerstats.errors import AudioError

RATE = 16000


@pytest.fixture(scope="module")
def speech(small_demo):
    """Twelve words between pauses: frames of very different sizes."""
    pause = np.zeros(5000, np.float32)
    return np.concatenate([np.append(small_demo.audio(token), pause) for token in small_demo.tokens["token"][:12]])


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.opus", "a.flac", "a.wav"])
def test_a_stretch_is_that_of_the_whole_file(tmp_path, speech, name):
    rate = 24000 if name == "a.opus" else 22050
    options = {"format": "OGG", "subtype": "OPUS"} if name == "a.opus" else {}
    soundfile.write(tmp_path / name, speech, rate, **options)
    whole, _ = soundfile.read(tmp_path / name, dtype="float32")
    checked = 0
    for start in range(3000, len(whole) - 12000, 3777):
        if np.ptp(whole[start : start + 11000]) > 0:
            stretch = read_audio(tmp_path / name, start, start + 11000)
            np.testing.assert_allclose(stretch, whole[start : start + 11000], atol=1e-6)
            checked += 1
    assert checked > 20


def test_a_recording_is_decoded_once(tmp_path, speech):
    soundfile.write(tmp_path / "a.ogg", speech, RATE)
    assert decoded(tmp_path / "a.ogg") is decoded(tmp_path / "a.ogg")


@pytest.mark.parametrize("subtype", ["GSM610", "MS_ADPCM"])
def test_the_padding_of_a_last_block_is_not_speech(tmp_path, subtype):
    samples = 0.5 * np.sin(np.arange(4000) / 13) * np.hanning(4000)
    soundfile.write(tmp_path / "a.wav", samples, 8000, subtype=subtype)
    assert probe_audio(tmp_path / "a.wav").samples == 4000
    heard = read_audio(tmp_path / "a.wav")
    assert np.abs(heard).max() < 0.7
    assert np.corrcoef(heard, samples)[0, 1] > 0.9
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav", 1000, 1500), heard[1000:1500])


def test_flac_of_a_stream_says_no_length(tmp_path, noise):
    samples = noise(150_000)
    soundfile.write(tmp_path / "a.flac", samples, RATE, subtype="PCM_16")
    data = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "b.flac").write_bytes(data[:21] + bytes([data[21] & 0xF0]) + bytes(4) + data[26:])
    assert probe_audio(tmp_path / "b.flac").samples == 150_000
    np.testing.assert_array_equal(read_audio(tmp_path / "b.flac"), read_audio(tmp_path / "a.flac"))


def test_cut_flac(tmp_path, noise):
    soundfile.write(tmp_path / "a.flac", noise(20000), RATE, subtype="PCM_16")
    data = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "a.flac").write_bytes(data[: len(data) // 2])
    with pytest.raises(AudioError, match=r"a\.flac: it is cut short or corrupt"):
        read_audio(tmp_path / "a.flac", 100, 20000)


@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "NIST"])
def test_cut_files_are_refused(tmp_path, noise, kind):
    soundfile.write(tmp_path / "a.wav", noise(RATE), RATE, format=kind, subtype="PCM_16")
    assert probe_audio(tmp_path / "a.wav").samples == RATE
    data = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(data[: len(data) * 3 // 10])
    with pytest.raises(AudioError, match=r"cut short: its header promises 32\d\d\d bytes of audio, and \d+ are there"):
        probe_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("suffix", [".mp3", ".ogg"])
def test_cut_compressed_files_are_refused(tmp_path, speech, suffix):
    file = tmp_path / f"a{suffix}"
    soundfile.write(file, speech, 22050)
    data = file.read_bytes()
    file.write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(AudioError, match=f"a{suffix}"):
        read_audio(file, 0, probe_audio(file).samples)


def riff(data: bytes, said: int, behind: bytes = b"") -> bytes:
    """A WAV file of 16 bits whose header says any length."""
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    return b"RIFF" + struct.pack("<I", 2**32 - 1) + b"WAVE" + fmt + struct.pack("<4sI", b"data", said) + data + behind


@pytest.mark.parametrize("said", [0, 4000])
def test_a_recording_that_was_not_closed(tmp_path, noise, said):
    data = np.round(noise(4000) * 32767).astype("<i2").tobytes()
    (tmp_path / "a.wav").write_bytes(riff(data, said))
    with pytest.raises(AudioError, match=f"promises {said} bytes of audio, and {8000 - said} more follow.*not closed"):
        probe_audio(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("said", "behind"),
    [
        (8000, b""),
        (8000, struct.pack("<4sI", b"LIST", 3000) + bytes(3000)),
        (8000, b"TAG" + bytes(125)),
        (8000, bytes(20000)),
        (2**32 - 1, b""),
        (0x7FFFFFFF - 36, b""),
        (8001, b""),
    ],
)
def test_streams_tags_and_later_chunks_are_no_faults(tmp_path, noise, said, behind):
    data = np.round(noise(4000) * 32767).astype("<i2").tobytes()
    (tmp_path / "a.wav").write_bytes(riff(data, said, behind))
    assert length_fault(tmp_path / "a.wav") is None
    assert probe_audio(tmp_path / "a.wav").samples == 4000


def test_mp3_that_does_not_say_its_length(tmp_path, speech):
    """With a varying bit rate and no header of its length, a decoder guesses: half of the speech was lost."""
    soundfile.write(tmp_path / "a.mp3", np.append(speech, np.zeros(40000)), 22050)
    assert length_fault(tmp_path / "a.mp3") is None
    data = (tmp_path / "a.mp3").read_bytes()
    second = data.find(data[:2], 40)
    (tmp_path / "a.mp3").write_bytes(data[second:])
    with pytest.raises(AudioError, match="varying bit rate whose header does not say its length"):
        probe_audio(tmp_path / "a.mp3")


@pytest.mark.parametrize("rate", [16000, 44100])
def test_mp3_of_one_bit_rate_is_read_to_its_end(tmp_path, noise, rate):
    options = {"bitrate_mode": "CONSTANT", "compression_level": 0.5}
    with soundfile.SoundFile(tmp_path / "a.mp3", "w", rate, 1, format="MP3", **options) as file:
        file.write(noise(100_000))
    assert probe_audio(tmp_path / "a.mp3").samples == 100_000
    data = (tmp_path / "a.mp3").read_bytes()
    for tag in (b"", b"ID3\4\0\0\0\0\2\0" + bytes(256)):
        (tmp_path / "a.mp3").write_bytes(tag + data[data.find(data[:2], 40) :])
        found = probe_audio(tmp_path / "a.mp3").samples
        assert 100_000 <= found < 103_000  # with what encoder and decoder add
        assert len(read_audio(tmp_path / "a.mp3", 0, found)) == found


def test_what_was_not_fetched(tmp_path):
    (tmp_path / "a.wav").symlink_to("../.git/annex/objects/a")
    with pytest.raises(AudioError, match=r"a\.wav is a link to .*annex/objects/a, which is not there"):
        probe_audio(tmp_path / "a.wav")
    (tmp_path / "b.wav").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(AudioError, match=r"b\.wav: it is a pointer of git-lfs.*git lfs pull"):
        probe_audio(tmp_path / "b.wav")
    with pytest.raises(AudioError, match="File name too long"):
        probe_audio(tmp_path / f"{'x' * 300}.wav")


def test_files_that_cannot_be_read_are_named_or_left_out(tmp_path, noise):
    soundfile.write(tmp_path / "a.wav", noise(1000), RATE)
    (tmp_path / "b.wav").touch()
    (tmp_path / "c.wav").touch()
    files = [tmp_path / name for name in ("a.wav", "b.wav", "c.wav")]
    with pytest.raises(AudioError, match=r"b\.wav: it is empty \(0 bytes\)\. \(1 more of 3 files cannot be read\.\)"):
        probe_files(files)
    found, notes = probe_files(files, damaged="skip")
    assert list(found) == files[:1]
    assert len(notes) == 1
    assert notes[0].startswith("2 sound files cannot be read and were left out, for instance: Cannot read")
    with pytest.raises(AudioError, match="0 bytes"):
        probe_files(files[1:], damaged="skip")
