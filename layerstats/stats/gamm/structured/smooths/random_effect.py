"""``bs = "re"``: independent Gaussian coefficients of levels, of their interactions, or of slopes by level."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from layerstats.stats.gamm.formula.expression import Expression, Name
from layerstats.stats.gamm.formula.terms import SmoothTerm
from layerstats.stats.gamm.structured.smooths.by_variable import Copy, copies
from layerstats.stats.gamm.structured.smooths.options import check_number, is_factor, numbers
from layerstats.stats.gamm.structured.smooths.term import GroupedTerm
from layerstats.stats.gamm.structured.unique_rows import UniqueRows


def random_effect(smooth: SmoothTerm, rows: UniqueRows) -> list[GroupedTerm]:
    """Return the terms of a random effect, one for each level of its ``by``.

    Raises
    ------
    Unsupported
        A covariate is an expression that is not evaluated here.
    """
    frame = rows.frame
    factor = tuple(
        variable.name for variable in smooth.variables if is_factor(frame, variable) and isinstance(variable, Name)
    )
    slopes = [variable for variable in smooth.variables if not is_factor(frame, variable)]
    for slope in slopes:
        check_number(frame, slope)
    # As mgcv scales penalties: by the largest row of the basis.
    scale = float(np.max(_product(slopes, frame) ** 2)) or 1.0
    return [
        GroupedTerm(
            label=copy.label,
            factor=factor,
            levels=tuple(len(frame[column].cat.categories) for column in factor),
            basis=partial(_columns, slopes, copy),
            penalties=(np.full(1, scale),),
            scales=(scale,),
            random=True,
        )
        for copy in copies(smooth, frame)
    ]


def _columns(slopes: list[Expression], copy: Copy, frame: pd.DataFrame) -> np.ndarray:
    return copy.multiply(_product(slopes, frame)[:, None], frame)


def _product(slopes: list[Expression], frame: pd.DataFrame) -> np.ndarray:
    product = np.ones(len(frame))
    for slope in slopes:
        product = product * numbers(slope, frame)
    return product
