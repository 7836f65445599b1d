"""The wine data and R's fit of them: ordinal 2022.11, `clmm(rating ~ temp + contact + (1 | judge))`, Laplace."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.stats.ratings.estimates.latent_model import LatentDesigns, LatentModel, LatentParameters

# By judge: cold no, no, yes, yes, then warm no, no, yes, yes (Randall 1989).
RATINGS = "23344455 12132354 23325544 32323253 23433333 32322454 11222323 22233334 12323244"
THRESHOLDS = (-1.623667, 1.513365, 4.228527, 6.088772)
COEFFICIENTS = (3.0630, 1.8349)
JUDGE_SD = 1.131133
# The inverse of the Hessian: thresholds, tempwarm, contactyes, standard deviation of judges.
COVARIANCE = np.array(
    [
        [0.46572770, 0.21192374, 0.19826042, 0.1959034, 0.03199102, 0.05898636, -0.03204582],
        [0.21192374, 0.36452235, 0.37976542, 0.4112188, 0.16621278, 0.14481102, 0.02861677],
        [0.19826042, 0.37976542, 0.65443398, 0.6795379, 0.31959259, 0.23218088, 0.08155811],
        [0.19590338, 0.41121884, 0.67953792, 0.9456776, 0.39286902, 0.27544470, 0.11280212],
        [0.03199102, 0.16621278, 0.31959259, 0.3928690, 0.35447532, 0.08409261, 0.05756353],
        [0.05898636, 0.14481102, 0.23218088, 0.2754447, 0.08409261, 0.26268738, 0.03366190],
        [-0.03204582, 0.02861677, 0.08155811, 0.1128021, 0.05756353, 0.03366190, 0.12429240],
    ]
)


def wine() -> pd.DataFrame:
    """Return 72 ratings of bitterness, ``rating, temp, contact, judge, bottle``."""
    rows = [
        {
            "rating": int(rating),
            "temp": "warm" if place >= 4 else "cold",
            "contact": "yes" if place % 4 >= 2 else "no",
            "judge": str(judge + 1),
            "bottle": str(place + 1),
        }
        for judge, ratings in enumerate(RATINGS.split())
        for place, rating in enumerate(ratings)
    ]
    return pd.DataFrame(rows)


def wine_by_hand() -> LatentModel:
    """Return R's fit as estimates take a model."""
    frame = wine()[["temp", "contact"]].astype("category")
    return LatentModel(
        link="logit",
        categories=tuple("12345"),
        scores=np.arange(1.0, 6.0),
        parameters=np.array([*THRESHOLDS, *COEFFICIENTS, JUDGE_SD]),
        covariance=COVARIANCE,
        unpack=_unpack,
        designs=_designs,
        frame=frame,
    )


def _unpack(parameters: np.ndarray) -> LatentParameters:
    return LatentParameters(parameters[:4], parameters[4:6], np.zeros(0), (np.array([[parameters[6] ** 2]]),))


def _designs(frame: pd.DataFrame) -> LatentDesigns:
    fixed = np.column_stack([frame["temp"] == "warm", frame["contact"] == "yes"]).astype(float)
    return LatentDesigns(fixed, np.zeros((len(frame), 0)), (np.ones((len(frame), 1)),))
