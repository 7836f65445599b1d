import pytest
import soundfile

from layerstats.corpora import CORPUS_NAMES, demo_words, open_corpus
from layerstats.errors import ArgumentError


def test_demo_says_any_word():
    assert open_corpus("demo", words="shoe").words == ("shoe",)


def test_long_list_of_words():
    assert open_corpus("demo:48", words="shoe").words == ("shoe",)
    assert open_corpus("demo:48").words == tuple(sorted(demo_words(48)))


def test_readers_by_name(tmp_path, write_timit, noise):
    write_timit(tmp_path / "timit" / "dr1-fvmh0")
    corpus = open_corpus(f"timit:{tmp_path / 'timit'}")
    assert (corpus.name, corpus.words) == ("timit", ("she", "wash"))
    assert open_corpus(f"timit:{tmp_path / 'timit'}", words=["she"]).words == ("she",)
    (tmp_path / "fsdd").mkdir()
    for digit in (1, 2):
        soundfile.write(tmp_path / "fsdd" / f"{digit}_anna_0.wav", noise(800), 8000)
    assert open_corpus(f"fsdd:{tmp_path / 'fsdd'}", words="two").words == ("two",)


@pytest.mark.parametrize("name", ["", "timit", "timit:", "demo:x", "demo:", "demo:08", "wsj:/data", "demo "])
def test_unknown_names_list_the_known(name):
    with pytest.raises(ArgumentError, match=r"demo, demo:48, timit:PATH, .*textgrids:PATH"):
        open_corpus(name)
    readers = {"timit", "speech_commands", "fsdd", "librispeech", "textgrids", "generated"}
    assert set(CORPUS_NAMES) == {"demo", *readers}
