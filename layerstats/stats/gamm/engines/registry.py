"""The engines there are, in order of preference, and which one fits a request."""

from __future__ import annotations

from collections.abc import Callable

from layerstats.checks import check_choice
from layerstats.errors import FitError, MissingDependencyError, UnsupportedModelError
from layerstats.stats.gamm.engine_interface import Engine, FitRequest

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


def choose_engine(name: str | Engine, request: FitRequest) -> Engine:
    """Return the engine called `name`, or for ``"auto"`` the first that can fit `request` here.

    Raises
    ------
    MissingDependencyError
        The engine that was asked for is not installed.
    UnsupportedModelError
        It cannot fit this model.
    FitError
        No engine can; the message says what each would need.
    """
    return choose_with_reasons(name, request)[0]


def choose_with_reasons(name: str | Engine, request: FitRequest) -> tuple[Engine, tuple[str, ...]]:
    """Return what `choose_engine` returns, and why those before it were passed over.

    Raises
    ------
    MissingDependencyError, UnsupportedModelError, FitError
        See `choose_engine`.
    """
    if not isinstance(name, str):
        return _checked(name, request), ()
    check_choice("engine", name, engine_names())
    if name != "auto":
        return _checked(ENGINES[name](), request), ()
    reasons = []
    for candidate, make in ENGINES.items():
        engine = make()
        reason = engine.available() or engine.cannot(request)
        if reason is None:
            return engine, tuple(f"the engine {passed!r} cannot fit this model: {why}" for passed, why in reasons)
        reasons.append((candidate, reason))
    lines = "\n".join(f"  {candidate}: {reason}" for candidate, reason in reasons)
    raise FitError(f"No engine can fit this model here.\n{lines}")


def _checked(engine: Engine, request: FitRequest) -> Engine:
    missing = engine.available()
    if missing is not None:
        raise MissingDependencyError(f"The engine {engine.name!r} does not work here: {missing}")
    reason = engine.cannot(request)
    if reason is not None:
        raise UnsupportedModelError(f"The engine {engine.name!r} cannot fit this model: {reason}")
    return engine
