"""Windows are what the network hears of an utterance, and say what it says there."""

import numpy as np
import pytest
import torch

from layerstats.corpora import demo_corpus
from layerstats.errors import DataError
from layerstats.models import Wav2Letter, seeded
from layerstats.probes.relevance import attribute, emitted_letters, hear_windows
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
    network.padding = "valid"
    with torch.no_grad():
        said = network(heard.features)
    network.padding = "same"
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


def test_maps_are_those_of_the_letters_that_were_read(case):
    _, network, windows, heard = case
    maps = heard.maps("epsilon", epsilon=0.01, batch_size=5)
    assert network.padding == "same"
    assert maps.shape == heard.features.shape
    network.padding = "valid"
    letters = list(network.alphabet.letters)
    one = attribute(network, heard.features[7:8], windows["letter"][7], labels=letters, epsilon=0.01)
    network.padding = "same"
    assert torch.allclose(maps[7], one.values[0], atol=1e-5 * float(one.values.abs().max()))


def test_maps_of_random_weights_are_of_the_same_windows_and_letters(case):
    *_, heard = case
    found = list(heard.random_maps("gradient", ["conv12", "conv3"], seed=2))
    assert [(one.mode, one.layer) for one, _ in found] == [
        (mode, layer) for mode in ("cascading", "alone") for layer in ("conv12", "conv3")
    ]
    again = heard.maps("gradient", network=found[1][0].network)
    assert torch.equal(again, found[1][1])
    assert not torch.allclose(again, heard.maps("gradient"))


def test_curves_begin_with_the_probability_of_the_letter(case):
    _, _, windows, heard = case
    curves = heard.curves(heard.maps("gradient"), steps=2, patch=(103, 64), random_orders=1)
    begin = curves[(curves["direction"] == "deletion") & (curves["fraction"] == 0) & (curves["order"] == "energy")]
    begin = begin[begin["replacement"] == "mean spectrum"].set_index("token")["score"]
    assert begin.loc[windows["token"]].to_numpy() == pytest.approx(windows["posterior"].to_numpy(), abs=1e-5)
    assert set(curves["replacement"]) == set(heard.replacements)


def test_bad_input(case):
    corpus, network, windows, _ = case
    with pytest.raises(DataError, match="reaches from frame -2"):
        hear_windows(network, corpus, windows.assign(start_frame=-2))
    with pytest.raises(DataError, match="no utterance 'x'"):
        hear_windows(network, corpus, windows.assign(utterance="x"))
    with pytest.raises(DataError, match="'letter'"):
        hear_windows(network, corpus, windows.drop(columns="letter"))
