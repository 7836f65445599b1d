"""`layerstats synthesise`: from a store to sound files, and to a corpus again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import soundfile
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.corpora import open_corpus
from layerstats.errors import CorpusError, StoreError
from layerstats.models import CommandClassifier, seeded
from layerstats.probes import outcome_speech
from layerstats.probes.maximization import maximize_activations
from layerstats.store import open_store


def run(*arguments):
    return CliRunner().invoke(app, ["synthesise", *map(str, arguments)])


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = tmp_path_factory.mktemp("synthesise") / "s.zarr"
    with seeded(0):
        network = CommandClassifier(outputs=2, channels=(2, 2, 2), hidden=(4, 4, 4))
    maximize_activations(network, ["no", "yes"], store, labels=("no", "yes"), starts=3, steps=1, network_name="small")
    return store


def test_what_was_maximized_becomes_sound_files_with_a_table_and_a_corpus(store, tmp_path):
    result = run(store, "--out", tmp_path / "said", "--starts", 2)
    assert result.exit_code == 0, result.exception
    assert "4 tokens of 2 targets" in result.stdout
    table = pd.read_csv(tmp_path / "said" / "tokens.csv")
    assert table["token"].tolist() == ["no_00000", "no_00001", "yes_00000", "yes_00001"]
    assert table["seed"].tolist() == [int(seed) for seed in open_store(store).outcome()["seed"][[0, 1, 3, 4]]]
    assert soundfile.info(tmp_path / "said" / "audio" / "yes_00001.wav").subtype == "PCM_16"
    corpus = open_corpus(f"generated:{tmp_path / 'said'}")
    made = outcome_speech(open_store(store))
    assert np.abs(corpus.audio("yes_00001") - made.audio("yes_00001")).max() < 1e-3
    again = run(store, "--out", tmp_path / "said")
    assert isinstance(again.exception, CorpusError)


def test_before_is_another_sound(store, tmp_path):
    assert run(store, "--out", tmp_path / "said", "--which", "before", "--starts", 1).exit_code == 0
    table = pd.read_csv(tmp_path / "said" / "tokens.csv")
    assert set(table["which"]) == {"before"}


def test_a_store_that_is_none_is_named(tmp_path):
    result = run(tmp_path / "no.zarr", "--out", tmp_path / "said")
    assert isinstance(result.exception, StoreError | FileNotFoundError)
    assert "no.zarr" in str(result.exception)
