"""`layerstats record --quantity`: what is recorded is said in the shell as in Python."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.corpora import Clips, demo_corpus
from layerstats.errors import ArgumentError
from layerstats.models import load_checkpoint
from layerstats.probes import Gradient, record
from layerstats.resources import bundled
from layerstats.store import open_store, phone_vectors

SPEECH = ["--words", "ask,wash", "--split", "test", "--layers", "conv5"]


@pytest.fixture(scope="module")
def checkpoint():
    return bundled("data", "checkpoints", "words.safetensors")


def run(*arguments):
    result = CliRunner().invoke(app, ["record", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0
    return result


def test_gradients_of_each_tokens_own_word(checkpoint, tmp_path):
    """The names of the outputs are those on the checkpoint's card."""
    options = ["--quantity", "gradient", "--target", "own_word", "--times-activation", "--untrained", "1"]
    run(checkpoint, tmp_path / "shell.zarr", *SPEECH, *options)
    network, card = load_checkpoint(checkpoint)
    clips = Clips(demo_corpus(words=["ask", "wash"]).subset(split="test"))
    quantity = Gradient("own_word", card.outputs, times_activation=True)
    theirs = record(network, clips, tmp_path / "python.zarr", quantity, layers="conv5").layer("conv5")
    ours = open_store(tmp_path / "shell.zarr", quantity="gradient", trained=True)
    for name in ("mean", "root_mean_square"):
        np.testing.assert_array_equal(ours.layer("conv5")[name], theirs[name])
    assert ours.attrs["network_kind"] == "supervised"
    assert sorted(ours.recordings["recording"]) == ["gradient", "gradient_untrained_00"]


def test_activations_with_both_summaries(checkpoint, tmp_path):
    run(checkpoint, tmp_path / "s.zarr", *SPEECH, "--summary", "mean,root_mean_square", "--maps")
    layer = open_store(tmp_path / "s.zarr").layer("conv5")
    np.testing.assert_allclose(layer["root_mean_square"], np.sqrt(np.square(layer["maps"]).mean("channel")), rtol=1e-5)


def test_averages_over_phones_of_a_trained_and_an_untrained_network_and_of_the_sound(checkpoint, tmp_path):
    """Full maps are kept of the trained one only, vectors of phones of all."""
    run(checkpoint, tmp_path / "s.zarr", *SPEECH, "--phones", "--maps", "--untrained", "1", "--acoustics")
    vectors = phone_vectors(tmp_path / "s.zarr", "conv5")
    assert vectors.shape == (len(open_store(tmp_path / "s.zarr").phones), 256)
    untrained = open_store(tmp_path / "s.zarr", recording="untrained_00")
    assert untrained.variables == ("mean", "phones")
    assert phone_vectors(untrained, "conv5").shape == vectors.shape
    sound = phone_vectors(open_store(tmp_path / "s.zarr", network_kind="acoustics"), "features")
    assert sound["label"].to_numpy().tolist() == vectors["label"].to_numpy().tolist()


CONVOLUTION = """
from torch import nn

def make():
    return nn.Sequential(nn.Unflatten(1, (1, -1)), nn.Conv1d(1, 2, 8, stride=8))
"""


def test_tokens_as_long_as_they_are(tmp_path):
    (tmp_path / "network.py").write_text(CONVOLUTION)
    options = ["--words", "ask,wash", "--split", "test", "--layers", "1", "--own-lengths", "--normalisation", "rms"]
    result = run(f"{tmp_path / 'network.py'}:make", tmp_path / "s.zarr", *options, "--acoustics")
    assert "Tokens share batches, filled up with zeros to the longest of them" in result.stderr
    found = open_store(tmp_path / "s.zarr")
    clips = Clips(demo_corpus(words=["ask", "wash"]).subset(split="test"), samples=None, normalisation="rms")
    assert (found.attrs["normalisation"], found.attrs["clip_samples"]) == ("rms", clips.lengths().max())
    sizes = found.to_frame().groupby("token", sort=False).size().to_numpy()
    np.testing.assert_array_equal(sizes, clips.lengths() // 8)
    sound = open_store(tmp_path / "s.zarr", network_kind="acoustics")
    assert sound.to_frame()["value"].notna().all()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--own-lengths", "--samples", "16384"], "lengths of their own .* or one length .*, not both"),
        (["--quantity", "gradient", "--target", "ask", "--phones"], "no averages over phones"),
        (["--quantity", "relevance"], "'--quantity' parameter. Allowed values are 'activation', 'gradient'"),
        (["--quantity", "gradient"], "Say with --target .* The outputs are: ask, dark"),
        (["--target", "ask"], "Activations have no --target"),
        (["--quantity", "gradient", "--target", "mask"], "no output for 'mask'"),
        (["--quantity", "gradient", "--target", "8"], "output 8, but the network has 8 outputs, from 0"),
        (["--quantity", "gradient", "--target", "b", "--labels", "a,b"], "2 labels were given for 8 outputs"),
    ],
)
def test_what_is_said_wrongly_is_one_line(checkpoint, tmp_path, options, reason):
    with pytest.raises(ArgumentError, match=reason):
        run(checkpoint, tmp_path / "s.zarr", *SPEECH, *options)
    assert not (tmp_path / "s.zarr").exists()


def test_a_plan_that_is_ended_leaves_nothing(checkpoint, tmp_path, monkeypatch):
    begun = []

    def ended(*arguments):
        begun.extend(tmp_path.iterdir())
        signal.raise_signal(signal.SIGTERM)

    def leave(status):
        raise SystemExit(status)

    def not_taken(number, frame):
        raise AssertionError("nothing in the command takes SIGTERM")

    monkeypatch.setattr("layerstats.probes.forecast.forecasting._tried", ended)
    monkeypatch.setattr(os, "_exit", leave)
    before = signal.signal(signal.SIGTERM, not_taken)
    try:
        result = CliRunner().invoke(app, ["record", str(checkpoint), str(tmp_path / "s.zarr"), *SPEECH, "--plan"])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert result.exit_code == 130, result.exception
    assert len(begun) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_plan_writes_nothing(checkpoint, tmp_path):
    told = run(checkpoint, tmp_path / "s.zarr", *SPEECH, "--plan").stdout
    assert all(word in told for word in ("means", "phones", "maps", "Disk (MB)", "Measured on 10 of"))
    assert list(tmp_path.iterdir()) == []
    gradients = ["--quantity", "gradient", "--target", "own_word"]
    assert "phones" not in run(checkpoint, tmp_path / "s.zarr", *SPEECH, *gradients, "--plan").stdout
