"""`layerstats train commands|autoencoder` from the command line."""

import pandas as pd
import pytest
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.errors import ArgumentError
from layerstats.models import load_checkpoint

COMMANDS = ["--words", "yes,no", "--channels", "1,1,1", "--hidden", "4,4,4", "--device", "cpu", "--epochs", "1"]
CODES = ["--words", "yes,no", "--channels", "1,1,1,1", "--codes", "4", "--device", "cpu", "--epochs", "1"]


def run(*arguments):
    return CliRunner().invoke(app, ["train", *(str(argument) for argument in arguments)])


def test_commands_are_trained_a_network_a_seed_and_gone_on_with(tmp_path):
    result = run("commands", *COMMANDS, "--seeds", "3,4", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("accuracy on held-out speakers") == 2
    cards = [load_checkpoint(tmp_path / f"commands_{seed}.safetensors")[1] for seed in (3, 4)]
    assert [card.training["seed"] for card in cards] == [3, 4]
    assert cards[0].outputs == ("no", "yes")
    assert (tmp_path / "commands_3" / "state.pt").exists()
    assert (tmp_path / "history.png").stat().st_size > 10_000
    again = run("commands", *COMMANDS, "--seeds", "3,4", "--out", tmp_path)
    assert isinstance(again.exception, ArgumentError)
    assert "holds a training already" in str(again.exception)
    assert run("commands", *COMMANDS, "--seeds", "3,4,5", "--out", tmp_path, "--resume").exit_code == 0
    assert sorted(set(pd.read_csv(tmp_path / "history.csv")["network"])) == ["commands_3", "commands_4", "commands_5"]


def test_all_seeds_learn_from_the_same_speakers(tmp_path):
    result = run("commands", *COMMANDS, "--seeds", "0,1", "--held-out", "5", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    cards = [load_checkpoint(tmp_path / f"commands_{seed}.safetensors")[1] for seed in (0, 1)]
    assert [card.evaluation["held_out_speakers"] for card in cards] == [5, 5]


def test_a_network_is_tuned_and_its_null_has_shuffled_labels(tmp_path):
    assert run("commands", *COMMANDS, "--seeds", "0", "--out", tmp_path).exit_code == 0
    start = tmp_path / "commands_0.safetensors"
    tuned = run(
        "commands", *COMMANDS, "--seeds", "0", "--start", start, "--labels", "shuffled", "--out", tmp_path / "on"
    )
    assert tuned.exit_code == 0, tuned.output
    _, card = load_checkpoint(tmp_path / "on" / "commands_shuffled_0.safetensors")
    assert card.training["labels"] == "shuffled"
    assert "commands_0.safetensors" in card.training["start"]


def test_an_autoencoder_is_trained(tmp_path):
    result = run("autoencoder", *CODES, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "error on held-out speakers" in result.stdout
    model, _ = load_checkpoint(tmp_path / "autoencoder_0.safetensors")
    assert model.codes == 4


@pytest.mark.parametrize("option", ["--seeds", "--hidden"])
def test_lists_of_numbers_are_checked(option, tmp_path):
    result = run("commands", *COMMANDS, option, "1,x,2", "--out", tmp_path)
    assert option in str(result.exception)
