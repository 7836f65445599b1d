"""A network whose code was edited never meets, or mixes with, the values that it gave before."""

import json
import shutil

import numpy as np
import pytest
import torch
from torch import nn

from layerstats.errors import StoreError
from layerstats.models import seeded
from layerstats.probes import record_activations, record_untrained
from layerstats.probes.recording.key import model_hash, tensors_hash
from layerstats.store import content_hash, open_store, shards
from layerstats.store.consolidated import consolidate


class Edited(nn.Module):
    """One class, as if its file were edited: the code differs, and neither weights nor settings do."""

    def __init__(self, code=lambda x: x, seed=0):
        super().__init__()
        with seeded(seed):
            self.conv = nn.Conv1d(1, 4, 25, stride=16)
            self.norm = nn.LayerNorm(4)
        self._code = code

    def forward(self, waveforms):
        return self.norm(self.conv(self._code(waveforms[:, None])).mT)


@pytest.fixture(scope="module")
def clips(small):
    return small.small_clips(tokens=20)


def tree(path):
    return {file: file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


@pytest.fixture(autouse=True)
def shards_of_a_batch(monkeypatch):
    monkeypatch.setattr(shards, "SHARD_TOKENS", 4)


def stop_after(path, tokens):
    """As if the run had been killed."""
    folder = path / "recordings/activations"
    metadata = json.loads((folder / "zarr.json").read_text())
    metadata["attributes"] |= {"complete": False}
    (folder / "zarr.json").write_text(json.dumps(metadata))
    for shard in folder.glob("*/mean/c/*"):
        if int(shard.name) >= tokens // 4:
            shutil.rmtree(shard)


def record(path, clips, code=lambda x: x, layers="conv", **options):
    return record_activations(Edited(code), clips, path, layers=layers, batch_size=4, **options)


EDITS = {
    "louder": lambda x: 100 * x,
    "a percent": lambda x: 1.01 * x,
    "other sign": lambda x: -x,
    "cut": lambda x: x.clamp(-0.3, 0.3),
    "shorter": lambda x: x[..., ::2],
    "approximate": lambda x: x + 0.01 * x**2,
}


@pytest.mark.parametrize("written", [4, 12, 20])
@pytest.mark.parametrize("code", EDITS.values(), ids=EDITS.keys())
def test_edited_code_is_another_recording(tmp_path, clips, code, written):
    path = tmp_path / "s.zarr"
    record(path, clips)
    if written < 20:
        stop_after(path, written)
    before = tree(path)
    with pytest.raises(StoreError, match=r"another recording 'activations': layer 'conv'.*now.*Its code.*Choose"):
        record(path, clips, code)
    assert tree(path) == before
    record(path, clips)
    assert open_store(path).recordings["complete"].all()


def test_an_edit_that_shows_in_later_tokens_only(tmp_path, clips):
    """The last batch on disk is looked at beside the first."""
    path = tmp_path / "s.zarr"
    record(path, clips)

    def code(x):
        known = torch.from_numpy(clips.waveforms(slice(0, 8)))[:, None, : x.shape[2]]
        rows = [bool((waveform == known).flatten(1).all(1).any()) for waveform in x]
        return torch.where(torch.tensor(rows)[:, None, None], x, 2 * x)

    with pytest.raises(StoreError, match="another recording"):
        record(path, clips, code)


def test_before_the_first_chunk_there_is_nothing_to_mix(tmp_path, clips):
    path = tmp_path / "s.zarr"
    record(path, clips)
    stop_after(path, 0)
    record(path, clips, lambda x: 100 * x)
    record(tmp_path / "other.zarr", clips, lambda x: 100 * x)
    first, other = (open_store(file).layer("conv")["mean"] for file in (path, tmp_path / "other.zarr"))
    np.testing.assert_array_equal(first, other)


def test_edits_that_only_maps_show(tmp_path, clips):
    def turned(x):
        return x.flip(1)

    options = {"layers": "conv", "maps": True}
    record(tmp_path / "s.zarr", clips, choose_output=lambda h: h, **options)
    with pytest.raises(StoreError, match="another recording"):
        record(tmp_path / "s.zarr", clips, choose_output=turned, **options)


def test_untrained_networks_too(tmp_path, clips):
    path = tmp_path / "s.zarr"
    record_untrained(Edited(), clips, path, seeds=[0, 1], layers="conv")
    record_untrained(Edited(), clips, path, seeds=[0, 1, 2], layers="conv")
    with pytest.raises(StoreError, match=r"'untrained_00'.*conv"):
        record_untrained(Edited(lambda x: 2 * x), clips, path, seeds=[3, 0], layers="conv")


def test_rounding_is_no_edit(tmp_path, clips):
    """Also where the mean over channels is nothing but rounding."""
    path = tmp_path / "s.zarr"

    def perturbed(x):
        sign = torch.where(torch.arange(x.shape[2]) % 3 == 0, 1.0, -1.0)
        return x * (1 + 4e-7 * sign)

    record(path, clips, layers=["conv", "norm"])
    assert open_store(path).layer("norm").attrs["fixed_mean"] == "LayerNorm"
    record(path, clips, perturbed, layers=["conv", "norm"])
    stop_after(path, 12)
    record(path, clips, perturbed, layers=["conv", "norm"])


def former_key(clips, model, told, made):
    """The key as versions 1 and 2 of the store had it."""
    return content_hash(model_hash(model), clips.content_hash(), dict(clips.attrs), told, made)


@pytest.mark.parametrize("functions", [False, True])
def test_recordings_of_earlier_versions_are_met(tmp_path, clips, functions):
    path = tmp_path / "s.zarr"
    model = Edited()
    options = {"prepare_input": lambda w: w / 2, "choose_output": lambda h: h + 1} if functions else {}
    record(path, clips, **options)
    waveform = torch.from_numpy(clips.waveforms(slice(0, 1))) / 2
    with torch.no_grad():
        first = {"conv": (model.conv(waveform[:, None]) + 1).mean(1).numpy()}
    made = [tensors_hash({"input": waveform}), content_hash(first)] if functions else []
    told = {
        "layers": ["conv"],
        "maps": False,
        "axes": [["token", "channel", "sample"]],
        "batch_size": 4,
        "input_hop_s": None,
        "input_axes": None,
    }
    file = path / "recordings/activations/zarr.json"
    metadata = json.loads(file.read_text())
    there = metadata["attributes"]["key"]
    metadata["attributes"]["key"] = former_key(clips, model, told, made)
    assert (there == metadata["attributes"]["key"]) is not functions
    file.write_text(json.dumps(metadata))
    consolidate(path)
    before = tree(path)
    record(path, clips, **options)
    assert tree(path) == before
    with pytest.raises(StoreError, match="another recording"):
        record(path, clips, lambda x: 2 * x, **options)
