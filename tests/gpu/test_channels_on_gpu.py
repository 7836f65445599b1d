"""Contrasts channel by channel on a GPU are those of torch on the CPU, and of numpy."""

import numpy as np
import pandas as pd
import pytest

from layerstats.stats import channel_contrasts
from layerstats.stats.gamm.batched import choose_backend
from layerstats.store import open_store, store_arrays

pytestmark = pytest.mark.gpu

TOKENS, CHANNELS, SAMPLES = 24, 5, 12


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    random = np.random.default_rng(0)
    word = np.arange(TOKENS) % 2
    time = (np.arange(SAMPLES) + 0.5) / SAMPLES
    tokens = pd.DataFrame(
        {
            "token": [f"t{number:02}" for number in range(TOKENS)],
            "word": np.where(word == 1, "wash", "ask"),
            "speaker": [f"p{number % 4}" for number in np.arange(TOKENS) // 2],
            "split": "test",
            "onset_s": 0.1,
            "duration_s": 0.8,
        }
    )
    maps = np.sin(3 * time) + 0.3 * np.arange(CHANNELS)[:, None] * word[:, None, None]
    maps = (
        maps + 0.3 * random.normal(size=(TOKENS, CHANNELS, 1)) + 0.2 * random.normal(size=(TOKENS, CHANNELS, SAMPLES))
    )
    path = tmp_path_factory.mktemp("channels") / "store.zarr"
    store_arrays(path, tokens, {"conv4": maps.astype(np.float32)}, time_s={"conv4": time})
    return open_store(path)


def test_channels_are_those_of_the_cpu(store):
    options = {"words": ("wash", "ask"), "speakers": "none"}
    ours, same, numpy = (channel_contrasts(store, "conv4", device=name, **options) for name in ("cuda", "torch", "cpu"))
    assert list(ours["status"].to_numpy()) == ["fitted"] * CHANNELS
    for name in ("estimate", "std_error", "p_value", "edf"):
        np.testing.assert_allclose(ours[name], same[name], rtol=1e-5, atol=1e-8, err_msg=name)
    # Fitted in another way there, to the same minimum.
    np.testing.assert_allclose(ours["estimate"], numpy["estimate"], rtol=1e-5)
    np.testing.assert_allclose(ours["p_value"], numpy["p_value"], rtol=1e-3, atol=1e-7)


def test_one_singular_matrix_does_not_fail_the_others():
    backend = choose_backend("cuda")
    matrices = np.stack([np.eye(3), np.zeros((3, 3)), 4 * np.eye(3)])
    factors = backend.numpy(backend.cholesky(backend.array(matrices)))
    np.testing.assert_allclose(factors[[0, 2]], np.stack([np.eye(3), 2 * np.eye(3)]))
    assert np.isnan(factors[1]).any()
