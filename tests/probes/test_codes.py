import math

import numpy as np
import pytest
import torch
from torch import nn

from layerstats.corpora import demo_corpus
from layerstats.errors import ArgumentError, DataError
from layerstats.models import ConvolutionalEncoder, InfoWaveGAN, load_checkpoint, seeded
from layerstats.probes import read_codes
from layerstats.resources import bundled


def encoder(outputs, samples=1024):
    with seeded(3):
        return ConvolutionalEncoder(outputs, width=1, samples=samples)


@pytest.fixture
def clips(small):
    return small.small_clips(tokens=10)


def test_a_category_is_the_largest_output(clips):
    model = encoder(4)
    codes = read_codes(model, clips, batch_size=3)
    with torch.no_grad():
        outputs = model.eval()(torch.from_numpy(clips.waveforms(slice(None)))).numpy()
    assert codes["code"].tolist() == [str(best) for best in outputs.argmax(axis=1)]
    softmax = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(codes["certainty"], softmax.max(axis=1), rtol=1e-5)
    for column in ("token", "word", "speaker", "split"):
        assert codes[column].tolist() == clips.tokens[column].tolist()


def test_bits_of_a_fiwgan(clips):
    with seeded(1):
        model = InfoWaveGAN("fiwgan", codes=5, latent=10, width=1, samples=1024)
    codes = read_codes(model, clips)
    with torch.no_grad():
        outputs = model.q_network.eval()(torch.from_numpy(clips.waveforms(slice(None)))).numpy()
    for code, certainty, row in zip(codes["code"], codes["certainty"], outputs, strict=True):
        assert code == "".join("1" if value > 0 else "0" for value in row)
        chances = [1 / (1 + math.exp(-abs(value))) for value in row]
        assert certainty == pytest.approx(math.prod(chances), rel=1e-5)


def test_the_network_is_left_as_it_was(clips):
    with seeded(1):
        model = InfoWaveGAN(codes=3, latent=10, width=1, samples=1024).train()
    first = read_codes(model, clips)
    assert model.q_network.training
    again = read_codes(model, clips, batch_size=1)
    assert again["code"].equals(first["code"])
    np.testing.assert_allclose(again["certainty"], first["certainty"], rtol=1e-5)
    assert set(first["code"]) <= {"0", "1", "2"}


def test_the_supervised_classifier_names_words():
    model, card = load_checkpoint(bundled("data", "checkpoints", "words.safetensors"))
    speech = demo_corpus(voices=8).subset(split="test")
    codes = read_codes(model, speech, labels=card.outputs)
    assert (codes["code"] == codes["word"]).mean() > 0.9
    assert codes["certainty"].between(0, 1).all()


def test_bad_input_is_refused(clips):
    with pytest.raises(ArgumentError, match="2 names for 4 outputs"):
        read_codes(encoder(4), clips, labels=("ask", "wash"))
    broken = encoder(4)
    nn.init.constant_(broken.logits.bias, float("nan"))
    with pytest.raises(DataError, match="10 of 10 tokens, first for 't000'"):
        read_codes(broken, clips)
    with pytest.raises(ArgumentError, match="batch_size"):
        read_codes(encoder(4), clips, batch_size=0)
