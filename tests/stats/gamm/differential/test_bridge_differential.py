"""The mgcv engine, through `fit()`, says what a plain R script says on the same machine.

Formulas, factors, series and weights arrive. Where rounding errors decide in mgcv, they decide alike in both.
"""

import pytest

from layerstats.stats.gamm import fit

from .comparison import compare_with_answers, failures
from .live import PlainR
from .models import case, case_ids, spread_over

pytestmark = pytest.mark.r

FAST = spread_over(case_ids(), 30)
NAMES = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in case_ids()]


@pytest.fixture(scope="module")
def plain_r():
    process = PlainR()
    yield process
    process.close()


@pytest.mark.parametrize("name", NAMES)
def test_bridge_says_what_r_says(name, plain_r, tmp_path):
    model = plain_r.answered(case(name), tmp_path)
    result = fit(model.formula, model.data, engine="mgcv", **model.arguments)
    failed = failures(compare_with_answers(result, model, "value"))
    assert not failed, f"{model.formula}\n{failed}"
