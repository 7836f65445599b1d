import subprocess

import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import FitOptions, IntervalOptions, word_contrasts
from layerstats.stats.gamm import difference, fit

FITS = FitOptions(rho=0.2)
INTERVALS = IntervalOptions(draws=1000, seed=3)


@pytest.fixture(scope="module")
def store(make_store):
    return make_store(level=1.0, shape=1.0)


@pytest.fixture(scope="module")
def contrasts(store):
    return word_contrasts(store, layers=["conv1", "conv2"], fits=FITS, intervals=INTERVALS)


@pytest.mark.r
def test_planted_levels_and_shapes_are_found(contrasts):
    levels = contrasts.parametric[contrasts.parametric["term"] == "wordwash"]
    assert levels["layer"].tolist() == ["conv1", "conv2"]
    assert (np.abs(levels["estimate"] - 1.0) < 3 * levels["std_error"]).all()
    assert (levels["p_adjusted"] < 0.01).all()
    shapes = contrasts.smooths[contrasts.smooths["term"].str.contains("word_ordered")]
    assert (shapes["p_adjusted"] < 0.01).all()
    tests = contrasts.tests.set_index("layer")
    assert (tests[["joint_p_adjusted", "level_p_adjusted", "shape_p_adjusted"]] < 0.01).all(axis=None)
    np.testing.assert_allclose(tests["level_difference"], levels["estimate"])
    np.testing.assert_allclose(tests["shape_p_value"], shapes["p_value"])
    assert (tests["level_1"] == "wash").all()


@pytest.mark.r
def test_families_go_over_layers_and_are_named(contrasts):
    families = contrasts.parametric.groupby("family")["tests"].unique().map(list).to_dict()
    assert families == {"level of ask against zero, over layers": [2], "levels against ask, over words and layers": [2]}
    assert set(contrasts.smooths["family"]) == {
        "shape of ask, over layers",
        "shapes against ask, over words and layers",
        "s(sample,token), over layers",
        "s(sample,speaker), over layers",
    }
    assert (contrasts.parametric["p_adjusted"] >= contrasts.parametric["p_value"]).all()


@pytest.mark.r
def test_numbers_are_those_of_a_direct_fit(contrasts):
    formula = (
        'value ~ word + s(sample) + s(sample, by=word_ordered) + s(sample, token, bs="fs", m=1) '
        '+ s(sample, speaker, bs="fs", m=1)'
    )
    direct = fit(
        formula,
        contrasts.series["conv2"].frame,
        rho=0.2,
        series="token",
        order="sample",
        factors={"word": ["ask", "wash"]},
        ordered={"word_ordered": ("word", "ask")},
    )
    ours = contrasts.parametric[contrasts.parametric["layer"] == "conv2"]
    np.testing.assert_allclose(ours["estimate"], direct.parametric["estimate"], rtol=1e-8)
    np.testing.assert_allclose(ours["p_value"], direct.parametric["p_value"], rtol=1e-6)
    smooths = contrasts.smooths[contrasts.smooths["layer"] == "conv2"]
    np.testing.assert_allclose(smooths["edf"], direct.smooths["edf"], rtol=1e-6)

    curve = difference(direct, "word", "wash", "ask", at={"sample": np.linspace(0, 31, 100)}, draws=1000, seed=3)
    theirs = contrasts.difference[contrasts.difference["layer"] == "conv2"]
    np.testing.assert_allclose(theirs["diff"], curve.curve["diff"], rtol=1e-8)
    np.testing.assert_allclose(theirs["conf_low"], curve.curve["conf_low"], rtol=1e-6)
    regions = contrasts.regions[contrasts.regions["layer"] == "conv2"]
    # Ours are in ms of the clip: conv2 has an output every 16 ms, the first at 8 ms.
    np.testing.assert_allclose(regions["start"], curve.regions["start"] * 16 + 8, rtol=1e-6)


@pytest.mark.r
def test_numbers_are_those_that_r_prints(contrasts, tmp_path):
    """The same model typed into R by hand, with nothing of ours between."""
    data = contrasts.series["conv2"].frame
    data.to_csv(tmp_path / "data.csv", index=False)
    code = f"""
    library(mgcv)
    d <- read.csv("{tmp_path}/data.csv", stringsAsFactors = TRUE)
    d <- d[order(d$token, d$sample), ]
    d$word_ordered <- as.ordered(d$word)
    contrasts(d$word_ordered) <- "contr.treatment"
    m <- bam(value ~ word + s(sample) + s(sample, by = word_ordered) + s(sample, token, bs = "fs", m = 1) +
             s(sample, speaker, bs = "fs", m = 1), data = d, rho = 0.2, AR.start = !duplicated(d$token))
    write.csv(summary(m)$p.table, "{tmp_path}/p.csv")
    write.csv(summary(m)$s.table, "{tmp_path}/s.csv")
    """
    subprocess.run(["Rscript", "-e", code], check=True, capture_output=True)
    levels, shapes = (pd.read_csv(tmp_path / f"{name}.csv", index_col=0) for name in ("p", "s"))
    ours = contrasts.parametric[contrasts.parametric["layer"] == "conv2"]
    np.testing.assert_allclose(ours["estimate"], levels["Estimate"], rtol=1e-6)
    np.testing.assert_allclose(ours["std_error"], levels["Std. Error"], rtol=1e-6)
    smooths = contrasts.smooths[contrasts.smooths["layer"] == "conv2"]
    assert smooths["term"].tolist() == shapes.index.tolist()
    np.testing.assert_allclose(smooths["edf"], shapes["edf"], rtol=1e-4)
    np.testing.assert_allclose(smooths["p_value"], shapes["p-value"], atol=1e-4)


@pytest.mark.r
def test_curves_run_over_the_clip_and_show_what_was_planted(contrasts):
    curves = contrasts.curves[contrasts.curves["layer"] == "conv1"].pivot(index="time_ms", columns="word", values="fit")
    assert curves.index[0] == pytest.approx(8.0)  # 64 points in 32 bins: the first holds those at 4 and 12 ms
    gap = curves["wash"] - curves["ask"]
    # 1 outside the phone; inside (100 to 300 ms) first more, then less.
    assert gap[curves.index > 400].mean() == pytest.approx(1.0, abs=0.6)
    assert (
        gap[(curves.index > 120) & (curves.index < 180)].mean()
        > gap[(curves.index > 220) & (curves.index < 280)].mean() + 1
    )


@pytest.mark.r
def test_reversing_a_pair_flips_exactly_the_sign(store, contrasts):
    other = word_contrasts(store, layers=["conv2"], pairs=[("ask", "wash")], fits=FITS, intervals=INTERVALS)
    ours = contrasts.difference[contrasts.difference["layer"] == "conv2"].reset_index(drop=True)
    np.testing.assert_array_equal(ours["diff"], -other.difference["diff"])
    np.testing.assert_array_equal(ours["conf_low"], -other.difference["conf_high"])
    effects = contrasts.effects[contrasts.effects["layer"] == "conv2"].iloc[0]
    assert effects["effect_conf_low"] == other.effects["effect_conf_low"].item()


@pytest.mark.r
def test_variants_restrict_to_the_word_or_add_duration(store):
    word = word_contrasts(store, layers=["conv1"], variant="word", fits=FITS, intervals=INTERVALS)
    assert word.curves["time"].between(0, 1).all()
    assert "s(time)" in set(word.smooths["term"])
    duration = word_contrasts(store, layers=["conv1"], variant="duration", fits=FITS, intervals=INTERVALS)
    assert {"s(duration_s)", "ti(sample,duration_s)"} <= set(duration.smooths["term"])


@pytest.mark.r
def test_a_tidy_table_gives_what_the_store_gives(store, contrasts):
    frame = store.to_frame("conv2")
    result = word_contrasts(frame, fits=FITS, intervals=INTERVALS)
    ours = contrasts.parametric[contrasts.parametric["layer"] == "conv2"]
    np.testing.assert_allclose(result.parametric["estimate"], ours["estimate"], rtol=1e-12)


@pytest.mark.r
def test_the_check_of_the_basis_is_there_for_every_smooth(contrasts):
    assert set(contrasts.checks.columns) == {"layer", "term", "k", "edf", "k_index", "p_value"}
    assert len(contrasts.checks) == len(contrasts.smooths)


@pytest.mark.r
def test_layers_without_series_are_left_out_and_listed(store):
    result = word_contrasts(store, variant="word", fits=FITS, intervals=INTERVALS)
    assert list(result.results) == ["conv1", "conv2"]
    assert (result.dropped["layer"] == "conv3").sum() == 24


def test_all_tables_have_one_direction(contrasts):
    tests = contrasts.tests.set_index("layer")
    assert (tests["level_1"] == "wash").all()
    for frame in (contrasts.difference, contrasts.effects):
        assert set(zip(frame["level_1"], frame["level_2"], strict=True)) == {("wash", "ask")}
    means = contrasts.difference.groupby("layer")["diff"].mean()
    assert (np.sign(means) == np.sign(tests["level_difference"])).all()


def test_a_model_that_fails_its_checks_is_marked_where_its_claims_stand(store):
    frame = store.to_frame("conv2")
    # Silence after the word: nothing varies there.
    quiet = frame.assign(value=frame["value"] * np.where(frame["time_s"] < 0.25, 1.0, 0.01))
    result = word_contrasts(quiet, fits=FITS, intervals=INTERVALS)
    assert result.tests["model_checks"].str.startswith("fails ").all()
    assert result.effects["model_checks"].equals(result.tests["model_checks"])
    assert result.model_warning.startswith("Checks of the residuals fail at conv2 (")
    assert not result.residual_checks["passed"].all()


def test_a_model_that_passes_has_no_warning(contrasts):
    assert (contrasts.tests["model_checks"] == "passed").all()
    assert contrasts.model_warning == ""


def test_variance_that_grows_with_the_fitted_value_is_mended_by_weights():
    rng = np.random.default_rng(2)
    time = np.arange(24.0)
    means = {"ask": 2 + 1.5 * np.sin(time / 6), "wash": 2 + 1.5 * np.cos(time / 6)}
    tokens = [(speaker, word) for speaker in range(12) for word in means]
    frame = pd.DataFrame(
        [
            (f"{speaker}{word}", word, f"sp{speaker:02}", place, 0.01 * place, value)
            for speaker, word in tokens
            for place, value in enumerate(means[word] + rng.normal(scale=0.1) + 0.2 * means[word] * rng.normal(size=24))
        ],
        columns=["token", "word", "speaker", "sample", "time_s", "value"],
    )
    equal, fitted = (
        word_contrasts(frame, fits=FitOptions(rho=None, variance=variance), intervals=INTERVALS).residual_checks
        for variance in ("equal", "fitted")
    )
    share = [float(table.set_index("check").loc["equal variance", "estimate"]) for table in (equal, fitted)]
    assert share[0] > 0.05
    assert share[1] < 0.01
    with pytest.raises(ArgumentError, match="'variance'"):
        word_contrasts(frame, fits=FitOptions(variance="growing"), intervals=INTERVALS)


def test_autocorrelation_of_the_residuals_is_modelled_only_where_that_fits_better(store):
    """Short series, most of which the curves of tokens take up: their residuals alternate, and errors do not."""
    options = {"layers": ["conv3"], "intervals": INTERVALS}
    default, always, never = (
        word_contrasts(store, fits=FitOptions(rho=rho), **options) for rho in ("auto", "residuals", None)
    )
    score = {name: float(one.glance["score"].iloc[0]) for name, one in (("always", always), ("never", never))}
    assert score["never"] < score["always"]
    assert always.glance["rho"].item() < -0.2
    assert default.glance["rho"].item() == 0
    assert any("Residuals are independent" in note for note in default.results["conv3"].notes)


def test_bad_input_is_refused_before_any_fit(store):
    with pytest.raises(DataError, match="two levels of 'word' or more, but there is 'ask' only"):
        word_contrasts(store, layers=["conv2"], words=["ask"])
    with pytest.raises(DataError, match="by one speaker"):
        word_contrasts(store.select(speaker="sp00"), layers=["conv2"])
    with pytest.raises(DataError, match="against k = 40"):
        word_contrasts(store, layers=["conv2"], k=40)
    with pytest.raises(ArgumentError, match="'layers' parameter"):
        word_contrasts(store, layers=["conv9"])
    with pytest.raises(ArgumentError, match="no word 'rag' in the data"):
        word_contrasts(store, layers=["conv2"], words=["ask", "rag"])
    with pytest.raises(ArgumentError, match="'reference' parameter"):
        word_contrasts(store, layers=["conv2"], reference="rag")
    with pytest.raises(ArgumentError, match="'ask' twice"):
        word_contrasts(store, layers=["conv2"], pairs=[("ask", "ask")])
    with pytest.raises(DataError, match="At layer 'conv3' no series has 4 samples"):
        word_contrasts(store, layers=["conv3"], variant="word")
