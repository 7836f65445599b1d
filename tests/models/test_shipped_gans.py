"""The ciwGAN, the fiwGAN and the small networks that ship: they load, and do what their cards say."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from layerstats.corpora import Clips, demo_corpus
from layerstats.models import load_checkpoint
from layerstats.resources import bundled


@pytest.mark.parametrize(("kind", "codes"), [("ciwgan", 8), ("fiwgan", 6)])
def test_they_describe_themselves(kind, codes):
    path = bundled("data", "checkpoints", f"{kind}.safetensors")
    assert path.stat().st_size < 5_000_000
    network, card = load_checkpoint(path)
    assert (network.kind, network.codes) == (kind, codes)
    assert {"step_kept", "kept_because", "hardware", "seconds", "learning_rate"} <= set(card.training)
    assert re.match(r"0\.\d+ \[0\.\d+, 0\.\d+\], chance 0\.\d+", card.evaluation["assignment accuracy"])
    assert path.with_suffix(".md").read_text(encoding="utf-8") == card.to_markdown()
    history = pd.read_csv(path.with_name(f"{kind}_history.csv"))
    assert card.training["step_kept"] in set(history["step"])
    with torch.no_grad():
        speech = network(torch.cat([network.draw_codes(3), network.draw_noise(3)], dim=1))
    assert 0.05 < speech.abs().amax(dim=1).min() <= speech.abs().max() <= 1


@pytest.mark.slow
def test_the_ciwgans_codes_follow_words_as_its_card_says():
    network, card = load_checkpoint(bundled("data", "checkpoints", "ciwgan.safetensors"))
    clips = Clips(demo_corpus().subset(split="test"))
    with torch.no_grad():
        codes = network.q_network(torch.from_numpy(clips.waveforms(slice(None)))).argmax(dim=1).numpy()
    table = pd.crosstab(codes, clips.tokens["word"]).to_numpy()
    rows, columns = linear_sum_assignment(table, maximize=True)
    share = table[rows, columns].sum() / len(clips)
    assert abs(share - card.evaluation["lexical_accuracy"]) < 0.03
    told = float(card.evaluation["assignment accuracy, same tokens"].split()[0])
    assert abs(share - told) < 0.001


def test_seeds_are_pairs_of_small_networks_of_one_shape():
    folder = bundled("data", "checkpoints", "seeds")
    seeds = sorted(int(path.stem.split("_")[1]) for path in folder.glob("ciwgan_*.safetensors"))
    assert len(seeds) >= 4
    weights = []
    for seed in seeds:
        for path in (folder / f"ciwgan_{seed}.safetensors", folder / f"words_{seed}.safetensors"):
            assert path.stat().st_size < 500_000
        network, card = load_checkpoint(folder / f"ciwgan_{seed}.safetensors")
        twin, twins_card = load_checkpoint(folder / f"words_{seed}.safetensors")
        assert card.training["seed"] == twins_card.training["seed"] == seed
        assert card.training["corpus_hash"] == twins_card.training["corpus_hash"]
        shapes = [[tuple(layer.shape) for layer in part.parameters()] for part in (network.q_network, twin)]
        assert shapes[0] == shapes[1]
        weights.append(network.q_network.conv1.convolution.weight.detach().numpy().ravel())
    assert len(np.unique(np.round(weights, 4), axis=0)) == len(seeds)
