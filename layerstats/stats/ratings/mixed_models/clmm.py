"""Cumulative link mixed models of ratings in ordered categories."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from layerstats.checks import check_choice
from layerstats.stats.ratings.mixed_models.category_thresholds import THRESHOLDS, Thresholds
from layerstats.stats.ratings.mixed_models.clmm_by_laplace import fit_by_laplace
from layerstats.stats.ratings.mixed_models.clmm_by_r import ENGINES, fit_by_r
from layerstats.stats.ratings.mixed_models.clmm_result import ClmmResult
from layerstats.stats.ratings.mixed_models.clmm_tables import ClmmParts, tabulate
from layerstats.stats.ratings.mixed_models.coded_columns import (
    INTERCEPT,
    CodedColumns,
    code_columns,
    independent_columns,
)
from layerstats.stats.ratings.mixed_models.few_levels import without_few_levels
from layerstats.stats.ratings.mixed_models.link_derivatives import LINKS
from layerstats.stats.ratings.mixed_models.mixed_formula import parse_mixed_formula
from layerstats.stats.ratings.mixed_models.random_factors import build_factors
from layerstats.stats.ratings.mixed_models.rated_rows import Levels, rated_rows


def clmm(
    formula: str,
    data: pd.DataFrame,
    *,
    link: str = "logit",
    threshold: str = "flexible",
    scale: str | None = None,
    levels: Levels | None = None,
    na: str = "error",
    engine: str = "layerstats",
) -> ClmmResult:
    """Fit a cumulative link mixed model to ratings.

    Random effects are integrated out by Laplace's approximation, as the R packages ordinal and lme4 do; standard errors
    are of the second derivatives of that likelihood (Christensen 2019, cumulative link models with the R package
    ordinal).

    Parameters
    ----------
    formula : str
        In lme4's language: ``"rating ~ temp * contact + (1 + temp | judge) + (1 | clip)"``. Text columns are factors
        with treatment contrasts; ``factor(x)``, ``poly(x, 2)``, ``log(x)`` and arithmetic in ``I()`` are understood.
    data : DataFrame
        A row a rating. The response holds whole numbers, ordered categories, or text with its order in `levels`. Of two
        categories the model is the mixed logistic (or probit) one of the second category. Of answers of a listening
        test (a column `role`) only tests are taken, which a note says.
    link : str
        ``"logit"`` or ``"probit"``.
    threshold : str
        ``"flexible"``, or ``"equidistant"``: the first threshold and one spacing.
    scale : str, optional
        A one-sided formula, ``"~ temp"``: the logarithm of the scale of the latent variable depends on it.
    levels : mapping, optional
        Order of the levels of columns, the reference first, or of the response, lowest first; sorted by default.
    na : str
        ``"error"``, or ``"omit"``: rows with missing values are left out with a note.
    engine : str
        Who fits: ``"layerstats"``, or in R ``"ordinal"`` (`clmm`, the same likelihood) or ``"mgcv"`` (`gam` with the
        family `ocat`: see `fit_by_r` for what differs). Means and contrasts are the same functions of what is found.

    Returns
    -------
    ClmmResult
        Tables of coefficients, thresholds and random effects.

    Raises
    ------
    FormulaError
        The formula cannot be read, or names a column that is not there.
    DataError
        The data do not fit the model.
    FitError
        It did not converge, or a term separates the ratings.
    UnsupportedModelError
        The engine does not fit models of this kind.

    Examples
    --------
    >>> ratings = pd.DataFrame({"rater": list("aaaabbbbcccc"), "system": list("xxyy") * 3})
    >>> ratings["rating"] = [int(rating) for rating in "123422451323"]
    >>> model = clmm("rating ~ system + (1 | rater)", ratings)
    >>> print(model.coefficients[["term", "estimate"]].round(2).to_string(index=False))
       term  estimate
    systemy      3.64
    """
    check_choice("link", link, LINKS)
    check_choice("threshold", threshold, THRESHOLDS)
    check_choice("engine", engine, ENGINES)
    written = parse_mixed_formula(formula, data.columns if isinstance(data, pd.DataFrame) else None, scale)
    rows = rated_rows(written, data, levels, na)
    written, frame, notes = without_few_levels(written, rows.frame)
    designs = [_determined(code_columns(part, frame), frame) for part in (written.fixed, written.scale)]
    notes += [note for _, own in designs for note in own]
    if threshold == "equidistant" and len(rows.categories) == 2:
        threshold = "flexible"
        notes.append("Two categories have one threshold, which has no spacing.")
    model = ClmmParts(
        formula=written,
        rows=replace(rows, frame=frame, notes=(*rows.notes, *notes)),
        fixed_design=designs[0][0],
        scale_design=designs[1][0],
        factors=tuple(build_factors(written.random, frame)),
        thresholds=Thresholds(threshold, rows.categories),
        link=link,
    )
    return tabulate(model, fit_by_laplace(model) if engine == "layerstats" else fit_by_r(model, engine))


def _determined(design: CodedColumns, frame: pd.DataFrame) -> tuple[CodedColumns, list[str]]:
    """Return a design without its intercept and without columns that depend on those before, and notes."""
    kept = independent_columns(design.matrix(frame))
    dropped = [name for place, name in enumerate(design.names) if place not in kept]
    notes = []
    if dropped:
        notes.append(
            f"The data do not determine {', '.join(dropped[:8])}{', ...' if len(dropped) > 8 else ''} beside the other "
            f"terms: {'they were' if len(dropped) > 1 else 'it was'} left out, as R does."
        )
    return design.keep([place for place in kept if design.names[place] != INTERCEPT]), notes
