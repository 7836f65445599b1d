import numpy as np
import pytest

from layerstats.corpora import open_corpus
from layerstats.models import ModelCard, Wav2Letter, save_checkpoint, seeded
from layerstats.probes.relevance import emitted_letters
from layerstats.store import open_store


@pytest.fixture(scope="module")
def network():
    """Random weights, whose letters are drawn nearly equally often."""
    with seeded(2):
        network = Wav2Letter(width=4, top=8)
    network.conv12.bias.data[-1] = -1e3
    return network


def test_optimal_inputs(make, network, tmp_path):
    card = ModelCard("letters", "Random weights.")
    path = save_checkpoint(tmp_path / "letters.safetensors", network, card)
    sentences = open_corpus("demo:sentences=4")
    letter = emitted_letters(network, sentences, frames="all")["letter"].value_counts().index[0]
    options = ["--corpus", "demo:sentences=4", "--letter", letter, "--starts", "2", "--steps", "3"]
    names = make("optimal_inputs", tmp_path / "out", path, tmp_path / "s.zarr", *options, "--layers", "conv1,conv12")
    assert names == {"optimal_inputs", "agreement_of_starts"}
    outcomes = open_store(tmp_path / "s.zarr").outcomes
    assert outcomes["null"].tolist() == ["", "untrained"]
    outcome = open_store(tmp_path / "s.zarr").outcome(null="")
    first, last = dict.fromkeys(outcome["target"].to_numpy().tolist())
    assert first.startswith("conv1:")
    assert first.endswith(":40"), "the middle of 80 places"
    assert last == f"conv12:{network.alphabet.letters.index(letter)}:0", "the neuron of the letter that was read"
    assert np.isfinite(outcome["objective_after"]).all()
