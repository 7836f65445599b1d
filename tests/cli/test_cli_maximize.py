"""`layerstats maximize`, as a user types it."""

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.errors import LayerstatsError
from layerstats.models import CommandClassifier, MelAutoencoder, ModelCard, save_checkpoint, seeded
from layerstats.store import open_store

SMALL = {"rate_hz": 8000, "samples": 8000, "n_fft": 256, "hop": 450, "mels": 16, "high_hz": 3800.0, "frames": 18}


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return " ".join(result.stdout.split())


@pytest.fixture
def checkpoints(tmp_path):
    with seeded(2):
        network = CommandClassifier(2, (4, 6, 8), (16, 16, 16), front_end=SMALL)
        autoencoder = MelAutoencoder(5, (2, 3, 4, 5), front_end=SMALL)
    card = ModelCard("commands", "", outputs=("ask", "wash"), training={"seed": 2})
    return (
        save_checkpoint(tmp_path / "commands_02.safetensors", network, card),
        save_checkpoint(tmp_path / "prior.safetensors", autoencoder, ModelCard("prior", "")),
    )


def test_maximize_in_parts_and_make_a_start_again(tmp_path, checkpoints):
    network, prior = checkpoints
    store = tmp_path / "s.zarr"
    command = ["maximize", network, store, "--targets", "ask,wash", "--starts", 3, "--prior", f"autoencoder:{prior}"]
    options = ["--steps", 2, "--seed", 5, "--batch-size", 2]
    assert "other parts are missing" in run(*command, *options, "--block", "0/2")
    told = run(*command, *options, "--block", "1/2")
    assert "autoencoder.commands_02, 6 starts of 2 targets" in told
    assert "missing" not in told
    attrs = open_store(store).outcome().attrs
    assert (attrs["seed"], attrs["steps"], attrs["network_seed"], attrs["start_from"]) == (5, 2, 2, "codes")
    again = run("maximize", network, store, "--prior", f"autoencoder:{prior}", "--again", "wash_00002")
    assert "wash_00002 made again from the same start" in again


def test_starts_from_data_with_the_published_settings(tmp_path, checkpoints):
    network, _ = checkpoints
    store = tmp_path / "s.zarr"
    options = ["--from", "data", "--corpus", "demo", "--settings", "soomro2019", "--set-up", "class_to_class", "--clip"]
    assert "1 targets" in run("maximize", network, store, "--targets", "wash", "--starts", 2, *options, "--steps", 1)
    outcome = open_store(store).outcome(set_up="class_to_class")
    assert outcome.attrs["objective"] == "probability"
    assert all(token.endswith("_wash") for token in outcome["token"].to_numpy().tolist())
    assert float(outcome["features_after"].max()) <= 1
    run("maximize", network, store, "--targets", "conv2:1,conv2:3:0/1", "--starts", 1, "--steps", 1, "--paths")
    assert open_store(store).outcome(set_up="none")["objective_path"].shape == (2, 2)


NETWORK = """
import torch

def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv1d(6, 3, 3), torch.nn.Tanh(), torch.nn.Flatten(), torch.nn.Linear(6, 2))
"""


def test_a_network_of_ones_own(tmp_path):
    file, store = tmp_path / "own.py", tmp_path / "s.zarr"
    file.write_text(NETWORK)
    command = ["maximize", f"{file}:network", store, "--starts", 2, "--hears", "time=6,mel=4"]
    assert "none.network, 4 starts of 2 targets" in run(*command, "--targets", "1,0")
    told = run(*command[:3], "--again", "1_00001", "--hears", "time=6,mel=4")
    assert "1_00001 made again from the same start" in told
    assert open_store(store).outcome()["features_after"].shape == (4, 6, 4)
    with pytest.raises(LayerstatsError, match="time=90,mel=80"):
        run(*command[:3], "--targets", "1", "--hears", "90,80")
    with pytest.raises(LayerstatsError, match="--hears"):
        run(*command[:3], "--targets", "1")


@pytest.mark.parametrize("null", ["zero_steps,noise", "shuffled", "natural", "untrained:0", ","])
def test_nulls_that_cannot_be_made_are_refused_before_anything_has_run(tmp_path, checkpoints, null):
    with pytest.raises(LayerstatsError, match="null"):
        run("maximize", checkpoints[0], tmp_path / "s.zarr", "--targets", "wash", "--starts", 2, "--null", null)
    assert not (tmp_path / "s.zarr").exists()


def test_nulls_beside(tmp_path, checkpoints):
    network, _ = checkpoints
    store = tmp_path / "s.zarr"
    command = ["maximize", network, store, "--targets", "wash", "--starts", 2, "--steps", 2]
    told = run(*command, "--null", f"zero_steps,random_direction,untrained:2,shuffled:{network},natural:demo")
    assert "nulls of none: none.commands.shuffled" in told
    outcomes = open_store(store).outcomes
    assert outcomes["null"].value_counts().to_dict() == {
        "": 1, "zero_steps": 1, "random_direction": 1, "untrained": 2, "shuffled": 1, "natural": 1
    }  # fmt: skip
    moved, null = (open_store(store).outcome(f"none.commands_02{end}") for end in ("", ".random_direction"))
    assert moved["displacement"].to_numpy() == pytest.approx(null["displacement"].to_numpy(), rel=1e-4)


def test_natural_exemplars_are_read_as_the_corpus_of_starts_is(tmp_path, checkpoints):
    network, _ = checkpoints
    folder = tmp_path / "digits" / "recordings"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number, seconds in enumerate([0.5, 0.6, 2.0]):
        soundfile.write(folder / f"{number}_jo_0.wav", rng.normal(0, 0.1, int(8000 * seconds)), 8000)
    store = tmp_path / "s.zarr"
    command = ["maximize", network, store, "--targets", "ask", "--starts", 2, "--steps", 1]
    natural = ["--null", f"natural:fsdd:{tmp_path / 'digits'}"]
    with pytest.raises(LayerstatsError, match="too_long"):
        run(*command, *natural)
    assert not store.exists()
    run(*command, *natural, "--too-long", "skip")
    tokens = open_store(store).outcome(null="natural")["token"].to_numpy().tolist()
    assert sorted(tokens) == ["0_jo_0", "1_jo_0"]


def test_a_start_again_is_of_the_prior_and_the_file_that_are_said(tmp_path, checkpoints):
    network, prior = checkpoints
    other, store, through = tmp_path / "other.safetensors", tmp_path / "s.zarr", ("--prior", f"autoencoder:{prior}")
    other.write_bytes(network.read_bytes())
    options = ["--targets", "wash", "--starts", 1, "--steps", 1]
    run("maximize", network, store, *options)
    run("maximize", network, store, *options, *through)
    run("maximize", other, store, *options, *through)
    assert "features_after differ" in run("maximize", network, store, "--again", "wash_00000")
    assert "codes_after differ" in run("maximize", network, store, "--again", "wash_00000", *through)
    with pytest.raises(LayerstatsError, match="no such outcomes"):
        run("maximize", other, store, "--again", "wash_00000")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--targets"),
        (["--targets", "maybe"], "classes are ask, wash"),
        (["--targets", "ask", "--block", "3"], "as in 3/64"),
        (["--targets", "ask", "--block", "4/4"], "block"),
        (["--targets", "ask", "--prior", "autoencoder"], "autoencoder:FILE"),
        (["--targets", "ask", "--prior", "spectrum", "--clip"], "no option 'bounds'"),
        (["--targets", "ask", "--from", "data"], "give a corpus"),
        (["--targets", "ask", "--prior", "smooth?l2=x"], "option 'l2'"),
        (["--again", "ask_00000"], "no store"),
    ],
)
def test_mistakes_are_named(tmp_path, checkpoints, options, message):
    with pytest.raises(LayerstatsError, match=message):
        run("maximize", checkpoints[0], tmp_path / "s.zarr", *options)
    assert not (tmp_path / "s.zarr").exists()
