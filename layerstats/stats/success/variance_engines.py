"""Who maximises the restricted likelihood of a mixed logistic model: lme4, or this package. Both maximise the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from layerstats.errors import ArgumentError, FitError
from layerstats.rbridge import default_pool, r_status
from layerstats.stats.success.crossed_logistic import CrossedLogistic
from layerstats.stats.success.variance_profile import VarianceFit, fit_variances, without_rounding

VarianceEngine = Literal["auto", "lme4", "laplace"]
ENGINES = ("auto", "lme4", "laplace")
INSTALL_LME4 = "apt-get install r-cran-lme4"
# In minus twice the log likelihood, between two implementations at one place, and between two optima.
_AGREE = 1e-3


def choose_engine(engine: VarianceEngine) -> str:
    """Return "lme4" or "laplace"; "auto" is lme4 where R has it.

    Raises
    ------
    ArgumentError
        lme4 was asked for and is not there.
    """
    if engine == "laplace":
        return engine
    status = r_status()
    if status.lme4_version is not None:
        return "lme4"
    if engine == "lme4":
        raise ArgumentError(
            f"engine='lme4' needs R with lme4, which is not here: {status.problem or 'R lacks the package'}. Install "
            f"it with: {INSTALL_LME4}; or use engine='laplace', which maximises the same likelihood without R."
        )
    return "laplace"


def fit_by(
    engine: str, model: CrossedLogistic, levels: Sequence[np.ndarray]
) -> tuple[VarianceFit, str, tuple[str, ...]]:
    """Fit a model.

    Returns
    -------
    tuple of VarianceFit, str, tuple of str
        The fit, the engine whose it is, and notes.

    Raises
    ------
    FitError
        The fit did not converge, or the two implementations of the likelihood disagree.
    """
    own = fit_variances(model)
    if engine == "laplace":
        return own, engine, ()
    reply = (
        default_pool()
        .call(
            "mixed_logistic",
            successes=model.successes,
            failures=model.trials - model.successes,
            levels=levels_frame(levels),
        )
        .value
    )
    variances = without_rounding(np.asarray(reply["variances"], dtype=float).reshape(-1))
    here = model.evaluate(variances)
    if abs(here.value - reply["deviance"]) > _AGREE:
        raise FitError(
            f"lme4 {reply['version']} and this package disagree on the likelihood of the mixed logistic model: minus "
            f"twice its log is {reply['deviance']:.6f} and {here.value:.6f}. Use engine='laplace', and report this."
        )
    if here.value > own.value + _AGREE:
        note = (
            f"lme4 ended {here.value - own.value:.2g} above the lowest value of minus twice the log likelihood "
            f"(largest element of its gradient: {reply['gradient']:.2g}): the lower one is reported."
        )
        return own, "laplace", (note,)
    return VarianceFit(variances, here.value, here.intercept, here.predictor), engine, ()


def levels_frame(levels: Sequence[np.ndarray]) -> pd.DataFrame:
    """Return the levels of each component as a column, as the function of R takes them."""
    return pd.DataFrame({f"term{number}": codes for number, codes in enumerate(levels)})
