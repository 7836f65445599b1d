"""Small sentences and a small network that reads letters, for tests of windows and processes that they start."""

import sys

import torch

from layerstats.corpora import demo_corpus
from layerstats.models import Wav2Letter, seeded
from layerstats.probes.relevance import emitted_letters, record_relevance, window_recording

SENTENCES = ["the quick fox jumped over a lazy dog near home", "many people would like to hear the old story"]


def sentences(voices=2):
    """A few utterances by several voices."""
    return demo_corpus(sentences=SENTENCES, voices=voices, said_by=voices)


def reader(seed=0):
    """A network with random weights whose normalisations have seen something, so that it reads more than one letter."""
    with seeded(seed):
        network = Wav2Letter(width=6, top=12)
        network.train()
        for _ in range(3):
            network(torch.randn(4, 260, 128))
    return network.eval()


def windows_of(network, corpus, every=3):
    """Every third frame in which it reads a letter: a random network reads few in runs."""
    return emitted_letters(network, corpus, frames="all").iloc[::every].reset_index(drop=True)


def write(path, method="epsilon", shard=16, progress=None, every=3, **options):
    """Record in small shards and batches."""
    network, corpus = reader(), sentences()
    window_recording.tokens_in_shard = lambda *_: shard
    windows = windows_of(network, corpus, every)
    return record_relevance(
        network, corpus, path, method=method, windows=windows, batch_size=7, progress=progress, **options
    )


def write_aligned(path, method, alignments=True, **options):
    """Record a few of the windows: every alignment takes as many ways back as there are letters."""
    return write(path, method, every=9, shard=8, maps=True, alignments=alignments, **options)


if __name__ == "__main__":
    if sys.argv[3:] == ["aligned"]:
        write_aligned(sys.argv[1], sys.argv[2])
    else:
        write(sys.argv[1], sys.argv[2], maps=True)
