"""Which files of a folder are a corpus's, and what their texts say in any encoding."""

import os

import pytest

from layerstats.corpora.folders import as_words, beside, find_files, read_text
from layerstats.errors import CorpusError


@pytest.fixture
def tree(tmp_path):
    def make(*names):
        for name in names:
            path = tmp_path / "corpus" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
        return tmp_path / "corpus"

    return make


def names(folder, found):
    return [path.relative_to(folder).as_posix() for path in found]


def test_hidden_files_and_those_of_systems_are_not_the_corpus(tree):
    folder = tree(
        *("s1/a.wav", "s1/b.WAV", "s1/._a.wav", ".Trash-0/s1/c.wav", "__MACOSX/s1/a.wav", "@eaDir/a.wav/x.wav"),
        *("s1/.ipynb_checkpoints/a.wav", "$RECYCLE.BIN/d.wav", ".wav", "s1/notes.txt"),
    )
    (folder / "folder.wav").mkdir()
    assert names(folder, find_files(folder, [".wav"])) == ["s1/a.wav", "s1/b.WAV"]


def test_a_corpus_in_a_hidden_folder_is_read(tree):
    folder = tree(".cache/a.wav") / ".cache"
    assert names(folder, find_files(folder, [".wav"])) == ["a.wav"]


def test_links_are_followed_once(tree, tmp_path):
    folder = tree("s1/a.wav")
    (tmp_path / "elsewhere" / "deeper").mkdir(parents=True)
    (tmp_path / "elsewhere" / "deeper" / "b.wav").touch()
    os.symlink(tmp_path / "elsewhere", folder / "s2")  # another speaker's folder
    os.symlink(tmp_path / "elsewhere" / "deeper", folder / "s3")  # the same again
    os.symlink(folder / "s1", folder / "again")  # in the tree already
    os.symlink(folder, folder / "s1" / "up")  # a loop
    os.symlink(tmp_path, folder / "s1" / "higher")  # a loop by way of the parent
    found = names(folder, find_files(folder, [".wav"]))
    assert found in (["s1/a.wav", "s2/deeper/b.wav"], ["s1/a.wav", "s3/b.wav"])
    linked = tmp_path / "link"
    linked.symlink_to(folder)
    assert len(find_files(linked, [".wav"])) == 2


def test_links_that_lead_nowhere(tree):
    folder = tree("s1/a.wav")
    os.symlink("../.git/annex/objects/none", folder / "s1" / "b.wav")
    assert names(folder, find_files(folder, [".wav"])) == ["s1/a.wav", "s1/b.wav"]
    os.symlink("/nowhere/s2", folder / "s2")
    with pytest.raises(CorpusError, match=r"s2 is a link to /nowhere/s2, which is not there"):
        find_files(folder, [".wav"])


def test_the_file_beside_in_any_case(tree):
    folder = tree("SA1.WAV", "SA1.Wrd", "sa1.phn")
    assert beside(folder / "SA1.WAV", ".wrd") == folder / "SA1.Wrd"
    assert beside(folder / "SA1.WAV", ".txt") is None


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("für\nç".encode(), "UTF-8"),
        (b"\xef\xbb\xbff\xc3\xbcr\n\xc3\xa7", "UTF-8"),
        ("für\nç".encode("utf-16"), "UTF-16"),
        (b"\xfe\xff" + "für\r\nç".encode("utf-16-be"), "UTF-16"),
        ("für\rç".encode("latin-1"), "Latin-1"),
        ("für\r\nç".encode("cp1252"), "Latin-1"),
    ],
)
def test_texts_in_any_encoding(tmp_path, data, encoding):
    (tmp_path / "a.txt").write_bytes(data)
    assert read_text(tmp_path / "a.txt") == ("für\nç", encoding)


def test_a_byte_that_windows_has_no_letter_for(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\x81\xe9")
    assert read_text(tmp_path / "a.txt") == ("\x81é", "Latin-1")
    with pytest.raises(CorpusError, match=r"Cannot read .*absent\.txt"):
        read_text(tmp_path / "absent.txt")


def test_words_are_composed():
    assert as_words("fu\u0308r") == ["f\u00fcr"]
    assert as_words(None) is None


def test_lost_folder_whose_name_has_a_dot(tmp_path):
    (tmp_path / "speaker.1").symlink_to(tmp_path / "nowhere")
    (tmp_path / "notes.txt").symlink_to(tmp_path / "nowhere.txt")
    with pytest.raises(CorpusError, match=r"speaker\.1 is a link to .*Fetch what it leads to"):
        find_files(tmp_path, [".wav"])


def test_pointer_of_git_lfs(tmp_path):
    file = tmp_path / "a.TextGrid"
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    with pytest.raises(CorpusError, match="git lfs pull"):
        read_text(file)
