"""Generated speech on disk and back."""

import numpy as np
import pandas as pd
import pytest

from layerstats.corpora import Clips, Corpus, open_corpus, read_generated, write_generated
from layerstats.corpora.audio import MemoryAudio, read_audio
from layerstats.corpora.phones import empty_phones
from layerstats.errors import CorpusError, DataError


def speech(voices=4):
    rng = np.random.default_rng(3)
    rows, samples = [], {}
    for code in ("010", "111"):
        for value in (1.0, 2.5):
            for voice in range(voices):
                token = f"code-{code}_value-{value:g}_noise-{voice:04d}"
                samples[token] = rng.integers(-16384, 16385, 1500).astype(np.int16)
                about = {
                    "split": "generated",
                    "duration_s": 1500 / 8000,
                    "code": code,
                    "code_value": value,
                    "peak": 0.3,
                }
                rows.append({"token": token, "word": f"code {code}", "speaker": f"noise {voice:04d}", **about})
    return Corpus("generated", pd.DataFrame(rows), empty_phones(), 8000, MemoryAudio(samples))


def test_what_is_written_is_read_again_sample_for_sample(tmp_path):
    corpus = speech()
    files = write_generated(corpus, tmp_path / "out")
    again = open_corpus(f"generated:{tmp_path / 'out'}")
    assert len(files) == 2 + len(corpus)
    assert set(again.tokens.columns) == set(corpus.tokens.columns)
    columns = list(corpus.tokens.columns)
    pd.testing.assert_frame_equal(again.tokens[columns], corpus.tokens, check_dtype=False)
    # Codes of bits stay text, leading zeros and all.
    assert set(again.tokens["code"]) == {"010", "111"}
    assert len(again.phones) == 0
    for token in corpus.tokens["token"]:
        np.testing.assert_array_equal(again.audio(token), corpus.audio(token))


def test_clips_and_subsets_of_it(tmp_path):
    write_generated(speech(), tmp_path)
    corpus = read_generated(tmp_path).subset(words=["code 111"])
    clips = Clips(corpus, rate_hz=8000, samples=2048)
    assert clips.waveforms(slice(0, 2)).shape == (2, 2048)
    assert len(clips.phones) == 0


def test_tour_has_three_voices_of_every_code_with_pauses(tmp_path):
    write_generated(speech(), tmp_path)
    tour = read_audio(tmp_path / "tour.wav")
    assert len(tour) == 4 * (3 * (1500 + 1200) + 4800)
    np.testing.assert_array_equal(tour[:1500], speech().audio("code-010_value-1_noise-0000"))
    assert (tour[1500 : 1500 + 1200] == 0).all()


def test_what_is_there_is_not_overwritten(tmp_path):
    write_generated(speech(), tmp_path)
    with pytest.raises(CorpusError, match="already"):
        write_generated(speech(), tmp_path)


def test_other_speech_and_other_folders_are_refused(tmp_path):
    corpus = speech()
    recorded = Corpus("recorded", corpus.tokens.drop(columns="code"), empty_phones(), 8000, corpus.source)
    with pytest.raises(DataError, match="was not generated"):
        write_generated(recorded, tmp_path)
    with pytest.raises(CorpusError, match="layerstats generate"):
        read_generated(tmp_path)


@pytest.mark.parametrize("token", ["../secret", "/etc/passwd", "a/b", "..", "", "a\\b", "C:a", "a\nb", "x" * 300])
def test_tokens_are_files_of_the_folder(tmp_path, token):
    write_generated(speech(), tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "tokens.csv", dtype="str")
    table.loc[0, "token"] = token
    table.to_csv(tmp_path / "out" / "tokens.csv", index=False)
    with pytest.raises(CorpusError, match="names of files in its folder 'audio'"):
        read_generated(tmp_path / "out")


@pytest.mark.parametrize("data", [b"", b"\x8d\xff\x00\x01", "token,word\n".encode("utf-16")])
def test_a_table_that_cannot_be_read(tmp_path, data):
    write_generated(speech(), tmp_path / "out")
    (tmp_path / "out" / "tokens.csv").write_bytes(data)
    with pytest.raises(CorpusError, match=r"Cannot read .*tokens\.csv: .*layerstats generate"):
        read_generated(tmp_path / "out")


def test_values_and_durations_are_numbers_and_the_files_own(tmp_path):
    write_generated(speech(), tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "tokens.csv", dtype={"code": "str"})
    table.assign(duration_s=0.01).to_csv(tmp_path / "out" / "tokens.csv", index=False)
    assert (read_generated(tmp_path / "out").tokens["duration_s"] == 1500 / 8000).all()
    table.assign(code_value="high").to_csv(tmp_path / "out" / "tokens.csv", index=False)
    with pytest.raises(CorpusError, match=r"'code_value' .* must hold numbers, but has 'high'"):
        read_generated(tmp_path / "out")
