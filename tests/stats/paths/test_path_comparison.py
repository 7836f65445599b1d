import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import compare_paths
from layerstats.store import open_store, store_arrays


@pytest.fixture
def store(tmp_path):
    """Make a store of natural items, and of others that have a share of the word's pattern at each layer."""

    def make(shares=None, words=4, speakers=8, starts=6, seed=0, conditions=("maximized",), name="activations"):
        shares = shares or {"block1": 0.0, "logits": 1.0}
        rng = np.random.default_rng(seed)
        rows = [(f"w{w}_{s}", f"w{w}", f"p{s}", "test", "natural") for w in range(words) for s in range(speakers)]
        rows += [
            (f"{condition}_{w}_{s}", f"w{w}", f"start_{w}_{s}", "", condition)
            for condition in conditions
            for w in range(words)
            for s in range(starts)
        ]
        tokens = pd.DataFrame(rows, columns=["token", "word", "speaker", "split", "condition"])
        word = tokens["word"].str[1:].astype(int).to_numpy()
        natural = (tokens["condition"] == "natural").to_numpy()
        layers = {}
        for layer, share in shares.items():
            pattern = rng.normal(size=(words, 40))
            weight = np.where(natural, 1.0, share)
            weight[(tokens["condition"] == "before").to_numpy()] = 0.0
            values = weight[:, None] * pattern[word] + rng.normal(size=(len(word), 40))
            layers[layer] = values.reshape(len(word), 8, 5)
        path = tmp_path / "paths.zarr"
        times = {layer: np.arange(5) / 5 for layer in shares}
        attrs = {"network_kind": "commands", "network_seed": 3, "trained": name == "activations"}
        store_arrays(path, tokens, layers, time_s=times, name=name, attrs=attrs)
        return open_store(path, recording=name)

    return make


def test_another_path_is_told_from_the_natural_one(store):
    result = compare_paths(store(), draws=200)
    early, late = (result.table.loc[result.table["layer"] == name].iloc[0] for name in ("block1", "logits"))
    assert early["conf_low"] < 0 < early["conf_high"] < 0.5
    assert late["conf_low"] < 1 < late["conf_high"]
    assert late["path_similarity"] == pytest.approx(
        (late["similarity"] - late["between"]) / (late["within"] - late["between"])
    )
    assert (late["network"], late["network_seed"], late["tokens"], late["speakers"]) == ("commands", 3, 24, 8)
    own = result.comparisons.set_index("layer")
    assert own.loc["block1", "p_adjusted"] < 0.001
    assert own.loc["block1", "diff"] == pytest.approx(early["path_similarity"] - 1)
    assert own.loc["logits", "p_adjusted"] > 0.01
    assert set(own["tests"]) == {2}
    by_word = result.words.loc[result.words["layer"] == "logits"]
    assert by_word["similarity"].mean() == pytest.approx(late["similarity"])
    assert len(by_word) == 4


def test_conditions_are_compared_by_the_same_draws(store):
    view = store(conditions=("maximized", "before"))
    result = compare_paths(view, ("maximized", "before"), draws=200)
    pairs = result.comparisons.set_index(["level_2", "layer"])
    assert pairs.loc[("before", "logits"), "p_adjusted"] < 0.001
    assert pairs.loc[("before", "logits"), "conf_low"] > 0.5
    turned = compare_paths(view, ("before", "maximized"), draws=200)
    other = turned.comparisons.set_index(["level_2", "layer"]).loc[("maximized", "logits")]
    same = pairs.loc[("before", "logits")]
    assert other["diff"] == -same["diff"]
    assert other["p_value"] == pytest.approx(same["p_value"])
    assert (other["conf_low"], other["conf_high"]) == pytest.approx((-same["conf_high"], -same["conf_low"]))


def test_the_same_seed_gives_the_same(store):
    view = store()
    one, again = (compare_paths(view, draws=50, seed=2).table for _ in range(2))
    assert one.equals(again)


def test_layers_where_words_are_not_kept_apart_have_no_path(store):
    view = store()
    values = view.layer("logits")["maps"].to_numpy()
    tokens = view.tokens
    rng = np.random.default_rng(0)
    still = rng.normal(size=values.shape)
    path = view.path.with_name("still.zarr")
    store_arrays(path, tokens, {"logits": still}, time_s={"logits": np.arange(5)})
    result = compare_paths(open_store(path), draws=20)
    missing = np.isnan(result.table["path_similarity"].item())
    assert missing == bool(result.notes)
    assert missing == (result.table["within"] <= result.table["between"]).item()


def test_items_without_a_pattern_are_like_nothing_but_natural_ones_have_one(store):
    view = store()
    values = view.layer("logits")["maps"].to_numpy().copy()
    made = (view.tokens["condition"] == "maximized").to_numpy().argmax()
    results = []
    for place in (made, 0):
        values[place] = 1.0
        path = view.path.with_name(f"without_{place}.zarr")
        store_arrays(path, view.tokens, {"logits": values}, time_s={"logits": np.arange(5)})
        results.append(open_store(path))
    assert "1 items (maximized)" in compare_paths(results[0], draws=20).notes[0]
    with pytest.raises(DataError, match="1 natural items"):
        compare_paths(results[1], draws=20)


def test_recordings_of_several_networks_stand_below_each_other(store):
    view = store()
    store_arrays(
        view.path,
        view.tokens,
        {name: np.random.default_rng(1).normal(size=view.layer(name)["maps"].shape) for name in view.layers},
        time_s={name: np.arange(5) / 5 for name in view.layers},
        name="untrained_00",
        attrs={"network_kind": "commands", "network_seed": 9, "trained": False},
    )
    result = compare_paths([view, open_store(view.path, recording="untrained_00")], draws=20)
    assert result.table["trained"].tolist() == [True, True, False, False]
    assert result.comparisons["family"].nunique() == 2


def test_what_cannot_be_compared_is_refused(store):
    view = store()
    with pytest.raises(ArgumentError, match="condition 'random_direction'"):
        compare_paths(view, ["random_direction"])
    with pytest.raises(ArgumentError, match="words"):
        compare_paths(view, words=["w0", "wow"])
    with pytest.raises(ArgumentError, match="layers"):
        compare_paths(view, layers=["conv9"])
    with pytest.raises(ArgumentError, match="similarity"):
        compare_paths(view, similarity="euclidean")
    with pytest.raises(ArgumentError, match="other than 'natural'"):
        compare_paths(view, ["natural"])
    with pytest.raises(DataError, match="two words"):
        compare_paths(view, words=["w0"])
