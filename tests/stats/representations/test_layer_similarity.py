"""CKA against its definitions with matrices of phones by phones, and what follows from it over speakers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.representations import layer_similarity
from layerstats.stats.representations.kernel_alignment import (
    CentredFeatures,
    alignment,
    independence,
    squared_cross_product,
)


def array(values, speaker, layer="conv1", recording="activations", trained=True, kind="", label=None):
    coords = {"speaker": ("phone", speaker)} | ({} if label is None else {"label": ("phone", label)})
    attrs = {"layer": layer, "recording": recording, "trained": trained, "network_kind": kind}
    return xr.DataArray(values, dims=("phone", "channel"), coords=coords, attrs=attrs)


def biased_by_definition(x, y):
    """Return trace(KHLH), with the centring matrix H written out."""
    count = len(x)
    centring = np.eye(count) - np.ones((count, count)) / count
    return np.trace((x @ x.T) @ centring @ (y @ y.T) @ centring)


def debiased_by_loops(x, y):
    """Song et al.'s estimator as the U-statistic that it equals: the mean over all quadruples of different phones."""
    count = len(x)
    first, second = x @ x.T, y @ y.T
    total, quadruples = 0.0, 0
    for i in range(count):
        for j in range(count):
            for q in range(count):
                for r in range(count):
                    if len({i, j, q, r}) == 4:
                        total += first[i, j] * (second[i, j] + second[q, r] - 2 * second[i, q])
                        quadruples += 1
    return total / quadruples


@pytest.mark.parametrize(("channels", "others"), [(3, 4), (15, 20), (2, 30)])
@pytest.mark.parametrize(("debiased", "definition"), [(False, biased_by_definition), (True, debiased_by_loops)])
def test_the_criterion_is_its_definition_in_whole_and_without_each_speaker(channels, others, debiased, definition):
    rng = np.random.default_rng(0)
    bounds = np.array([0, 4, 6, 9])
    x = rng.normal(size=(9, channels)) + 2
    y = rng.normal(size=(9, others)) + x @ rng.normal(size=(channels, others)) - 5
    found = independence(CentredFeatures.of(x, bounds), CentredFeatures.of(y, bounds), debiased)
    rows = [np.arange(9), *(np.delete(np.arange(9), np.arange(*ends)) for ends in ((0, 4), (4, 6), (6, 9)))]
    # Features are divided by their size, which falls out of CKA.
    size = np.mean((x - x.mean(0)) ** 2) * np.mean((y - y.mean(0)) ** 2)
    np.testing.assert_allclose(found * size, [definition(x[own], y[own]) for own in rows], rtol=1e-9)


def test_both_ways_to_multiply_are_the_same():
    rng = np.random.default_rng(1)
    few, many = rng.normal(size=(5, 40)), rng.normal(size=(5, 30))
    assert squared_cross_product(few, many) == pytest.approx(np.sum((few.T @ many) ** 2))
    assert squared_cross_product(few.T, few.T) == pytest.approx(np.sum((few @ few.T) ** 2))


def test_rotations_sizes_and_means_make_no_difference_and_one_is_the_same_layer():
    rng = np.random.default_rng(2)
    x, speaker = rng.normal(size=(60, 5)), np.repeat(list("abcdef"), 10)
    turned = 1e6 * x @ np.linalg.qr(rng.normal(size=(5, 5)))[0] + 3e6
    noisy = x + rng.normal(size=x.shape)
    given = [array(x, speaker), array(turned, speaker, "conv2"), array(noisy, speaker, "conv3")]
    table = layer_similarity(given).table.set_index(["layer_1", "layer_2"])
    assert table.loc[("conv1", "conv2"), "estimate"] == pytest.approx(1)
    assert table.loc[("conv1", "conv3"), "estimate"] == pytest.approx(table.loc[("conv2", "conv3"), "estimate"])
    assert 0.2 < table.loc[("conv1", "conv3"), "estimate"] < 0.8


def test_the_order_of_phones_and_of_the_two_layers_makes_no_difference():
    rng = np.random.default_rng(3)
    x, y, speaker = rng.normal(size=(60, 5)), rng.normal(size=(60, 7)), np.repeat(list("abcdef"), 10)
    order = rng.permutation(60)
    first = layer_similarity([array(x, speaker), array(y, speaker, "conv2")]).table
    mixed = layer_similarity([array(y[order], speaker[order], "conv2"), array(x[order], speaker[order])]).table
    for name in ("estimate", "std_error", "conf_low"):
        assert mixed.loc[0, name] == pytest.approx(first.loc[0, name])


def test_the_standard_error_is_the_jackknife_written_out():
    rng = np.random.default_rng(4)
    x, speaker = rng.normal(size=(70, 4)), np.repeat(np.arange(7), 10)
    y = x[:, :3] + rng.normal(size=(70, 3))
    row = layer_similarity([array(x, speaker), array(y, speaker, "conv2")], measure="biased cka").table.loc[0]

    def cka(rows):
        own = x[rows], y[rows]
        cross, *selves = (biased_by_definition(*pair) for pair in (own, own[:1] * 2, own[1:] * 2))
        return cross / np.sqrt(np.prod(selves))

    without = np.array([cka(speaker != one) for one in range(7)])
    assert row["estimate"] == pytest.approx(cka(speaker >= 0))
    assert row["std_error"] == pytest.approx(np.sqrt(6 / 7 * np.sum((without - without.mean()) ** 2)))
    assert row["df"] == 6


def test_speakers_who_differ_do_not_make_layers_alike():
    """Layers that share nothing but who speaks: by phones alone they are alike, since speakers are few."""
    rng = np.random.default_rng(8)
    speaker = np.repeat(np.arange(8), 40)
    mean = {"cka": [], "debiased cka": []}
    for _ in range(20):
        given = [
            array(3 * rng.normal(size=(8, 4))[speaker] + rng.normal(size=(320, 4)), speaker, layer)
            for layer in ("conv1", "conv2")
        ]
        for measure, values in mean.items():
            values.append(layer_similarity(given, measure=measure).table.loc[0, "estimate"])
    assert np.mean(mean["debiased cka"]) > 0.2
    assert abs(np.mean(mean["cka"])) < 0.1


def test_the_measure_of_speakers_is_made_of_jackknifed_criteria():
    rng = np.random.default_rng(9)
    speaker = np.repeat(np.arange(4), 5)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    y += x[:, :2]
    given = [array(x, speaker), array(y, speaker, "conv2")]
    bounds = np.arange(0, 21, 5)
    features = [CentredFeatures.of(one, bounds) for one in (x, y)]

    def corrected(first, second):
        whole, *without = independence(features[first], features[second])
        return 4 * whole - 3 * np.mean(without)

    expected = corrected(0, 1) / np.sqrt(corrected(0, 0) * corrected(1, 1))
    assert layer_similarity(given).table.loc[0, "estimate"] == pytest.approx(expected)
    published = [independence(features[one], features[other])[0] for one, other in ((0, 1), (0, 0), (1, 1))]
    found = layer_similarity(given, measure="debiased cka").table.loc[0, "estimate"]
    assert found == pytest.approx(published[0] / np.sqrt(published[1] * published[2]))


def test_the_biased_measure_is_large_where_channels_are_many_and_nothing_is_shared():
    rng = np.random.default_rng(5)
    speaker = np.repeat(np.arange(6), 10)
    given = [array(rng.normal(size=(60, 400)), speaker, layer) for layer in ("conv1", "conv2")]
    assert layer_similarity(given, measure="biased cka").table.loc[0, "estimate"] > 0.8
    debiased = layer_similarity(given).table.loc[0]
    assert abs(debiased["estimate"]) < 0.1
    assert debiased["conf_low"] < 0 < debiased["conf_high"]


def of_networks(seed=0):
    """Two layers that are alike in the network, and not in its twins; the sound alone is like the first."""
    rng = np.random.default_rng(seed)
    speaker, label = np.repeat([f"s{one}" for one in range(8)], 20), np.tile(["s", "t"], 80)
    common = rng.normal(size=(160, 6)) + np.where(label == "s", 1, -1)[:, None]
    made = [array(common + rng.normal(size=common.shape), speaker, layer, label=label) for layer in ("conv1", "conv2")]
    made.append(array(common[:, :3], speaker, "features", "mel", kind="acoustics", label=label))
    for twin in ("untrained_00", "untrained_01", "untrained_02"):
        made += [
            array(rng.normal(size=(160, 6)), speaker, layer, twin, trained=False, label=label)
            for layer in ("conv1", "conv2")
        ]
    return made


def test_pairs_are_held_against_those_of_untrained_twins_and_the_sound():
    found = layer_similarity(of_networks())
    assert found.table[["layer_1", "layer_2"]].to_numpy().tolist() == [
        ["conv1", "conv2"],
        ["conv1", "features"],
        ["conv2", "features"],
    ]
    assert len(found.networks) == 3 * 4
    row = found.comparisons.loc[0]
    twins = found.networks.loc[~found.networks["trained"] & (found.networks["layer_2"] == "conv2")]
    assert row["diff"] == pytest.approx(found.table.loc[0, "estimate"] - twins["estimate"].mean())
    assert row["conf_low"] > 0
    assert row["null_p_value"] == pytest.approx(0.5)  # of four networks, both ways
    assert row["null_recordings"] == 3
    assert (found.comparisons["p_adjusted"] >= found.comparisons["p_value"]).all()


def test_two_networks_are_compared_layer_by_layer_even_if_both_are_called_the_same():
    one = of_networks()[:2]
    other = [layer.assign_attrs(layer=f"block{number}") for number, layer in enumerate(of_networks(1)[:2])]
    found = layer_similarity(one, other).table
    assert found[["layer_1", "layer_2"]].to_numpy().tolist() == [
        ["conv1", "block0"],
        ["conv1", "block1"],
        ["conv2", "block0"],
        ["conv2", "block1"],
    ]
    assert set(found["recording_2"]) == {"activations (b)"}
    assert layer_similarity(one, one).table.loc[0, "estimate"] == pytest.approx(1)


def test_permutations_say_what_follows_from_speakers_and_labels_alone():
    given = of_networks()[:2]
    speakers = layer_similarity(given, permutations=39).table.loc[0]
    labels = layer_similarity(given, permutations=39, within=("speaker", "label")).table.loc[0]
    assert abs(speakers["chance"]) < 0.1
    assert labels["chance"] > 0.3, "labels alone make layers alike"
    assert speakers["p_value"] == labels["p_value"] == pytest.approx(1 / 40)
    assert speakers["adjust_method"] == "max-T"
    assert labels["chance_low"] < labels["chance"] < labels["chance_high"] < labels["estimate"]


def test_permuted_layers_are_what_permuted_vectors_give():
    given = of_networks()[:2]
    from layerstats.stats.representations.labelled_vectors import LayerVectors
    from layerstats.stats.representations.layer_similarity import _criteria, _Grouped

    vectors = [LayerVectors.of(one) for one in given]
    grouped = _Grouped.of(vectors[0], ("label",), 2, 3, True)
    rows = grouped.permuted(1)
    label = vectors[0].column("label")[grouped.order]
    assert sorted(rows) == list(range(160))
    assert np.array_equal(label[rows], label)
    assert not np.array_equal(rows, np.arange(160))
    permuted = _criteria(grouped, (*vectors, True))[2]
    x, y = (one.values()[grouped.order] for one in vectors)
    features = [CentredFeatures.of(one, grouped.bounds) for one in (x, y[rows])]
    np.testing.assert_allclose(permuted, independence(*features))


def test_the_same_seed_gives_the_same_tables_on_one_worker_and_two():
    first, second = (layer_similarity(of_networks(), permutations=3, workers=workers) for workers in (1, 2))
    for name in ("table", "comparisons", "networks"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))


def test_progress_counts_layers_and_pairs_as_one():
    seen = []
    layer_similarity(of_networks()[:2], progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (3, 3)
    assert {total for _, total in seen} == {3}


def test_a_layer_that_does_not_vary_has_no_alignment():
    none = alignment(np.zeros(2), np.zeros(2), np.ones(2))
    assert np.isnan(none).all()


@pytest.mark.parametrize("measure", ["cka", "debiased cka", "biased cka"])
def test_the_rounding_of_a_mean_is_no_variation(measure):
    speaker = np.repeat(list("abcdef"), 10)
    constant = np.full((60, 5), 0.1)
    assert (constant != constant.mean(axis=0)).any(), "the mean of tenths is not a tenth"
    given = [array(constant, speaker), array(np.random.default_rng(0).normal(size=(60, 4)), speaker, "conv2")]
    with pytest.raises(DataError, match="hardly differs"):
        layer_similarity(given, measure=measure)


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        (lambda given: given[:1], {}, DataError, "one layer only"),
        (lambda given: given, {"measure": "cca"}, ArgumentError, "measure"),
        (lambda given: given, {"within": ("dialect",)}, DataError, "'dialect'"),
        (lambda given: [one.isel(phone=slice(0, 40)) for one in given], {}, DataError, "at least 3"),
        (lambda given: [given[0], xr.zeros_like(given[1]).assign_attrs(given[1].attrs)], {}, DataError, "'conv2'"),
        (lambda given: given, {"b": of_networks()[0].isel(phone=slice(0, 80))}, DataError, "same phones"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, options, error, message):
    with pytest.raises(error, match=message):
        layer_similarity(change(of_networks()[:2]), **options)
