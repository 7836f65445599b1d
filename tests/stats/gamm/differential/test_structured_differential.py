"""The structured engine says what mgcv says, or is on the list of exceptions with a reason."""

import pandas as pd
import pytest

from layerstats.stats.gamm import fit

from .at_smoothing import fit_at_smoothing_parameters
from .comparison import SCORE, compare_with_answers, failures
from .models import (
    case,
    case_ids,
    cases,
    determined_causes,
    exceptions,
    first_optimum,
    flat_quantities,
    listed_models,
    score_above_bam,
    spread_over,
)

FAST = spread_over(case_ids(), 70)
NAMES = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in case_ids()]


@pytest.mark.parametrize("name", NAMES)
def test_engine_says_what_mgcv_says(name):
    model = case(name)
    result = fit(model.formula, model.data, engine="structured", **model.arguments)
    at_optimum = compare_with_answers(result, model, model.best_answers)
    # Statistics of random effects whose variance is next to zero are as flat as their smoothing parameters.
    at_optimum = at_optimum[at_optimum["quantity"] != "smooth_statistic"]
    # bam() as it is may have stopped short of its optimum, and in another one: it is compared where it stopped.
    stopped = "determined" if model.is_determined else "value"
    there = compare_with_answers(fit_at_smoothing_parameters(model, result, stopped), model, stopped)
    at_optimum_exempt = exceptions(model, "optimum") | flat_quantities(model)
    wrong = [failures(at_optimum, at_optimum_exempt), failures(there, exceptions(model, "stopped"))]
    assert wrong == ["", ""], "\n".join([model.formula, *wrong])
    above = result.glance["score"].iloc[0] - model.value("score")
    assert above <= max(SCORE, score_above_bam(model)), f"{model.formula}: {above} above the score of bam()"


def test_listed_models_exist():
    assert listed_models() <= set(case_ids())


def test_what_is_flat_agrees_where_mgcv_stopped():
    for model in cases():
        assert not flat_quantities(model).keys() & exceptions(model, "stopped").keys(), model.id


def test_scores_are_never_worse_than_those_of_bam_but_for_those_listed():
    higher = [model for model in cases() if score_above_bam(model)]
    assert {model.family for model in higher if not model.is_determined} <= {"binomial"}
    # What the engine finds is mgcv's own optimum all the same.
    for model in higher:
        if model.is_determined:
            assert score_above_bam(model) >= model.value("score", "determined") - model.value("score") - SCORE


def test_every_model_that_is_determined_is_listed_with_what_moves_its_score():
    listed = {model.id: determined_causes(model) for model in cases() if determined_causes(model)}
    moved = {}
    for model in cases():
        found = model.answers[model.answers["quantity"] == "score_with"].set_index("term")["value"]
        away = (found - model.value("score", "tight")).abs() > SCORE
        if model.is_determined:
            moved[model.id] = frozenset(away.index[away]) or frozenset(["coordinates"])
    pd.testing.assert_series_equal(pd.Series(listed).sort_index(), pd.Series(moved).sort_index())


@pytest.mark.parametrize("name", sorted(first_optimum()))
def test_there_is_a_lower_optimum_where_the_list_says_so(name):
    model = case(name)
    assert model.value("score", "determined") < model.value("score", "tight") - SCORE
    assert not determined_causes(model)


def test_there_are_enough_models():
    models = list(cases())
    gaussian = [model for model in models if model.family == "gaussian"]
    binomial = [model for model in models if model.family == "binomial"]
    assert len(gaussian) >= 300
    assert len(binomial) >= 40
    for family in (gaussian, binomial):
        assert {model.arguments["method"] for model in family} == {"fREML", "REML", "ML"}
        assert len({"weights" in model.arguments for model in family}) == 2
    assert any(model.arguments["rho"] > 0 for model in gaussian)
