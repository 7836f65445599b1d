"""The script on channels as a user runs it, in a process of its own."""

import numpy as np
import pandas as pd
import pytest

from layerstats.store import store_arrays
from layerstats.tables import check_frame


@pytest.fixture(scope="module")
def store_with_maps(tmp_path_factory):
    """Four channels, of which the last differs between the words."""
    rng = np.random.default_rng(4)
    wash = np.arange(24) % 2
    tokens = pd.DataFrame(
        {
            "token": [f"t{number:02}" for number in range(24)],
            "word": np.where(wash == 1, "wash", "ask"),
            "speaker": [f"p{number}" for number in range(24)],
            "split": "test",
        }
    )
    phones = pd.DataFrame(
        {
            "token": tokens["token"],
            "phone_index": 0,
            "label": np.where(wash == 1, "sh", "s"),
            "onset_s": 0.2,
            "offset_s": 0.9,
        }
    )
    time = (np.arange(12) + 0.5) / 12
    maps = np.sin(3 * time) + 0.3 * rng.normal(size=(24, 4, 1)) + 0.1 * rng.normal(size=(24, 4, 12))
    maps[:, 3] += 2 * wash[:, None]
    path = tmp_path_factory.mktemp("maps") / "store.zarr"
    return store_arrays(path, tokens, {"conv4": maps}, time_s={"conv4": time}, phones=phones)


@pytest.mark.parametrize("contrast", [("--phones", "sh:s"), ("--words", "wash,ask")])
def test_channels(store_with_maps, make, tmp_path, contrast):
    assert make("channels", tmp_path, store_with_maps, "--layer", "conv4", *contrast) == {
        "carriers", "channels", "claims", "effects", "models",
    }  # fmt: skip
    channels = check_frame(pd.read_csv(tmp_path / "channels.csv"), "channel_contrasts").set_index("channel")
    assert channels.loc[3, "level_difference"] == pytest.approx(2, abs=0.5)
    assert channels.loc[3, "joint_p_holm"] < 1e-6
    carriers = check_frame(pd.read_csv(tmp_path / "carriers.csv")).set_index("test")
    assert carriers.loc["level", "tested"] == 4
    assert carriers.loc["level", "found_holm"] >= 1
    assert (tmp_path / "effects.png").stat().st_size > 0
