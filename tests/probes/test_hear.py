import pytest

from layerstats.corpora import demo_corpus
from layerstats.errors import ArgumentError
from layerstats.models import ConvolutionalEncoder, InfoWaveGAN, ModelCard, save_checkpoint, seeded
from layerstats.probes import LISTENERS, generate_speech, hear_words


def test_recorded_words_are_heard_by_both():
    speech = demo_corpus(voices=4)
    heard = hear_words(speech)
    right = (heard["heard"] == heard["word"]).groupby(heard["listener"]).mean()
    assert right["classifier"] > 0.95
    assert right["pocketsphinx"] > 0.8
    by_classifier = heard[heard["listener"] == "classifier"]
    assert by_classifier["token"].tolist() == speech.tokens["token"].tolist()
    assert by_classifier["certainty"].between(0, 1).all()
    assert heard.loc[heard["listener"] == "pocketsphinx", "certainty"].isna().all()


def test_generated_speech_keeps_its_codes():
    with seeded(0):
        network = InfoWaveGAN(codes=2, width=1)
    heard = hear_words(generate_speech(network, voices=2, value=[1, 4]), words=["ask", "wash"])
    assert len(heard) == 2 * 2 * 2 * 2
    assert heard.groupby(["code", "code_value", "listener"]).size().tolist() == [2] * 8
    assert set(heard.loc[heard["listener"] == "pocketsphinx", "heard"]) <= {"ask", "wash", "(nothing)"}


def test_a_classifier_of_ones_own(tmp_path):
    with seeded(0):
        network = ConvolutionalEncoder(2, width=1)
    path = save_checkpoint(tmp_path / "own.safetensors", network, ModelCard("own", "Mine.", outputs=("up", "down")))
    speech = demo_corpus(words=["ask"], voices=2)
    assert set(hear_words(speech, classifier=path, listeners=["classifier"])["heard"]) <= {"up", "down"}
    nameless = save_checkpoint(tmp_path / "codes.safetensors", network, ModelCard("codes", "No words."))
    with pytest.raises(ArgumentError, match=r"codes\.safetensors does not say which words"):
        hear_words(speech, classifier=nameless)


def test_unknown_listeners_are_refused():
    speech = demo_corpus(words=["ask"], voices=1)
    with pytest.raises(ArgumentError, match=", ".join(repr(name) for name in LISTENERS)):
        hear_words(speech, listeners=["whisper"])
    with pytest.raises(ArgumentError, match="must list some"):
        hear_words(speech, listeners="classifier")
