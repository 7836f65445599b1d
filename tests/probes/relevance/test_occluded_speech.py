"""What a trained network of letters loses with the phone and the word that it reads a letter of."""

import pytest
import torch

from layerstats.corpora import open_corpus, utterance
from layerstats.errors import ArgumentError
from layerstats.models import load_checkpoint
from layerstats.probes.relevance import attribute, emitted_letters, spoken_stretches
from layerstats.resources import bundled


@pytest.fixture(scope="module")
def heard():
    """The shipped network without padding, windows of built-in sentences, and what it hears of each."""
    network, _ = load_checkpoint(bundled("data", "checkpoints", "wav2letter.safetensors"))
    speech = open_corpus("demo:sentences=8")
    windows = emitted_letters(network, speech).query("correct").sample(24, random_state=1)
    windows = windows.reset_index(drop=True)
    features = {
        token: network.features(torch.from_numpy(utterance(speech, token))[None])[0].detach()
        for token in windows["utterance"].unique()
    }
    places = zip(windows["utterance"], windows["start_frame"], strict=True)
    network.padding = "valid"
    return (
        network,
        speech.phones,
        windows,
        torch.stack([features[token][start : start + 206] for token, start in places]),
    )


@pytest.mark.parametrize("replacement", ["mean", "noise", "zero"])
def test_the_phone_and_the_word_of_a_letter_matter_most(heard, replacement):
    network, phones, windows, inputs = heard
    hop_s = network.front_end.hop / network.front_end.rate_hz
    options = {"hop_s": hop_s, "samples": 206, "start_s": windows["start_frame"] * hop_s}
    drops = {}
    for of in ("phone", "word"):
        found = attribute(
            network,
            inputs,
            windows["letter"].tolist(),
            "occlusion",
            labels=network.alphabet.letters,
            stretches=spoken_stretches(phones, windows, of=of, **options),
            replacement=replacement,
        )
        table = found.stretches
        middle = (table["start"] <= 103) & (table["stop"] > 103)
        drops[of] = table["drop"][middle].mean(), table["drop"][~middle].mean()
    for inside, outside in drops.values():
        assert inside > 2 * max(outside, 0)
    assert drops["word"][0] > drops["phone"][0]


def test_windows_that_are_too_short_are_refused(heard):
    network, _, _, inputs = heard
    for method in ("gradient", "epsilon"):
        with pytest.raises(ArgumentError, match=r"at least 206 frames \(1.648 s\), but got one of 205"):
            attribute(network, inputs[:2, 1:], 3, method)
