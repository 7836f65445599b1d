"""The script on resampling as a user runs it, in a process of its own."""

import numpy as np
import pandas as pd
import pytest

from layerstats.stats import contrast_tasks
from layerstats.store import open_store, store_arrays
from layerstats.tables import check_frame

SPEAKERS, TOKENS = 8, 3


@pytest.fixture(scope="module")
def two_layers(tmp_path_factory):
    """Words that differ at the second layer, by speakers with curves of their own; phones of different lengths."""
    rng = np.random.default_rng(4)
    rows = [(speaker, word) for speaker in range(SPEAKERS) for word in ("ask", "wash") for _ in range(TOKENS)]
    tokens = pd.DataFrame(
        {
            "token": [f"t{number:02}" for number in range(len(rows))],
            "word": [word for _, word in rows],
            "speaker": [f"p{speaker}" for speaker, _ in rows],
            "split": "test",
        }
    )
    wash = (tokens["word"] == "wash").to_numpy()
    ends = 0.7 + 0.04 * (np.arange(len(rows)) % 6)
    phones = pd.DataFrame(
        {
            "token": tokens["token"], "phone_index": 0, "label": np.where(wash, "sh", "s"), "onset_s": 0.1,
            "offset_s": ends,
        }
    )  # fmt: skip
    time = (np.arange(12) + 0.5) / 12
    own = 0.3 * rng.normal(size=(SPEAKERS, 1))[[speaker for speaker, _ in rows]]
    values = [np.sin(3 * time) + own + 0.3 * rng.normal(size=(len(rows), 1)) + 0.2 * rng.normal(size=(len(rows), 12))]
    values.append(values[0] + 1.0 * wash[:, None])
    path = tmp_path_factory.mktemp("resampling") / "store.zarr"
    arrays = {f"conv{number}": one for number, one in enumerate(values, 1)}
    return store_arrays(path, tokens, arrays, time_s=dict.fromkeys(arrays, time), phones=phones)


def test_models_of_phones_have_common_times_or_their_own(two_layers):
    store = open_store(two_layers)
    common, own = (contrast_tasks(store, phones="sh:s", times=times) for times in ("common", "own"))
    assert list(common.models) == ["conv1", "conv2"]
    assert (common.level_1, common.level_2) == ("sh", "s")
    sizes = [
        task.data.groupby("phone_token").size().nunique() for task in (common.models["conv1"], own.models["conv1"])
    ]
    assert sizes[0] == 1
    assert sizes[1] > 1


def test_permutation_bootstrap_and_power(two_layers, make, tmp_path):
    options = ["--words", "wash,ask", "--permutations", "99", "--bootstraps", "50", "--plan", "6"]
    names = make("resampling", tmp_path, two_layers, *options)
    assert names == {
        "claims",
        "permutation",
        "notes",
        "effect_sizes",
        "effects",
        "difference",
        "difference_curve",
        "power",
    }
    tests = check_frame(pd.read_csv(tmp_path / "permutation.csv")).set_index(["layer", "test"])
    # A difference of one, which every speaker has, at the second layer only.
    assert tests.loc[("conv2", "level"), "p_adjusted"] <= 0.05
    assert tests.loc[("conv1", "level"), "p_value"] > 0.05
    effects = pd.read_csv(tmp_path / "effects.csv").set_index("layer")
    assert effects.loc["conv2", "effect_conf_low"] > 0.5
    assert pd.read_csv(tmp_path / "power.csv")["speakers"].tolist() == [6]
    assert (tmp_path / "difference_curve.png").stat().st_size > 0
