"""`layerstats train commands|autoencoder|wav2letter` from the command line."""

import numpy as np
import pandas as pd
import pytest
import soundfile
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


@pytest.mark.parametrize("kind", ["commands", "autoencoder", "wav2letter"])
@pytest.mark.parametrize("seeds", ["", ",", "1,2,1"])
def test_every_seed_is_a_network_of_its_own(kind, seeds, tmp_path):
    result = run(kind, "--corpus", "read after that", "--seeds", seeds, "--out", tmp_path / "out")
    assert "different whole numbers" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_network_that_reads_letters_is_trained_and_gone_on_with(tmp_path):
    random = np.random.default_rng(0)
    for speaker in (84, 121, 174):
        chapter = tmp_path / "LibriSpeech" / "dev-clean" / str(speaker) / "7"
        chapter.mkdir(parents=True)
        lines = [f"{speaker}-7-0000 HE DIDN'T GO", f"{speaker}-7-0001 SHE DID"]
        for line in lines:
            soundfile.write(chapter / f"{line.split()[0]}.flac", 0.1 * random.standard_normal(16000), 16000)
        (chapter / f"{speaker}-7.trans.txt").write_text("\n".join(lines) + "\n")
    soundfile.write(chapter / "174-7-0001.flac", np.zeros(16000), 16000)
    small = ["--width", "2", "--top", "3", "--epochs", "1", "--device", "cpu", "--alphabet", "repetition"]
    command = ["wav2letter", "--corpus", f"librispeech:{tmp_path / 'LibriSpeech'}", *small, "--out", tmp_path / "out"]
    command += ["--held-out", "1"]
    assert "174-7-0001" in str(run(*command).exception)
    result = run(*command, "--damaged", "skip")
    assert result.exit_code == 0, result.output
    assert "letter error rate" in result.stdout
    assert "1 of 6 tokens cannot be used and were left out: 174-7-0001." in result.stderr
    model, card = load_checkpoint(tmp_path / "out" / "wav2letter_0.safetensors")
    assert model.configuration["alphabet"] == "repetition"
    assert len(card.outputs) == 31
    assert "held_out_voices" in card.evaluation
    assert (tmp_path / "out" / "history.png").stat().st_size > 10_000
    assert "held_out_voices_letter_error_rate" in pd.read_csv(tmp_path / "out" / "history.csv")
    assert "holds a training already" in str(run(*command, "--damaged", "skip").exception)
    assert run(*command, "--damaged", "skip", "--resume").exit_code == 0
