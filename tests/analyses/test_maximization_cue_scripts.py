"""The scripts about cues, paths and codes, on networks of random weights that are maximized for a step or two."""

import pandas as pd
import pytest

from layerstats.corpora import demo_corpus
from layerstats.errors import ArgumentError
from layerstats.judges import judge
from layerstats.models import CommandClassifier, MelAutoencoder, ModelCard, load_checkpoint, save_checkpoint, seeded
from layerstats.probes import maximize_activations, record_beside_natural, record_nulls
from layerstats.store import open_store
from layerstats.tables import check_frame

WORDS = ["no", "yes"]
CORPUS = "demo"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store of maximized codes that began from data, with a null and another network's judgements."""
    folder = tmp_path_factory.mktemp("maximized")
    paths = {}
    for name, seed in (("commands_0", 1), ("commands_1", 2)):
        with seeded(seed):
            network = CommandClassifier(outputs=2, channels=(8, 8, 8), hidden=(32, 32, 32))
        card = ModelCard(name, "Random weights.", outputs=WORDS, training={"seed": seed})
        paths[name] = save_checkpoint(folder / f"{name}.safetensors", network, card)
    with seeded(3):
        autoencoder = MelAutoencoder(codes=8, channels=(4, 4, 4, 4))
    file = save_checkpoint(folder / "autoencoder.safetensors", autoencoder, ModelCard("autoencoder", "Random weights."))
    prior = f"autoencoder:{file}"
    network, card = load_checkpoint(paths["commands_0"])
    speech = demo_corpus(words=WORDS, voices=8)
    options = {"starts": 8, "steps": 2, "prior": prior, "start_from": "data", "corpus": speech, "card": card}
    options |= {"batch_size": 8, "device": "cpu"}
    store = folder / "outcomes.zarr"
    maximize_activations(network, WORDS, store, **options)
    record_nulls(network, WORDS, store, ["random_direction"], **options)
    judge(store, [str(paths["commands_1"])], priors=[prior], device="cpu")
    return {"store": store, "network": paths["commands_0"], "prior": prior}


def read(path):
    return check_frame(pd.read_csv(path))


@pytest.mark.slow
def test_exaggeration(made, make, tmp_path):
    options = ["--corpus", CORPUS, "--split", "", "--prior", made["prior"], "--words", "no,yes", "--starts", "8"]
    names = make("exaggeration", tmp_path, made["store"], made["network"], *options, "--reference", "reconstructed")
    assert {"cues", "cue_summary", "cue_table", "curves_1", "exaggeration", "duration"} <= names
    cues = read(tmp_path / "cue_table.csv")
    assert {"maximized", "before", "reconstructed", "random_direction"} <= set(cues["level_1"])
    table = read(tmp_path / "exaggeration.csv")
    assert set(table["level_2"]) == {"reconstructed"}
    assert set(table["design"]) == {"within speakers"}


@pytest.mark.slow
def test_paths(made, make, tmp_path):
    options = ["--corpus", CORPUS, "--split", "", "--prior", made["prior"], "--words", "no,yes", "--starts", "8"]
    options += ["--layers", "features,conv1,conv2", "--draws", "20"]
    names = make("paths", tmp_path, made["store"], made["network"], *options)
    assert {"paths", "path_table", "comparisons", "words", "untrained", "untrained_table"} <= names
    table = read(tmp_path / "path_table.csv")
    assert table.groupby("trained")["network_seed"].nunique().to_dict() == {False: 2, True: 1}
    assert set(table["condition"]) == {"maximized", "before", "reconstructed", "random_direction"}


def test_codes(made, make, tmp_path):
    options = ["--outcomes", "autoencoder.commands_0", "--checkpoint", made["network"], "--prior", made["prior"]]
    names = make("codes", tmp_path, made["store"], *options, "--permutations", "19")
    assert {"arrows_by_word", "arrows_by_speaker", "corrections", "displacement_table", "variance", "points"} <= names
    assert read(tmp_path / "corrections.csv")["judge"].tolist() == ["commands_0", "commands_1"]
    assert len(read(tmp_path / "displacement_table.csv")) == 3


def test_outcomes_and_words_must_be_there(made, tmp_path):
    network, _ = load_checkpoint(made["network"])
    experiment, speech = open_store(made["store"]), demo_corpus(words=["yes", "ask"], voices=2)
    with pytest.raises(ArgumentError, match="'ask' must be targets"):
        record_beside_natural(network, experiment, speech, tmp_path / "s.zarr", words=["ask"])
    with pytest.raises(ArgumentError, match="no outcomes 'other'"):
        record_beside_natural(network, experiment, speech, tmp_path / "s.zarr", name="other")
