import numpy as np
import pandas as pd
import pytest

from layerstats.stats import Contrast
from layerstats.stats.contrasts.untrained import network_effects, untrained_twins
from layerstats.stats.null import descriptive_effect_size
from layerstats.store import open_store, store_arrays

FRICATIVES = Contrast.read("s:sh")


def series_of(experiment, layer="conv1"):
    return FRICATIVES.series(experiment, layer)


def test_every_network_is_measured_alike(make_store):
    store = make_store(level=1.0, untrained=3)
    effects = network_effects(store, {"conv1": series_of(store)}, FRICATIVES, 32)
    assert effects["recording"].tolist() == ["activations", *(f"untrained_{n:02}" for n in range(3))]
    assert effects["trained"].tolist() == [True, False, False, False]
    for name, effect in zip(effects["recording"], effects["effect_size"], strict=True):
        frame = series_of(store.recording(name)).frame
        assert effect == pytest.approx(descriptive_effect_size(frame, group="phone_set", identifier="phone_token"))
    assert effects["effect_size"].iloc[0] > effects["effect_size"].iloc[1:].max()


def test_a_selection_narrows_untrained_networks_too(make_store):
    store = make_store(untrained=1)
    some = store.select(speaker=["sp00", "sp01", "sp02", "sp03"])
    effects = network_effects(some, {"conv1": series_of(some)}, FRICATIVES, 32)
    frame = series_of(some.recording("untrained_00")).frame
    assert frame["speaker"].nunique() == 4
    expected = descriptive_effect_size(frame, group="phone_set", identifier="phone_token")
    assert effects["effect_size"].iloc[1] == pytest.approx(expected)


def test_a_store_without_untrained_networks_has_no_rows(make_store):
    store = make_store()
    assert network_effects(store, {"conv1": series_of(store)}, FRICATIVES, 32).empty


def test_untrained_networks_are_those_of_the_same_network(tmp_path):
    """A store may hold several networks: another kind, part or architecture is no twin, and no null."""
    tokens = pd.DataFrame({"token": ["a", "b"], "word": ["ask", "wash"], "speaker": ["s1", "s2"], "split": "test"})
    values, path = np.arange(8.0).reshape(2, 4), tmp_path / "store.zarr"

    def write(name, layers=("conv1", "conv2"), **attrs):
        arrays, times = dict.fromkeys(layers, values), dict.fromkeys(layers, np.arange(4) / 10)
        store_arrays(path, tokens, arrays, time_s=times, name=name, attrs=attrs)

    write("reader", network_kind="ciwgan", part="q_network", model="Encoder")
    write("supervised", network_kind="supervised", model="Encoder")
    write("untrained_00", trained=False, network_kind="ciwgan", part="q_network", model="Encoder")
    write("other_kind", trained=False, network_kind="supervised", model="Encoder")
    write("other_part", trained=False, network_kind="ciwgan", part="discriminator", model="Encoder")
    write("other_layers", layers=("conv1",), trained=False, network_kind="ciwgan", part="q_network", model="Encoder")
    write("other_model", trained=False, model="Wav2Letter")
    write("says_little", trained=False)
    assert untrained_twins(open_store(path, recording="reader")) == ["says_little", "untrained_00"]
    assert untrained_twins(open_store(path, recording="supervised")) == ["other_kind", "says_little"]
    shallow = open_store(path, recording="reader").select(layer="conv1")
    assert untrained_twins(shallow) == ["other_layers", "says_little", "untrained_00"]


def test_untrained_networks_are_measured_by_the_same_rule_for_the_same_score(tmp_path):
    tokens = pd.DataFrame({"token": ["a", "b"], "word": ["ask", "wash"], "speaker": ["s1", "s2"], "split": "test"})
    values, path = {"conv1": np.arange(8.0).reshape(2, 4)}, tmp_path / "store.zarr"

    def write(name, **attrs):
        about = {"quantity": "relevance", **attrs}
        store_arrays(path, tokens, values, time_s={"conv1": np.arange(4) / 10}, name=name, attrs=about)

    write("relevance", method="epsilon", epsilon=1e-6, target="ask")
    write("same", method="epsilon", epsilon=1e-6, target="ask", trained=False)
    write("other_rule", method="gamma", target="ask", trained=False)
    write("other_epsilon", method="epsilon", epsilon=0.1, target="ask", trained=False)
    write("other_target", method="epsilon", epsilon=1e-6, target="wash", trained=False)
    write("activations", quantity="activation", trained=False)
    assert untrained_twins(open_store(path, recording="relevance")) == ["same"]
