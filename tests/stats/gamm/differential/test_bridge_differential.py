"""The mgcv engine, through `fit()`, says what plain R scripts said: formulas, factors, series and weights arrive."""

import pytest

from layerstats.stats.gamm import fit

from .comparison import compare_with_answers, failures
from .models import case, case_ids, spread_over

pytestmark = pytest.mark.r

FAST = spread_over(case_ids(), 30)
NAMES = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in case_ids()]


@pytest.mark.parametrize("name", NAMES)
def test_bridge_says_what_r_says(name):
    model = case(name)
    result = fit(model.formula, model.data, engine="mgcv", **model.arguments)
    failed = failures(compare_with_answers(result, model, "value"))
    assert not failed, f"{model.formula}\n{failed}"
