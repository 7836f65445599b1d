"""The arguments of a smooth that the engine understands; any other is `Unsupported`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerstats.stats.gamm.formula.expression import Expression, Name, can_evaluate, evaluate, names_in
from layerstats.stats.gamm.formula.terms import SmoothTerm
from layerstats.stats.gamm.structured.unsupported import Unsupported

_UNDERSTOOD = {"bs", "k", "m"}


def check_options(smooth: SmoothTerm) -> None:
    """Refuse arguments that change the model in ways that the engine does not know.

    Raises
    ------
    Unsupported
        With the argument.
    """
    understood = _UNDERSTOOD | ({"xt"} if smooth.bases[0] == "fs" else set() if smooth.random else {"id"})
    if smooth.unread is not None:
        raise Unsupported(smooth.unread)
    for name, value in smooth.options:
        if name not in understood:
            raise Unsupported(f"the argument {name} = {value} of {smooth}")
    if smooth.option("m") is not None and smooth.penalty_orders is None:
        raise Unsupported(f"the argument m = {smooth.option('m')} of {smooth}")
    # Thin plates take a second number for leaving out their null space.
    if smooth.function == "s" and smooth.bases[0] in ("tp", "ts", "fs") and len(smooth.penalty_orders or ()) > 1:
        raise Unsupported(f"the argument m = {smooth.option('m')} of {smooth}")


def smoothing_id(smooth: SmoothTerm) -> str | None:
    """Return the ``id`` that was written."""
    written = smooth.option("id")
    return None if written is None else str(written).strip("\"'")


def is_factor(frame: pd.DataFrame, variable: Expression) -> bool:
    """Return whether `variable` is a factor of the coded `frame`."""
    return isinstance(variable, Name) and isinstance(frame[variable.name].dtype, pd.CategoricalDtype)


def check_number(frame: pd.DataFrame, variable: Expression) -> None:
    """Refuse expressions that are not evaluated here.

    Raises
    ------
    Unsupported
        With the expression.
    """
    if any(is_factor(frame, Name(column)) for column in names_in(variable)):
        raise Unsupported(f"{variable}, a factor, where a number belongs")
    if not can_evaluate(variable):
        raise Unsupported(f"the expression {variable}")


def numbers(variable: Expression, frame: pd.DataFrame) -> np.ndarray:
    """Return the values of a covariate, (row,).

    Raises
    ------
    Unsupported
        It is an expression that is not evaluated here.
    """
    check_number(frame, variable)
    return evaluate(variable, frame)


def orders(smooth: SmoothTerm) -> tuple[int, ...] | None:
    """Return the ``m`` that was written, as whole numbers.

    Raises
    ------
    Unsupported
        It has fractions (Duchon splines).
    """
    written = smooth.penalty_orders
    if written is None:
        return None
    if any(value != int(value) or value < 0 for value in written):
        raise Unsupported(f"m = {smooth.option('m')} in {smooth}")
    return tuple(int(value) for value in written)
