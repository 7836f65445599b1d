"""Every kind of refit is the fit of the structured engine to a table that was made for it, row by row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats.gamm.batched.curves.curve_criterion import estimate, slopes, value
from layerstats.stats.gamm.batched.curves.curve_design_building import curve_design
from layerstats.stats.gamm.batched.curves.curve_optima import starting_point
from layerstats.stats.gamm.batched.curves.fitted import fit_design
from layerstats.stats.gamm.batched.curves.refit import refit
from layerstats.stats.gamm.batched.curves.residual_sums import lag_one
from layerstats.stats.gamm.batched.curves.row_refits import simulate_rows
from layerstats.stats.gamm.batched.curves.summaries import replicates_of, summarise
from layerstats.stats.gamm.fit import fit_many
from layerstats.stats.resampling.exchange import Exchanger
from layerstats.stats.resampling.power import p_values_of
from layerstats.stats.resampling.seeds import replicate_generator
from layerstats.stats.resampling.simulation import simulate
from layerstats.stats.resampling.statistics import difference_matrices, differences

TOKEN, SPEAKER, CELL = (f's(time, {column}, bs="fs", m=1, k=6)' for column in ("token", "speaker", "cell"))

MODELS = {
    "fixed": (),
    "tokens": (TOKEN,),
    "speakers": (TOKEN, SPEAKER),
    "speakers and labels": (TOKEN, SPEAKER, CELL),
    "intercepts": (TOKEN, 's(speaker, bs="re")'),
}


def engine(task):
    return fit_many([task], workers=1)[0]


def check_equal(design, summaries, row, result, data):
    """Compare a replicate with a fit: at the smoothing parameters of the fit, and at those that each found itself."""
    own = summaries.take(np.array([row]))
    compare(refit(design, own, np.log(result.engine_fit.smoothing_parameters)), result, data, 1e-8)
    free = refit(design, own)
    assert free.converged[0]
    # Where a smoothing parameter grows without bound, both stop somewhere on the way.
    compare(free, result, data, 1e-6 if free.log_smoothing.max() < 7 else 1e-4)


def compare(refits, result, data, digits):
    """Compare everything that tables have."""
    design = refits.design
    np.testing.assert_allclose(refits.score[0], result.glance["score"][0], rtol=1e-8)
    np.testing.assert_allclose(refits.scale[0], result.glance["scale"][0], rtol=digits)
    np.testing.assert_allclose(refits.residual_freedom[0], result.glance["df_residual"][0], rtol=digits)
    contrast = difference_matrices(design, "b", "a")
    assert result.parametric["p_value"][1] == pytest.approx(p_values_of(refits, contrast, "level")[0], abs=digits)
    shape = result.smooths.set_index("term").loc["s(time):label_orderedb"]
    # Of a smooth that goes linear, the test takes the root of what is left of its last degree of freedom.
    linear = abs(shape["ref_df"] - round(shape["ref_df"])) < 1e-4
    p_value = p_values_of(refits, contrast, "shape")[0]
    assert shape["p_value"] == pytest.approx(p_value, abs=max(digits, 1e-4) if linear else digits)
    own = design.columns_of("s(time):label_orderedb")
    assert shape["edf"] == pytest.approx(refits.edf[0, own].sum(), abs=digits)
    curve, error = differences(refits, contrast.joint)
    rows = [pd.DataFrame({"label": label, "time": np.unique(data["time"])}) for label in ("b", "a")]
    matrices = [result.design(one, exclude=result.random_terms) for one in rows]
    matrix = matrices[0].matrix - matrices[1].matrix
    np.testing.assert_allclose(curve[0], matrix @ matrices[0].coefficients, atol=digits)
    expected = np.sqrt(np.diag(matrix @ matrices[0].covariance @ matrix.T))
    np.testing.assert_allclose(error[0], expected, atol=digits)


@pytest.mark.parametrize("random", MODELS.values(), ids=MODELS)
def test_permutation_refit_is_the_fit_of_the_permuted_table(make, curves, random):
    task = make.level_and_shape(curves, *random)
    fitted = fit_design(task, "label")
    design = fitted.design
    exchanger = Exchanger.of(design.label_of, design.speaker_of)
    labels = np.stack([exchanger.draw(replicate_generator(3, number)) for number in range(2)])
    summaries = summarise(design, labels)
    for row in range(2):
        new = curves["token"].map(dict(zip(design.tokens, np.array(design.labels)[labels[row]], strict=True)))
        permuted = curves.assign(label=new, cell=curves["speaker"] + "/" + new)
        check_equal(design, summaries, row, engine(replace(task, data=permuted)), permuted)


@pytest.mark.parametrize("random", [(TOKEN,), (TOKEN, SPEAKER, CELL)], ids=["tokens", "speakers"])
def test_bootstrap_refit_is_the_fit_of_the_table_with_repeated_speakers(make, curves, random):
    task = make.level_and_shape(curves, *random)
    fitted = fit_design(task, "label")
    design = fitted.design
    times = np.array([[2, 0, 1, 1, 2, 0], [1, 3, 0, 0, 1, 1]])
    labels = np.tile(design.label_of, (2, 1))
    summaries = summarise(design, labels, multiplicity=times)
    for row in range(2):
        parts = []
        for speaker, number in enumerate(times[row]):
            own = curves[curves["speaker"] == f"s{speaker}"]
            for copy in range(number):
                tagged = {column: own[column] + f"#{copy}" for column in ("token", "speaker", "cell")}
                parts.append(own.assign(**tagged))
        drawn = pd.concat(parts, ignore_index=True)
        check_equal(design, summaries, row, engine(replace(task, data=drawn)), drawn)


def test_simulation_refit_is_the_fit_of_the_simulated_table(make, curves):
    task = make.level_and_shape(curves, TOKEN, SPEAKER, CELL)
    fitted = fit_design(task, "label")
    design = fitted.design
    means = np.stack([differences(fitted.fit, columns)[0][0] for columns in design.columns])
    values = simulate(fitted, design, means, 1, range(2))
    summaries = summarise(design, np.tile(design.label_of, (2, 1)), values)
    simulated = curves.assign(value=values[1].ravel() + design.offset)
    check_equal(design, summaries, 1, engine(replace(task, data=simulated)), simulated)


def test_labels_between_speakers(make, curves):
    """Each speaker has one label: cells and speakers are the same."""
    own = curves[(curves["speaker"].str[-1].astype(int) % 2 == 0) == (curves["label"] == "a")]
    task = make.level_and_shape(own, TOKEN, SPEAKER)
    fitted = fit_design(task, "label")
    check_equal(fitted.design, fitted.data, 0, engine(task), own)


@pytest.mark.parametrize("random", [(), (TOKEN, SPEAKER, CELL)], ids=["fixed", "speakers"])
def test_derivatives_are_those_of_finite_differences(make, curves, random):
    design = curve_design(make.level_and_shape(curves, *random), "label")
    data = summarise(design, design.label_of[None])
    generator = np.random.default_rng(0)
    point = starting_point(design) + generator.normal(size=len(design.penalties) + len(design.components))
    point = np.append(point, -1.0)

    def at(place):
        solved = estimate(design, data, place[None, :-1])
        return value(design, data, solved, place[None, -1])[0], slopes(design, data, solved, place[None, -1])

    gradient, hessian = at(point)[1].gradient[0], at(point)[1].hessian[0]
    for number in range(len(point)):
        step = np.eye(len(point))[number] * 1e-4
        high, low = at(point + step), at(point - step)
        assert gradient[number] == pytest.approx((high[0] - low[0]) / 2e-4, rel=1e-5, abs=1e-5)
        np.testing.assert_allclose(
            hessian[number], (high[1].gradient - low[1].gradient)[0] / 2e-4, rtol=1e-5, atol=1e-5
        )


@pytest.fixture(scope="module")
def uneven(curves):
    """Series of 6 to 9 points at times of their own."""
    generator = np.random.default_rng(5)
    kept = generator.random(len(curves)) > 0.15
    kept |= curves.groupby("token").cumcount().to_numpy() < 6
    return curves[kept].assign(time=lambda one: one["time"] + generator.uniform(0, 0.02, size=len(one)))


UNEVEN = {"fixed": (), "tokens": (TOKEN,), "speakers and labels": (TOKEN, SPEAKER, CELL)}


@pytest.mark.parametrize("random", UNEVEN.values(), ids=UNEVEN)
def test_permutation_refit_of_unbalanced_series_is_the_fit_of_the_permuted_table(make, uneven, random):
    task = make.level_and_shape(uneven, *random)
    fitted = fit_design(task, "label")
    design = fitted.design
    labels = Exchanger.of(design.label_of, design.speaker_of).draw(replicate_generator(3, 0))[None]
    refits = refit(design, replicates_of(design, labels))
    new = uneven["token"].map(dict(zip(design.tokens, np.array(design.labels)[labels[0]], strict=True)))
    permuted = uneven.assign(label=new, cell=uneven["speaker"] + "/" + new)
    result = engine(replace(task, data=permuted))
    np.testing.assert_allclose(refits.score[0], result.glance["score"][0], rtol=1e-8)
    contrast = difference_matrices(design, "b", "a")
    assert result.parametric["p_value"][1] == pytest.approx(p_values_of(refits, contrast, "level")[0], abs=1e-6)
    curve, error = differences(refits, contrast.joint)
    rows = [
        result.design(pd.DataFrame({"label": label, "time": design.times}), exclude=result.random_terms)
        for label in "ba"
    ]
    matrix = rows[0].matrix - rows[1].matrix
    np.testing.assert_allclose(curve[0], matrix @ rows[0].coefficients, atol=1e-5)
    np.testing.assert_allclose(error[0], np.sqrt(np.diag(matrix @ rows[0].covariance @ matrix.T)), atol=1e-5)
    # At the smoothing parameters that were found, nothing else moves.
    again = refit(design, replicates_of(design, labels), held=refits.log_smoothing[0])
    np.testing.assert_allclose(again.coefficients, refits.coefficients, atol=1e-8)
    np.testing.assert_allclose(again.scale, refits.scale, rtol=1e-8)


def test_refits_by_rows_are_those_by_curves(make, curves):
    """The same series, once taken row by row: permuted, drawn again, and simulated."""
    task = make.level_and_shape(curves, TOKEN, SPEAKER, CELL)
    fitted = fit_design(task, "label")
    design = fitted.design
    by_rows = by_row_design(design)
    labels = np.tile(design.label_of, (2, 1))
    drawn = np.array([[2, 0, 1, 1, 2, 0], [1, 3, 0, 0, 1, 1]])
    values = np.random.default_rng(1).normal(size=(2, *design.values.shape))
    for given, of_rows in (({"multiplicity": drawn},) * 2, ({"values": values}, {"values": values.reshape(2, -1)})):
        one = refit(design, summarise(design, labels, **given))
        other = refit(by_rows, replicates_of(by_rows, labels, **of_rows))
        for name in ("score", "scale", "residual_freedom"):
            np.testing.assert_allclose(getattr(other, name), getattr(one, name), rtol=1e-4)
        # Bases are the same but for the signs of their functions.
        matrices = (difference_matrices(by_rows, "b", "a").joint, difference_matrices(design, "b", "a").joint)
        np.testing.assert_allclose(differences(other, matrices[0]), differences(one, matrices[1]), rtol=1e-4, atol=1e-4)


def by_row_design(design):
    """Return a balanced design as if its tokens differed in their times."""
    task = design.task
    late = task.data["time"].where(task.data["token"] != task.data["token"].iloc[-1], task.data["time"] + 1e-7)
    moved = curve_design(replace(task, data=task.data.assign(time=late)), "label")
    assert moved.rows is not None
    return moved


def test_joint_test_needs_no_second_model(make, curves):
    """Level and shape columns of one model span the binary smooth of the other: the same fit and the same test."""
    one = fit_design(make.level_and_shape(curves, TOKEN, SPEAKER), "label")
    both = engine(make.joint(curves, TOKEN, SPEAKER))
    p_value = p_values_of(one.fit, difference_matrices(one.design, "b", "a"), "joint")[0]
    assert both.smooths.set_index("term").loc["s(time):is_b", "p_value"] == pytest.approx(p_value, abs=1e-7)
    assert one.fit.score[0] == pytest.approx(both.glance["score"][0], abs=1e-7)


@pytest.fixture(scope="module")
def spaced(curves):
    """Tables with a sample that is missing in all series, with steps that differ, and with times of their own."""

    def build(kind):
        if kind == "missing":
            return curves[curves["time"] != 0.375]
        if kind == "growing":
            return curves.assign(time=curves["time"] ** 1.3)
        kept = np.random.default_rng(5).random(len(curves)) > 0.15
        return curves[kept | (curves.groupby("token").cumcount().to_numpy() < 6)]

    return build


@pytest.mark.parametrize("kind", ["missing", "growing", "own"])
def test_refits_over_gaps_in_time_are_those_of_the_engine(kind, make, spaced):
    data = spaced(kind)
    task = replace(make.level_and_shape(data, TOKEN), gaps="time")
    design = fit_design(task, "label").design
    assert (design.rows is not None) == (kind == "own")
    labels = Exchanger.of(design.label_of, design.speaker_of).draw(replicate_generator(3, 0))[None]
    refits = refit(design, replicates_of(design, labels))
    new = data["token"].map(dict(zip(design.tokens, np.array(design.labels)[labels[0]], strict=True)))
    permuted = replace(task, data=data.assign(label=new, cell=data["speaker"] + "/" + new))
    result, ignored = engine(permuted), engine(replace(permuted, gaps="adjacent"))
    np.testing.assert_allclose(refits.score[0], result.glance["score"][0], rtol=1e-8)
    assert abs(refits.score[0] - ignored.glance["score"][0]) > 1e-2
    level = p_values_of(refits, difference_matrices(design, "b", "a"), "level")[0]
    assert result.parametric["p_value"][1] == pytest.approx(level, abs=1e-6)


def test_simulated_noise_falls_with_the_gap_in_time(make, spaced):
    design = fit_design(replace(make.level_and_shape(spaced("own"), TOKEN, rho=0.6), gaps="time"), "label").design
    generator, rows = np.random.default_rng(4), design.rows
    none = np.zeros(sum(len(term.penalties) for term in rows.grouped))
    drawn = np.stack([simulate_rows(design, rows, np.zeros(len(rows.token)), none, 1.0, generator) for _ in range(800)])
    within = np.append(False, rows.token[1:] == rows.token[:-1])
    for gap in (1, 2):
        after = np.flatnonzero(within & (design.request.series_gaps == gap))
        assert np.mean(drawn[:, after] * drawn[:, after - 1]) == pytest.approx(0.6**gap, abs=0.02)


@pytest.mark.parametrize("kind", ["missing", "growing", "own"])
def test_automatic_rho_over_gaps_in_time_is_that_of_the_engine(kind, make, spaced):
    task = replace(make.level_and_shape(spaced(kind), TOKEN, rho="auto"), gaps="time")
    assert fit_design(task, "label").rho == pytest.approx(max(engine(task).rho, -0.99), abs=1e-6)


def test_automatic_rho_is_that_of_the_engine(make, curves):
    task = make.level_and_shape(curves, TOKEN, SPEAKER, rho="auto")
    fitted = fit_design(task, "label")
    assert fitted.rho == pytest.approx(engine(task).rho, abs=1e-7)
    plain = fit_design(replace(task, rho=None), "label")
    solved = estimate(plain.design, plain.data, plain.fit.log_smoothing)
    assert lag_one(plain.design, plain.data, solved)[0] == pytest.approx(fitted.rho, abs=1e-12)


def test_refused(make):
    data = make.table(speakers=3)
    task = make.level_and_shape(data, TOKEN)
    extra = replace(task, formula=task.formula + " + extra", data=data.assign(extra=(data["speaker"] == "s1") * 1.0))
    with pytest.raises(DataError, match="no function of label and time"):
        curve_design(extra, "label")
    with pytest.raises(DataError, match="one value in every token"):
        curve_design(replace(task, data=data.assign(speaker=np.where(data.index == 1, "x", data["speaker"]))), "label")
    with pytest.raises(ArgumentError, match="'series' and 'order'"):
        curve_design(replace(task, series=None, order=None, rho=None), "label")
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        curve_design(replace(task, rho=-0.3, gaps="time", data=data.assign(time=data["time"] ** 2)), "label")
    with pytest.raises(ArgumentError, match="without prior weights"):
        curve_design(replace(task, method="ML"), "label")
    crossed = make.level_and_shape(data.assign(cell=data["token"].str[-1]), TOKEN, CELL)
    with pytest.raises(DataError, match=r"random term s\(time,cell\) is neither"):
        curve_design(crossed, "label")
