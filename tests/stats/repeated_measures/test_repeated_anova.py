import subprocess

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.anova import AnovaRM

from layerstats.errors import ArgumentError, DataError
from layerstats.stats import condition_means, paired_differences, repeated_anova

PUBLISHED = {
    "cochresnet50": (("observer", 1, 38, "467.8374"), ("observer:stage", 8, 304, "227.4406")),
    "kell2018": (("observer", 1, 38, "551.9296"), ("observer:stage", 9, 342, "189.1697")),
}


@pytest.fixture
def table():
    """Nine subjects in three groups of different size; two factors within of two and four levels; effects of both."""
    rng = np.random.default_rng(3)
    rows = []
    for number in range(9):
        own = rng.normal(0, 1, 8).cumsum()
        group = "xyyzzzzyx"[number]
        for place, (observer, stage) in enumerate((o, s) for o in ("human", "net") for s in ("a", "b", "c", "d")):
            value = own[place] + 0.8 * (observer == "net") + 0.3 * "abcd".index(stage) * (group == "z")
            rows.append((f"p{number}", group, observer, stage, value))
    return pd.DataFrame(rows, columns=["listener", "group", "observer", "stage", "value"])


def run_r(code, frame, folder):
    frame.to_csv(folder / "table.csv", index=False)
    start = f'd <- read.csv("{folder}/table.csv", stringsAsFactors = TRUE); '
    answer = subprocess.run(["Rscript", "-e", start + code], capture_output=True, text=True, check=True)
    return np.array(answer.stdout.split(), dtype=float)


def test_two_factors_within_subjects_are_tested_as_statsmodels_does(table):
    ours = repeated_anova(table, value="value", subject="listener", within=["observer", "stage"]).effects
    theirs = AnovaRM(table, "value", "listener", within=["observer", "stage"]).fit().anova_table
    ours = ours.set_index("term").loc[theirs.index]
    np.testing.assert_allclose(ours[["statistic", "df", "df_residual", "p_value"]], theirs[list(theirs)], rtol=1e-8)


@pytest.mark.r
def test_corrections_of_sphericity_are_those_of_r(table, tmp_path):
    ours = repeated_anova(table, value="value", subject="listener", within=["stage", "observer"]).effects
    wide = table.pivot_table(index="listener", columns=["observer", "stage"], values="value")
    wide.columns = [f"{stage}{observer}" for observer, stage in wide.columns]
    code = """
        m <- lm(as.matrix(d) ~ 1)
        i <- data.frame(stage = factor(rep(1:4, 2)), observer = factor(rep(1:2, each = 4)))
        for (x in list(list(~stage, ~1), list(~stage + observer, ~stage), list(~stage * observer, ~stage + observer))) {
          a <- anova(m, M = x[[1]], X = x[[2]], idata = i, test = "Spherical")
          h <- attr(a, "heading")
          e <- as.numeric(sub(".*: *", "", grep("epsilon", h, value = TRUE)))
          cat(a[1, "F"], e, a[1, "G-G Pr"], a[1, "H-F Pr"], "")
        }
    """
    theirs = run_r(code, wide, tmp_path).reshape(3, 5)
    ours = ours.set_index("term").loc[["stage", "observer", "stage:observer"]]
    np.testing.assert_allclose(ours["statistic"], theirs[:, 0], rtol=1e-5)
    np.testing.assert_allclose(ours["epsilon_gg"], theirs[:, 1], rtol=1e-3)
    np.testing.assert_allclose(ours["epsilon_hf"], np.minimum(theirs[:, 2], 1), rtol=1e-3)
    np.testing.assert_allclose(ours["p_value_gg"], theirs[:, 3], rtol=1e-4)


@pytest.mark.r
def test_a_factor_between_subjects_is_tested_as_by_aov_with_error_strata(table, tmp_path):
    balanced = table[table["listener"].isin(["p1", "p2", "p7", "p3", "p4", "p5"])]
    ours = repeated_anova(
        balanced, value="value", subject="listener", within=["observer", "stage"], between="group"
    ).effects
    code = """
        s <- summary(aov(value ~ group * observer * stage + Error(listener / (observer * stage)), d))
        for (stratum in s) { t <- stratum[[1]]; n <- trimws(rownames(t))
          for (i in seq_along(n)) if (n[i] != "Residuals") cat(t[i, "F value"], t[i, "Df"], t["Residuals", "Df"], "") }
    """
    theirs = run_r(code, balanced, tmp_path).reshape(-1, 3)
    order = ["group", "observer", "group:observer", "stage", "group:stage", "observer:stage", "group:observer:stage"]
    np.testing.assert_allclose(
        ours.set_index("term").loc[order, ["statistic", "df", "df_residual"]].astype(float), theirs, rtol=1e-6
    )


def test_groups_of_unequal_size_weigh_the_same(table):
    """An effect within subjects is then the mean over groups of each group's: its statistic by the definition."""
    found = repeated_anova(
        table, value="value", subject="listener", within=["observer", "stage"], between="group"
    ).effects
    halves = table.groupby(["group", "listener", "observer"])["value"].mean().unstack()
    apart = (halves["net"] - halves["human"]).groupby("group")
    variance = apart.var(ddof=1) @ (apart.size() - 1) / (apart.size() - 1).sum()
    t = apart.mean().mean() / np.sqrt(variance * (1 / apart.size()).sum() / 9)
    observer = found.set_index("term").loc["observer"]
    assert observer["statistic"] == pytest.approx(t**2)
    assert observer["df_residual"] == 6
    between = found.set_index("term").loc["group"]
    means = table.groupby(["group", "listener"])["value"].mean()
    expected = stats.f_oneway(*(own.to_numpy() for _, own in means.groupby("group")))
    assert between["statistic"] == pytest.approx(expected.statistic)
    assert between["p_value"] == pytest.approx(expected.pvalue)


def test_the_interval_of_eta_holds_the_noncentrality_that_gives_its_ends(table):
    means = table.groupby(["listener", "observer"], as_index=False)["value"].mean()
    effects = repeated_anova(means, value="value", subject="listener", within=["observer"]).effects
    row = effects.iloc[0]
    for end, probability in (("eta_low", 0.975), ("eta_high", 0.025)):
        noncentrality = row[end] / (1 - row[end]) * (1 + 8 + 1)
        if noncentrality > 0:
            assert stats.ncf.cdf(row["statistic"], 1, 8, noncentrality) == pytest.approx(probability, abs=1e-6)
    assert row["eta_low"] <= row["partial_eta_squared"] <= row["eta_high"]


@pytest.mark.realdata
@pytest.mark.parametrize("model", PUBLISHED)
def test_published_values_of_metamers(real_data, model):
    scores = pd.read_csv(real_data("ratings", "metamers_feather2023", "experiment_1.csv"))
    own = scores[scores["model"] == model]
    own = own.assign(unit=own["listener"] + own["observer"])
    options = {"value": "proportion_correct", "subject": "unit", "within": ["stage"], "between": "observer"}
    effects = repeated_anova(own, **options).effects.set_index("term")
    for term, df, df_residual, printed in PUBLISHED[model]:
        row = effects.loc[term]
        assert (row["df"], row["df_residual"]) == (df, df_residual)
        assert f"{row['statistic']:.4f}" == printed


@pytest.mark.realdata
@pytest.mark.r
@pytest.mark.parametrize("model", PUBLISHED)
def test_a_listener_as_one_subject_as_by_aov(real_data, model, tmp_path):
    scores = pd.read_csv(real_data("ratings", "metamers_feather2023", "experiment_1.csv"))
    own = scores[scores["model"] == model]
    code = """
        s <- summary(aov(proportion_correct ~ observer * stage + Error(listener / (observer * stage)), d))
        for (stratum in s[-1]) cat(stratum[[1]][1, "F value"], stratum[[1]][, "Df"], "")
    """
    theirs = run_r(code, own, tmp_path).reshape(3, 3)
    options = {"value": "proportion_correct", "subject": "listener", "within": ["observer", "stage"]}
    effects = repeated_anova(own, **options).effects.set_index("term").loc[["observer", "stage", "observer:stage"]]
    np.testing.assert_allclose(effects[["statistic", "df", "df_residual"]].astype(float), theirs, rtol=1e-6)
    # The test within subjects of the observer is the paired test of the means over stages.
    wide = own.pivot_table(index="listener", columns="observer", values="proportion_correct")
    t = stats.ttest_rel(wide["Human"], wide["Network"]).statistic
    assert effects.loc["observer", "statistic"] == pytest.approx(t**2)


def differences(table, **options):
    names = {"value": "value", "subject": "listener", "factor": "observer", "by": "stage"}
    return paired_differences(table, **names, **{"level_1": "net", "level_2": "human", **options})


def test_differences_are_paired_tests_whose_intervals_and_adjusted_p_values_agree(table):
    found = differences(table)
    wide = table.pivot_table(index="listener", columns=["observer", "stage"], values="value")
    expected = stats.ttest_rel(wide["net"], wide["human"])
    np.testing.assert_allclose(found["statistic"], expected.statistic)
    np.testing.assert_allclose(found["p_value"], expected.pvalue)
    assert found["stage"].tolist() == list("abcd")
    excludes = (found["conf_low"] > 0) | (found["conf_high"] < 0)
    assert (excludes == (found["p_adjusted"] < 0.05)).all()
    reach = (found["conf_high"] - found["diff"]) / found["std_error"]
    # Between one test and Bonferroni's four.
    assert stats.t.ppf(0.975, 8) < reach.iloc[0] < stats.t.ppf(1 - 0.025 / 4, 8) + 0.05
    back = differences(table, level_1="human", level_2="net")
    np.testing.assert_array_equal(back["diff"], -found["diff"])
    np.testing.assert_array_equal(back["conf_low"], -found["conf_high"])
    np.testing.assert_array_equal(back["p_adjusted"], found["p_adjusted"])


@pytest.mark.slow
def test_simultaneous_intervals_hold_all_differences_as_often_as_they_say():
    rng = np.random.default_rng(5)
    covered = 0
    for number in range(300):
        values = rng.normal(size=(8, 6)) + rng.normal(size=(8, 1))
        frame = pd.DataFrame(values, columns=list("abcdef")).rename_axis("listener").reset_index()
        frame = frame.melt("listener", var_name="stage")
        both = pd.concat([frame.assign(observer="net"), frame.assign(observer="human", value=0.0)])
        found = differences(both, draws=500, seed=number)
        covered += int(((found["conf_low"] <= 0) & (found["conf_high"] >= 0)).all())
    assert 0.91 <= covered / 300 <= 0.985


def test_means_have_students_interval_within_the_scale(table):
    found = condition_means(table, value="value", subject="listener", within=["observer", "stage"], bounds=(-9, 2))
    own = table[(table["observer"] == "net") & (table["stage"] == "c")]["value"]
    row = found[(found["observer"] == "net") & (found["stage"] == "c")].iloc[0]
    low, high = stats.t.interval(0.95, 8, own.mean(), own.std() / 3)
    assert row["conf_low"] == pytest.approx(low)
    assert row["conf_high"] == pytest.approx(min(high, 2))
    assert (found["conf_high"] <= 2).all()


def test_what_is_refused(table):
    options = {"value": "value", "subject": "listener", "within": ["observer", "stage"]}
    with pytest.raises(DataError, match="The subject 'p0' has no value for observer 'human', stage 'a'"):
        repeated_anova(table.iloc[1:], **options)
    with pytest.raises(DataError, match=r"The subject 'p0' has two values for observer 'human', stage 'a'"):
        repeated_anova(pd.concat([table, table.iloc[:1]]), **options)
    with pytest.raises(DataError, match="NaN or infinite"):
        repeated_anova(table.assign(value=table["value"].where(table.index > 0)), **options)
    with pytest.raises(DataError, match="is in several levels of 'observer'"):
        repeated_anova(table, value="value", subject="listener", within=["stage"], between="observer")
    with pytest.raises(DataError, match="has one level only, 'a'"):
        repeated_anova(table[table["stage"] == "a"], **options)
    with pytest.raises(DataError, match="too few subjects"):
        repeated_anova(table[table["listener"] == "p0"], **options)
    with pytest.raises(DataError, match="Subjects do not differ at all"):
        repeated_anova(table.assign(value=table["stage"].map("abcd".index)), **options)
    with pytest.raises(DataError, match="must hold numbers"):
        repeated_anova(table.assign(value="much"), **options)
    with pytest.raises(ArgumentError, match="must name different columns"):
        repeated_anova(table, value="value", subject="listener", within=["stage"], between="stage")
    with pytest.raises(ArgumentError, match="must be a list"):
        repeated_anova(table, value="value", subject="listener", within="stage")
    with pytest.raises(ArgumentError, match="'dog' is no level of 'observer'"):
        differences(table, level_1="dog")
    with pytest.raises(DataError, match="All subjects have the same difference at stage 'a'"):
        differences(table.assign(value=table["observer"].map({"net": 1.0, "human": 0.0})))
