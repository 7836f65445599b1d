import pytest
import soundfile

from layerstats.corpora import SPEECH_COMMANDS_WORDS, Clips, read_speech_commands
from layerstats.errors import AudioError, CorpusError


@pytest.fixture
def folder(tmp_path, noise):
    for place in ("yes/aa_nohash_0", "yes/bb_nohash_0", "yes/bb_nohash_1", "no/cc_nohash_0", "_background_noise_/tap"):
        file = tmp_path / f"{place}.wav"
        file.parent.mkdir(exist_ok=True)
        soundfile.write(file, noise(16000), 16000, subtype="PCM_16")
    (tmp_path / "validation_list.txt").write_text("yes/bb_nohash_0.wav\nyes/bb_nohash_1.wav\n")
    (tmp_path / "testing_list.txt").write_text("no/cc_nohash_0.wav\nno/absent_nohash_0.wav\n")
    return tmp_path


def test_speakers_and_official_split(folder):
    corpus = read_speech_commands(folder)
    columns = ["token", "word", "speaker", "split", "repetition"]
    assert corpus.tokens[columns].values.tolist() == [
        ["no_cc_nohash_0", "no", "cc", "test", 0],
        ["yes_aa_nohash_0", "yes", "aa", "train", 0],
        ["yes_bb_nohash_0", "yes", "bb", "validation", 0],
        ["yes_bb_nohash_1", "yes", "bb", "validation", 1],
    ]
    assert corpus.phones.empty
    assert len(corpus.audio("no_cc_nohash_0")) == 16000
    assert read_speech_commands(folder, words="no").words == ("no",)


def test_a_second_does_not_fit_between_silences(folder):
    corpus = read_speech_commands(folder)
    with pytest.raises(AudioError, match="samples=16800"):
        Clips(corpus)
    assert Clips(corpus, silence_s=0).waveforms([0]).shape == (1, 16384)


def test_incomplete_folders(folder):
    with pytest.raises(CorpusError, match="no 'cat'"):
        read_speech_commands(folder, words=["cat", "yes"])
    (folder / "no" / "dog.wav").write_bytes((folder / "no" / "cc_nohash_0.wav").read_bytes())
    with pytest.raises(CorpusError, match=r"dog\.wav must be SPEAKER_nohash_N"):
        read_speech_commands(folder)
    (folder / "zebra").mkdir()
    with pytest.raises(CorpusError, match="not words of Speech Commands: zebra"):
        read_speech_commands(folder)
    (folder / "testing_list.txt").unlink()
    with pytest.raises(CorpusError, match=r"no testing_list\.txt"):
        read_speech_commands(folder)


@pytest.mark.parametrize("start", ["./", "", "/"])
def test_lists_as_people_make_them(folder, start):
    lines = [f"{start}yes\\bb_nohash_0.wav", f"{start}yes/bb_nohash_1.wav "]
    (folder / "validation_list.txt").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    splits = read_speech_commands(folder).tokens["split"]
    assert splits.tolist() == ["test", "train", "validation", "validation"]


def test_recordings_that_were_not_fetched_are_noted(folder):
    note = "1 of 4 recordings of the lists for validation and testing are not in the folder, for instance "
    assert read_speech_commands(folder).notes == (f"{note}no/absent_nohash_0.wav.",)
    assert read_speech_commands(folder, words="yes").notes == ()
    (folder / "yes" / "dd_nohash_0.wav").symlink_to("../.git/annex/objects/none")
    with pytest.raises(AudioError, match=r"dd_nohash_0\.wav is a link"):
        read_speech_commands(folder)
    assert len(read_speech_commands(folder, damaged="skip")) == 4
    (folder / "six").symlink_to("/nowhere/six")
    with pytest.raises(CorpusError, match="six is a link"):
        read_speech_commands(folder)


def test_what_systems_leave_in_folders(folder, noise):
    (folder / "yes" / "._aa_nohash_0.wav").write_bytes(b"\0\5\x16\7")
    (folder / "yes" / ".DS_Store").touch()
    (folder / "__MACOSX" / "yes").mkdir(parents=True)
    (folder / "@eaDir").mkdir()
    assert len(read_speech_commands(folder)) == 4
    (folder / "yes" / "augmented").mkdir()
    soundfile.write(folder / "yes" / "augmented" / "aa_nohash_7.wav", noise(16000), 16000)
    with pytest.raises(CorpusError, match="in a folder below its word's"):
        read_speech_commands(folder)


def test_empty_folder(tmp_path):
    for name in ("validation_list.txt", "testing_list.txt"):
        (tmp_path / name).touch()
    with pytest.raises(CorpusError, match="No recordings of speech_commands"):
        read_speech_commands(tmp_path)


@pytest.mark.realdata
def test_the_official_test_set(real_data):
    corpus = read_speech_commands(real_data("speech_commands_v0.02"))
    assert len(corpus) == 1408
    assert corpus.words == SPEECH_COMMANDS_WORDS
    assert set(corpus.tokens["split"]) == {"test"}
    assert len(Clips(corpus, too_long="trim").waveforms(slice(0, 20))) == 20
