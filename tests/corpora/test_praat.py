"""TextGrids as Praat and other programs write them, and files that are none."""

import pytest
from praatio import textgrid

from layerstats.corpora.praat import Interval, clean_label, read_textgrid
from layerstats.errors import CorpusError

WORDS = [(0, 0.2, ""), (0.2, 0.5, "ask"), (0.5, 0.8, "wash"), (0.8, 1, "")]
FOUND = tuple(Interval(*entry) for entry in WORDS)


def long_text(entries=WORDS, name="words", tiers=1):
    """A TextGrid in the long format."""
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0 ", "xmax = 1 ", "tiers? <exists> "]
    lines += [f"size = {tiers} ", "item []: "]
    for index in range(1, tiers + 1):
        lines += [f"    item [{index}]:", '        class = "IntervalTier" ', f'        name = "{name}" ']
        lines += ["        xmin = 0 ", "        xmax = 1 ", f"        intervals: size = {len(entries)} "]
        for number, (start, stop, text) in enumerate(entries, start=1):
            quoted = text.replace('"', '""')
            lines += [f"        intervals [{number}]:", f"            xmin = {start} ", f"            xmax = {stop} "]
            lines += [f'            text = "{quoted}" ']
    return "\n".join(lines) + "\n"


def read(tmp_path, text, encoding="utf-8"):
    file = tmp_path / "a.TextGrid"
    file.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return read_textgrid(file)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path, encoding, newline):
    grid = read(tmp_path, long_text([(0, 1, "für")]).replace("\n", newline), encoding)
    assert grid.tiers[0].intervals == (Interval(0, 1, "für"),)
    assert grid.encoding == {"utf-16": "UTF-16", "latin-1": "Latin-1"}.get(encoding, "UTF-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.replace(" = ", "="),
        lambda text: text.replace("    ", "\t"),
        lambda text: text.replace("0.2", "2e-1").replace("0.5", "5E-01"),
        lambda text: text.replace("0.", "0,"),
        lambda text: text.replace("xmin = 0 ", "xmin = -0 ").replace("xmax = 1 ", "xmax = 1.0ignored "),
        lambda text: text.replace("size = 1 ", 'size = 1 ! one tier, "words"'),
        lambda text: text.replace("item []: ", ""),
    ],
)
def test_ways_of_writing_the_same(tmp_path, change):
    grid = read(tmp_path, change(long_text()))
    assert (grid.start_s, grid.stop_s, grid.tiers[0].name) == (0, 1, "words")
    assert grid.tiers[0].intervals == FOUND


@pytest.mark.parametrize(
    "label",
    [
        *['say "x" now', "intervals [2]:", "xmin = 7", "item [1]:", 'class = "IntervalTier"', "a\\b\\", "! no comment"],
        *["<exists>", "=cmd|' /C calc'!A0", "100%_&#$\\{}", "7", "0.5", "x" * 5000],
    ],
)
def test_labels_that_look_like_the_file(tmp_path, label):
    assert read(tmp_path, long_text([(0, 1, label)])).tiers[0].intervals == (Interval(0, 1, label),)


@pytest.mark.parametrize(
    ("text", "cleaned"), [("as\nk", "as k"), (" ask\u00a0", "ask"), ("\u200b", ""), ("a\0b", "a b")]
)
def test_labels_are_cleaned(tmp_path, text, cleaned):
    assert clean_label(text) == cleaned
    assert read(tmp_path, long_text([(0, 1, text)])).tiers[0].intervals == (Interval(0, 1, cleaned),)


@pytest.mark.parametrize("form", ["short_textgrid", "long_textgrid"])
def test_files_of_another_program(tmp_path, form):
    grid = textgrid.Textgrid()
    grid.addTier(textgrid.IntervalTier("words", WORDS[1:3], 0, 1))
    grid.addTier(textgrid.PointTier("tones", [(0.3, "H*")], 0, 1))
    grid.save(str(tmp_path / "a.TextGrid"), format=form, includeBlankSpaces=True)
    read_again = read_textgrid(tmp_path / "a.TextGrid")
    assert read_again.tiers[0].intervals == FOUND
    assert (read_again.tiers[1].name, read_again.tiers[1].intervals) == ("tones", None)


def test_order_and_intervals_of_no_length(tmp_path):
    entries = [WORDS[2], WORDS[1], (0.5, 0.5, ""), WORDS[0], WORDS[3]]
    assert read(tmp_path, long_text(entries)).tiers[0].intervals == FOUND


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([(0, 0.55, "ask"), (0.5, 1, "us")], r"overlap: 'ask' ends at 0\.55 s"),
        ([(0.5, 0.2, "ask")], r"'ask' of the tier 'words' starts at 0\.5 s and does not end after that"),
        ([(0.5, 0.5, "ask")], "does not end after that"),
        ([(0, "nan", "ask")], "where a time of the tier 'words' should be there is 'ask'"),
        ([(0, "1e999", "ask")], "has the number inf"),
    ],
)
def test_impossible_intervals(tmp_path, entries, message):
    with pytest.raises(CorpusError, match=message):
        read(tmp_path, long_text(entries))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "breaks off before the kind of file"),
        ("<html>404</html>", "not a TextGrid|should be"),
        ('{"start": 0, "tiers": {}}', "not a TextGrid"),
        ("[1, 2, 3]", "should be|breaks off"),
        ('"Praat chronological TextGrid text file"\n0 1\n1\n"IntervalTier" "words" 0 1', "not a TextGrid"),
        (b"ooBinaryFile\x08TextGrid\0\0", "a binary file"),
        (long_text()[:300], "breaks off before"),
        (long_text()[:-30], "breaks off before"),
        (long_text().replace("size = 4", "size = 9"), "breaks off before"),
        (long_text(tiers=2).replace("size = 4", "size = 9"), "should be there is 'IntervalTier'"),
        (long_text().replace("size = 4", "size = 3"), "more labels follow than it says"),
        (long_text().replace("size = 4", "size = 3.5"), r"is 3\.5"),
        (long_text().replace("IntervalTier", "PitchTier"), "unknown class 'PitchTier'"),
        (long_text().replace("size = 1", "size = -1"), "the number of tiers is -1"),
    ],
)
def test_files_that_are_none_or_broken(tmp_path, data, message):
    with pytest.raises(CorpusError, match=f"Cannot read the TextGrid .*({message}).*save it as a text file"):
        read(tmp_path, data)


def test_no_tiers(tmp_path):
    assert read(tmp_path, '"ooTextFile" "TextGrid" 0 1 <absent>').tiers == ()
