import numpy as np
import pytest
import soundfile
from praatio import textgrid

from layerstats.corpora import read_textgrids
from layerstats.errors import ArgumentError, AudioError, CorpusError

WORDS = [(0.1, 0.3, "Ask"), (0.3, 0.35, "sp"), (0.35, 0.5, "us")]
PHONES = [(0.1, 0.2, "AE1"), (0.2, 0.26, "S"), (0.26, 0.3, "K"), (0.35, 0.4, "ʌ"), (0.4, 0.5, "S"), (0.5, 0.6, "sil")]


@pytest.fixture
def write(tmp_path, noise):
    def make(name="anna/one", duration_s=0.6, words=WORDS, phones=PHONES, tiers=("words", "phones"), audio_s=0.6):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        samples = noise(round(audio_s * 8000))
        soundfile.write(file.with_suffix(".wav"), samples, 8000, subtype="FLOAT")
        grid = textgrid.Textgrid()
        for tier, entries in zip(tiers, (words, phones), strict=True):
            grid.addTier(textgrid.IntervalTier(tier, entries, 0, duration_s))
        grid.save(str(file.with_suffix(".TextGrid")), format="long_textgrid", includeBlankSpaces=True)
        return samples

    return make


def test_words_become_tokens(tmp_path, write):
    samples = write()
    corpus = read_textgrids(tmp_path)
    assert corpus.tokens["token"].tolist() == ["anna_one_00_Ask", "anna_one_01_us"]
    assert corpus.tokens["speaker"].tolist() == ["anna", "anna"]
    assert corpus.tokens["duration_s"].tolist() == pytest.approx([0.2, 0.15])
    np.testing.assert_array_equal(corpus.audio("anna_one_00_Ask"), samples[800:2400].astype(np.float32))
    assert corpus.phones["label"].tolist() == ["ae", "s", "k", "ʌ", "s"]
    assert corpus.phones["source_label"].tolist() == ["AE1", "S", "K", "ʌ", "S"]
    np.testing.assert_allclose(corpus.phones["onset_s"], [0, 0.1, 0.16, 0, 0.05], atol=1e-12)
    np.testing.assert_allclose(corpus.phones["offset_s"], [0.1, 0.16, 0.2, 0.05, 0.15], atol=1e-12)
    assert corpus.phones["position"].tolist() == ["initial", "medial", "final", "initial", "final"]


def test_whole_recordings(tmp_path, write):
    write()
    corpus = read_textgrids(tmp_path, word_tier=None)
    assert corpus.tokens[["token", "word", "duration_s"]].values.tolist() == [["anna_one", "one", 0.6]]
    assert corpus.phones["label"].tolist()[-1] == "sil"
    assert read_textgrids(tmp_path, word_tier=None, phone_tier=None).phones.empty


def test_tiers_of_other_names(tmp_path, write):
    write(tiers=("ORT-MAU", "MAU"))
    with pytest.raises(CorpusError, match="no tier 'words'; its tiers are 'ORT-MAU', 'MAU'"):
        read_textgrids(tmp_path)
    assert len(read_textgrids(tmp_path, word_tier="ORT-MAU", phone_tier="MAU").phones) == 5


def test_speaker_from_the_name(tmp_path, write):
    write("all/f01_one")
    write("all/f02-two")
    assert read_textgrids(tmp_path, speaker="prefix").speakers == ("f01", "f02")
    with pytest.raises(ArgumentError, match="speaker"):
        read_textgrids(tmp_path, speaker="name")


@pytest.mark.parametrize("duration_s", [0.65, 0.7])
def test_textgrid_of_another_length(tmp_path, write, duration_s):
    write(duration_s=duration_s)
    with pytest.raises(CorpusError, match=rf"one\.TextGrid ends at {duration_s:.3f} s, but its recording lasts 0\.600"):
        read_textgrids(tmp_path)
    assert len(read_textgrids(tmp_path, tolerance_s=0.2)) == 2


def test_textgrid_shorter_than_its_audio(tmp_path, write):
    write(audio_s=0.7)
    with pytest.raises(CorpusError, match=r"ends at 0\.600 s, but its recording lasts 0\.700"):
        read_textgrids(tmp_path)


def test_word_behind_the_end(tmp_path, write):
    write(duration_s=0.9, words=[(0.7, 0.8, "late")], phones=[(0.7, 0.8, "S")])
    with pytest.raises(CorpusError, match=r"'late' at 0\.700 s lies outside"):
        read_textgrids(tmp_path, tolerance_s=1)


def test_word_without_phones(tmp_path, write):
    write(phones=PHONES[:3])
    with pytest.raises(CorpusError, match=r"No phones for the word 'us' at 0\.350 s.*phone_tier=None"):
        read_textgrids(tmp_path)


def test_files_alone(tmp_path, write):
    write()
    (tmp_path / "anna" / "one.TextGrid").rename(tmp_path / "anna" / "two.TextGrid")
    with pytest.raises(CorpusError, match=r"2 files stand alone, for instance .*one\.wav"):
        read_textgrids(tmp_path)


def test_corrupt_textgrid(tmp_path, write):
    write()
    (tmp_path / "anna" / "one.TextGrid").write_text("not a grid")
    with pytest.raises(CorpusError, match=r"Cannot read the TextGrid .*one\.TextGrid"):
        read_textgrids(tmp_path)


def test_tier_of_points(tmp_path, write):
    write()
    grid = textgrid.openTextgrid(str(tmp_path / "anna" / "one.TextGrid"), includeEmptyIntervals=False)
    grid.replaceTier("phones", textgrid.PointTier("phones", [(0.2, "s")], 0, 0.6))
    grid.save(str(tmp_path / "anna" / "one.TextGrid"), format="long_textgrid", includeBlankSpaces=True)
    with pytest.raises(CorpusError, match="tier of points"):
        read_textgrids(tmp_path)


def test_recordings_of_the_same_token(tmp_path, write):
    write("a_b/c")
    write("a/b_c")
    with pytest.raises(CorpusError, match="'a_b_c_00_Ask' occurs twice"):
        read_textgrids(tmp_path)


def test_stereo_by_choice(tmp_path, write, noise):
    write()
    both = noise(9600).reshape(-1, 2).astype(np.float32)
    soundfile.write(tmp_path / "anna" / "one.wav", both, 8000, subtype="FLOAT")
    with pytest.raises(AudioError, match="2 channels"):
        read_textgrids(tmp_path)
    np.testing.assert_array_equal(read_textgrids(tmp_path, channel=1).audio("anna_one_01_us"), both[2800:4000, 1])


def test_nothing_there(tmp_path):
    with pytest.raises(CorpusError, match="No recordings with TextGrids"):
        read_textgrids(tmp_path)
