"""How starts are maximized, with the published settings by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from layerstats.checks import check_choice, check_not_negative
from layerstats.errors import ArgumentError
from layerstats.probes.maximization.ascent import AscentSettings
from layerstats.probes.maximization.priors.protocol import Prior
from layerstats.probes.maximization.starts import MATCHES
from layerstats.probes.units import ACTIVATION, Unit, check_objective

# What Soomro et al. (2019) do: the softmax probability, 20 steps of .01 on features or .1 on codes (the usual rates).
# What Krug & Stober (2018, section 3.2) do, of units of any layer as of letters before the softmax.
SETTINGS: dict[str, Mapping[str, Any]] = {
    "soomro2019": {
        "objective": "probability",
        "optimiser": "gradient_rms",
        "steps": 20,
        "start_deviation": 0.1,
    },
    "krug2018": {
        "objective": "logit",
        "optimiser": "adam",
        "rate": 0.05,
        "steps": 250,
        "start_from": "xavier_uniform",
    },
}
# The priors of settings that say one; others have none.
_PRIORS = {"krug2018": "smooth?l1=0.001&l2=0.001&total_variation=0"}
# Of Adam, in Krug & Stober (2018).
_ADAM_RATE = 0.05


@dataclass(frozen=True)
class MaximizationSettings:
    """What is maximized, from where, and how; every value is given, and stored as an attribute.

    Parameters
    ----------
    objective : str
        "log_probability", "probability" or "logit" of a class, "activation" of a layer's units.
    start_from : str
        "noise", "xavier_uniform", "data", "codes" or "own" (`Prior`).
    start_deviation : float
        Standard deviation of noise and of small random codes.
    match : str
        "own" or "any": the tokens that starts from data begin from.
    ascent : AscentSettings
        Steps.

    Examples
    --------
    >>> settings = MaximizationSettings("log_probability", "noise", 0.1, "own", AscentSettings(steps=5))
    >>> settings.attributes()["start_deviation"], settings.attributes()["steps"]
    (0.1, 5)
    """

    objective: str
    start_from: str
    start_deviation: float
    match: str
    ascent: AscentSettings

    def attributes(self) -> dict[str, object]:
        """Return the settings as plain values; those that are None or do not apply are left out."""
        ascent = {name: value for name, value in asdict(self.ascent).items() if value is not None}
        about = {"objective": self.objective, "start_from": self.start_from, **ascent}
        if self.start_from == "data":
            return {**about, "match": self.match}
        if self.start_from in ("own", "xavier_uniform"):
            return about
        return {**about, "start_deviation": self.start_deviation}


def usual_prior(settings: str | None) -> str:
    """Return the name of the prior of published settings; "none" where they have none, or there are no settings.

    Examples
    --------
    >>> usual_prior("krug2018"), usual_prior(None)
    ('smooth?l1=0.001&l2=0.001&total_variation=0', 'none')
    """
    return _PRIORS.get(settings or "", "none")


def settle(prior: Prior, units: list[Unit], preset: str | None, given: Mapping[str, Any]) -> MaximizationSettings:
    """Return complete settings: what was given, else the preset's, else the usual ones of the prior and the units.

    Parameters
    ----------
    prior : Prior
        What is optimised: it has a usual rate, and a usual start.
    units : list of Unit
        What is maximized.
    preset : str or None
        Of `SETTINGS`.
    given : mapping
        objective, optimiser, rate, steps, until, direction, paths, start_from, start_deviation, match; None is not
        given.

    Raises
    ------
    ArgumentError
        A setting is unknown or out of range, or the prior does not know such starts.
    """
    if preset is not None:
        check_choice("settings", preset, SETTINGS)
    chosen = {**SETTINGS.get(preset or "", {}), **{name: value for name, value in given.items() if value is not None}}
    names = {one.name for one in fields(AscentSettings)}
    ascent = {name: value for name, value in chosen.items() if name in names}
    usual_rate = _ADAM_RATE if chosen.get("optimiser") == "adam" else prior.rate
    # What settings say of classes says nothing of units of layers, which are what they are.
    objective = given.get("objective") or (ACTIVATION if units[0].layer else chosen.get("objective", "log_probability"))
    check_objective(objective, units)
    start_from = chosen.get("start_from") or prior.starts[0]
    if start_from not in prior.starts:
        raise ArgumentError(
            f"The prior {prior.name!r} knows starts from {', '.join(map(repr, prior.starts))}, but got {start_from!r} "
            "instead."
        )
    match = chosen.get("match", "own")
    check_choice("match", match, MATCHES)
    deviation = chosen.get("start_deviation", 0.1)
    check_not_negative("start_deviation", deviation)
    steps = AscentSettings(**{"rate": usual_rate, **ascent})
    if steps.until is not None and units[0].layer:
        raise ArgumentError("Units of layers have no probability: leave out the 'until' parameter.")
    return MaximizationSettings(objective, start_from, float(deviation), match, steps)
