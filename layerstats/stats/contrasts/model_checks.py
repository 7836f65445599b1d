"""Which layers' models fail checks of their residuals: said where their claims stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from layerstats.stats.gamm.checks.residual_checks import failed_checks

if TYPE_CHECKING:
    from layerstats.stats.gamm.inference.result import GammResult

PASSED = "passed"


def check_models(results: Mapping[str, GammResult]) -> dict[str, pd.DataFrame]:
    """Return the checks of the residuals at each layer; see `residual_checks_table`."""
    return {layer: result.residual_checks() for layer, result in results.items()}


def verdicts(checks: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Return for each layer the checks that its model fails, as the column `model_checks` has them.

    Examples
    --------
    >>> table = pd.DataFrame({"check": ["normality", "equal variance"], "passed": [False, True]})
    >>> verdicts({"conv1": table, "conv2": table.assign(passed=True)})
    {'conv1': 'fails normality', 'conv2': 'passed'}
    """
    failed = {layer: failed_checks(table) for layer, table in checks.items()}
    return {layer: f"fails {', '.join(names)}" if names else PASSED for layer, names in failed.items()}


def warn_of(models: Mapping[str, str], untested: Mapping[str, str] | None = None) -> str:
    """Say in a sentence which models fail, and which layers are not tested; claims say what does not depend on them.

    Examples
    --------
    >>> warn_of({"conv1": "fails normality", "conv2": "passed"})
    'Checks of the residuals fail at conv1 (normality): p-values and intervals there are approximate.'
    >>> warn_of({"conv2": "passed"})
    ''
    """
    alike: dict[str, list[str]] = {}
    for layer, text in models.items():
        if text != PASSED:
            alike.setdefault(text.removeprefix("fails "), []).append(layer)
    failing = [f"{', '.join(layers)} ({text})" for text, layers in alike.items()]
    left_out = "".join(f" {layer} is not tested: {reason}." for layer, reason in (untested or {}).items())
    if not failing:
        return left_out.strip()
    said = f"Checks of the residuals fail at {'; '.join(failing)}"
    return f"{said}: p-values and intervals there are approximate.{left_out}"
