"""The families of responses: their links, and what the values of a response may be."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from layerstats.checks import check_choice
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


# What R calls links.
_LINKS = {
    link.name: link
    for link in (
        Link("identity", lambda predictor: predictor, np.ones_like),
        Link("logit", special.expit, lambda predictor: special.expit(predictor) * special.expit(-predictor)),
        Link("probit", special.ndtr, lambda predictor: np.exp(-(predictor**2) / 2) / np.sqrt(2 * np.pi)),
        Link("cauchit", lambda predictor: 0.5 + np.arctan(predictor) / np.pi, lambda p: 1 / (np.pi * (1 + p**2))),
        Link("cloglog", lambda predictor: -np.expm1(-np.exp(predictor)), lambda p: np.exp(p - np.exp(p))),
        Link("log", np.exp, np.exp),
        Link("inverse", lambda predictor: 1 / predictor, lambda predictor: -1 / predictor**2),
        Link("sqrt", np.square, lambda predictor: 2 * predictor),
        Link("1/mu^2", lambda predictor: predictor**-0.5, lambda predictor: -0.5 * predictor**-1.5),
    )
}
_PROBABILITY = ("logit", "probit", "cauchit", "cloglog")
_COUNT = ("log", "identity", "sqrt")
# Of each family the links that it may have, R's default first. Ordered categories have no mean.
FAMILIES: dict[str, tuple[str, ...]] = {
    "gaussian": ("identity", "log", "inverse"),
    "binomial": (*_PROBABILITY, "log"),
    "quasibinomial": (*_PROBABILITY, "log"),
    "betar": _PROBABILITY,
    "poisson": _COUNT,
    "quasipoisson": _COUNT,
    "nb": _COUNT,
    "tw": (*_COUNT, "inverse"),
    "Gamma": ("inverse", "identity", "log"),
    "inverse.gaussian": ("1/mu^2", "inverse", "identity", "log"),
    "scat": ("identity", "log", "inverse"),
    "ocat": ("identity",),
}
_WRITTEN = re.compile(
    r"""\s*(?:(?:stats|mgcv)::)?(?P<name>[A-Za-z.]+)\s*
        (?:\(\s*(?:link\s*=\s*)?(?P<quote>["']?)(?P<link>[A-Za-z0-9/^]*)(?P=quote)\s*\))?\s*""",
    re.VERBOSE,
)


def read_family(text: str) -> str:
    """Return a family as R code: its name, with its link where that is not the default.

    Raises
    ------
    ArgumentError
        There is no such family, or it has no such link.

    Examples
    --------
    >>> read_family("binomial(probit)"), read_family("poisson(link = 'log')"), read_family("nb")
    ('binomial(link = "probit")', 'poisson', 'nb')
    """
    match = _WRITTEN.fullmatch(str(text))
    name = match["name"] if match else str(text)
    check_choice("family", name, tuple(FAMILIES))
    links = FAMILIES[name]
    link = (match["link"] if match else "") or links[0]
    if link not in links:
        raise ArgumentError(f"The family {name!r} has the links {', '.join(links)}, but got {link!r} instead.")
    return name if link == links[0] else f'{name}(link = "{link}")'


def _name_and_link(family: str) -> tuple[str, str]:
    name, _, rest = family.partition("(")
    return name, rest.split('"')[1] if rest else FAMILIES[name][0]


def link_of(family: str) -> Link:
    """Return the link of a family, as `read_family` writes it.

    Raises
    ------
    ArgumentError
        Its linear predictor has no mean to be taken to.

    Examples
    --------
    >>> link_of("binomial").mean(np.array([0.0]))
    array([0.5])
    """
    name, link = _name_and_link(family)
    if name == "ocat":
        raise ArgumentError(
            f"The family {family!r} has no response scale of one value a row: use scale='link', and the thresholds of "
            "the result."
        )
    return _LINKS[link]


# The least that a response may be, and whether it may be just that.
_SMALLEST = {
    **dict.fromkeys(("poisson", "quasipoisson", "nb", "tw"), (0.0, True)),
    **dict.fromkeys(("Gamma", "inverse.gaussian", "betar"), (0.0, False)),
}


def check_response(family: str, response: np.ndarray, name: str) -> None:
    """Raise `DataError` where a response cannot be one of `family`.

    Examples
    --------
    >>> check_response("binomial", np.array([0, 0.25, 1]), "rate")
    """
    family = family.partition("(")[0]
    smallest, itself = _SMALLEST.get(family, (-np.inf, True))
    low = (response < smallest) | ((response == smallest) & (not itself))
    if low.any() or (family == "betar" and response.max() >= 1):
        bounds = "between 0 and 1" if family == "betar" else "positive" if not itself else "0 or more"
        raise DataError(
            f"A response of family {family!r} must be {bounds}, but {name} is from {response.min():g} to "
            f"{response.max():g}."
        )
    if family in ("binomial", "quasibinomial"):
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
    family = family.partition("(")[0]
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
