"""What `layerstats gamm --plot` adds: smooths, differences and checks of the residuals as figures, on one page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from plotnine import labs, theme

from layerstats.errors import LayerstatsError
from layerstats.files import plain_stem
from layerstats.plots import autocorrelation, residual_checks, smooths
from layerstats.plots import difference as draw_difference
from layerstats.report import Output, write_page
from layerstats.stats.gamm import curves

if TYPE_CHECKING:
    from layerstats.stats.gamm import DifferenceResult, GammResult

_POINTS = 100
CAPTIONS = {
    "smooth": "On the scale of the linear predictor, without random effects; bands are pointwise 95 % intervals.",
    "difference": "Where the band excludes zero (black strip) the two differ; it holds for the whole curve.",
    "autocorrelation": "Within series, of the residuals that the model leaves; dashed: limits of independent errors.",
    "residuals": "Left: normal residuals lie on the line. Right: they spread alike at every fitted value.",
    "not_normal": "Residuals of this family need not be normal; those of few different answers lie on as many curves.",
    "k_check": "A k-index well below 1 with edf near k' speaks for a larger k.",
    "checks": "A check fails where its p-value is below 0.01 and what it estimates is large enough to matter.",
}


def write_gamm_page(
    result: GammResult, differences: Sequence[DifferenceResult], tables: dict[str, pd.DataFrame], out: Path, about: str
) -> Path:
    """Write figures, and `index.html` of them and of the tables.

    Parameters
    ----------
    result, differences
        The fitted model, and what was asked of it.
    tables
        What is written of it anyway, by name.
    out
        The folder.
    about
        What the model is of, such as the name of the table.
    """
    title = f"{_response(result)}: {about}"
    provenance = {"table": about, "formula": result.formula, "engine": result.engine, "rho": f"{result.rho:.3g}"}
    output = Output(out, title=title, provenance=provenance)
    frame = result.request.frame
    own: dict[str, Any] = {"user_columns": [*map(str, frame.columns), result.request.response]}
    notes = list(result.notes)
    for draw in (_smooths, _differences, _residuals):
        notes += draw(output, result, differences, own)
    if "parametric" in tables:
        output.table(tables["parametric"], "parametric", "Parametric coefficients", **own)
    output.table(tables["smooths"], "smooths", "Smooth terms", **own)
    output.table(tables["glance"], "glance", "The model", **own)
    if "verification" in tables:
        output.table(tables["verification"], "verification", "Largest differences from mgcv", **own)
    if notes:
        output.text("notes", "Notes", "\n\n".join(dict.fromkeys(notes)))
    return write_page(out, title)


def _tried(what: str, attempt: Callable[[], None]) -> list[str]:
    """Return why something cannot be drawn; the rest of the page stands."""
    try:
        attempt()
    except LayerstatsError as error:
        return [f"{what} is not drawn: {error}"]
    return []


def _response(result: GammResult) -> str:
    """Return the response as a reader writes it: a formula quotes names that are no names of R."""
    response = result.request.response
    return response.strip("`") if response.count("`") == 2 else response


def _value_label(result: GammResult) -> str:
    family, response = result.request.family, _response(result)
    return response if family.startswith("gaussian") else f"Linear predictor of {response} ({family})"


def _smooths(output: Output, result: GammResult, differences: Sequence[Any], own: dict[str, Any]) -> Iterator[str]:
    """Draw the curves of the levels along each covariate."""
    frame, taken = result.request.frame, set()
    for covariate, factors in _along(result).items():

        def draw(covariate: str = covariate, factors: list[str] = factors) -> None:
            values = frame[covariate].to_numpy(dtype=float)
            found = curves(result, factors, at={covariate: np.linspace(values.min(), values.max(), _POINTS)})
            names = (
                found[factors].astype(str).agg(", ".join, axis=1) if factors else pd.Series("fit", index=found.index)
            )
            # A column that is called as one of ours need not be it: "time_s" may be in any unit, "layer" a factor.
            shown = found[["fit", "conf_low", "conf_high"]].assign(layer="", _curve=names, _along=found[covariate])
            figure = smooths(shown, by="_curve", x="_along", value_label=_value_label(result)) + labs(x=covariate)
            if not factors:
                figure += theme(legend_position="none")
            told = f"{covariate} by {', '.join(factors)}" if factors else covariate
            column = plain_stem(covariate, taken=taken)
            caption = " ".join((CAPTIONS["smooth"], *found.attrs["notes"]))
            output.figure(figure, f"smooth_{column}", f"Along {told}", caption)
            output.table(found, f"curves_{column}", f"Curves along {told}", caption, kind="prediction", **own)

        yield from _tried(f"The smooth of {covariate}", draw)


def _along(result: GammResult) -> dict[str, list[str]]:
    """Return the covariates of smooths that are not random, each with the factors that its curves differ by."""
    frame, levels = result.request.frame, result.levels
    found: dict[str, list[str]] = {}
    for part in result.engine_fit.smooth_parts:
        if part.written.random:
            continue
        for covariate in part.written.covariates:
            factors = found.setdefault(covariate, [])
            # The name as the table has it: a formula writes some in backticks.
            by = (part.written.by or "").strip("`")
            if by in levels:
                factor = _factor_of(by, frame, list(levels))
                factors += [factor] if factor not in factors else []
    return {covariate: factors for covariate, factors in found.items() if covariate not in levels}


def _factor_of(column: str, frame: pd.DataFrame, factors: list[str]) -> str:
    """Return the factor that an ordered copy is of, else the column itself."""
    own = frame[column].astype(str)
    same = (name for name in factors if name != column and not bool((frame[name].astype(str) != own).any()))
    return next((name for name in same if not frame[name].cat.ordered), column)


def _differences(output: Output, result: GammResult, differences: Sequence[Any], own: dict[str, Any]) -> Iterator[str]:
    if not differences:
        return
    curve = pd.concat([one.curve for one in differences], ignore_index=True)
    regions = pd.concat([one.regions for one in differences], ignore_index=True)
    levels, frame = result.levels, result.request.frame
    covariate = next(name for name in map(str, curve.columns) if name in frame.columns and name not in levels)

    def draw() -> None:
        shown = ["level_1", "level_2", "_along", "diff", "conf_low", "conf_high", "interval", "conf_level"]
        named = curve.rename(columns={covariate: "_along"}).loc[:, shown]
        figure = draw_difference(named, regions, x="_along", x_label=covariate, value_label=_value_label(result))
        output.figure(figure, "difference_curves", f"Differences along {covariate}", CAPTIONS["difference"])

    yield from _tried("The difference", draw)
    output.table(
        curve, "difference", f"Differences along {covariate}", CAPTIONS["difference"], kind="difference", **own
    )
    output.table(regions, "regions", "Where the interval excludes zero", kind="regions", **own)


def _residuals(output: Output, result: GammResult, differences: Sequence[Any], own: dict[str, Any]) -> Iterator[str]:
    def lags() -> None:
        output.figure(
            autocorrelation(result.autocorrelation()),
            "autocorrelation",
            "Autocorrelation of residuals",
            CAPTIONS["autocorrelation"],
        )

    def quantiles() -> None:
        pairs = pd.DataFrame({"fitted": result.fitted, "residual": result.residuals})
        normal = result.request.family.startswith("gaussian")
        output.figure(
            residual_checks(pairs), "residuals", "Residuals", CAPTIONS["residuals" if normal else "not_normal"]
        )

    def bases() -> None:
        output.table(result.k_check(), "k_check", "Were the bases large enough?", CAPTIONS["k_check"], **own)

    def tests() -> None:
        output.table(result.residual_checks(), "residual_checks", "Checks of the residuals", CAPTIONS["checks"], **own)

    if result.request.series_start is not None:
        yield from _tried("The autocorrelation of residuals", lags)
    yield from _tried("The figure of residuals", quantiles)
    yield from _tried("The check of bases", bases)
    yield from _tried("The check of residuals", tests)
