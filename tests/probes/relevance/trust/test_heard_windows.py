"""Windows are what the network hears of an utterance, and say what it says there."""

import numpy as np
import pytest
import torch

from layerstats.corpora import demo_corpus
from layerstats.errors import DataError
from layerstats.models import Wav2Letter, seeded
from layerstats.probes.relevance import emitted_letters, hear_windows, without_padding
from layerstats.probes.relevance.reading import read_utterances


@pytest.fixture(scope="module")
def case():
    corpus = demo_corpus(sentences=["the quick fox jumped over a lazy dog"], voices=3, said_by=3)
    with seeded(0):
        network = Wav2Letter(width=4, top=8).eval()
    windows = emitted_letters(network, corpus, frames="all").groupby("utterance").head(4).reset_index(drop=True)
    return corpus, network, windows, hear_windows(network, corpus, windows)


def test_a_window_gives_the_letters_of_its_frame(case):
    corpus, network, windows, heard = case
    readings = {one.token: one for one in read_utterances(network, corpus)}
    with without_padding(network), torch.no_grad():
        said = network(heard.features)
    assert network.padding == "same"
    assert said.shape == (len(windows), 1, 29)
    expected = np.array(
        [readings[u].log_probabilities[f] for u, f in zip(windows["utterance"], windows["frame"], strict=True)]
    )
    assert said[:, 0].log_softmax(dim=1).numpy() == pytest.approx(expected, abs=1e-4)
    assert heard.targets == windows["letter"].tolist()


def test_replacements_are_cut_where_the_window_is(case):
    _, _, windows, heard = case
    assert all(values.shape == heard.features.shape for values in heard.replacements.values())
    mean = heard.replacements["mean spectrum"]
    assert torch.allclose(mean, mean[:, :1].expand_as(mean))
    one, two = np.flatnonzero(windows["utterance"] == windows["utterance"][0])[:2]
    shift = windows["start_frame"][two] - windows["start_frame"][one]
    noise = heard.replacements["noise with the speaker's spectrum"]
    assert torch.equal(noise[one][shift:], noise[two][: len(noise[two]) - shift])


def test_bad_input(case):
    corpus, network, windows, _ = case
    with pytest.raises(DataError, match="reaches from frame -2"):
        hear_windows(network, corpus, windows.assign(start_frame=-2))
    with pytest.raises(DataError, match="no utterance 'x'"):
        hear_windows(network, corpus, windows.assign(utterance="x"))
    with pytest.raises(DataError, match="'letter'"):
        hear_windows(network, corpus, windows.drop(columns="letter"))
