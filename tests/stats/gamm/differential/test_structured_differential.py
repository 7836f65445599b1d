"""The structured engine says what mgcv says, or is on the list of exceptions with a reason."""

import pytest

from layerstats.errors import ArgumentError
from layerstats.stats.gamm import fit

from .comparison import compare_with_answers, failures
from .models import case, case_ids, exceptions, listed_models, refused, spread_over

FAST = spread_over(case_ids(), 60)
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
    excepted = exceptions(model)
    table = compare_with_answers(result, model)
    failed = "" if "all" in excepted else failures(table, excepted)
    assert not failed, f"{model.formula} {excepted}\n{failed}"


def test_listed_models_exist():
    assert listed_models() <= set(case_ids())
