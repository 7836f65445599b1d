"""One row about a binomial model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.stats.gamm.structured import binomial
from layerstats.stats.gamm.structured.fitting import StructuredFit
from layerstats.stats.gamm.structured.edf import EffectiveDf


def binomial_glance_table(fit: StructuredFit, predictor: np.ndarray, edf: EffectiveDf) -> pd.DataFrame:
    """Return the columns of `glance_table`, defined as mgcv's `summary` and `logLik` define them for this family.

    The score is that of the last working model: minus the log restricted likelihood of its working response.
    """
    response, trials = fit.request.response_values, fit.weights
    observations = len(response)
    df, df_residual = edf.total_edf2, observations - edf.total
    log_likelihood = binomial.log_likelihood(predictor, response, trials)
    deviance = float(binomial.deviance_parts(predictor, response, trials).sum())
    root, mean = np.sqrt(trials), trials @ response / trials.sum()
    apart, about = root * (response - binomial.probability(predictor)), root * (response - mean)
    unexplained = np.var(apart) / np.var(about) * (observations - 1) / df_residual
    return pd.DataFrame(
        {
            "nobs": [observations],
            "df": [df],
            "df_residual": [df_residual],
            "log_lik": [log_likelihood],
            "aic": [2 * df - 2 * log_likelihood],
            "bic": [np.log(observations) * df - 2 * log_likelihood],
            "deviance": [deviance],
            "deviance_explained": [1 - deviance / binomial.null_deviance(response, trials)],
            "adj_r_squared": [1 - unexplained],
            "scale": [edf.scale],
            "score": [fit.optimum.value],
            "method": [fit.request.method],
            "rho": [0.0],
        }
    )
