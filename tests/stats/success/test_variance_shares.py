import numpy as np
import pandas as pd
import pytest

from layerstats.errors import ArgumentError, DataError
from layerstats.rbridge import r_status
from layerstats.rbridge.status import RStatus
from layerstats.stats import calibrate_variance, simulated_attempts, variance_shares
from layerstats.stats.gamm import fit

MAINS = ["network", "judge", "target"]


@pytest.fixture(scope="module")
def attempts():
    truth = {"network": 0.6, "target": 1.0, "network:target": 0.4}
    return simulated_attempts(truth, networks=4, judges=3, targets=5, starts=60, seed=2)


@pytest.fixture(scope="module")
def result(attempts):
    return variance_shares(attempts, engine="laplace")


def test_shares_are_a_whole_and_lie_in_their_intervals(result):
    shares = result.shares
    assert shares["component"].tolist() == [
        "network", "judge", "target", "network:judge", "network:target", "judge:target", "network:judge:target",
        "residual",
    ]  # fmt: skip
    assert shares["share"].sum() == pytest.approx(1)
    assert shares["variance"].iloc[-1] == pytest.approx(np.pi**2 / 3)
    assert (shares["conf_low"] <= shares["share"] + 1e-9).all()
    assert (shares["share"] <= shares["conf_high"] + 1e-9).all()
    assert shares["levels"].tolist()[:-1] == [4, 3, 5, 12, 20, 15, 60]
    assert shares["levels"].isna().tolist() == [False] * 7 + [True]
    assert result.models["cells"].tolist() == [60]


def test_what_varies_is_found_and_what_does_not_ends_at_zero_with_an_upper_bound(result):
    shares = result.shares.set_index("component")
    assert shares.loc["network:target", "p_adjusted"] < 1e-6
    assert shares.loc["judge", "conf_low"] == 0
    assert shares.loc["judge", "conf_high"] < 0.1
    assert (shares.loc[["judge", "network:judge", "judge:target"], "p_adjusted"] > 0.01).all()
    assert shares["tests"].iloc[0] == 7
    assert shares["family"].iloc[0] == "no variance of a component: maximized"


@pytest.mark.r
def test_lme4_and_this_package_give_the_same_shares(attempts, result, lme4):
    theirs = variance_shares(attempts, engine="lme4")
    assert set(theirs.models["engine"]) == {"lme4"}
    columns = ["share", "conf_low", "conf_high", "p_value"]
    np.testing.assert_allclose(theirs.shares[columns], result.shares[columns], atol=2e-3)
    assert variance_shares(attempts, components=MAINS).models["engine"].tolist() == ["lme4"]


def test_without_lme4_auto_goes_on_and_lme4_says_how_to_have_it(attempts, monkeypatch):
    nothing = RStatus(works=False, problem="R is not installed")
    monkeypatch.setattr("layerstats.stats.success.variance_engines.r_status", lambda: nothing)
    assert variance_shares(attempts, components=MAINS).models["engine"].tolist() == ["laplace"]
    with pytest.raises(ArgumentError, match="apt-get install r-cran-lme4"):
        variance_shares(attempts, engine="lme4")


def test_each_set_up_and_null_has_a_model_and_what_never_succeeds_is_said(attempts):
    zero = attempts.assign(null="zero_steps", response="other")
    untrained = attempts.assign(
        null="untrained", response=attempts["response"].sample(frac=1, random_state=0).to_numpy()
    )
    both = pd.concat([attempts.assign(null=""), untrained, zero]).assign(set_up="smooth")
    found = variance_shares(both, components=MAINS, engine="laplace")
    assert list(dict.fromkeys(found.shares["null"])) == ["", "untrained"]
    note = found.models.set_index("null").loc["zero_steps", "note"]
    assert note == "every attempt failed, so that there is no variance to share."
    pd.testing.assert_frame_equal(
        found.shares[found.shares["null"] == ""].drop(columns=["set_up", "family"]).reset_index(drop=True),
        variance_shares(attempts, components=MAINS, engine="laplace").shares.drop(columns=["set_up", "family"]),
    )


def test_a_model_of_main_effects_says_that_cells_vary_beyond_it(attempts, result):
    found = variance_shares(attempts, components=MAINS, engine="laplace")
    assert found.models["dispersion"].iloc[0] > 2
    assert any("times as much as binomial counts" in note for note in found.notes)
    assert not any("times as much" in note for note in result.notes)


def test_rows_in_another_order_and_categories_change_nothing(attempts):
    shuffled = attempts.sample(frac=1, random_state=1).astype("category")
    one, other = (variance_shares(table, components=MAINS, engine="laplace").shares for table in (attempts, shuffled))
    pd.testing.assert_frame_equal(one, other)


def test_judgements_of_networks_on_their_own_are_left_out_by_default(make_frame):
    table = make_frame(networks=4, classes=4, starts=15)
    found = variance_shares(table, components=MAINS, engine="laplace")
    assert found.models["attempts"].tolist() == [len(table) - 4 * 4 * 15]
    assert any("made for themselves" in note for note in found.notes)
    everything = variance_shares(table, components=MAINS, own_judgements="include", engine="laplace")
    assert everything.models["attempts"].tolist() == [len(table)]


def test_starts_are_a_component_where_several_judges_hear_them():
    table = simulated_attempts({"start": 3.0, "judge": 0.5}, networks=2, judges=8, targets=3, starts=30, seed=4)
    found = variance_shares(table, components=["judge", "start"], engine="laplace", most_starts=90)
    start = found.shares.set_index("component").loc["start"]
    assert start["levels"] == 90
    assert start["p_value"] < 1e-6
    assert any("90 of 180 starts" in note for note in found.notes)
    again = variance_shares(table, components=["judge", "start"], engine="laplace", most_starts=90)
    pd.testing.assert_frame_equal(found.shares, again.shares)
    other = variance_shares(table, components=["judge", "start"], engine="laplace", most_starts=90, seed=1)
    assert other.shares["share"].iloc[1] != start["share"]


def test_a_class_that_always_succeeds_is_kept_and_named(attempts):
    table = attempts.assign(response=attempts["response"].where(attempts["target"] != "target 0", attempts["target"]))
    found = variance_shares(table, components=MAINS, engine="laplace")
    assert np.isfinite(found.shares["conf_high"]).all()
    assert any("1 of 5 levels of target always or never succeed (target 0)" in note for note in found.notes)


@pytest.mark.parametrize("factor", MAINS)
def test_one_level_of_a_factor(attempts, factor):
    alone = attempts[attempts[factor] == attempts[factor].iloc[0]]
    if factor == "judge":
        with pytest.raises(DataError, match="one judge only"):
            variance_shares(alone, engine="laplace")
        return
    found = variance_shares(alone, engine="laplace")
    assert factor not in set(found.shares["component"])
    word = {"target": "class"}.get(factor, factor)
    assert any(f"There is one {word} only" in note for note in found.notes)
    with pytest.raises(DataError, match="but there is one only"):
        variance_shares(alone, components=[factor], engine="laplace")


def test_what_is_refused(attempts):
    with pytest.raises(DataError, match="every attempt succeeded"):
        variance_shares(attempts.assign(response=attempts["target"]), engine="laplace")
    with pytest.raises(DataError, match="NaN or infinite values present in required column 'response'"):
        variance_shares(attempts.assign(response=attempts["response"].where(attempts.index != 3)), engine="laplace")
    with pytest.raises(DataError, match="Column 'judge' is not in"):
        variance_shares(attempts.drop(columns="judge"))
    with pytest.raises(ArgumentError, match="'speaker' is not one of"):
        variance_shares(attempts, components=["speaker"])
    with pytest.raises(ArgumentError, match="'conf_level' must lie between 0 and 1"):
        variance_shares(attempts, conf_level=95)
    one = attempts[(attempts["network"] == "network 0") & (attempts["start"] == "start 0")]
    with pytest.raises(DataError, match="cannot be estimated: each of its levels has a single attempt"):
        variance_shares(one, components=["judge:target"], engine="laplace")


@pytest.mark.slow
def test_intervals_cover_and_tests_keep_their_level():
    table = calibrate_variance(("classes and cells vary", "all vary"), datasets=40, seed=7).set_index(
        ["world", "component"]
    )
    # Three standard errors of .95 and of .05 in 40 are .103.
    assert (table["coverage"] >= 0.84).all()
    none = table.loc["classes and cells vary"].loc[["network", "judge"], "rejected"]
    assert (none <= 0.15).all()
    assert table.loc[("classes and cells vary", "target"), "rejected"] > 0.95
    assert table.loc[("all vary", "target"), "mean_share"] == pytest.approx(
        table.loc[("all vary", "target"), "true_share"], abs=0.03
    )
    assert (table["refused"] == 0).all()


@pytest.mark.r
def test_doctor_and_status_know_lme4():
    assert r_status().lme4_version is None or r_status().lme4_version[0].isdigit()


def test_quasi_likelihood_of_the_engine_is_near_and_a_little_smaller():
    """The engine's binomial models with random effects: near where cells have many trials, and towards zero."""
    table = simulated_attempts({"network": 0.5, "target": 1.0}, networks=6, judges=2, targets=12, starts=60, seed=9)
    cells = table.assign(success=table["response"] == table["target"])
    cells = cells.groupby(["network", "target"], as_index=False)["success"].agg(["mean", "size"]).reset_index()
    engine = fit(
        'mean ~ s(network, bs = "re") + s(target, bs = "re")', cells, weights="size", family="binomial",
        engine="structured",
    )  # fmt: skip
    theirs = 1 / engine.engine_fit.smoothing_parameters
    shares = variance_shares(table, components=["network", "target"], engine="laplace").shares
    ratio = theirs / shares["variance"].to_numpy()[:2]
    assert (ratio < 1).all()
    assert (ratio > 0.9).all()
