import pytest
import soundfile

from layerstats.corpora import read_librispeech
from layerstats.errors import CorpusError


@pytest.fixture
def root(tmp_path, noise):
    for subset, speaker in (("dev-clean", "84"), ("test-other", "367")):
        chapter = tmp_path / subset / speaker / "121"
        chapter.mkdir(parents=True)
        soundfile.write(chapter / f"{speaker}-121-0000.flac", noise(8000), 16000)
        (chapter / f"{speaker}-121.trans.txt").write_text(f"{speaker}-121-0000 HE DIDN'T GO\n")
    (tmp_path / "SPEAKERS.TXT").write_text(";ID  |SEX| SUBSET\n84 | F | dev-clean | 8 | X\n")
    return tmp_path


def test_utterances(root):
    corpus = read_librispeech(root)
    columns = ["token", "word", "speaker", "split", "subset", "chapter", "sex", "duration_s"]
    assert corpus.tokens[columns].values.tolist() == [
        ["84-121-0000", "he didn't go", "84", "validation", "dev-clean", "121", "F", 0.5],
        ["367-121-0000", "he didn't go", "367", "test", "test-other", "121", "unknown", 0.5],
    ]
    alone = read_librispeech(root / "test-other")
    assert alone.tokens["token"].tolist() == ["367-121-0000"]
    assert alone.tokens["split"].tolist() == ["test"]


def test_utterance_without_transcript(root):
    (root / "dev-clean" / "84" / "121" / "84-121.trans.txt").unlink()
    with pytest.raises(CorpusError, match=r"84-121-0000\.flac has no line"):
        read_librispeech(root)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf84-121-0000 HE DIDN'T GO\r\n",
        b"84-121-0000\tHE  DIDN'T GO\n",
        "84-121-0000 HE DIDN'T GO".encode("utf-16"),
    ],
)
def test_transcripts_as_editors_write_them(root, data):
    (root / "dev-clean" / "84" / "121" / "84-121.trans.txt").write_bytes(data)
    assert " ".join(read_librispeech(root / "dev-clean").words[0].split()) == "he didn't go"


def test_speakers_in_latin_1(root):
    (root / "SPEAKERS.TXT").write_bytes("84 | F | dev-clean | 8 | José\n".encode("latin-1"))
    assert read_librispeech(root).tokens["sex"].tolist() == ["F", "unknown"]


def test_an_utterance_without_words(root):
    (root / "dev-clean" / "84" / "121" / "84-121.trans.txt").write_text("84-121-0000 \n")
    with pytest.raises(CorpusError, match="one without text"):
        read_librispeech(root)


def test_utterances_that_were_not_fetched_are_noted(root):
    with (root / "dev-clean" / "84" / "121" / "84-121.trans.txt").open("a") as file:
        file.write("84-121-0001 LOST\n")
    note = "1 of 3 utterances of the transcripts have no sound file here, for instance 84-121-0001."
    assert read_librispeech(root).notes == (note,)


def test_nothing_there(tmp_path):
    with pytest.raises(CorpusError, match="No recordings of librispeech"):
        read_librispeech(tmp_path)


@pytest.mark.realdata
def test_the_sample(real_data):
    corpus = read_librispeech(real_data("LibriSpeech"))
    assert len(corpus) == 100
    assert len(corpus.speakers) == 10
    assert set(corpus.tokens["sex"]) == {"F", "M"}
    assert len(corpus.audio("1688-142285-0000")) == 15 * 16000
