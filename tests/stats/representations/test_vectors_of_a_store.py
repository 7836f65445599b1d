"""Stores with vectors of phones are taken as they are: recordings, layers, twins and the sound."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import StoreError
from layerstats.stats.representations import ProbeOptions, compared_networks, layer_similarity, phone_probe
from layerstats.store import LayerSpec, RecordingWriter, VariableSpec, open_store, store_arrays

TOKENS = [f"t{number}" for number in range(12)]


def record(path, name, layers, attrs, seed):
    tokens = pd.DataFrame({"token": TOKENS, "word": "ask", "split": "test"})
    tokens = tokens.assign(speaker=[f"s{number // 3}" for number in range(12)])
    phones = pd.DataFrame({"token": np.repeat(TOKENS, 4), "phone_index": np.tile(range(4), 12)})
    phones = phones.assign(label=np.tile(["s", "t", "t", "s"], 12), onset_s=0.1 * phones["phone_index"])
    phones = phones.assign(offset_s=phones["onset_s"] + 0.1)
    apart = np.where(phones["label"] == "s", 1.0, -1.0)[:, None]
    rng = np.random.default_rng(seed)
    specs = [LayerSpec(layer, None, [VariableSpec("phones", sizes={"channel": 3})]) for layer in layers]
    with RecordingWriter(path, name, tokens, phones, specs, key="k", attrs=attrs) as writer:
        for rows in writer.missing():
            own = np.isin(phones["token"], np.array(TOKENS)[rows])
            arrays = {layer: {"phones": (apart + rng.normal(size=(48, 3)))[own]} for layer in layers}
            writer.write(rows, arrays)
        writer.finish()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    place = tmp_path_factory.mktemp("store") / "s.zarr"
    record(place, "activations", ["conv1", "conv2"], {"trained": True}, 0)
    record(place, "untrained_00", ["conv1", "conv2"], {"trained": False}, 1)
    record(place, "mel", ["features"], {"trained": True, "network_kind": "acoustics"}, 2)
    return place


def test_recordings_of_a_store_are_sorted(path):
    found = compared_networks(open_store(path))
    assert list(found.network) == ["conv1", "conv2"]
    assert list(found.untrained) == ["untrained_00"]
    assert list(found.acoustics) == ["features"]
    assert set(found.first.phones) >= {"label", "speaker", "token", "word"}


def test_a_store_is_probed_and_its_layers_are_compared_by_two_workers_as_by_one(path):
    options = ProbeOptions(folds=2, inverse_penalties=(0.1,))
    one, two = (phone_probe(open_store(path), "label", options=options, workers=workers) for workers in (1, 2))
    pd.testing.assert_frame_equal(one.table, two.table)
    assert set(one.networks["recording"]) == {"activations", "untrained_00", "mel"}
    pairs = layer_similarity(open_store(path)).table
    assert pairs["layer_2"].tolist() == ["conv2", "features", "features"]


def test_a_part_of_a_store_is_the_part(path):
    chosen = open_store(path).select(speaker=["s0", "s1", "s2"])
    assert len(compared_networks(chosen).first.phones) == 36


def test_a_store_without_vectors_of_phones_says_how_they_are_recorded(tmp_path):
    tokens = pd.DataFrame({"token": ["a", "b"], "word": "ask", "speaker": ["s1", "s2"], "split": "test"})
    store_arrays(tmp_path / "s.zarr", tokens, {"conv1": np.eye(2)}, time_s={"conv1": [0.0, 0.5]})
    with pytest.raises(StoreError, match="--phones"):
        compared_networks(open_store(tmp_path / "s.zarr"))
