"""The families of responses: their links, and what the values of a response may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from layerstats.errors import ArgumentError, DataError


@dataclass(frozen=True)
class Link:
    """How the linear predictor of a family becomes the mean of the response.

    Attributes
    ----------
    name
        As R calls it.
    mean
        Takes linear predictors to means.
    slope
        The derivative of `mean`.
    """

    name: str
    mean: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]


_IDENTITY = Link("identity", lambda predictor: predictor, np.ones_like)
_LOGIT = Link("logit", special.expit, lambda predictor: special.expit(predictor) * special.expit(-predictor))
_LOG = Link("log", np.exp, np.exp)
_INVERSE = Link("inverse", lambda predictor: 1 / predictor, lambda predictor: -1 / predictor**2)

# The links are R's defaults. Ordered categories have no mean.
_LINKS = {
    "gaussian": _IDENTITY,
    "binomial": _LOGIT,
    "poisson": _LOG,
    "Gamma": _INVERSE,
    "scat": _IDENTITY,
    "ocat": None,
}
FAMILIES = tuple(_LINKS)


def link_of(family: str) -> Link:
    """Return the link of a family.

    Raises
    ------
    ArgumentError
        Its linear predictor has no mean to be taken to.

    Examples
    --------
    >>> link_of("binomial").mean(np.array([0.0]))
    array([0.5])
    """
    link = _LINKS[family]
    if link is None:
        raise ArgumentError(
            f"The family {family!r} has no response scale of one value a row: use scale='link', and the thresholds of "
            "the result."
        )
    return link


def check_response(family: str, response: np.ndarray, name: str) -> None:
    """Raise `DataError` where a response cannot be one of `family`.

    Examples
    --------
    >>> check_response("binomial", np.array([0, 0.25, 1]), "rate")
    """
    if family == "binomial":
        bad = (response < 0) | (response > 1)
        if bad.any():
            raise DataError(
                f"A binomial response must be between 0 and 1, but {name} is outside in {int(bad.sum())} of "
                f"{len(response)} rows, for instance {response[bad][0]:g}. Give counts as proportions, with the number "
                "of trials as 'weights'."
            )
    elif family == "ocat":
        highest = response.max()
        if np.any(response != np.round(response)) or response.min() < 1 or highest < 3:
            raise DataError(
                f"Ordered categories must be the whole numbers from 1 to 3 or more, but {name} has values from "
                f"{response.min():g} to {highest:g}. Number the categories in their order; two are a binomial response."
            )
        missing = sorted(set(range(1, int(highest) + 1)) - set(response.astype(int)))
        if missing:
            raise DataError(
                f"No row of {name} has {', '.join(map(str, missing))}, so that its thresholds are not determined. "
                "Number the categories that occur without gaps."
            )


def response_notes(family: str, response: np.ndarray, weights: np.ndarray | None, function: str) -> tuple[str, ...]:
    """Return what to know of how a family takes this response."""
    if family == "binomial" and np.any((response > 0) & (response < 1)):
        if weights is None:
            return (
                "The response has proportions without 'weights': each row counts as one trial. Give the number of "
                "trials as 'weights'.",
            )
        trials = np.asarray(weights)
        successes = trials * response
        if np.any(np.abs(successes - np.round(successes)) > 1e-6 * np.maximum(1, trials)):
            return (
                "The successes, 'weights' times the response, are not whole numbers. Estimates are as if they could "
                "be; the log likelihood rounds them.",
            )
    if family == "ocat" and function == "bam":
        return (
            "bam() estimates thresholds at fixed curves, which draws them together where tokens have curves of their "
            "own; function='gam' does not.",
        )
    return ()
