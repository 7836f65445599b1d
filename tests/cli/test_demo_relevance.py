"""The part of the demonstration about relevance: what is recorded, and which scripts look at it."""

import pytest

from layerstats.cli import demo_relevance
from layerstats.cli.progress import steps
from layerstats.corpora import Clips, demo_corpus
from layerstats.models import InfoWaveGAN, ModelCard, save_checkpoint, seeded
from layerstats.stats import phone_shares
from layerstats.store import open_store


@pytest.fixture
def clips():
    return Clips(demo_corpus(words=["ask", "wash"], voices=3))


def test_both_encoders_of_a_gan_are_recorded_with_their_twins(clips, tmp_path, monkeypatch):
    monkeypatch.setattr(demo_relevance, "UNTRAINED", 2)
    with seeded(0):
        network = InfoWaveGAN("ciwgan", codes=2, width=1)
    checkpoint = save_checkpoint(tmp_path / "gan.safetensors", network, ModelCard("gan", "Random weights."))
    with steps() as step:
        stores = demo_relevance.record_small_relevance(step, clips, checkpoint, tmp_path / "relevance")
    assert [store.name for store in stores] == ["q_network.zarr", "discriminator.zarr"]
    view = open_store(stores[1], recording="epsilon")
    assert (view.quantity, view.recording_attrs["part"], view.layers) == ("relevance", "discriminator", ("input",))
    found = phone_shares(view)
    assert set(found.comparisons["null_recordings"]) == {2}


def test_letters_are_looked_at_where_they_were_learned(tmp_path):
    stores = [tmp_path / "q_network.zarr"]
    assert list(demo_relevance.relevance_jobs(stores, letters=False)) == ["relevance_contrasts"]
    assert tuple(demo_relevance.relevance_jobs(stores, letters=True)) == demo_relevance.ANALYSES
