"""Agreement of two observers over conditions: by the definition, with a null of conditions exchanged."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from layerstats.errors import ArgumentError
from layerstats.stats import agreement_over_conditions

OPTIONS = {"value": "value", "subject": "listener", "factor": "observer", "by": "stage"}
LEVELS = {"level_1": "human", "level_2": "network"}


def table(seed=0, listeners=8, stages=7, shared=1.0, noise=0.7):
    generator = np.random.default_rng(seed)
    common = generator.normal(size=stages)
    own = {"human": common, "network": shared * common + (1 - shared) * generator.normal(size=stages)}
    rows = [
        (f"p{listener}", observer, f"s{stage}", level[stage] + noise * generator.normal())
        for listener in range(listeners)
        for observer, level in own.items()
        for stage in range(stages)
    ]
    return pd.DataFrame(rows, columns=["listener", "observer", "stage", "value"])


def test_the_estimate_is_the_mean_of_the_listeners_correlations():
    scores = table(noise=0.2)
    wide = scores.pivot_table(index=["listener", "stage"], columns="observer", values="value")
    own = [spearmanr(rows["human"], rows["network"]).statistic for _, rows in wide.groupby("listener")]
    found = agreement_over_conditions(scores, **OPTIONS, **LEVELS).iloc[0]
    assert found["estimate"] == pytest.approx(np.mean(own))
    assert found["conf_high"] - found["estimate"] == pytest.approx(
        2.364624 * np.std(own, ddof=1) / np.sqrt(8), rel=1e-5
    )
    assert found["subjects"] == 8
    assert found["p_value"] < 0.01
    swapped = agreement_over_conditions(scores, **OPTIONS, level_1="network", level_2="human").iloc[0]
    assert swapped["estimate"] == pytest.approx(found["estimate"])


def test_listeners_who_share_their_stages_are_no_evidence_of_agreement():
    # Every listener hears the same stages well: the interval over listeners is narrow, but stages are what is drawn.
    rejected = [
        agreement_over_conditions(table(seed, shared=0.0, noise=0.1), **OPTIONS, **LEVELS, permutations=99)["p_value"][
            0
        ]
        <= 0.05
        for seed in range(200)
    ]
    # 200 tests at .05: more than 21 happens once in 2,000 times.
    assert np.sum(rejected) <= 21
    assert np.sum(rejected) >= 1


def test_who_hears_all_stages_alike_has_no_correlation():
    scores = table()
    scores.loc[(scores["listener"] == "p0") & (scores["observer"] == "network"), "value"] = 1.0
    assert agreement_over_conditions(scores, **OPTIONS, **LEVELS)["subjects"].tolist() == [7]
    alike = scores.assign(value=scores["value"].where(scores["observer"] == "human", 1.0))
    found = agreement_over_conditions(alike, **OPTIONS, **LEVELS).iloc[0]
    assert found["subjects"] == 0
    assert found[["estimate", "conf_low", "null_low", "p_value"]].isna().all()


def test_an_unknown_level_is_named():
    with pytest.raises(ArgumentError, match="'dog' is no level of 'observer'"):
        agreement_over_conditions(table(), **OPTIONS, level_1="dog", level_2="human")
