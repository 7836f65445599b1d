"""`layerstats train ciwgan|fiwgan` from the command line."""

import pandas as pd
import pytest
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.models import load_checkpoint

SMALL = ["--words", "ask,oily", "--width", "1", "--latent", "4", "--batch-size", "16", "--device", "cpu"]
SMALL += ["--watch-every", "1", "--listen-every", "2"]


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("kind", ["ciwgan", "fiwgan"])
def test_training_writes_checkpoint_card_history_and_samples_and_resumes(kind, tmp_path):
    result = run("train", kind, *SMALL, "--steps", 2, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "All 2 steps were done." in result.stdout
    model, card = load_checkpoint(tmp_path / f"{kind}.safetensors")
    assert (model.kind, model.codes) == (kind, 2 if kind == "ciwgan" else 1)
    assert card.training["steps"] == 2
    names = {path.name for path in tmp_path.iterdir()}
    assert {f"{kind}.md", "history.csv", "history.png", "state.pt", "listen"} <= names
    assert list((tmp_path / "listen" / "step_000002").glob("*.wav"))
    more = run("train", kind, *SMALL, "--steps", 3, "--out", tmp_path, "--resume")
    assert more.exit_code == 0, more.output
    assert pd.read_csv(tmp_path / "history.csv")["step"].tolist() == [1, 2, 3]


def test_clips_longer_than_the_slice_are_named(tmp_path):
    result = run("train", "ciwgan", *SMALL, "--samples", 4096, "--steps", 1, "--out", tmp_path)
    assert result.exit_code != 0
    assert "4096 samples" in str(result.exception)
