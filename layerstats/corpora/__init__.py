"""Speech and its labels: one `Corpus` for every source, and the clips that a network hears."""

from layerstats.corpora.clips import Clips
from layerstats.corpora.corpus import Corpus
from layerstats.corpora.demo import demo_corpus
from layerstats.corpora.phone_classes import labels_of, phone_class, phone_set
from layerstats.corpora.timit import PAPER_WORDS, read_timit

__all__ = ["PAPER_WORDS", "Clips", "Corpus", "demo_corpus", "labels_of", "phone_class", "phone_set", "read_timit"]
