"""The shipped networks of commands: made for one, judged by two and by a recogniser, and what success makes of it."""

import re

import numpy as np
import pytest
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.resources import bundled
from layerstats.stats.success import attempts
from layerstats.store import check_store, open_store

FOLDER = bundled("data", "checkpoints", "commands")
PRIOR = f"autoencoder:{FOLDER / 'autoencoder.safetensors'}"


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.slow
def test_from_the_shipped_networks_to_attempts(tmp_path):
    store = tmp_path / "made.zarr"
    networks = [FOLDER / f"commands_{number}.safetensors" for number in (0, 1)]
    for network in networks:
        run("maximize", network, store, "--targets", "yes,stop", "--starts", 3, "--prior", PRIOR, "--device", "cpu")
    judges = ",".join([*map(str, networks), "pocketsphinx"])
    told = run("judge", store, "--judges", judges, "--priors", PRIOR, "--device", "cpu")
    assert "pocketsphinx has judged 12 starts in 2 sets of outcomes" in told
    experiment = open_store(store)
    for network in ("commands_0", "commands_1"):
        own = experiment.judgement(network=network, judge=network)["score"]
        # Codes are decoded again, in blocks of another size than the batches that they were made in.
        np.testing.assert_allclose(own, experiment.outcome(network=network)["scores_after"], atol=1e-3)
    table = attempts(experiment)
    assert table.groupby(["network", "judge"], observed=True).size().tolist() == [6] * 6
    own = table.loc[table["network"].astype(str) == table["judge"].astype(str)]
    assert (own["response"].astype(str) == own["target"].astype(str)).mean() > 0.5
    assert check_store(store) == []


@pytest.mark.slow
def test_a_shipped_network_judges_speech_at_its_own_rate(tmp_path):
    chosen = ("--corpus", "demo:35", "--words", "yes,stop", "--split", "test")
    told = run("judge", tmp_path / "s.zarr", *chosen, "--judges", FOLDER / "commands_0.safetensors", "--device", "cpu")
    tokens, right = map(int, re.search(r"commands_0, (\d+) tokens, (\d+) heard as the word", told).groups())
    assert right > 0.6 * tokens
