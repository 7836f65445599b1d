import pytest

from layerstats.stats import Contrast
from layerstats.stats.contrasts.untrained import network_effects
from layerstats.stats.null import descriptive_effect_size

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
