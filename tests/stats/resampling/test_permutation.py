"""Permutation tests against a simple one that fits every assignment by itself."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError, UnsupportedModelError
from layerstats.stats.gamm.batched.curves.fitted import fit_design
from layerstats.stats.gamm.batched.curves.refit import refit
from layerstats.stats.gamm.batched.curves.summaries import summarise
from layerstats.stats.gamm.fit import fit_many
from layerstats.stats.resampling import permutation_test
from layerstats.stats.resampling.blocks import in_blocks
from layerstats.stats.resampling.exchange import Exchanger
from layerstats.stats.resampling.seeds import replicate_generator

TOKEN, SPEAKER, CELL = (f's(time, {column}, bs="fs", m=1, k=6)' for column in ("token", "speaker", "cell"))


def largest_difference(task):
    """Return the largest difference over time in standard errors, from the prediction of a fit."""
    result = fit_many([task], workers=1)[0]
    times = np.unique(task.data["time"])
    designs = [
        result.design(pd.DataFrame({"label": label, "time": times}), exclude=result.random_terms) for label in "ba"
    ]
    matrix = designs[0].matrix - designs[1].matrix
    error = np.sqrt(np.diag(matrix @ designs[0].covariance @ matrix.T))
    return np.max(np.abs(matrix @ designs[0].coefficients) / error)


def test_equals_a_simple_implementation(make):
    data = make.table(speakers=2, tokens=2, uneven=False, difference=0.8, seed=3)
    task = make.level_and_shape(data, TOKEN)
    result = permutation_test({"conv1": task}, "label", replicates=99)
    assert result.exact
    assert len(result.statistics) == 36
    assert "All 36 assignments" in result.notes[0]
    tokens = data.drop_duplicates("token")
    halves = [(0, 0, 1, 1), (0, 1, 0, 1), (0, 1, 1, 0), (1, 0, 0, 1), (1, 0, 1, 0), (1, 1, 0, 0)]
    found = []
    for first, second in product(halves, halves):
        label = dict(zip(tokens["token"], np.array(["a", "b"])[[*first, *second]], strict=True))
        found.append(largest_difference(replace(task, data=data.assign(label=data["token"].map(label)))))
    observed = largest_difference(task)
    assert result.table["statistic"][0] == pytest.approx(observed, rel=1e-6)
    np.testing.assert_allclose(np.sort(result.statistics[:, 0]), np.sort(found), rtol=1e-5)
    assert result.table["p_value"][0] == pytest.approx(np.mean(np.array(found) >= observed * (1 - 1e-9)))


def test_planted_difference_is_found_at_its_layer(make):
    with_difference = make.table(difference=1.5, cell_sd=0.0, seed=1)
    without = make.table(difference=0.0, cell_sd=0.0, seed=2)
    tables = {"conv1": without, "conv2": with_difference}
    models = {layer: make.level_and_shape(data, TOKEN, SPEAKER) for layer, data in tables.items()}
    result = permutation_test(models, "label", tests=["level", "shape", "joint"], replicates=99, seed=1)
    table = result.table.set_index(["layer", "test"])
    assert table.loc[("conv2", "joint"), "p_adjusted"] <= 0.02
    assert table.loc[("conv1", "joint"), "p_adjusted"] > 0.05
    assert np.all(table["p_adjusted"] >= table["p_value"])
    assert list(table["tests"]) == [2] * 6


def test_numbers_depend_on_neither_workers_nor_blocks(make, curves):
    task = make.level_and_shape(curves, TOKEN, SPEAKER, CELL)
    one = permutation_test({"conv1": task}, "label", replicates=30, seed=5)
    two = permutation_test({"conv1": task}, "label", replicates=30, seed=5, workers=2)
    np.testing.assert_array_equal(one.statistics, two.statistics)
    other = permutation_test({"conv1": task}, "label", replicates=30, seed=6)
    assert np.any(other.statistics[1:] != one.statistics[1:])
    fitted = fit_design(task, "label")
    exchanger = Exchanger.of(fitted.design.label_of, fitted.design.speaker_of)
    labels = np.stack([exchanger.draw(replicate_generator(5, number)) for number in range(30)])

    def compute(numbers):
        return refit(fitted.design, summarise(fitted.design, labels[numbers.start : numbers.stop])).coefficients

    np.testing.assert_array_equal(in_blocks(compute, 30, block=7), in_blocks(compute, 30))


def test_one_speaker(make):
    data = make.table(speakers=1, tokens=6)
    result = permutation_test({"conv1": make.level_and_shape(data, TOKEN)}, "label", replicates=19)
    assert any("one speaker" in note for note in result.notes)


def test_one_way_only(make):
    """Every speaker has one token of one label, except one whose two tokens share theirs."""
    data = make.table(speakers=2, tokens=1, uneven=False)
    alone = data.assign(speaker=np.where(data["label"] == "a", "s0", "s1"), label=data["label"])
    alone = pd.concat([alone[alone["label"] == "a"], alone[alone["label"] == "b"]])
    result = permutation_test({"conv1": make.level_and_shape(alone, TOKEN)}, "label")
    assert any("between speakers" in note for note in result.notes)
    assert len(result.statistics) == 2


def test_too_few_assignments_are_told(make):
    data = make.table(speakers=2, tokens=3, uneven=False)
    task = make.level_and_shape(data, TOKEN, SPEAKER, CELL)
    result = permutation_test({"conv1": task}, "label", exchange="speakers")
    assert any("nothing can reach 0.05" in note for note in result.notes)
    assert result.table["p_value"][0] >= 0.5


def test_refused(make, curves):
    task = make.level_and_shape(curves, TOKEN)
    fewer = make.level_and_shape(curves[curves["token"] != "s0a0"], TOKEN)
    with pytest.raises(DataError, match="'conv2' differs from the first in 1 tokens"):
        permutation_test({"conv1": task, "conv2": fewer}, "label")
    with pytest.raises(ArgumentError, match="'tests'"):
        permutation_test({"conv1": task}, "label", tests=["slope"])
    with pytest.raises(ArgumentError, match="'smoothing'"):
        permutation_test({"conv1": task}, "label", smoothing="fixed")
    with pytest.raises(ArgumentError, match="no label 'c'"):
        permutation_test({"conv1": task}, "label", pairs=[("a", "c")])
    with pytest.raises(ArgumentError, match="'workers'"):
        permutation_test({"conv1": task}, "label", replicates=5, workers=0)


def test_unbalanced_series_by_a_simple_implementation(make):
    """Every assignment of labels to a few series of different lengths, each fitted by itself."""
    data = make.table(speakers=2, tokens=2, uneven=False, difference=0.8, seed=3)
    data = data[~((data["token"] == "s0a0") & (data["time"] > 0.8))]
    task = make.level_and_shape(data, TOKEN)
    result = permutation_test({"conv1": task}, "label", tests=["level"], replicates=99)
    assert result.exact
    design = fit_design(task, "label").design
    expected = []
    for labels in Exchanger.of(design.label_of, design.speaker_of).every():
        new = data["token"].map(dict(zip(design.tokens, np.array(design.labels)[labels], strict=True)))
        row = fit_many([replace(task, data=data.assign(label=new))], workers=1)[0].parametric.iloc[1]
        expected.append(abs(row["estimate"] / row["std_error"]))
    np.testing.assert_allclose(result.statistics[:, 0], expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"rho": "reml"}, "holds rho at one value, but got rho='reml'"),
        ({"rho": 1.5}, "numbers between -1 and 1, but got 1.5"),
        ({"rho": float("nan")}, "but got nan"),
        ({"rho": "high"}, "but got 'high'"),
        ({"function": "gam"}, "as bam"),
        ({"weights": "time"}, "without prior weights"),
    ],
)
def test_what_refits_cannot_do(curves, make, options, reason):
    task = replace(make.level_and_shape(curves, TOKEN), **options)
    with pytest.raises(ArgumentError, match=reason):
        permutation_test({"conv1": task}, "label", replicates=19)


@pytest.mark.parametrize(
    ("formula", "named"),
    [
        ("value ~ label + s(time, k=5) + s(time, by=label, k=5)", "the unpenalised part of s.time.:labela"),
        ("value ~ label + is_b + s(time, k=5)", "labelb, is_b"),
        ("value ~ label + poly(time, 2)", "poly"),
    ],
)
@pytest.mark.parametrize("random", ["", " + s(time, token, bs='fs', m=1, k=4)"])
def test_models_of_which_a_fit_leaves_a_column_out(curves, make, formula, named, random):
    """Refits of every column are singular: it is said which, with random terms and without."""
    data = curves.assign(is_b=(curves["label"] == "b").astype(float))
    task = replace(make.level_and_shape(data), formula=formula + random)
    with pytest.raises(UnsupportedModelError, match=named):
        permutation_test({"conv1": task}, "label", replicates=19)


def test_a_model_without_the_label(curves, make):
    task = replace(make.level_and_shape(curves), formula="value ~ s(time, k=5)")
    with pytest.raises(ArgumentError, match=r"No term of .* tells 'b' from 'a'"):
        permutation_test({"conv1": task}, "label", replicates=19)


@pytest.mark.parametrize("replicates", [0, -1, 2.5])
def test_replicates_are_counted(curves, make, replicates):
    with pytest.raises(ArgumentError, match="whole number of 1 or more"):
        permutation_test({"conv1": make.level_and_shape(curves, TOKEN)}, "label", replicates=replicates)


def test_few_replicates_are_noted(curves, make):
    result = permutation_test({"conv1": make.level_and_shape(curves, TOKEN)}, "label", replicates=1)
    assert any("no p-value can be below 0.5" in note for note in result.notes)
