"""The checkpoint that ships is small, says what it is, and does what its card says."""

import numpy as np
import pytest
import torch

from layerstats.corpora import Clips, demo_corpus, read_timit
from layerstats.judges import judge_speech
from layerstats.models import load_checkpoint
from layerstats.resources import bundled
from layerstats.stats import likeliest_responses


def test_it_is_small_and_describes_itself():
    path = bundled("data", "checkpoints", "words.safetensors")
    assert path.stat().st_size < 5_000_000
    model, card = load_checkpoint(path)
    assert card.outputs == ("ask", "dark", "greasy", "oily", "rag", "wash", "water", "year")
    assert model.logits.out_features == len(card.outputs)
    assert {"corpus_hash", "speakers", "steps", "seconds", "hardware"} <= set(card.training)
    assert {"held_out_speakers", "held_out_accuracy"} <= set(card.evaluation)
    assert card.limits
    assert path.with_suffix(".md").read_text(encoding="utf-8") == card.to_markdown()


@pytest.mark.slow
def test_held_out_voices_are_recognised_as_the_card_says():
    model, card = load_checkpoint(bundled("data", "checkpoints", "words.safetensors"))
    clips = Clips(demo_corpus().subset(split="test"))
    with torch.no_grad():
        heard = model(torch.from_numpy(clips.waveforms(slice(None)))).argmax(dim=1)
    right = [card.outputs[index] == word for index, word in zip(heard, clips.tokens["word"], strict=True)]
    assert len(clips.corpus.speakers) == card.evaluation["held_out_speakers"]
    assert abs(np.mean(right) - card.evaluation["held_out_accuracy"]) < 0.01


@pytest.mark.realdata
def test_real_words_are_recognised_as_the_card_says(real_data):
    speech = read_timit(real_data("timit"))
    _, card = load_checkpoint(bundled("data", "checkpoints", "words.safetensors"))
    heard = likeliest_responses(judge_speech(speech, ["classifier"])).merge(speech.tokens, on="token")
    right = (heard["response"] == heard["word"]).mean()
    assert f"of {len(speech)} recognised" in card.evaluation["tokens_of_the_timit_sample"]
    # Another processor may round a token to the other side.
    assert abs(right - card.evaluation["accuracy_on_the_timit_sample"]) < 1.5 / len(speech)
