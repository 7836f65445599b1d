"""Stores with known truth: what differs between two phones, and between two words, is planted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from layerstats.store import Experiment, open_store, store_arrays

HOPS = {"conv1": 0.008, "conv2": 0.016, "conv3": 0.128}
CLIP_S = 0.512
ONSET_S, OFFSET_S = 0.1, 0.3


def clip_times(layer: str) -> np.ndarray:
    return (np.arange(round(CLIP_S / HOPS[layer])) + 0.5) * HOPS[layer]


def token_values(layer, rng, level, shape, groups, speakers):
    """Smooth series: a common arch, the planted difference for group 1 under the phone, speakers, tokens, noise."""
    time = clip_times(layer)
    within = (time - ONSET_S) / (OFFSET_S - ONSET_S)
    arch = np.sin(np.pi * time / CLIP_S)
    # A sine over one period has no mean: it changes the shape and not the level.
    difference = level + shape * np.sin(2 * np.pi * within) * ((within >= 0) & (within < 1))
    of_speaker = rng.normal(scale=0.3, size=speakers.max() + 1)[speakers][:, None]
    of_token = rng.normal(scale=0.4, size=(len(groups), 1))
    slope = rng.normal(scale=0.3, size=(len(groups), 1)) * (time - time.mean()) / CLIP_S
    noise = rng.normal(scale=0.1, size=(len(groups), len(time)))
    return arch + groups[:, None] * difference + of_speaker + of_token + slope + noise


@pytest.fixture(scope="session")
def make_store(tmp_path_factory):
    """Return a function that writes a store with [sh] - [s] differing by a level and a shape, and untrained twins."""

    def make(
        *,
        level: float = 0.0,
        shape: float = 0.0,
        people: int = 12,
        repeats: int = 1,
        untrained: int = 0,
        untrained_level: float = 0.0,
        seed: int = 0,
        layers: tuple[str, ...] = ("conv1", "conv2", "conv3"),
    ) -> Experiment:
        rng = np.random.default_rng(seed)
        groups = np.tile([0, 1], people * repeats)
        speakers = np.repeat(np.arange(people), 2 * repeats)
        tokens = pd.DataFrame(
            {
                "token": [f"t{number:03}" for number in range(len(groups))],
                "word": np.where(groups == 1, "wash", "ask"),
                "speaker": [f"sp{speaker:02}" for speaker in speakers],
                "split": "test",
                "onset_s": 0.05,
                "duration_s": 0.3 + 0.01 * (np.arange(len(groups)) % 7),
            }
        )
        fricative = pd.DataFrame(
            {
                "token": tokens["token"],
                "phone_index": 1,
                "label": np.where(groups == 1, "sh", "s"),
                "onset_s": ONSET_S,
                "offset_s": OFFSET_S,
            }
        )
        vowel = fricative.assign(phone_index=0, label="ae", onset_s=0.05, offset_s=ONSET_S)
        phones = pd.concat([vowel, fricative]).sort_values(["token", "phone_index"], ignore_index=True)
        common = {
            "phones": phones,
            "time_s": {layer: clip_times(layer) for layer in layers},
            "layer_attrs": {layer: {"hop_s": HOPS[layer], "receptive_field_s": 2 * HOPS[layer]} for layer in layers},
        }
        path = tmp_path_factory.mktemp("planted") / "store.zarr"

        def arrays(a_level, a_shape):
            return {layer: token_values(layer, rng, a_level, a_shape, groups, speakers) for layer in layers}

        store_arrays(path, tokens, arrays(level, shape), **common)
        for number in range(untrained):
            store_arrays(
                path,
                tokens,
                arrays(untrained_level, 0.0),
                name=f"untrained_{number:02}",
                attrs={"trained": False},
                **common,
            )
        return open_store(path)

    return make
