"""The mgcv engine, through `fit()`, says what plain R scripts said: formulas, factors, series and weights arrive."""

import pytest

from layerstats.stats.gamm import fit

from .comparison import compare_with_answers, failures
from .models import case, case_ids, spread_over

pytestmark = pytest.mark.r

# The answers of binomial models are those of a tolerance that fit() does not set.
GAUSSIAN = [name for name in case_ids() if not name.startswith("binomial")]
FAST = spread_over(GAUSSIAN, 30)
NAMES = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in GAUSSIAN]


@pytest.mark.parametrize("name", NAMES)
def test_bridge_says_what_r_says(name):
    model = case(name)
    result = fit(model.formula, model.data, engine="mgcv", **model.arguments)
    failed = failures(compare_with_answers(result, model, "value"))
    assert not failed, f"{model.formula}\n{failed}"
