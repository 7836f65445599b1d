"""The engines there are, in order of preference, and which one fits a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from layerstats.checks import check_choice
from layerstats.errors import FitError, MissingDependencyError, UnsupportedModelError
from layerstats.stats.gamm.engine_interface import CannotFit, Engine, FitPlan, FitRequest

REFERENCE_ENGINE = "mgcv"


def _mgcv() -> Engine:
    from layerstats.stats.gamm.engines.mgcv import MgcvEngine

    return MgcvEngine()


def _pygam() -> Engine:
    from layerstats.stats.gamm.engines.pygam import PygamEngine

    return PygamEngine()


def _structured() -> Engine:
    from layerstats.stats.gamm.engines.structured import StructuredEngine

    return StructuredEngine()


# The first that is available and can fit a model is the one that "auto" takes. A new engine is one line here.
ENGINES: dict[str, Callable[[], Engine]] = {"structured": _structured, "mgcv": _mgcv, "pygam": _pygam}


def engine_names() -> tuple[str, ...]:
    """Return what the 'engine' parameter may be."""
    return ("auto", *ENGINES)


@dataclass(frozen=True, eq=False)
class EngineChoice:
    """An engine, what it is to fit, and why those before it were passed over."""

    engine: Engine
    plan: FitPlan
    reasons: tuple[str, ...] = ()


def choose_engine(name: str | Engine, request: FitRequest) -> EngineChoice:
    """Return the engine called `name`, or for ``"auto"`` the first that can fit `request` here, with its plan.

    Raises
    ------
    MissingDependencyError
        The engine that was asked for is not installed.
    UnsupportedModelError
        It cannot fit this model.
    FitError
        No engine can; the message says what each would need.
    """
    if not isinstance(name, str):
        return _checked(name, request)
    check_choice("engine", name, engine_names())
    if name != "auto":
        return _checked(ENGINES[name](), request)
    passed: dict[str, str] = {}
    for candidate, make in ENGINES.items():
        engine = make()
        plan = _planned(engine, request)
        if isinstance(plan, FitPlan):
            reasons = [f"the engine {other!r} cannot fit this model: {why}" for other, why in passed.items()]
            return EngineChoice(engine, plan, tuple(reasons))
        passed[candidate] = plan.reason
    lines = "\n".join(f"  {candidate}: {reason}" for candidate, reason in passed.items())
    raise FitError(f"No engine can fit this model here.\n{lines}")


def _planned(engine: Engine, request: FitRequest) -> FitPlan | CannotFit:
    missing = engine.available()
    return engine.plan(request) if missing is None else CannotFit(missing)


def _checked(engine: Engine, request: FitRequest) -> EngineChoice:
    missing = engine.available()
    if missing is not None:
        raise MissingDependencyError(f"The engine {engine.name!r} does not work here: {missing}")
    plan = engine.plan(request)
    if isinstance(plan, CannotFit):
        raise UnsupportedModelError(f"The engine {engine.name!r} cannot fit this model: {plan.reason}")
    return EngineChoice(engine, plan)
