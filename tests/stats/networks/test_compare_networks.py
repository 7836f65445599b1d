"""Stores in, a comparison of kinds of network out."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import compare_networks, descriptive_effect_size
from layerstats.stats.networks import list_networks
from layerstats.stats.networks.effects import effect_sizes
from layerstats.stats.series import phone_series, word_series
from layerstats.store import open_store, store_arrays

SPEAKERS, WORDS = 10, ("ask", "rag", "wash")
TIMES = {"conv1": (np.arange(64) + 0.5) / 64, "conv2": (np.arange(8) + 0.5) / 8}


def clips():
    """Words of half a second, 0.1 s of it a fricative: [s] in ask, [sh] in wash."""
    rng = np.random.default_rng(1)
    rows, phones = [], []
    for speaker in range(SPEAKERS):
        for word in WORDS:
            token, duration = f"{word}_{speaker}", rng.uniform(0.5, 0.6)
            about = {"onset_s": 0.1, "duration_s": duration, "split": "test"}
            rows.append({"token": token, "word": word, "speaker": f"s{speaker}", "sex": "fm"[speaker % 2], **about})
            if word != "rag":
                label = "s" if word == "ask" else "sh"
                phones.append({"token": token, "phone_index": 0, "label": label, "onset_s": 0.3, "offset_s": 0.4})
    return pd.DataFrame(rows), pd.DataFrame(phones)


def activations(tokens, rng, effect):
    """Series in which words have levels of their own; conv2 is conv1 smoothed and says half as much."""
    names = sorted(set(tokens["speaker"]))
    speakers = dict(zip(names, rng.normal(size=len(names)), strict=True))
    level = [effect * WORDS.index(word) for word in tokens["word"]]
    level = np.array(level) + 0.5 * tokens["speaker"].map(speakers).to_numpy() + 0.5 * rng.normal(size=len(tokens))
    first = level[:, None] + 0.3 * rng.normal(size=(len(tokens), 64))
    return {
        "conv1": first,
        "conv2": 0.5 * first.reshape(len(tokens), 8, 8).mean(axis=2) + rng.normal(size=(len(tokens), 8)),
    }


def write(folder, name, kind, seed, effect, part=None, untrained=0, tables=None, **about):
    tokens, phones = clips() if tables is None else tables
    rng = np.random.default_rng([seed, len(name), round(10 * effect)])
    attrs = {"network_kind": kind, "network_seed": seed, **({"part": part} if part else {}), **about}
    path = folder / f"{name}_{seed}.zarr"
    store_arrays(path, tokens, activations(tokens, rng, effect), time_s=TIMES, phones=phones, attrs=attrs)
    for twin in range(untrained):
        arrays = activations(tokens, np.random.default_rng(100 + twin), 0.1)
        name = f"untrained_{twin:02}"
        attrs = {"seed": twin, "trained": False, **about}
        store_arrays(path, tokens, arrays, time_s=TIMES, phones=phones, name=name, attrs=attrs)
    return path


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    paths = []
    for seed in range(3):
        twins = 4 if seed == 0 else 0
        paths.append(write(folder, "q", "ciwgan", seed, 1.0, "q_network", untrained=twins))
        paths.append(write(folder, "critic", "ciwgan", seed, 0.9, "discriminator", untrained=twins))
        paths.append(write(folder, "words", "supervised", seed, 2.0))
    return paths


@pytest.fixture(scope="module")
def result(stores):
    return compare_networks(stores, words=[("ask", "wash"), WORDS], phones=["s:sh"], draws=300)


KINDS = ["ciwGAN Q-network", "ciwGAN discriminator", "supervised", "untrained"]


def test_every_kind_contrast_and_layer_has_a_row(result):
    assert list(result.kinds["network"].unique()) == KINDS
    assert result.kinds["networks"].tolist() == [3, 3, 3, 4] * 5
    assert list(result.kinds["contrast"].unique()) == ["ask - wash", "3 words", "s - sh"]
    assert len(result.networks) == 13 * 5
    # A phone of 0.1 s has no four samples at conv2.
    notes = result.series.set_index(["contrast", "layer"])["note"]
    assert notes["s - sh", "conv2"].startswith("not tested: 0 of s, 0 of sh")
    assert (notes.drop(("s - sh", "conv2")) == "").all()
    assert len(result.comparisons) == 6 * 5
    assert result.comparisons["tests"].eq(5).all()
    assert result.comparisons["family"].nunique() == 6


def test_known_differences_are_found_in_their_direction(result):
    table = result.comparisons.query("contrast == 'ask - wash' and layer == 'conv1'").set_index(["level_1", "level_2"])
    assert table.loc[("supervised", "untrained"), "p_adjusted"] < 0.05
    assert table.loc[("ciwGAN Q-network", "supervised"), "conf_high"] < 0
    assert table.loc[("ciwGAN Q-network", "ciwGAN discriminator"), "p_value"] > 0.01
    assert (result.kinds.query("layer == 'conv1'")["effect_size"].to_numpy() > 0).all()


def test_effects_are_those_of_the_series_that_models_are_fitted_to(stores, result):
    """The fast route through arrays gives what the tidy series give."""
    view = open_store(stores[2])
    for layer in ("conv1", "conv2"):
        series = word_series(view, layer, variant="word", words=["ask", "wash"], samples=None)
        check_effect(result, series, "ask - wash", layer, "word")
    check_effect(result, phone_series(view, "conv1", phones=["s", "sh"], samples=None), "s - sh", "conv1", "phone")


def check_effect(result, series, contrast, layer, group):
    chosen = "contrast == @contrast and layer == @layer and network == 'supervised' and network_seed == 0"
    effect = result.networks.query(chosen)["effect_size"].item()
    descriptive = descriptive_effect_size(series.frame, group=group, identifier=series.identifier)
    frame = series.frame
    points = frame.groupby(series.identifier)["value"].transform("size")
    bins = min(10, points.min())
    frame = frame.assign(bin=frame.groupby(series.identifier).cumcount() * bins // points)
    cells = frame.pivot_table(index=["speaker", group, series.identifier], columns="bin", values="value")
    codes = [pd.factorize(cells.index.get_level_values(i), sort=True)[0] for i in (0, 1)]
    assert_allclose(effect, effect_sizes(cells.to_numpy(), codes[1], codes[0])[0])
    assert 0 < effect < descriptive


def test_reversed_kinds_change_signs_only(stores, result):
    turned = compare_networks(stores, words=[("ask", "wash")], kinds=KINDS[::-1], draws=300).comparisons
    keys = ["contrast", "layer", "level_1", "level_2"]
    one = result.comparisons.query("contrast == 'ask - wash'").set_index(keys)
    other = turned.rename(columns={"level_1": "level_2", "level_2": "level_1"}).set_index(keys).loc[one.index]
    assert_allclose(one["diff"], -other["diff"])
    assert_allclose(one["conf_low"], -other["conf_high"])
    assert_allclose(one["p_value"], other["p_value"])


def test_same_seed_same_numbers(stores):
    tables = [compare_networks(stores, draws=150, seed=4).comparisons for _ in range(2)]
    pd.testing.assert_frame_equal(*tables)


def test_parts_of_one_training_are_paired(stores):
    """Degrees of freedom of three pairs, not of twice three networks."""
    table = compare_networks(stores, draws=150, kinds=KINDS[:2]).comparisons
    assert table["df"].min() >= 2
    networks = list_networks(stores)
    assert networks[0].run == networks[1].run != networks[2].run


def test_untrained_networks_of_other_kinds_are_kept_apart(stores, tmp_path):
    other = write(tmp_path, "more", "supervised", 7, 1.0, untrained=2)
    kinds = [one.kind for one in list_networks([*stores, other])]
    assert kinds[-6:] == ["untrained ciwGAN"] * 4 + ["untrained supervised"] * 2


def test_padding_can_be_taken_in(stores):
    padded = compare_networks(stores, words=[("ask", "wash")], variant="padded", draws=150, layers=["conv2"])
    assert padded.series["dropped"].item() == 0
    assert padded.kinds["effect_size"].iloc[0] > 0


def test_a_selection_narrows_the_comparison(stores):
    views = [open_store(path).select(word=["ask", "wash"]) for path in stores]
    narrowed = compare_networks(views, draws=150)
    assert set(narrowed.kinds["contrast"]) == {"ask - wash"}
    assert narrowed.series["tokens"].max() == 2 * SPEAKERS


def test_bad_input_is_refused(stores, tmp_path):
    with pytest.raises(ArgumentError, match="must be a list of stores"):
        compare_networks(stores[0])
    with pytest.raises(DataError, match="occurs more than once"):
        compare_networks([*stores, stores[0]])
    with pytest.raises(DataError, match="one network only of the kind 'ciwGAN Q-network'"):
        compare_networks(stores[:3])
    with pytest.raises(DataError, match="share some trainings and not others"):
        compare_networks(stores[:7], kinds=KINDS[:2])
    with pytest.raises(ArgumentError, match="'dog'"):
        compare_networks(stores, words=[("ask", "dog")])
    with pytest.raises(ArgumentError, match="two different words"):
        compare_networks(stores, words=[("ask",)])
    with pytest.raises(ArgumentError, match="zh"):
        compare_networks(stores, words=(), phones=["s:zh"])
    with pytest.raises(ArgumentError, match="conv9"):
        compare_networks(stores, layers=["conv9"])
    with pytest.raises(ArgumentError, match="at least one contrast"):
        compare_networks(stores, words=())
    tokens, phones = clips()
    foreign = write(tmp_path, "words", "supervised", 9, 1.0, tables=(tokens.iloc[:20], phones.iloc[:12]))
    with pytest.raises(DataError, match="compared on the same tokens"):
        compare_networks([*stores, foreign])
    nameless = tmp_path / "nameless.zarr"
    store_arrays(nameless, tokens, {"conv1": np.ones((30, 64))}, time_s={"conv1": TIMES["conv1"]}, phones=phones)
    with pytest.raises(DataError, match="'network_kind' is missing"):
        compare_networks([nameless])


def test_a_dead_network_is_named(stores, tmp_path):
    tokens, phones = clips()
    dead = tmp_path / "dead.zarr"
    arrays = {name: np.zeros((30, len(times))) for name, times in TIMES.items()}
    attrs = {"network_kind": "supervised", "network_seed": 5}
    store_arrays(dead, tokens, arrays, time_s=TIMES, phones=phones, attrs=attrs)
    with pytest.raises(DataError, match=r"supervised 5 .*layer 'conv1'"):
        compare_networks([*stores, dead])


def test_nothing_that_can_be_measured_is_said(stores):
    with pytest.raises(DataError, match="No contrast could be measured"):
        compare_networks(stores, words=(), phones=["s:sh"], layers=["conv2"])


def test_contrasts_of_any_column_are_measured(stores):
    kinds = {"kinds": KINDS[:2], "draws": 200}
    result = compare_networks(stores, contrasts=["word=wash:ask", "s:sh", "sex=f:m"], **kinds)
    assert list(dict.fromkeys(result.networks["contrast"])) == ["wash - ask", "s - sh", "f - m"]
    same = compare_networks(stores, words=[("wash", "ask")], phones=["s:sh"], **kinds)
    shared = result.networks["contrast"] != "f - m"
    pd.testing.assert_frame_equal(result.networks[shared].reset_index(drop=True), same.networks)
    # No network hears more of speakers' sex than chance gives: those of one kind do not differ by it.
    sexes = result.networks.loc[~shared, "effect_size"]
    words = result.networks.loc[result.networks["contrast"] == "wash - ask", "effect_size"]
    assert sexes.mean() < 0.5 * words.mean()
    with pytest.raises(ArgumentError, match="none twice"):
        compare_networks(stores, contrasts=["s:sh"], phones=["s:sh"], **kinds)


def test_one_store_may_hold_several_networks(tmp_path):
    tokens, phones = clips()
    path, rng = tmp_path / "all.zarr", np.random.default_rng(0)
    for kind in ("ciwgan", "supervised"):
        for seed in range(2):
            about = {"network_kind": kind, "network_seed": seed}
            arrays, name = activations(tokens, rng, 0.2), f"{kind}_{seed}"
            store_arrays(path, tokens, arrays, time_s=TIMES, phones=phones, name=name, attrs=about)
        twin = {"network_kind": kind, "seed": 7, "trained": False}
        arrays = activations(tokens, rng, 0.0)
        store_arrays(path, tokens, arrays, time_s=TIMES, phones=phones, name=f"{kind}_random", attrs=twin)
    relevance = {"network_kind": "ciwgan", "network_seed": 0, "quantity": "relevance"}
    store_arrays(path, tokens, arrays, time_s=TIMES, phones=phones, name="relevance", attrs=relevance)
    expected = [("ciwGAN", 0), ("ciwGAN", 1), ("supervised", 0), ("supervised", 1)]
    expected += [("untrained ciwGAN", 7), ("untrained supervised", 7)]
    for whole in (path, open_store(path)):
        assert [(one.kind, one.seed) for one in list_networks([whole])] == expected
    one = list_networks([open_store(path, recording="supervised_1")])
    assert [network.view.name for network in one] == ["supervised_1", "ciwgan_random", "supervised_random"]


def test_any_quantity_is_compared_and_two_are_not(tmp_path):
    """The relevance of networks lies beside their activations, by several rules."""
    rule = {"quantity": "relevance", "method": "epsilon"}
    paths = [write(tmp_path, "words", "supervised", seed, 1.0, untrained=2 * (seed == 0), **rule) for seed in range(2)]
    found = compare_networks(paths, words=[("ask", "wash")], quantity="relevance", draws=100)
    assert found.kinds["network"].tolist()[:2] == ["supervised", "untrained"]
    other = write(tmp_path, "gamma", "supervised", 1, 1.0, quantity="relevance", method="gamma")
    with pytest.raises(DataError, match=r"'method': 'epsilon'.*'method': 'gamma'"):
        list_networks([paths[0], other], "relevance")
    with pytest.raises(ArgumentError, match=r"no finished recording of 'activation'\. It holds: relevance"):
        compare_networks(paths, words=[("ask", "wash")])


def test_a_store_with_two_rules_asks_which_is_meant(tmp_path):
    path = write(tmp_path, "words", "supervised", 0, 1.0, quantity="relevance", method="epsilon")
    tokens, phones = clips()
    attrs = {"network_kind": "supervised", "network_seed": 0, "quantity": "relevance", "method": "gamma"}
    arrays = activations(tokens, np.random.default_rng(5), 1.0)
    store_arrays(path, tokens, arrays, time_s=TIMES, phones=phones, attrs=attrs, name="gamma")
    with pytest.raises(DataError, match=r"'method': 'gamma'.*give the one that is meant"):
        list_networks([path], "relevance")
    assert [one.kind for one in list_networks([open_store(path, recording="gamma")])] == ["supervised"]
