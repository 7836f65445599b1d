"""What `layerstats record` says of the speech that it reads, and how options of corpora reach it."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.corpora import demo_corpus
from layerstats.errors import AudioError, CorpusError
from layerstats.store import open_store


@pytest.fixture(scope="module")
def network_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "tiny.py"
    path.write_text(
        "from layerstats.models import ConvolutionalEncoder, seeded\n\n\n"
        "def build():\n"
        "    with seeded(0):\n"
        "        return ConvolutionalEncoder(8, width=1)\n"
    )
    return f"{path}:build"


def record(network_file, store, *arguments):
    result = CliRunner().invoke(app, ["record", network_file, str(store), "--layers", "conv5", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


GRID = """"ooTextFile" "TextGrid" 0 {stop} <exists> 2
"IntervalTier" "{words}" 0 {stop} 2  0.1 0.5 "she"  0.5 0.9 "see"
"IntervalTier" "{phones}" 0 {stop} 4  0.1 0.3 "S"  0.3 0.5 "i:"  0.5 0.7 "s"  0.7 0.9 "i:"
"""


def test_options_of_a_corpus_and_what_was_recognised(network_file, tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "corpus" / "anna"
    folder.mkdir(parents=True)
    soundfile.write(folder / "a.wav", 0.1 * rng.standard_normal(16000), 16000)
    (folder / "a.TextGrid").write_text(GRID.format(stop=0.97, words="Ebene 1", phones="Ebene 2"))
    with pytest.raises(CorpusError, match="'Ebene 1', 'Ebene 2'"):
        record(network_file, tmp_path / "no.zarr", "--corpus", f"textgrids:{folder.parent}")
    options = "word_tier=ebene 1&phone_tier=ebene 2"
    result = record(network_file, tmp_path / "a.zarr", "--corpus", f"textgrids:{folder.parent}?{options}")
    assert "note: Words were read from the tiers named 'Ebene 1'." in result.stderr
    assert "note: Phone labels were read as SAMPA" in result.stderr
    experiment = open_store(tmp_path / "a.zarr")
    assert experiment.tokens["speaker"].unique().tolist() == ["anna"]
    assert experiment.phones["label"].tolist() == ["sh", "iy", "s", "iy"]


def test_speech_that_cannot_be_used_is_refused_at_once_or_left_out(network_file, tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(40):
        samples = 0.1 * rng.standard_normal(2000) * (number != 37)
        soundfile.write(folder / f"1_anna_{number}.wav", samples, 8000, subtype="PCM_16")
    (folder / "2_anna_0.wav").write_bytes((folder / "1_anna_0.wav").read_bytes()[:1500])
    with pytest.raises(AudioError, match=r"2_anna_0\.wav: it was cut short"):
        record(network_file, tmp_path / "a.zarr", "--corpus", f"fsdd:{folder}")
    (folder / "2_anna_0.wav").rename(tmp_path / "cut.wav")
    with pytest.raises(AudioError, match=r"'1_anna_37' cannot be used: .*silent"):
        record(network_file, tmp_path / "a.zarr", "--corpus", f"fsdd:{folder}")
    assert not (tmp_path / "a.zarr").exists()
    (tmp_path / "cut.wav").rename(folder / "2_anna_0.wav")
    result = record(network_file, tmp_path / "a.zarr", "--corpus", f"fsdd:{folder}", "--damaged", "skip")
    assert "note: 1 sound files cannot be read and were left out" in result.stderr
    assert "1 of 40 tokens cannot be used and were left out: 1_anna_37." in result.stderr
    assert len(open_store(tmp_path / "a.zarr").tokens) == 39


def test_utterances_are_sliced(network_file, tmp_path):
    speech = demo_corpus(words=["ask", "wash"], voices=1)
    parts = [part for token in speech.tokens["token"] for part in (speech.audio(token), np.zeros(4000, np.float32))]
    chapter = tmp_path / "corpus" / "dev-clean" / "84" / "121"
    chapter.mkdir(parents=True)
    soundfile.write(chapter / "84-121-0000.flac", np.concatenate(parts), speech.rate_hz, subtype="PCM_16")
    (chapter / "84-121.trans.txt").write_text(f"84-121-0000 {' '.join(speech.tokens['word']).upper()}\n")
    name = f"librispeech:{tmp_path / 'corpus'}"
    record(network_file, tmp_path / "a.zarr", "--corpus", name, "--slice-words", "--words", "wash")
    experiment = open_store(tmp_path / "a.zarr")
    assert experiment.tokens["word"].tolist() == ["wash"]
    assert experiment.phones["label"].tolist() == ["w", "aa", "sh"]


@pytest.mark.parametrize("what", ["words", "ciwgan"])
def test_training_takes_the_same_advice(tmp_path, what):
    rng = np.random.default_rng(0)
    folder = tmp_path / "corpus"
    folder.mkdir()
    for digit, speaker in ((digit, speaker) for digit in (1, 2) for speaker in "abcd"):
        samples = 0.1 * rng.standard_normal(2000 if speaker != "d" else 12000)
        soundfile.write(folder / f"{digit}_{speaker}_9.wav", samples, 8000, subtype="PCM_16")
    soundfile.write(folder / "1_a_8.wav", np.zeros(2000), 8000)
    small = ["--epochs", 1, "--width", 1] if what == "words" else ["--steps", 1, "--width", 1, "--batch-size", 2]
    out = tmp_path / ("net.safetensors" if what == "words" else "out")
    arguments = ["train", what, "--corpus", f"fsdd:{folder}", "--out", out, *small]

    def run(*more):
        return CliRunner().invoke(app, [str(argument) for argument in [*arguments, *more]])

    assert "--too-long trim or skip" in str(run().exception)
    assert "--damaged skip" in str(run("--too-long", "skip").exception)
    result = run("--too-long", "skip", "--damaged", "skip")
    assert result.exit_code == 0, result.exception
    assert "1 of 9 tokens cannot be used and were left out: 1_a_8." in result.stderr
