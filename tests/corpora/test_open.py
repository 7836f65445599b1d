import pytest
import soundfile

from layerstats.corpora import corpus_kinds, demo_sentences, demo_words, open_corpus
from layerstats.errors import ArgumentError, AudioError, CorpusError


def test_demo_says_any_word():
    assert open_corpus("demo", words="shoe").words == ("shoe",)


def test_long_list_of_words():
    assert open_corpus("demo:48", words="shoe").words == ("shoe",)
    assert open_corpus("demo:48").words == tuple(sorted(demo_words(48)))


def test_sentences_by_number():
    corpus = open_corpus("demo:sentences=3")
    assert set(corpus.tokens["sentence"]) == set(demo_sentences(3))
    assert open_corpus("demo:sentences=3", words=demo_sentences(1)).words == demo_sentences(1)
    for name in ("demo:sentences=", "demo:sentences=few", "demo:sentences=0"):
        with pytest.raises(ArgumentError, match=r"number of sentences|'count' parameter"):
            open_corpus(name)


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
    with pytest.raises(
        ArgumentError,
        match=r"demo, demo:35, demo:48, demo:sentences, demo:sentences=COUNT, timit:PATH, .*textgrids:PATH",
    ):
        open_corpus(name)


def test_options_follow_a_question_mark(tmp_path, write_timit):
    write_timit(tmp_path / "ti?mit" / "dr1-fvmh0")
    assert open_corpus(f"timit:{tmp_path / 'ti?mit'}?unit=sentence").words == ("she wash",)
    assert len(open_corpus(f"timit:{tmp_path / 'ti?mit'}")) == 2
    (tmp_path / "timit").symlink_to(tmp_path / "ti?mit")
    assert len(open_corpus(f"timit:{tmp_path / 'timit'}?", words="she")) == 1


def test_kinds_name_what_they_are_and_their_options():
    kinds = corpus_kinds()
    assert set(kinds) == {"timit", "speech_commands", "fsdd", "librispeech", "textgrids", "generated"}
    assert all(summary.endswith(".") for summary, _ in kinds.values())
    assert kinds["fsdd"][1] == ()
    assert set(kinds["textgrids"][1]) >= {"word_tier", "phone_tier", "speaker", "channel", "tolerance_s", "labels"}


@pytest.mark.parametrize("option", ["words=ask", "units=word", "unit", "=word", "path=x"])
def test_unknown_options_list_the_known(tmp_path, option):
    with pytest.raises(ArgumentError, match=rf"Invalid option '{option}'.*Options of timit are: unit="):
        open_corpus(f"timit:{tmp_path}?{option}")
    with pytest.raises(ArgumentError, match="Options of fsdd are: none"):
        open_corpus(f"fsdd:{tmp_path}?unit=word")


def test_values_of_options_are_checked(tmp_path):
    with pytest.raises(
        ArgumentError,
        match="'long' for the option 'tolerance_s' of the corpus textgrids:PATH: input should be a valid number",
    ):
        open_corpus(f"textgrids:{tmp_path}?tolerance_s=long")
    with pytest.raises(ArgumentError, match="'unit'"):
        open_corpus(f"timit:{tmp_path}?unit=none")


def test_files_that_cannot_be_read_are_left_out_on_request(tmp_path, noise):
    soundfile.write(tmp_path / "1_anna_0.wav", noise(800), 8000)
    (tmp_path / "2_anna_0.wav").touch()
    with pytest.raises(AudioError, match="0 bytes"):
        open_corpus(f"fsdd:{tmp_path}")
    corpus = open_corpus(f"fsdd:{tmp_path}", damaged="skip")
    assert len(corpus) == 1
    assert corpus.notes[0].startswith("1 sound files cannot be read and were left out")
    with pytest.raises(ArgumentError, match="'damaged'"):
        open_corpus(f"fsdd:{tmp_path}", damaged="mend")


def test_option_that_stands_twice(tmp_path):
    with pytest.raises(ArgumentError, match="'labels' stands twice"):
        open_corpus(f"textgrids:{tmp_path}?labels=ipa&labels=sampa")


def test_label_set_in_capitals(tmp_path):
    with pytest.raises(CorpusError, match="No recordings"):
        open_corpus(f"textgrids:{tmp_path}?labels=SAMPA")
