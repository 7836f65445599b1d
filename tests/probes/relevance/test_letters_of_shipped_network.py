"""What the shipped network reads of voices and sentences that it never heard, and where."""

import numpy as np
import pytest

from layerstats.corpora import open_corpus, texts
from layerstats.models import load_checkpoint
from layerstats.models.letters import beam_search, error_rates
from layerstats.probes.relevance import emitted_letters, letter_times
from layerstats.probes.relevance.reading import read_utterances
from layerstats.resources import bundled

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def network():
    return load_checkpoint(bundled("data", "checkpoints", "wav2letter.safetensors"))[0]


@pytest.fixture(scope="module")
def unheard():
    corpus = open_corpus("demo:sentences")
    tokens = corpus.tokens
    both = tokens.loc[(tokens["voice_split"] == "test") & (tokens["sentence_split"] == "test"), "token"]
    return corpus.subset(tokens=both)


def test_it_reads_what_it_never_heard(network, unheard):
    readings = list(read_utterances(network, unheard))
    said = texts(unheard.tokens)
    greedy = error_rates(said, [reading.text for reading in readings])
    assert greedy.letter_error_rate < 0.25
    beam = error_rates(said, [beam_search(reading.log_probabilities, network.alphabet) for reading in readings])
    assert beam.letter_error_rate < greedy.letter_error_rate + 0.01


def test_letters_are_where_their_sounds_are(network, unheard):
    windows = emitted_letters(network, unheard)
    assert len(windows) > 500
    assert windows["correct"].mean() > 0.8
    for letter in ("n", "f"):
        right = windows[(windows["letter"] == letter) & windows["correct"]]
        share, chance = (right["phone"] == letter).mean(), (unheard.phones["label"] == letter).mean()
        assert share > 0.5 > 4 * chance


def test_known_text_is_found_in_time(network, unheard):
    """The network tells a nasal within a tenth of a second of its middle."""
    times = letter_times(network, unheard)
    nasals = times[times["letter"] == "n"]
    phones = unheard.phones[unheard.phones["label"].isin(["n", "ng", "en"])]
    distances = []
    for row in nasals.itertuples():
        said = phones[phones["token"] == row.token]
        middles = (said["onset_s"] + said["offset_s"]) / 2
        distances.append(np.abs(middles - (row.onset_s + row.offset_s) / 2).min())
    assert np.median(distances) < 0.05
    assert np.mean(np.array(distances) < 0.1) > 0.9
