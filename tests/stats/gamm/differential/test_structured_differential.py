"""The structured engine says what mgcv says, or is on the list of exceptions with a reason."""

import pandas as pd
import pytest

from layerstats.errors import ArgumentError
from layerstats.stats.gamm import fit

from .comparison import compare_with_answers, compare_with_plain_bam, failures
from .models import case, case_ids, cases, exceptions, listed_models, models_with_fixed_axes, refused, spread_over

FAST = spread_over(case_ids(), 70)
NAMES = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in case_ids()]


@pytest.mark.parametrize("name", NAMES)
def test_engine_says_what_mgcv_says(name):
    model = case(name)
    if name in refused():
        with pytest.raises(ArgumentError) as raised:
            fit(model.formula, model.data, engine="structured", **model.arguments)
        assert refused()[name] in str(raised.value)
        return
    result = fit(model.formula, model.data, engine="structured", **model.arguments)
    table = compare_with_answers(result, model, model.best_answers)
    if not model.rounding_chose_axes:
        table = pd.concat([table, compare_with_plain_bam(result, model)], ignore_index=True)
    # An exception that is not needed any more fails as well.
    wrong = failures(table, exceptions(model))
    assert not wrong, f"{model.formula}\n{wrong}"


def test_listed_models_exist():
    assert listed_models() <= set(case_ids())


def test_every_model_whose_axes_rounding_chose_is_listed():
    assert models_with_fixed_axes() == {model.id for model in cases() if model.rounding_chose_axes}


def test_there_are_enough_models():
    models = list(cases())
    gaussian = [model for model in models if model.family == "gaussian" and model.id not in refused()]
    binomial = [model for model in models if model.family == "binomial"]
    assert len(gaussian) >= 300
    assert len(binomial) >= 40
    for family in (gaussian, binomial):
        assert {model.arguments["method"] for model in family} == {"fREML", "REML", "ML"}
        assert len({"weights" in model.arguments for model in family}) == 2
    assert any(model.arguments["rho"] > 0 for model in gaussian)
