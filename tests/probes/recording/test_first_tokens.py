"""What the first tokens gave when the network was examined isn't run again, and a store is the same for that."""

import pytest
from torch import nn

from layerstats.probes import Activation, record

LAYERS = ["input", "1", "5"]


class Scaled(Activation):
    """A quantity that runs the network itself."""

    def measure(self, batch, use):
        """Give the layers' values as they are."""
        super().measure(batch, use)


@pytest.fixture(autouse=True)
def _same_each_time(monkeypatch, tmp_path):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.chdir(tmp_path)


def recorded(network: nn.Module, clips, store, quantity) -> tuple[dict[str, bytes], int]:
    """Return the files of a recording, and how many times the network ran."""
    runs = []
    hook = network.register_forward_pre_hook(lambda *_: runs.append(1))
    record(network, clips, store, quantity, LAYERS, batch_size=4)
    hook.remove()
    return {str(file.relative_to(store)): file.read_bytes() for file in store.rglob("*") if file.is_file()}, len(runs)


def test_what_was_seen_is_not_run_again(small, tmp_path, monkeypatch):
    network, clips = small.small_network(), small.small_clips(tokens=9)
    quantity = Activation(("mean", "root_mean_square"), maps=True, phones=True)
    shared, runs = recorded(network, clips, tmp_path / "shared.zarr", quantity)
    monkeypatch.setattr("layerstats.probes.recording.reduced.same_input", lambda *_: False)
    again, more = recorded(network, clips, tmp_path / "again.zarr", quantity)
    assert shared == again
    # Three tokens together, and two of them alone.
    assert more == runs + 3


def test_quantities_that_run_the_network_themselves_do(small, tmp_path):
    network, clips = small.small_network(), small.small_clips(tokens=9)
    shared, runs = recorded(network, clips, tmp_path / "shared.zarr", Activation())
    own, more = recorded(network, clips, tmp_path / "own.zarr", Scaled())
    assert more == runs + 3
    values = {name for name in shared if "/c/" in name}
    assert values
    assert all(shared[name] == own[name] for name in values)
