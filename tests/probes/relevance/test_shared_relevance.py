"""Relevance that other processes record has the bytes of that which was recorded here."""

from __future__ import annotations

import pytest
import torch

from layerstats.corpora import demo_corpus
from layerstats.errors import DataError
from layerstats.models import ConvolutionalEncoder, Wav2Letter, seeded
from layerstats.probes import record_letter_relevance, record_relevance
from layerstats.store import open_store


def tree(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


@pytest.fixture(autouse=True)
def _same_each_time(monkeypatch, tmp_path):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    # Outside any repository, whose revision could change meanwhile.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("layerstats.store.shards.SHARD_TOKENS", 4)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def words():
    with seeded(0):
        return ConvolutionalEncoder(outputs=2, width=1), demo_corpus(words=["ask", "wash"], voices=6)


def recorded(words, store, **options):
    told = {"labels": ["ask", "wash"], "layers": ["input", "conv5"], "maps": True, "batch_size": 2}
    record_relevance(*words, store, **told, **options)
    return tree(store)


def test_processes_record_the_same_bytes(words, tmp_path):
    assert recorded(words, tmp_path / "shared.zarr", workers=2) == recorded(words, tmp_path / "here.zarr")


def test_parts_make_the_whole(words, tmp_path):
    for number in (2, 1):
        recorded(words, tmp_path / "parts.zarr", shard=(number, 2))
    assert tree(tmp_path / "parts.zarr") == recorded(words, tmp_path / "here.zarr")


def test_what_others_have_written_stays_where_a_shard_fails(words, tmp_path, monkeypatch):
    from layerstats.probes.recording import reduced

    def fail(*of_it):
        raise DataError("no relevance for these")

    recorded(words, tmp_path / "s.zarr", shard=(1, 2))
    before = open_store(tmp_path / "s.zarr", incomplete="allow").recordings["tokens"].tolist()
    monkeypatch.setattr(reduced, "_check_finite", fail)
    with pytest.raises(DataError, match="no relevance"):
        recorded(words, tmp_path / "s.zarr", shard=(2, 2))
    assert open_store(tmp_path / "s.zarr", incomplete="allow").recordings["tokens"].tolist() == before


@pytest.mark.parametrize("how", [{"workers": 2}, {"shard": None}])
def test_windows_are_shared(tmp_path, how):
    corpus = demo_corpus(sentences=["the quick fox jumped over a lazy dog"], voices=3, said_by=3)
    with seeded(0):
        network = Wav2Letter(width=4, top=8)
    options = {"method": "gradient", "batch_size": 2, "maps": True}
    record_letter_relevance(network, corpus, tmp_path / "here.zarr", **options)
    if "workers" in how:
        record_letter_relevance(network, corpus, tmp_path / "shared.zarr", **options, **how)
    else:
        for number in (3, 1, 2):
            record_letter_relevance(network, corpus, tmp_path / "shared.zarr", **options, shard=(number, 3))
    shards = len(list((tmp_path / "here.zarr" / "recordings" / "gradient" / "input" / "sum" / "c").iterdir()))
    assert shards > 2
    assert tree(tmp_path / "shared.zarr") == tree(tmp_path / "here.zarr")
