"""A recogniser that no network of ours has taught still hears the words of features that were made into sound."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from layerstats.corpora import SPEECH_COMMANDS_WORDS, Clips, Corpus, clips_for, demo_corpus, read_speech_commands
from layerstats.corpora.audio import MemoryAudio
from layerstats.corpora.phones import empty_phones
from layerstats.judges import WordRecogniser
from layerstats.models import CommandClassifier
from layerstats.models.vocoders import GriffinLim


def vocoded(speech):
    """The same tokens as a mel front end and Griffin-Lim leave them."""
    network = CommandClassifier()
    clips = clips_for(network, speech, too_long="trim", damaged="keep")
    features = network.front_end(torch.from_numpy(clips.waveforms(slice(None))))
    sounds = GriffinLim(network.front_end).synthesise(features).numpy()
    audio = {
        token: np.rint(16384 * sound / np.abs(sound).max()).astype(np.int16)
        for token, sound in zip(clips.tokens["token"], sounds, strict=True)
    }
    tokens = clips.tokens[["token", "word", "speaker", "split"]].assign(duration_s=1.0)
    return Corpus("vocoded", tokens, empty_phones(), 22050, MemoryAudio(audio))


def heard(speech, words):
    clips = Clips(speech, samples=18432, too_long="trim", damaged="keep")
    judged = WordRecogniser(words).judge(clips).merge(speech.tokens[["token", "word"]], on="token")
    return int((judged["response"] == judged["word"]).sum())


def test_words_of_the_built_in_corpus_are_heard():
    speech = demo_corpus(words=["ask", "dark", "greasy", "wash"], voices=["en-us+m3", "en-us+f2", "en-us+m1"])
    # All 12 of them when this was written; a guess is right once in four.
    assert heard(vocoded(speech), ["ask", "dark", "greasy", "wash"]) >= 10


@pytest.mark.slow
@pytest.mark.realdata
def test_words_of_real_speech_are_heard_nearly_as_often(real_data):
    speech = read_speech_commands(real_data("speech_commands_v0.02"))
    chosen = np.random.default_rng(1).choice(speech.tokens["token"], 60, replace=False)
    speech = speech.subset(tokens=chosen)
    before, after = heard(speech, SPEECH_COMMANDS_WORDS), heard(vocoded(speech), SPEECH_COMMANDS_WORDS)
    assert before > 35
    assert after >= before - 8
