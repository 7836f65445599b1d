"""Expressions of a formula that only R can evaluate."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.rbridge import default_pool
from layerstats.stats.gamm.formula.expression import Expression
from layerstats.stats.gamm.formula.r_names import RNames
from layerstats.stats.gamm.formula.terms import Formula


def evaluate_in_r(expression: Expression, formula: Formula, frame: pd.DataFrame) -> np.ndarray:
    """Return the values of an expression of `formula` that only R can evaluate, (row,).

    Raises
    ------
    RError
        Or one of its kinds: R is not there, or cannot evaluate it either.
    """
    names = RNames.choose(formula, frame)
    reply = default_pool().call("bridge_values", expression=names.expression(str(expression)), data=names.frame(frame))
    return reply.value
