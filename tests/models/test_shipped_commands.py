"""The classifiers of commands and the autoencoder that ship are small, and do what their cards say."""

import numpy as np
import pytest
import torch

from layerstats.corpora import SPEECH_COMMANDS_WORDS, clips_for, demo_corpus, demo_words, read_speech_commands
from layerstats.models import MelFrontEnd, load_checkpoint
from layerstats.resources import bundled

FOLDER = bundled("data", "checkpoints", "commands")
CLASSIFIERS = [*(f"commands_{seed}" for seed in range(5)), "commands_shuffled"]


@pytest.mark.parametrize("name", [*CLASSIFIERS, "autoencoder"])
def test_they_say_what_they_are(name):
    path = FOLDER / f"{name}.safetensors"
    network, card = load_checkpoint(path)
    assert card.name == name
    assert network.front_end.configuration == MelFrontEnd().configuration
    assert {"seed", "hardware", "seconds", "tokens", "speakers"} <= set(card.training)
    assert path.with_suffix(".md").read_text(encoding="utf-8") == card.to_markdown()
    if name == "autoencoder":
        assert not torch.equal(network.code_root, torch.eye(256))
        return
    assert card.outputs == SPEECH_COMMANDS_WORDS
    assert card.training["labels"] == ("shuffled" if name == "commands_shuffled" else "true")
    assert "Real speech is another matter" in " ".join(card.limits)


def test_they_are_one_specification_from_several_seeds():
    networks = [load_checkpoint(FOLDER / f"{name}.safetensors") for name in CLASSIFIERS[:5]]
    assert [card.training["seed"] for _, card in networks] == [0, 1, 2, 3, 4]
    assert all(network.configuration == networks[0][0].configuration for network, _ in networks)
    assert len({float(network.logits.weight.detach().sum()) for network, _ in networks}) == 5


def test_they_are_small_together():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.safetensors")) < 5_000_000


def recognised(name, speech):
    network, card = load_checkpoint(FOLDER / f"{name}.safetensors")
    clips = clips_for(network, speech)
    with torch.no_grad():
        rows = np.array_split(np.arange(len(clips)), -(-len(clips) // 128))
        heard = torch.cat([network(torch.from_numpy(clips.waveforms(part))).argmax(dim=1) for part in rows])
    return np.mean(np.array(card.outputs)[heard.numpy()] == clips.tokens["word"].to_numpy()), card


@pytest.mark.slow
@pytest.mark.parametrize("name", ["commands_0", "commands_shuffled"])
def test_held_out_voices_are_recognised_as_the_card_says(name):
    share, card = recognised(name, demo_corpus(demo_words(35)).subset(split="test"))
    assert abs(share - card.evaluation["held_out_accuracy"]) < 0.01


@pytest.mark.realdata
def test_real_words_are_recognised_as_the_card_says(real_data):
    share, card = recognised("commands_0", read_speech_commands(real_data("speech_commands_v0.02")))
    told = card.evaluation["accuracy_on_real_speech_commands"]
    assert " of 1408;" in told
    # The card was measured on features in steps of 0.4 dB.
    assert abs(share - float(told.split()[0])) < 0.01
