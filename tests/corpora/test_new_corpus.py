"""A corpus that is new: one small file and one line of the registry, and it goes all the way to a page."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.corpora import open_corpus
from layerstats.corpora.registry import READERS
from layerstats.errors import ArgumentError
from layerstats.models import ConvolutionalEncoder, ModelCard, save_checkpoint, seeded
from layerstats.plots import effect_by_layer
from layerstats.report import Output, write_page
from layerstats.stats import FitOptions, word_contrasts
from layerstats.store import open_store

BEEPS = Path(__file__).with_name("beeps.py")
RATE_HZ, SPEAKERS = 16000, 6


@pytest.fixture
def beeps(tmp_path, monkeypatch):
    """Name of a corpus of two pitches, three beeps of each speaker and pitch."""
    monkeypatch.setitem(READERS, "beeps", runpy.run_path(str(BEEPS))["read_beeps"])
    rng = np.random.default_rng(0)
    folder = tmp_path / "beeps"
    folder.mkdir()
    for pitch, hz in (("high", 3000), ("low", 300)):
        for speaker in range(SPEAKERS):
            for number in range(3):
                time = np.arange(RATE_HZ // 2) / RATE_HZ
                tone = np.sin(2 * np.pi * (hz + 10 * speaker) * time) + rng.normal(scale=0.1, size=len(time))
                soundfile.write(folder / f"{pitch}_s{speaker}_{number}.wav", 0.5 * tone / np.abs(tone).max(), RATE_HZ)
    return f"beeps:{folder}"


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception:
        raise result.exception
    return result.output


def test_it_is_listed_with_its_options(beeps):
    listed = run("corpora")
    assert "beeps:PATH\n    Read beeps, at most so many of a pitch and speaker.\n    Options: most\n" in listed
    assert len(open_corpus(f"{beeps}?most=1")) == 2 * SPEAKERS
    assert open_corpus(beeps, words="low").words == ("low",)
    with pytest.raises(ArgumentError, match="'many' for the option 'most' of the corpus beeps"):
        open_corpus(f"{beeps}?most=many")


def test_it_goes_from_sound_files_to_a_page(beeps, tmp_path):
    with seeded(0):
        network = ConvolutionalEncoder(2, width=2)
    checkpoint = save_checkpoint(tmp_path / "network.safetensors", network, ModelCard("network", "For a test."))
    store = tmp_path / "beeps.zarr"
    run("record", checkpoint, store, "--corpus", f"{beeps}?most=2", "--layers", "conv1")
    experiment = open_store(store)
    assert (len(experiment.tokens), experiment.attrs["corpus"]) == (4 * SPEAKERS, "beeps")
    result = word_contrasts(experiment, samples=12, fits=FitOptions(engine="structured", workers=1))
    effects = result.effects.assign(contrast="high - low")
    # A filter answers to pitch: beeps of one pitch are alike, and unlike those of the other.
    assert effects["effect_size"].item() > 2
    output = Output(tmp_path / "page" / "words", title="Beeps")
    output.table(effects, "effects", "Effects of pitch")
    output.figure(effect_by_layer(effects, p_column=None), "sizes", "Effect sizes")
    page = write_page(tmp_path / "page", "Beeps").read_text(encoding="utf-8")
    assert "Effects of pitch" in page
    assert (tmp_path / "page" / "words" / "sizes.png").exists()
