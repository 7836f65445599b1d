"""Occlusion: by Captum, by running what is left, and of phones and words; what is put in their place."""

import numpy as np
import pandas as pd
import pytest
import torch
from captum.attr import Occlusion
from torch import nn

from layerstats.errors import ArgumentError, DataError
from layerstats.models import seeded
from layerstats.probes.relevance import attribute, patches, replacement_values, spoken_stretches


class Small(nn.Module):
    """(token, time, mel) -> (token, class)."""

    def __init__(self):
        super().__init__()
        with seeded(4):
            self.conv, self.end = nn.Conv1d(4, 5, 3, padding=1), nn.Linear(5, 2)

    def forward(self, features):
        return self.end(torch.tanh(self.conv(features.transpose(1, 2))).amax(2))


@pytest.fixture
def network():
    return Small().double()


@pytest.fixture
def heard():
    with seeded(5):
        return torch.randn(3, 10, 4, dtype=torch.float64)


@pytest.mark.parametrize(("patch", "hop"), [((2, 2), (2, 2)), ((5, 4), (5, 4)), ((1, 1), (1, 1)), ((4, 2), (2, 1))])
def test_patches_are_captums(network, heard, patch, hop):
    expected = Occlusion(network).attribute(heard, patch, hop, baselines=0.5, target=1).double()
    found = attribute(network, heard, 1, "occlusion", patch=patch, hop=hop, replacement=0.5, batch_size=7)
    # Captum gives each value the fall of the score, this its share of it.
    torch.testing.assert_close(found.values * np.prod(patch), expected, atol=1e-6, rtol=1e-5)
    assert len(found.stretches) == 3 * len(patches((1, 10, 4), patch, hop))


def test_the_sum_over_a_stretch_is_the_fall_of_the_score(network, heard):
    stretches = pd.DataFrame({"row": [2, 0, 0], "start": [1, 0, 4], "stop": [3, 4, 10], "label": ["s", "a", "k"]})
    found = attribute(network, heard, 0, "occlusion", stretches=stretches, replacement="mean")
    for row, start, stop, _, drop in found.stretches.itertuples(index=False):
        without = heard[[row]].clone()
        without[:, start:stop] = heard[row].mean(0)
        fall = (network(heard[[row]]) - network(without))[0, 0].item()
        assert drop == pytest.approx(fall)
        assert float(found.values[row, start:stop].sum()) == pytest.approx(fall)
    assert not found.values[1].any()
    assert found.stretches["label"].tolist() == ["s", "a", "k"]


def test_time_may_be_another_axis(network, heard):
    class Turned(nn.Module):
        def forward(self, features):
            return network(features.transpose(1, 2))

    stretches = pd.DataFrame({"row": [0, 1, 2], "start": 2, "stop": 7})
    upright = attribute(network, heard, 0, "occlusion", stretches=stretches).values
    turned = attribute(
        Turned(), heard.transpose(1, 2), 0, "occlusion", stretches=stretches, input_axes=("token", "mel", "time")
    ).values
    torch.testing.assert_close(turned.transpose(1, 2), upright)


def test_layers_are_occluded_by_patches(network, heard):
    found = attribute(network, heard, 1, "occlusion", to="conv", patch=(5, 2)).values
    given = network.conv(heard.transpose(1, 2))
    without = given.clone()
    without[:, :, 4:6] = 0
    scores = [network.end(torch.tanh(one).amax(2))[:, 1] for one in (given, without)]
    torch.testing.assert_close(found[:, :, 4:6].sum((1, 2)), (scores[0] - scores[1]).detach())


PHONES = pd.DataFrame(
    {
        "token": ["u1"] * 4 + ["u2"],
        "label": ["s", "iy", "k", "ae", "m"],
        "onset_s": [0.0, 0.02, 0.045, 0.06, 0.01],
        "offset_s": [0.02, 0.045, 0.06, 0.11, 0.05],
        "word_index": [0, 0, 1, 1, 0],
    }
)
TOKENS = pd.DataFrame({"token": ["u2", "u1"]})


def test_phones_and_words_are_stretches_of_the_input():
    found = spoken_stretches(PHONES, TOKENS, hop_s=0.01, samples=10)
    assert found[["row", "label", "start", "stop"]].to_numpy().tolist() == [
        *([0, "m", 1, 5], [1, "s", 0, 2], [1, "iy", 2, 5], [1, "k", 5, 6], [1, "ae", 6, 10])
    ]
    words = spoken_stretches(PHONES, TOKENS, hop_s=0.01, samples=10, of="word")
    assert words[["row", "word_index", "start", "stop"]].to_numpy().tolist() == [
        [0, 0, 1, 5],
        [1, 0, 0, 5],
        [1, 1, 5, 10],
    ]
    whole = spoken_stretches(PHONES.drop(columns="word_index"), TOKENS, hop_s=0.01, samples=10, of="word")
    assert whole[["row", "start", "stop"]].to_numpy().tolist() == [[0, 1, 5], [1, 0, 10]]
    window = spoken_stretches(PHONES, TOKENS, hop_s=0.01, samples=3, start_s=0.04)
    assert window[["row", "label", "start", "stop"]].to_numpy().tolist() == [
        *([0, "m", 0, 1], [1, "iy", 0, 1], [1, "k", 1, 2], [1, "ae", 2, 3])
    ]


def test_stretches_may_be_made_of_the_tokens(network, heard):
    def made(tokens):
        return spoken_stretches(PHONES, tokens, hop_s=0.01, samples=10)

    some = heard[:2]
    given = attribute(network, some, 0, "occlusion", stretches=made(TOKENS))
    found = attribute(network, some, 0, "occlusion", stretches=made, tokens=TOKENS)
    assert torch.equal(found.values, given.values)
    with pytest.raises(ArgumentError, match="say tokens="):
        attribute(network, some, 0, "occlusion", stretches=made)


def test_windows_have_the_phones_of_their_utterances():
    windows = pd.DataFrame({"token": ["u1@7", "u2@3", "u1@9"], "utterance": ["u1", "u2", "u1"]})
    found = spoken_stretches(PHONES, windows, hop_s=0.01, samples=3, start_s=[0.04, 0.0, 0.08])
    assert found[["row", "label", "start", "stop"]].to_numpy().tolist() == [
        *([0, "iy", 0, 1], [0, "k", 1, 2], [0, "ae", 2, 3], [1, "m", 1, 3], [2, "ae", 0, 3])
    ]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, ArgumentError, "either stretches="),
        ({"patch": 3, "stretches": pd.DataFrame()}, ArgumentError, "either stretches="),
        ({"patch": (3, 2, 1)}, ArgumentError, "one number for each of 2 axes"),
        ({"patch": 0}, ArgumentError, "'patch'"),
        ({"patch": 2, "hop": 3}, ArgumentError, "leaves gaps"),
        ({"patch": 2, "batch_size": 0}, ArgumentError, "'batch_size'"),
        ({"stretches": pd.DataFrame({"row": [0], "start": [3]})}, DataError, "'stop'"),
        ({"stretches": pd.DataFrame({"row": [0], "start": [3], "stop": [3]})}, DataError, "Stretch 0 is from 3 to 3"),
        ({"stretches": pd.DataFrame({"row": [0], "start": [3], "stop": [11]})}, DataError, "10 along axis 1"),
        ({"stretches": pd.DataFrame({"row": [3], "start": [3], "stop": [5]})}, DataError, "3 tokens"),
        ({"stretches": pd.DataFrame({"row": [], "start": [], "stop": []})}, DataError, "empty"),
        ({"stretches": pd.DataFrame({"row": [0], "start": [3], "stop": [5]}), "to": "conv"}, ArgumentError, "patches"),
    ],
)
def test_stretches_that_are_not_there_are_refused(network, heard, options, error, message):
    with pytest.raises(error, match=message):
        attribute(network, heard, 0, "occlusion", **options)


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"of": "letter"}, ArgumentError, "'phone' and 'word'"),
        ({"hop_s": 0.0}, ArgumentError, "'hop_s'"),
        ({"start_s": 9.0}, DataError, "No phone of these tokens"),
        ({"phones": PHONES.drop(columns="onset_s")}, DataError, "'onset_s'"),
    ],
)
def test_phones_that_are_not_there_are_refused(changed, error, message):
    given = {"phones": PHONES, "tokens": TOKENS, "hop_s": 0.01, "samples": 10, **changed}
    with pytest.raises(error, match=message):
        spoken_stretches(given.pop("phones"), given.pop("tokens"), **given)


def test_noise_has_the_spectrum_of_what_it_replaces():
    with seeded(0):
        waveforms = torch.randn(2, 501).cumsum(1)
        features = torch.randn(2, 4000, 3) * torch.tensor([1.0, 5.0, 0.2]) + torch.tensor([0.0, 2.0, -1.0])
    for samples in (500, 501):
        given = waveforms[:, :samples]
        noise = replacement_values(given, "noise", 1, seed=3)
        torch.testing.assert_close(torch.fft.rfft(noise).abs(), torch.fft.rfft(given).abs(), atol=2e-2, rtol=1e-3)
        assert not torch.allclose(noise, given, atol=1.0)
    noise = replacement_values(features, "noise", 1, seed=3)
    torch.testing.assert_close(noise.mean(1), features.mean(1), atol=0.3, rtol=0.1)
    torch.testing.assert_close(noise.std(1), features.std(1), atol=0.05, rtol=0.05)
    torch.testing.assert_close(noise[[1]], replacement_values(features[[1]], "noise", 1, seed=3))
    assert not torch.equal(noise, replacement_values(features, "noise", 1, seed=4))


def test_replacements_are_numbers_tensors_and_functions():
    features = torch.randn(2, 6, 3)
    assert (replacement_values(features, -1.5, 1) == -1.5).all()
    assert torch.equal(replacement_values(features, features[:1], 1)[1], features[0])
    assert torch.equal(replacement_values(features, lambda values: values.flip(0), 1), features.flip(0))
    torch.testing.assert_close(replacement_values(features.transpose(1, 2), "mean", 2)[:, :, 0], features.mean(1))
