"""The files of a page to listen to."""

from __future__ import annotations

import json
import re
import runpy
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image

from layerstats.errors import ArgumentError, AudioError
from layerstats.report.audition import Draw, check_folder, write_audition
from layerstats.report.audition.pictures import difference, gradient, spectrogram

_MADE = runpy.run_path(str(Path(__file__).with_name("draws.py")))
AXES, draws, exemplars, tone = (_MADE[name] for name in ("AXES", "draws", "exemplars", "tone"))


def data_of(page):
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audition") / "page"
    return write_audition(
        folder, draws(), exemplars(), axes=AXES, title="What <seed0> listens for", introduction="One."
    )


def test_every_sound_is_a_16_bit_file_that_the_table_names(page):
    table = pd.read_csv(page.parent / "sounds.csv")
    files = sorted(str(file.relative_to(page.parent)) for file in page.parent.glob("audio/*"))
    assert sorted(table["file"]) == files
    assert table["which"].value_counts().to_dict() == {"before": 8, "after": 8, "natural": 4}
    for file in files:
        info = soundfile.info(page.parent / file)
        assert (info.samplerate, info.frames, info.subtype, info.channels) == (22050, 22050, "PCM_16", 1)
    row = table[(table["start"] == "yes_00001") & (table["set_up"] == "none") & (table["which"] == "after")].iloc[0]
    heard, _ = soundfile.read(page.parent / row["file"])
    assert np.abs(heard - tone(1500).waveform).max() < 1e-4
    assert row["command"].startswith("layerstats maximize seed0.safetensors")
    written = pd.read_csv(page.parent / "sounds.csv", dtype="str", keep_default_na=False)
    assert set(written["seed"]) == {str(2**60 + 1), str(2**60 + 2), ""}
    assert set(written["number"]) == {"0", "1", ""}


def test_the_page_has_what_was_given_and_needs_nothing_from_elsewhere(page):
    text = page.read_text(encoding="utf-8")
    assert "http:" not in text
    assert "https:" not in text
    assert "<title>What &lt;seed0&gt; listens for</title>" in text
    data = data_of(page)
    assert data["targets"] == ["no", "yes"]
    assert data["sets"] == ["decoder, seed0", "none, seed0"]
    assert data["judges"] == ["seed0", "seed1", "pocketsphinx"]
    assert list(data["natural"]) == ["no", "yes"]
    first = data["draws"][0]
    # A whole number that scripts would round.
    assert first["seed"] == str(2**60 + 1)
    assert [each["score"] for each in first["judged"]] == [0.9, 0.25, None]
    for each in [first["before"], first["after"], *data["natural"]["no"]]:
        assert (page.parent / each["sound"]).is_file()
        assert (page.parent / each["picture"]).is_file()
    assert (page.parent / first["difference"]).is_file()


def test_the_same_draws_give_the_same_bytes(page, tmp_path):
    again = write_audition(
        tmp_path / "again", draws(), exemplars(), axes=AXES, title="What <seed0> listens for", introduction="One."
    )
    files = [file for file in page.parent.rglob("*") if file.is_file()]
    assert len(files) == 50
    for file in files:
        assert file.read_bytes() == (again.parent / file.relative_to(page.parent)).read_bytes(), file


def test_words_that_are_no_names_of_files_keep_apart(tmp_path):
    strange = ["</script><b>", "a/b", "a:b", "A-b", "ʃ"]
    page = write_audition(tmp_path / "page", draws(strange, ["none"], 1), [], axes=AXES, title="x")
    data = data_of(page)
    assert data["targets"] == strange
    sounds = [draw["after"]["sound"] for draw in data["draws"]]
    assert len({sound.casefold() for sound in sounds}) == 5
    assert len(list(page.parent.glob("audio/*"))) == 10
    assert page.read_text(encoding="utf-8").count("</script>") == 2


def test_a_spectrogram_is_a_small_picture_with_low_frequencies_below():
    features = np.zeros((90, 80))
    features[:10, 70] = 1.0
    picture = Image.open(BytesIO(spectrogram(features)))
    assert (picture.size, picture.mode) == ((90, 80), "P")
    indices = np.asarray(picture)
    assert np.argwhere(indices == 255).tolist() == [[9, time] for time in range(10)]
    assert len(spectrogram(np.random.default_rng(0).uniform(size=(90, 80)))) < 9000


def test_a_difference_is_red_where_there_is_more_and_blue_where_there_is_less():
    before, after = np.full((3, 2), 0.5), np.full((3, 2), 0.5)
    after[0, 0], after[1, 0] = 0.9, 0.1
    picture = np.asarray(Image.open(BytesIO(difference(before, after, 100.0))).convert("RGB")).astype(int)
    more, less, same = picture[1, 0], picture[1, 1], picture[1, 2]
    assert more[0] > more[2] + 50
    assert less[2] > less[0] + 50
    assert np.ptp(same) < 5
    assert gradient("RdBu_r").startswith("linear-gradient(to right, #053061, ")


def test_a_folder_with_something_in_it_and_no_draws_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ArgumentError, match="is there already"):
        write_audition(tmp_path, draws(), axes=AXES, title="x")
    with pytest.raises(ArgumentError, match="is there already"):
        check_folder(tmp_path / "notes.txt")
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(ArgumentError, match="nothing to listen to"):
        write_audition(tmp_path / "new", [], axes=AXES, title="x")
    assert not (tmp_path / "new").exists()


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
    def failing():
        yield from draws(number=1)
        raise AudioError("a start is silent")

    with pytest.raises(AudioError, match="silent"):
        write_audition(tmp_path / "page", failing(), axes=AXES, title="x")
    assert list(tmp_path.iterdir()) == []
    # What a killed run left is in nobody's way, and an empty folder is filled.
    (tmp_path / "page.partial" / "audio").mkdir(parents=True)
    (tmp_path / "page").mkdir()
    write_audition(tmp_path / "page", draws(number=1), axes=AXES, title="x")
    assert [file.name for file in tmp_path.iterdir()] == ["page"]


def test_a_page_is_replaced_where_that_is_said_and_nothing_else_ever_is(tmp_path):
    write_audition(tmp_path / "page", draws(number=2), axes=AXES, title="x")
    with pytest.raises(ArgumentError, match="--overwrite"):
        write_audition(tmp_path / "page", draws(number=1), axes=AXES, title="x")
    write_audition(tmp_path / "page", draws(number=1), axes=AXES, title="x", overwrite=True)
    assert len(list((tmp_path / "page" / "audio").iterdir())) == 8
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ArgumentError, match="no page to listen to"):
        write_audition(tmp_path / "mine", draws(number=1), axes=AXES, title="x", overwrite=True)
    assert (tmp_path / "mine" / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_draws_are_written_one_by_one(tmp_path):
    alive = []

    def counted():
        for draw in draws():
            alive.append(len(list(tmp_path.glob("page.partial/audio/*"))))
            yield draw

    write_audition(tmp_path / "page", counted(), axes=AXES, title="x")
    assert alive == [0, 2, 4, 6, 8, 10, 12, 14]
    assert isinstance(next(draws()), Draw)
