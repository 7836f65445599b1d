import numpy as np
import pandas as pd
import pytest
import soundfile

from layerstats.corpora import PAPER_WORDS, Clips, read_timit
from layerstats.errors import ArgumentError, AudioError, CorpusError


@pytest.fixture
def nltk(tmp_path, write_timit):
    """One sentence of a woman and one of a man, in NLTK's layout."""
    write_timit(tmp_path / "timit" / "dr1-fvmh0")
    write_timit(tmp_path / "timit" / "dr2-marc0")
    return tmp_path / "timit"


@pytest.fixture
def ldc(tmp_path, write_timit):
    """The same sentences in the LDC's layout."""
    write_timit(tmp_path / "TIMIT" / "TRAIN" / "DR1" / "FVMH0", upper=True)
    write_timit(tmp_path / "TIMIT" / "TEST" / "DR2" / "MARC0", upper=True)
    return tmp_path / "TIMIT"


def test_words_and_phones_by_the_label_files(nltk, write_timit):
    codes = write_timit(nltk / "dr1-fvmh0")
    corpus = read_timit(nltk, words=None)
    first = corpus.tokens.iloc[1]
    assert corpus.tokens["token"].tolist()[:2] == ["fvmh0_sa1_00_she", "fvmh0_sa1_01_wash"]
    assert (first["speaker"], first["sex"], first["dialect"], first["sentence"]) == ("fvmh0", "F", "dr1", "sa1")
    assert first["duration_s"] == 2300 / 16000
    np.testing.assert_array_equal(corpus.audio("fvmh0_sa1_01_wash"), (codes[2600:4900] / 32768).astype(np.float32))
    phones = corpus.phones[corpus.phones["token"] == "fvmh0_sa1_01_wash"]
    assert phones["label"].tolist() == ["w", "ao", "sh"]
    np.testing.assert_allclose(phones["onset_s"], [0, 400 / 16000, 1400 / 16000])
    np.testing.assert_allclose(phones["offset_s"], [400 / 16000, 1400 / 16000, 2300 / 16000])
    assert phones["previous"].tolist() == ["#", "w", "ao"]


def test_both_layouts_hold_the_same(nltk, ldc):
    lower, upper = read_timit(nltk, words=None), read_timit(ldc, words=None)
    order = upper.tokens.sort_values("token").index
    pd.testing.assert_frame_equal(
        lower.tokens.drop(columns="split"), upper.tokens.loc[order].reset_index(drop=True).drop(columns="split")
    )
    for token in lower.tokens["token"]:
        np.testing.assert_array_equal(lower.audio(token), upper.audio(token))


def test_split_is_that_of_the_folder_or_of_the_table(nltk, ldc):
    assert read_timit(ldc, words="wash").tokens.set_index("speaker")["split"].to_dict() == {
        "fvmh0": "train",
        "marc0": "test",
    }
    assert set(read_timit(ldc / "TEST", words="wash").tokens["split"]) == {"test"}
    assert set(read_timit(ldc / "TEST" / "DR2", words="wash").tokens["dialect"]) == {"dr2"}
    assert set(read_timit(nltk, words="wash").tokens["split"]) == {"train"}
    (nltk / "spkrinfo.txt").write_text("; comments\nVMH0  F  1  TST  03/11/86\nARC0  M  2  TRN  03/11/86\n")
    assert read_timit(nltk, words="wash").tokens.set_index("speaker")["split"].to_dict() == {
        "fvmh0": "test",
        "marc0": "train",
    }


def test_words_are_chosen(nltk):
    assert read_timit(nltk, words="she").words == ("she",)
    assert read_timit(nltk, words=["she", "wash"]).words == ("she", "wash")
    with pytest.raises(CorpusError, match=r"no 'zebra'\. Its words are"):
        read_timit(nltk, words=["she", "zebra"])


def test_sentences(nltk):
    corpus = read_timit(nltk, unit="sentence")
    assert corpus.tokens["token"].tolist() == ["fvmh0_sa1", "marc0_sa1"]
    assert corpus.words == ("she wash",)
    assert corpus.phones["label"].tolist()[:7] == ["h#", "sh", "iy", "w", "ao", "sh", "h#"]
    with pytest.raises(ArgumentError, match="unit"):
        read_timit(nltk, unit="phone")


def test_labels_that_end_before_the_audio_are_read(tmp_path, write_timit):
    write_timit(tmp_path / "dr3-madc0", samples=9000)
    corpus = read_timit(tmp_path, unit="sentence")
    assert corpus.tokens["duration_s"].tolist() == [9000 / 16000]
    assert corpus.phones["offset_s"].iloc[-1] == 6000 / 16000


def test_labels_a_few_samples_behind_the_audio_are_cut(tmp_path, write_timit):
    write_timit(tmp_path / "dr1-fvmh0", samples=5999)
    corpus = read_timit(tmp_path, unit="sentence")
    assert corpus.phones["offset_s"].iloc[-1] == 5999 / 16000


def test_labels_of_another_recording(tmp_path, write_timit):
    write_timit(tmp_path / "dr1-fvmh0", samples=5000)
    with pytest.raises(CorpusError, match="ends at sample 6000, but the audio has 5000"):
        read_timit(tmp_path)


def test_word_without_phones(tmp_path, write_timit):
    write_timit(tmp_path / "dr1-fvmh0", phn="0 1000 h#\n1000 2600 sh\n")
    with pytest.raises(CorpusError, match=r"No phones for 'wash' \(samples 2600-4900\).*sa1\.wav"):
        read_timit(tmp_path)


def test_labels_in_latin_1(tmp_path, write_timit):
    write_timit(tmp_path / "dr1-fvmh0")
    (tmp_path / "dr1-fvmh0" / "sa1.wrd").write_bytes("1000 2600 she\r\n2600 4900 café\r\n".encode("latin-1"))
    assert read_timit(tmp_path, words="cafe\u0301").words == ("café",)


def test_label_file_in_another_case(tmp_path, write_timit):
    write_timit(tmp_path / "dr1-fvmh0")
    (tmp_path / "dr1-fvmh0" / "sa1.wrd").rename(tmp_path / "dr1-fvmh0" / "Sa1.Wrd")
    assert len(read_timit(tmp_path, words=None)) == 2


@pytest.mark.parametrize(
    "phn", ["0 1000\n", "0 x h#\n", "", "\u00b2000 4000 iy\n", f"0 {'9' * 5000} iy\n", "4000 2000 iy\n"]
)
def test_bad_label_file(tmp_path, write_timit, phn):
    write_timit(tmp_path / "dr1-fvmh0", phn=phn)
    with pytest.raises(CorpusError, match=r"sa1\.phn"):
        read_timit(tmp_path)


def test_missing_label_file(nltk):
    (nltk / "dr1-fvmh0" / "sa1.wrd").unlink()
    with pytest.raises(CorpusError, match=r"has no \.wrd file beside it"):
        read_timit(nltk)


def test_same_sentence_twice(tmp_path, nltk, write_timit):
    write_timit(nltk / "copy" / "dr1-fvmh0")
    with pytest.raises(CorpusError, match="'fvmh0_sa1_01_wash' occurs twice"):
        read_timit(nltk)


def test_stereo_sentence(nltk, noise):
    soundfile.write(nltk / "dr1-fvmh0" / "sa1.wav", noise(12000).reshape(-1, 2), 16000)
    with pytest.raises(AudioError, match="2 channels"):
        read_timit(nltk)


def test_nothing_there(tmp_path):
    with pytest.raises(CorpusError, match="No sentences of TIMIT"):
        read_timit(tmp_path)
    with pytest.raises(CorpusError, match="There is no folder"):
        read_timit(tmp_path / "absent")


@pytest.mark.realdata
def test_the_sample_of_timit(real_data):
    corpus = read_timit(real_data("timit"))
    counts = corpus.tokens["word"].value_counts().to_dict()
    assert counts == {word: 17 if word in ("dark", "water") else 16 for word in PAPER_WORDS}
    assert len(corpus.speakers) == 16
    assert set(corpus.phones["phone_class"]) & {"other"} == set()
    assert corpus.phones.groupby("token").size().index.nunique() == len(corpus)
    clips = Clips(corpus)
    clips.check_audio()
    np.testing.assert_allclose(np.abs(clips.waveforms(slice(None))).max(axis=1), 1)
    # Frication of [sh] in wash, which is above the vowels' formants, is where its interval says.
    wash = corpus.phones[corpus.phones["label"].eq("sh")]
    for row in wash.itertuples():
        samples = corpus.audio(row.token)[round(row.onset_s * 16000) : round(row.offset_s * 16000)]
        power = np.abs(np.fft.rfft(samples)) ** 2
        assert power[len(power) * 3 // 16 :].sum() > 0.5 * power.sum()  # above 1500 Hz


@pytest.mark.realdata
def test_every_word_of_the_sample(real_data):
    corpus = read_timit(real_data("timit"), words=None)
    assert len(corpus) == 1394
    sentences = read_timit(real_data("timit"), unit="sentence")
    short = sentences.tokens.set_index("token").loc["madc0_si1367"]
    last = sentences.phones[sentences.phones["token"] == "madc0_si1367"].iloc[-1]
    assert last["offset_s"] == 69288 / 16000 < short["duration_s"]
