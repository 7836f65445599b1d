"""`layerstats relevance`: what is recorded is said in the shell as in Python."""

import numpy as np
import pytest
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.corpora import clips_for, demo_corpus
from layerstats.errors import ArgumentError
from layerstats.models import load_checkpoint
from layerstats.probes import record_relevance
from layerstats.resources import bundled
from layerstats.store import open_store

WORDS = bundled("data", "checkpoints", "words.safetensors")
LETTERS = """
from layerstats.models import Wav2Letter, seeded

def build():
    with seeded(2):
        return Wav2Letter(width=4, top=8)
"""


def run(*arguments, command="relevance"):
    result = CliRunner().invoke(app, [command, *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0
    return result


def test_of_whole_tokens(tmp_path):
    options = ["--words", "ask,wash", "--split", "test", "--layers", "input,conv5", "--untrained", "1"]
    rules = ["--method", "epsilon", "--epsilon", "0.01", "--rules", "conv1: flat"]
    run(WORDS, tmp_path / "shell.zarr", *options, *rules)
    network, card = load_checkpoint(WORDS)
    clips = clips_for(network, demo_corpus(words=["ask", "wash"]).subset(split="test"))
    how = {"labels": card.outputs, "epsilon": 0.01, "rules": {"conv1": "flat"}, "layers": ["input", "conv5"]}
    theirs = record_relevance(network, clips, tmp_path / "python.zarr", **how)
    ours = open_store(tmp_path / "shell.zarr", quantity="relevance", trained=True)
    for layer in ("input", "conv5"):
        np.testing.assert_array_equal(ours.layer(layer)["mean"], theirs.layer(layer)["mean"])
    assert ours.recording_attrs["rules"] == "epsilon(epsilon=0.01); conv1: flat"
    assert set(ours.recordings["recording"]) == {"epsilon", "epsilon_untrained_00", "input"}


def test_of_what_a_network_without_words_decides_for(tmp_path):
    """Of a critic, its only output."""
    options = ["--words", "ask,wash", "--split", "test", "--part", "discriminator", "--layers", "input"]
    for name in ("decision", "0"):
        run(bundled("data", "checkpoints", "ciwgan.safetensors"), tmp_path / name, *options, "--target", name)
    ours, first = (open_store(tmp_path / name, recording="epsilon") for name in ("decision", "0"))
    np.testing.assert_array_equal(ours.layer("input")["mean"], first.layer("input")["mean"])
    assert ours.recording_attrs["target"] == "function decision"


def test_of_letters(tmp_path):
    (tmp_path / "network.py").write_text(LETTERS, encoding="utf-8")
    network = f"{tmp_path / 'network.py'}:build"
    options = ["--corpus", "demo:sentences=2", "--method", "adapted", "--untrained", "1"]
    run(network, tmp_path / "s.zarr", *options, "--alignments")
    for name in ("adapted", "adapted_untrained_00"):
        aligned = open_store(tmp_path / "s.zarr", recording=name).layer("input")["aligned_sample"]
        assert aligned.sizes["letter"] == 26
    found = open_store(tmp_path / "s.zarr", quantity="relevance", trained=True)
    assert found.recording_attrs["target"] == "emitted"
    assert found.window_sums("adapted")["coverage"].sum() > 0
    shown = run(tmp_path / "s.zarr", command="info").output
    assert "adapted_untrained_00" in shown
    assert "Sums" in shown
    folder = tmp_path / "out"
    run(tmp_path / "s.zarr", "--out", folder, "--recording", "adapted", command="export")
    assert (folder / "relevance.csv").exists()


def test_networks_of_one_store_have_recordings_of_their_own(tmp_path):
    (tmp_path / "network.py").write_text(LETTERS, encoding="utf-8")
    network, store = f"{tmp_path / 'network.py'}:build", tmp_path / "s.zarr"
    options = ["--corpus", "demo:sentences=1", "--method", "gradient", "--frames", "all"]
    run(network, store, *options, "--maps", "--untrained", "1")
    run(network, store, *options, "--recording", "own", "--maps")
    names = ["gradient", "gradient_untrained_00", "input", "input_series", "own"]
    assert sorted(open_store(store).recordings["recording"]) == names
    with pytest.raises(ArgumentError, match="leave out --labels"):
        run(network, store, *options, "--labels", "a,b")
    with pytest.raises(ArgumentError, match="'dtype'"):
        run(network, tmp_path / "t.zarr", *options, "--method", "epsilon", "--dtype", "float99")
    assert not (tmp_path / "t.zarr").exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--rules", "conv1"], "--rules takes"),
        (["--method", "lrp", "--corpus", "read after that"], "'method'"),
        (["--method", "occlusion", "--corpus", "read after that"], "the shell cannot say"),
        (["--target", "cash"], "There is no target 'cash'"),
        (["--epsilon", "-1"], "'epsilon' of the rule epsilon must be at least 0"),
        (["--method", "adapted", "--epsilon", "nan"], "'epsilon'"),
        (["--method", "gradient", "--epsilon", "0.1"], "has no option 'epsilon'"),
        (["--alignments"], "reads no letters"),
    ],
)
def test_what_is_said_wrongly_leaves_nothing(tmp_path, options, reason):
    with pytest.raises(ArgumentError, match=reason):
        run(WORDS, tmp_path / "s.zarr", "--words", "ask", "--split", "test", *options)
    assert not (tmp_path / "s.zarr").exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--target", "ab"], "no target 'ab'"),
        (["--target", "conv99:3"], "conv99"),
        (["--rules", "conv99: flat"], "conv99"),
        (["--rules", "conv1: flatter"], "flatter"),
        (["--layers", "conv1"], "the relevance of the input is recorded"),
        (["--part", "discriminator"], "has no part 'discriminator'"),
        (["--labels", "a,b"], "leave out --labels"),
        (["--start", "sometimes"], "'start'"),
        (["--dtype", "float99"], "'dtype'"),
        (["--target", "a", "--alignments"], "leave out the alignments"),
    ],
)
def test_a_network_of_letters_is_asked_before_speech_is_read(tmp_path, options, reason):
    (tmp_path / "network.py").write_text(LETTERS, encoding="utf-8")
    with pytest.raises(ArgumentError, match=reason):
        run(f"{tmp_path / 'network.py'}:build", tmp_path / "s.zarr", "--corpus", "read after that", *options)
    assert not (tmp_path / "s.zarr").exists()
