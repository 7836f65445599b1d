import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.corpora import Clips, clips_for, demo_corpus
from layerstats.errors import ArgumentError, DataError
from layerstats.judges import (
    JUDGES,
    WordRecogniser,
    WordsClassifier,
    hear_words,
    judge_speech,
    open_judge,
    record_judgements,
)
from layerstats.models import (
    CommandClassifier,
    ConvolutionalEncoder,
    InfoWaveGAN,
    ModelCard,
    load_checkpoint,
    save_checkpoint,
    seeded,
)
from layerstats.probes import generate_speech, read_codes
from layerstats.resources import bundled
from layerstats.stats import likeliest_responses

Loudness = runpy.run_path(str(Path(__file__).with_name("loudness.py")))["Loudness"]


@pytest.fixture
def own_classifier(tmp_path):
    with seeded(0):
        network = ConvolutionalEncoder(2, width=1)
    return save_checkpoint(tmp_path / "own.safetensors", network, ModelCard("own", "Mine.", outputs=("up", "down")))


def test_recorded_words_are_heard_by_both():
    speech = demo_corpus(voices=4)
    heard = likeliest_responses(hear_words(speech))
    right = (heard["response"] == heard["word"]).groupby(heard["judge"]).mean()
    assert right["classifier"] > 0.95
    assert right["pocketsphinx"] > 0.8
    by_classifier = heard[heard["judge"] == "classifier"]
    assert by_classifier["token"].tolist() == speech.tokens["token"].tolist()
    assert heard.loc[heard["judge"] == "pocketsphinx", "score"].isna().all()


def test_the_classifier_scores_every_word_as_the_network_does():
    clips = Clips(demo_corpus(voices=2))
    network, card = load_checkpoint(bundled("data", "checkpoints", "words.safetensors"))
    judged = judge_speech(clips, ["classifier"])
    assert len(judged) == len(clips) * len(card.outputs)
    np.testing.assert_allclose(judged.groupby("token")["score"].sum(), 1, rtol=1e-12)
    codes = read_codes(network, clips, labels=card.outputs)
    heard = likeliest_responses(judged)
    assert heard["response"].tolist() == codes["code"].tolist()
    np.testing.assert_allclose(heard["score"], codes["certainty"], rtol=1e-12)


def test_generated_speech_keeps_its_codes():
    with seeded(0):
        network = InfoWaveGAN(codes=2, width=1)
    heard = likeliest_responses(hear_words(generate_speech(network, voices=2, value=[1, 4]), words=["ask", "wash"]))
    assert len(heard) == 2 * 2 * 2 * 2
    assert heard.groupby(["code", "code_value", "judge"]).size().tolist() == [2] * 8
    assert set(heard.loc[heard["judge"] == "pocketsphinx", "response"]) <= {"ask", "wash", "(nothing)"}


def test_a_classifier_of_ones_own(own_classifier, tmp_path):
    speech = demo_corpus(words=["ask"], voices=2)
    heard = hear_words(speech, classifier=own_classifier, judges=["classifier"])
    assert heard["response"].tolist() == ["up", "down"] * 2
    named = judge_speech(speech, ["classifier", f"classifier:{own_classifier}"])
    assert set(named["judge"]) == {"classifier", "own"}
    with seeded(0):
        network = ConvolutionalEncoder(2, width=1)
    nameless = save_checkpoint(tmp_path / "codes.safetensors", network, ModelCard("codes", "No words."))
    with pytest.raises(ArgumentError, match=r"codes\.safetensors does not say which words"):
        hear_words(speech, classifier=nameless)


def test_a_network_of_another_rate_gets_clips_of_its_own(tmp_path):
    front_end = {"rate_hz": 11025, "samples": 11025, "n_fft": 512, "hop": 128, "mels": 20, "high_hz": 5000.0}
    with seeded(0):
        network = CommandClassifier(2, (2, 2, 2), (8, 8, 8), front_end=front_end)
    file = save_checkpoint(tmp_path / "fast.safetensors", network, ModelCard("f", "Mine.", outputs=("ask", "wash")))
    speech = demo_corpus(words=["ask", "wash"], voices=2)
    with torch.no_grad():
        logits = network.eval()(torch.from_numpy(clips_for(network, speech).waveforms(slice(None))))
    wanted = torch.softmax(logits, dim=1).numpy()
    for given in (speech, Clips(speech, too_long="skip"), Clips(speech, too_long="trim", damaged="keep")):
        for name in (str(file), f"classifier:{file}"):
            judged = judge_speech(given, [name])
            assert set(judged["judge"]) == {"fast"}
            np.testing.assert_allclose(judged["score"].to_numpy().reshape(-1, 2), wanted, atol=1e-5)
    run = CliRunner().invoke(app, ["judge", str(tmp_path / "s.zarr"), "--corpus", "demo", "--judges", str(file)])
    assert run.exit_code == 0, run.output
    assert "fast, " in run.output
    some = speech.tokens["token"].tolist()[:2]
    left_out = judge_speech(Clips(speech.subset(tokens=some), samples=8192, too_long="trim"), [str(file)])
    np.testing.assert_allclose(left_out["score"].to_numpy().reshape(-1, 2), wanted[:2], atol=1e-5)


def test_a_judge_needs_no_registration():
    heard = hear_words(demo_corpus(words=["ask", "wash"], voices=2), judges=[Loudness(), "pocketsphinx"])
    assert set(heard.loc[heard["judge"] == "loudness", "response"]) <= {"loud", "soft"}
    assert heard.groupby("judge").size().to_dict() == {"loudness": 8, "pocketsphinx": 4}


def test_what_identifies_a_judge_is_plain(own_classifier):
    shipped, own = WordsClassifier(), WordsClassifier(own_classifier)
    assert shipped.attrs == WordsClassifier().attrs != own.attrs
    assert WordRecogniser(["ask", "wash"]).attrs["words"] == ["ask", "wash"]


def test_unknown_judges_are_refused():
    speech = demo_corpus(words=["ask"], voices=1)
    for ask in (hear_words, judge_speech):
        with pytest.raises(ArgumentError, match=", ".join(repr(name) for name in JUDGES)):
            ask(speech, judges=["whisper"])
        with pytest.raises(ArgumentError, match="must list one or more"):
            ask(speech, judges="classifier")
    with pytest.raises(ArgumentError, match="takes no path"):
        open_judge("pocketsphinx:here")
    with pytest.raises(ArgumentError, match="different names"):
        judge_speech(speech, [Loudness(), Loudness()])
    with pytest.raises(ArgumentError, match="but got int"):
        judge_speech(speech, [3])
    with pytest.raises(ArgumentError, match="must be text"):
        judge_speech(speech, [Loudness(name=3)])


@pytest.mark.parametrize(("attribute", "value"), [("name", "a/b"), ("attrs", {"a": {"b": 1}}), ("attrs", {"a": {1}})])
def test_what_no_store_can_hold_is_refused_before_the_judge_listens(tmp_path, attribute, value):
    class Deaf(Loudness):
        def judge(self, clips):
            raise AssertionError

    judge = Deaf()
    setattr(judge, attribute, value)
    with pytest.raises(ArgumentError, match=r"cannot be called|must be text, a finite number"):
        record_judgements(demo_corpus(words=["ask"], voices=1), tmp_path / "s.zarr", [judge])
    assert not (tmp_path / "s.zarr").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="score"), "Column 'score'"),
        (lambda frame: frame[frame["token"] != frame["token"].iloc[0]], "lack the token"),
        (lambda frame: frame.assign(token="x"), "lack the token"),
        (lambda frame: pd.concat([frame, frame[:1].assign(token="x")]), "nobody asked for, 'x'"),
        (lambda frame: frame.assign(judge="other"), "calls itself 'other'"),
        (lambda frame: frame.assign(response="quiet"), "'quiet', which is none of its responses"),
        (lambda frame: pd.concat([frame, frame]), "a response once a token"),
        (lambda frame: frame.assign(score=np.nan), "a score where"),
        (lambda frame: frame.assign(score="high"), "a score that is no number"),
        (lambda frame: frame.assign(score=1j), "complex scores"),
        (lambda frame: frame.assign(response=[None, "quiet"] * (len(frame) // 2)), "none of its responses"),
        (lambda frame: frame.to_dict(), "The judgements of 'loudness' must be a data frame, but are dict"),
    ],
)
def test_judgements_that_break_the_protocol_are_refused(change, message):
    class Broken(Loudness):
        def judge(self, clips):
            return change(super().judge(clips))

    with pytest.raises(DataError, match=message):
        judge_speech(demo_corpus(words=["ask", "wash"], voices=1), [Broken()])
