"""`layerstats audition`: from a store to a page."""

from __future__ import annotations

import json
import re
import shlex
import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.corpora import demo_corpus
from layerstats.errors import ArgumentError, AudioError, LayerstatsError
from layerstats.models import (
    CommandClassifier,
    ConvolutionalEncoder,
    ModelCard,
    load_checkpoint,
    save_checkpoint,
    seeded,
)
from layerstats.probes import record_nulls
from layerstats.probes.maximization import maximize_activations
from layerstats.store import JudgementWriter, open_store, store_arrays

WORDS = ("greasy", "wash", "year")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a checkpoint, a store of outcomes of two networks, and vocoders."""
    folder = tmp_path_factory.mktemp("audition")
    with seeded(0):
        network = CommandClassifier(outputs=3, channels=(2, 2, 2), hidden=(4, 4, 4))
    save_checkpoint(folder / "small.safetensors", network, ModelCard("small", "Of a test.", outputs=WORDS))
    options = {"labels": WORDS, "starts": 4, "steps": 2}
    for name in ("small", "other"):
        maximize_activations(network, ["greasy", "wash"], folder / "s.zarr", network_name=name, **options)
    judged_by(folder / "s.zarr", "peer", {"score": np.random.default_rng(0).dirichlet(np.ones(3), 8)})
    judged_by(folder / "s.zarr", "people", {"response": np.array(["wash", "greasy"] * 4, dtype=object)})
    zero = {**options, "steps": 0, "null": "zero_steps", "set_up": "none"}
    maximize_activations(
        network, ["greasy"], folder / "s.zarr", network_name="small", name="none.small.zero_steps", **zero
    )
    with seeded(1):
        waves = ConvolutionalEncoder(outputs=3, width=1)
    maximize_activations(waves, ["wash"], folder / "waves.zarr", network_name="waves", **options)
    (folder / "voices.py").write_text(VOCODERS, encoding="utf-8")
    return folder


def judged_by(store, judge, values):
    with JudgementWriter(store, "none.other", judge, WORDS if "score" in values else None, key=judge) as writer:
        for rows in writer.missing():
            writer.write(rows, {name: array[rows] for name, array in values.items()})
        writer.finish()


VOCODERS = """
import torch
from layerstats.models import MelFrontEnd

class Voice:
    attrs = {"vocoder": "of a test"}
    def __init__(self, sound, **settings):
        self.sound, self.settings = sound, {**MelFrontEnd().configuration, **settings}
    def synthesise(self, features):
        return self.sound.expand(len(features), -1)

def hum():
    return Voice(torch.sin(torch.arange(22050.0) / 20))

def silent():
    return Voice(torch.zeros(22050))

def mismatched():
    return Voice(torch.zeros(22050), mels=100)

def nothing():
    return 3
"""


def run(*arguments):
    return CliRunner().invoke(app, ["audition", *map(str, arguments)])


def data_of(page):
    text = (page / "index.html").read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


@pytest.fixture(scope="module")
def page(folder):
    result = run(folder / "s.zarr", "--out", folder / "page", "--draws", 2, "--natural", "demo")
    assert result.exit_code == 0, result.exception
    assert result.stdout.strip() == str(folder / "page" / "index.html")
    return folder / "page"


def test_the_page_has_the_first_starts_of_the_first_network(page, folder):
    data = data_of(page)
    assert data["targets"] == ["greasy", "wash"]
    # The alphabet's first network, and no null.
    assert data["sets"] == ["none, other"]
    assert [(draw["target"], draw["number"]) for draw in data["draws"]] == [
        ("greasy", 0), ("greasy", 1), ("wash", 0), ("wash", 1),
    ]  # fmt: skip
    assert data["judges"] == ["other", "peer", "people"]
    outcome = open_store(folder / "s.zarr").outcome(network="other")
    scores = outcome["scores_after"].sel(start="wash_00001")
    judged = data["draws"][3]["judged"]
    # The starts of the store are in its order: four of greasy, then wash_00000 and this.
    peer = np.random.default_rng(0).dirichlet(np.ones(3), 8)[5]
    said = {"judge": "peer", "response": WORDS[int(peer.argmax())], "score": pytest.approx(peer[1], abs=1e-6)}
    assert judged[1:] == [said, {"judge": "people", "response": "greasy", "score": None}]
    assert judged[:1] == [
        {
            "judge": "other",
            "response": WORDS[int(scores.to_numpy().argmax())],
            "score": pytest.approx(float(scores.sel({"class": "wash"})), abs=1e-6),
        }
    ]
    assert {word: len(given) for word, given in data["natural"].items()} == {"greasy": 2, "wash": 2}
    assert data["axes"]["duration_s"] == pytest.approx(90 * 256 / 22050)
    heights = [height for _, height in data["axes"]["frequencies"]]
    assert heights == sorted(heights)
    assert 0 < heights[0] < heights[-1] < 1


def test_every_sound_can_be_heard(page):
    table = pd.read_csv(page / "sounds.csv")
    assert table["which"].value_counts().to_dict() == {"before": 4, "after": 4, "natural": 4}
    for file in table["file"]:
        samples, rate_hz = soundfile.read(page / file)
        assert (len(samples), rate_hz) == (22050, 22050)
        assert np.abs(samples).max() == pytest.approx(0.5, abs=1e-3)


def test_every_start_is_made_again_by_the_command_beside_it(page, folder, monkeypatch):
    commands = pd.read_csv(page / "sounds.csv")["command"].dropna().unique()
    assert len(commands) == 4
    shutil.copy(folder / "small.safetensors", folder / "other.safetensors")
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(app, shlex.split(commands[3])[1:])
    assert result.exit_code == 0, result.exception
    assert "wash_00001" in result.stdout


def test_the_same_store_gives_the_same_bytes(page, folder):
    assert run(folder / "s.zarr", "--out", folder / "twice", "--draws", 2, "--natural", "demo").exit_code == 0
    for file in page.rglob("*"):
        if file.is_file():
            assert file.read_bytes() == (folder / "twice" / file.relative_to(page)).read_bytes(), file


def test_set_ups_networks_and_classes_are_chosen(folder, tmp_path):
    arguments = ["--out", tmp_path / "page", "--networks", "all", "--nulls", "zero_steps", "--targets", "greasy"]
    assert run(folder / "s.zarr", *arguments, "--draws", 1).exit_code == 0
    data = data_of(tmp_path / "page")
    assert data["targets"] == ["greasy"]
    assert sorted(data["sets"]) == ["none, other", "none, small", "none, small, zero_steps"]
    assert data["natural"] == {}


def test_natural_tokens_of_the_store_stand_beside(folder, tmp_path):
    network, card = load_checkpoint(folder / "small.safetensors")
    speech = demo_corpus(words=["wash", "year"], voices=["en-us+m3", "en-us+f2"])
    options = {"starts": 3, "steps": 1, "card": card, "network_name": "small"}
    maximize_activations(network, ["wash"], tmp_path / "s.zarr", **options)
    record_nulls(network, ["wash"], tmp_path / "s.zarr", nulls=["natural"], natural=speech, **options)
    assert run(tmp_path / "s.zarr", "--out", tmp_path / "page", "--exemplars", 2).exit_code == 0
    data = data_of(tmp_path / "page")
    assert data["sets"] == ["none, small"]
    (best,) = [name for name in open_store(tmp_path / "s.zarr").outcomes["name"] if "natural" in name]
    tokens = open_store(tmp_path / "s.zarr").outcome(best)["token"].to_numpy()
    assert [each["token"] for each in data["natural"]["wash"]] == tokens[:2].tolist()


def test_networks_that_hear_waveforms_are_shown_too(folder, tmp_path):
    arguments = ["--out", tmp_path / "page", "--draws", 1, "--natural", "demo", "--exemplars", 1]
    assert run(folder / "waves.zarr", *arguments).exit_code == 0
    first = data_of(tmp_path / "page")["draws"][0]
    samples, rate_hz = soundfile.read(tmp_path / "page" / first["after"]["sound"])
    assert (len(samples), rate_hz) == (16384, 16000)


def test_a_vocoder_of_a_file_speaks(folder, tmp_path):
    arguments = ["--out", tmp_path / "page", "--draws", 1, "--vocoder", f"{folder / 'voices.py'}:hum"]
    assert run(folder / "s.zarr", *arguments).exit_code == 0
    first = data_of(tmp_path / "page")["draws"][0]
    samples, _ = soundfile.read(tmp_path / "page" / first["before"]["sound"])
    assert np.abs(samples - 0.5 * np.sin(np.arange(22050) / 20)).max() < 1e-3


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["--set-ups", "robot"], ArgumentError, "no outcomes of the set-up 'robot'; it has 'none'."),
        (["--networks", "ann"], ArgumentError, "no outcomes of the network 'ann'; it has 'other', 'small'"),
        (["--nulls", "natural"], ArgumentError, "no outcomes of the null 'natural'; it has 'zero_steps'"),
        (["--targets", "greasy,dog"], ArgumentError, "Nobody attempted the class 'dog'.*there are 'greasy', 'wash'"),
        (["--draws", "0"], ArgumentError, "'draws'.*0"),
        (["--natural", "demo", "--targets", "greasy", "--exemplars", "-1"], ArgumentError, "'exemplars'.*-1"),
        (["--priors", "autoencoder"], ArgumentError, "KIND:FILE"),
        (["--natural", "fsdd:{folder}/nowhere"], LayerstatsError, "nowhere"),
        (["--vocoder", "{folder}/voices.py:silent"], AudioError, "start 'greasy_00000' of 'none' is silent"),
        (["--vocoder", "{folder}/voices.py:mismatched"], ArgumentError, "mels is 100 there and 80 here"),
        (["--vocoder", "{folder}/voices.py:nothing"], ArgumentError, "returned int, not a vocoder"),
        (["--vocoder", "{folder}/voices.py:absent"], ArgumentError, "no function 'absent'"),
        (["--vocoder", "{folder}/other.py:hum"], ArgumentError, "Invalid vocoder.*there is no file"),
    ],
)
def test_what_cannot_be_heard_is_said_and_nothing_is_left(folder, tmp_path, arguments, error, message):
    given = [each.format(folder=folder) for each in arguments]
    result = run(folder / "s.zarr", "--out", tmp_path / "page", *given)
    assert isinstance(result.exception, error)
    assert re.search(message, str(result.exception))
    assert list(tmp_path.iterdir()) == []


def test_a_store_without_outcomes_and_a_folder_that_is_there_are_refused(folder, tmp_path, page):
    tokens = pd.DataFrame({"token": ["a", "b"], "word": "ask", "speaker": ["s1", "s2"], "split": "test"})
    store_arrays(tmp_path / "s.zarr", tokens, {"conv1": np.eye(2)}, time_s={"conv1": [0.0, 0.5]})
    result = run(tmp_path / "s.zarr", "--out", tmp_path / "page")
    assert isinstance(result.exception, LayerstatsError)
    assert "no outcomes of maximizations" in str(result.exception)
    result = run(folder / "s.zarr", "--out", page)
    assert "is there already" in str(result.exception)
