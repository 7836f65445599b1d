"""Speech and its labels: one `Corpus` for every source, and the clips that a network hears."""

from layerstats.corpora.alignment import align
from layerstats.corpora.clips import Clips
from layerstats.corpora.clips_for import clips_for
from layerstats.corpora.corpus import Corpus
from layerstats.corpora.damage import find_damage, noise_onset
from layerstats.corpora.demo import demo_corpus, demo_words
from layerstats.corpora.fsdd import read_fsdd
from layerstats.corpora.generated import read_generated, write_generated
from layerstats.corpora.librispeech import read_librispeech
from layerstats.corpora.open import corpus_kinds, open_corpus
from layerstats.corpora.phone_classes import labels_of, phone_class, phone_set
from layerstats.corpora.sentences import demo_sentences
from layerstats.corpora.speech_commands import SPEECH_COMMANDS_WORDS, read_speech_commands
from layerstats.corpora.textgrids import read_textgrids
from layerstats.corpora.timit import PAPER_WORDS, read_timit
from layerstats.corpora.utterances import texts, utterance
from layerstats.corpora.word_features import WORD_FEATURES, word_features

__all__ = [
    "PAPER_WORDS",
    "SPEECH_COMMANDS_WORDS",
    "WORD_FEATURES",
    "Clips",
    "Corpus",
    "align",
    "clips_for",
    "corpus_kinds",
    "demo_corpus",
    "demo_sentences",
    "demo_words",
    "find_damage",
    "labels_of",
    "noise_onset",
    "open_corpus",
    "phone_class",
    "phone_set",
    "read_fsdd",
    "read_generated",
    "read_librispeech",
    "read_speech_commands",
    "read_textgrids",
    "read_timit",
    "texts",
    "utterance",
    "word_features",
    "write_generated",
]
