import pytest
import soundfile

from layerstats.corpora import Clips, read_fsdd
from layerstats.errors import AudioError, CorpusError


def test_names_say_digit_speaker_and_split(tmp_path, noise):
    (tmp_path / "recordings").mkdir()
    for name in ("0_george_0", "7_lucas_12"):
        soundfile.write(tmp_path / "recordings" / f"{name}.wav", noise(2000), 8000, subtype="PCM_16")
    corpus = read_fsdd(tmp_path)
    columns = ["token", "word", "speaker", "split", "digit", "repetition", "duration_s"]
    assert corpus.tokens[columns].values.tolist() == [
        ["0_george_0", "zero", "george", "test", 0, 0, 0.25],
        ["7_lucas_12", "seven", "lucas", "train", 7, 12, 0.25],
    ]
    assert corpus.rate_hz == 8000
    assert read_fsdd(tmp_path / "recordings").content_hash() == corpus.content_hash()
    soundfile.write(tmp_path / "recordings" / "seven.wav", noise(2000), 8000)
    with pytest.raises(CorpusError, match=r"seven\.wav must be DIGIT_SPEAKER_N"):
        read_fsdd(tmp_path)


def test_speakers_of_several_parts_and_other_digits(tmp_path, noise):
    soundfile.write(tmp_path / "0_van_der_3.wav", noise(2000), 8000)
    assert read_fsdd(tmp_path).speakers == ("van_der",)
    soundfile.write(tmp_path / "\u0663_anna_0.wav", noise(2000), 8000)
    with pytest.raises(CorpusError, match="must be DIGIT_SPEAKER_N"):
        read_fsdd(tmp_path)


def test_a_file_cut_on_the_way(tmp_path, noise):
    for name in ("0_anna_0", "1_anna_7"):
        soundfile.write(tmp_path / f"{name}.wav", noise(8000), 8000, subtype="PCM_16")
    file = tmp_path / "1_anna_7.wav"
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 3 // 10])
    with pytest.raises(AudioError, match=r"1_anna_7\.wav: it was cut short"):
        read_fsdd(tmp_path)
    corpus = read_fsdd(tmp_path, damaged="skip")
    assert corpus.tokens["token"].tolist() == ["0_anna_0"]
    assert "cut short" in corpus.notes[0]
    assert corpus.subset(words="zero").notes == corpus.notes


def test_nothing_there(tmp_path):
    with pytest.raises(CorpusError, match="No recordings of fsdd"):
        read_fsdd(tmp_path)


@pytest.mark.realdata
def test_the_dataset(real_data):
    corpus = read_fsdd(real_data("fsdd"))
    assert len(corpus) == 3000
    assert len(corpus.speakers) == 6
    assert corpus.tokens["word"].value_counts().tolist() == [300] * 10
    assert corpus.tokens["split"].value_counts().to_dict() == {"train": 2700, "test": 300}
    clips = Clips(corpus, too_long="trim")
    assert clips.attrs["trimmed_tokens"] == 26
    assert clips.waveforms(slice(0, 10)).shape == (10, 16384)
