"""Layers whose mean over channels is rounding, because a norm fixes it: made by hand, with channels of known size."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import DataError
from layerstats.stats import FitOptions, IntervalOptions, compare_networks, phone_contrast, word_contrasts
from layerstats.stats.contrasts.tasks import contrast_tasks
from layerstats.stats.fixed_summary import why_fixed
from layerstats.store import open_store, store_arrays

QUICK = {"fits": FitOptions(rho=None), "intervals": IntervalOptions(draws=200)}
TIMES = (np.arange(32) + 0.5) * 0.016
RECORDED = {"model_hash": "made", "network_kind": "made", "network_seed": 0}


def channels(rng, normed: bool, size: float = 1.0) -> np.ndarray:
    """Channels of 24 tokens in single precision; normed ones have no mean but that of rounding."""
    curves = np.cumsum(rng.normal(size=(24, 16, 32)), axis=2) + np.tile([0.0, 2.0], 12)[:, None, None]
    if normed:
        curves = (curves - curves.mean(axis=1, keepdims=True)) / curves.std(axis=1, keepdims=True)
    return size * curves.astype(np.float32)


def write(path, layers, name="activations", attrs=RECORDED, layer_attrs=None):
    tokens = pd.DataFrame({"token": [f"t{number:02}" for number in range(24)]})
    tokens["word"] = np.tile(["ask", "wash"], 12)
    tokens["speaker"] = np.repeat([f"sp{number:02}" for number in range(12)], 2)
    tokens = tokens.assign(split="test", onset_s=0.05, duration_s=0.4)
    phones = tokens.loc[:, ["token"]].assign(phone_index=0, label=np.tile(["s", "sh"], 12), onset_s=0.1, offset_s=0.4)
    times = dict.fromkeys(layers, TIMES)
    store_arrays(
        path, tokens, layers, phones=phones, time_s=times, name=name, attrs=attrs, layer_attrs=layer_attrs
    )  # fmt: skip
    return open_store(path)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def store(tmp_path, rng):
    return write(tmp_path / "n.zarr", {"free": channels(rng, normed=False), "norm": channels(rng, normed=True)})


@pytest.mark.parametrize("size", [1.0, 1e-4, 1e4])
def test_rounding_is_told_from_small_values_by_the_size_of_the_channels(tmp_path, rng, size):
    layers = {"free": channels(rng, normed=False, size=size), "norm": channels(rng, normed=True, size=size)}
    view = write(tmp_path / "n.zarr", layers)
    assert why_fixed(view, "free") == ""
    assert why_fixed(view, "norm").startswith("the mean over channels is fixed, so that its series are rounding")


def test_without_channels_the_size_that_norms_give_is_supposed(tmp_path, rng):
    means = {name: channels(rng, normed=name == "norm").mean(axis=1) for name in ("free", "norm")}
    assert "is fixed" in why_fixed(write(tmp_path / "n.zarr", means), "norm")
    assert why_fixed(write(tmp_path / "m.zarr", means), "free") == ""
    # Measurements from elsewhere may be small in their unit.
    assert why_fixed(write(tmp_path / "o.zarr", means, attrs={}), "norm") == ""


def test_what_the_recorder_noted_counts(tmp_path, rng):
    means = {name: channels(rng, normed=False).mean(axis=1) for name in ("one", "other")}
    known = {"one": {"channel_rms": 1.0, "fixed_mean": "LayerNorm"}, "other": {"channel_rms": 1.0}}
    view = write(tmp_path / "n.zarr", means, layer_attrs=known)
    assert "is fixed by LayerNorm" in why_fixed(view, "one")
    assert why_fixed(view, "other") == ""


def test_contrasts_leave_the_layer_out_and_say_why(store):
    phones = phone_contrast(store, "s:sh", **QUICK)
    row = phones.table.set_index("layer").loc["norm"]
    assert row["note"].startswith("not tested: the mean over channels is fixed")
    assert np.isnan(row["effect_size"])
    assert list(phones.results) == ["free"]
    words = word_contrasts(store, **QUICK)
    assert words.tests.set_index("layer").loc["norm", "note"].startswith("not tested: the mean over channels is fixed")
    assert "norm is not tested: the mean over channels is fixed" in words.model_warning
    assert list(words.results) == ["free"]
    assert "is fixed" in contrast_tasks(store, phones="s:sh").left_out["norm"]


def test_where_nothing_else_is_asked_for_it_is_an_error(store):
    for ask in (
        lambda: phone_contrast(store, "s:sh", layers=["norm"], **QUICK),
        lambda: word_contrasts(store, layers=["norm"], **QUICK),
        lambda: contrast_tasks(store, words=["ask", "wash"], layers=["norm"]),
        lambda: compare_networks([store], words=(), phones=["s:sh"], layers=["norm"], kinds=["made"]),
    ):
        with pytest.raises(DataError):
            ask()
    with pytest.raises(DataError, match=r"norm: the mean over channels is fixed.*channel_contrasts"):
        phone_contrast(store, "s:sh", layers=["norm"], **QUICK)


def test_untrained_networks_whose_norms_have_learned_nothing_are_no_null(tmp_path, rng):
    path = tmp_path / "n.zarr"
    write(path, {"free": channels(rng, normed=False), "norm": channels(rng, normed=False)})
    for seed in range(2):
        layers = {"free": channels(rng, normed=False), "norm": channels(rng, normed=True)}
        view = write(path, layers, name=f"untrained/seed_{seed:02}")
    result = phone_contrast(view, "s:sh", **QUICK)
    table = result.table.set_index("layer")
    assert table.loc["free", "null_recordings"] == 2
    assert np.isnan(table.loc["norm", "null_p_value"])
    assert table.loc["norm", "note"].startswith("no comparison with untrained networks")
    assert np.isfinite(table.loc["norm", "effect_size"])
    assert result.networks.query("layer == 'norm' and not trained")["effect_size"].isna().all()


def test_networks_are_compared_at_the_layers_that_vary_in_all(tmp_path, rng):
    stores = [
        write(
            tmp_path / f"{seed}.zarr",
            {"free": channels(rng, normed=False), "norm": channels(rng, normed=seed == 1)},
            attrs={**RECORDED, "network_seed": seed},
        )
        for seed in range(2)
    ]  # fmt: skip
    result = compare_networks(stores, words=(), phones=["s:sh"], draws=150)
    notes = result.series.set_index("layer")["note"]
    assert notes["free"] == ""
    assert notes["norm"].startswith("not tested: in made 1 the mean over channels is fixed")
    assert set(result.kinds["layer"]) == {"free"}
