"""Draws from the posterior of the coefficients, at any rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError
from layerstats.stats.gamm.inference.result import GammResult
from layerstats.stats.gamm.r_random import NormalDraws
from layerstats.stats.symmetric_root import symmetric_root
from layerstats.tables import check_frame


def posterior_draws(
    result: GammResult,
    new_data: pd.DataFrame,
    draws: int = 1000,
    seed: int = 0,
    exclude: Sequence[str] = (),
    unconditional: bool = False,
) -> pd.DataFrame:
    """Draw linear predictors of new rows from their posterior: normal, as are all intervals of this package.

    What is computed of each draw (where a curve peaks, how far two of its points are apart) is a draw of that
    quantity, so that its quantiles are an interval. Draws of coefficients with the same `seed` and `exclude` are the
    same, so that those of one set of rows may be compared with those of another.

    Parameters
    ----------
    result
        A fitted model.
    new_data, exclude
        See `GammResult.design`. Of random terms only levels of the fit can be drawn; leave out the others.
    draws, seed
        How many, and from which seed: as R's ``set.seed(seed); rnorm``.
    unconditional
        Whether draws hold the uncertainty of the smoothing parameters too.

    Returns
    -------
    pandas.DataFrame
        ``draw, row, value``, both counted from 0; all rows of a draw one after another.

    Raises
    ------
    ArgumentError
        `draws` is below 1, or see `GammResult.design`.

    Examples
    --------
    >>> from layerstats.stats.gamm import fit
    >>> data = pd.DataFrame({"x": np.linspace(0, 1, 40)}).assign(y=lambda frame: np.sin(5 * frame["x"]))
    >>> data["y"] += np.tile([0.1, -0.1], 20)
    >>> result = fit("y ~ s(x)", data, engine="structured")
    >>> new_data = pd.DataFrame({"x": [0.0, 0.5, 1.0]})
    >>> means = posterior_draws(result, new_data, draws=200).groupby("row")["value"].mean()
    >>> predicted = result.predict(new_data)
    >>> bool(np.all(np.abs(means - predicted["fit"]) < 0.3 * predicted["std_error"]))
    True
    """
    if draws < 1:
        raise ArgumentError(f"The 'draws' parameter must be 1 or more, but got {draws!r} instead.")
    design = result.design(new_data, exclude, unconditional)
    root = symmetric_root(design.covariance)
    normal = NormalDraws(seed).take(draws * len(root)).reshape(draws, len(root))
    drawn = (design.coefficients + normal @ root) @ design.matrix.T
    count = len(design.matrix)
    frame = pd.DataFrame(
        {"draw": np.repeat(np.arange(draws), count), "row": np.tile(np.arange(count), draws), "value": drawn.ravel()}
    )
    return check_frame(frame, "draws")
