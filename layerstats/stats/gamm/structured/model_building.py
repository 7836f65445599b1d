"""From a request to a model: terms go to the dense corner or the blocks; where neither will do, the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from layerstats.stats.gamm.engine_interface import FitRequest, ModelRequest
from layerstats.stats.gamm.formula.terms import Formula, SmoothTerm
from layerstats.stats.gamm.structured.aliased import dependencies, without_aliased
from layerstats.stats.gamm.structured.identifiability import check_determined
from layerstats.stats.gamm.structured.model import Model
from layerstats.stats.gamm.structured.offsets import response_of
from layerstats.stats.gamm.structured.row_patterns import is_large
from layerstats.stats.gamm.structured.setup_rows import setup_rows
from layerstats.stats.gamm.structured.smooths import (
    Built,
    DenseTerm,
    GroupedTerm,
    ParametricPart,
    build_parametric,
    build_smooth,
    like_first,
    sharing,
    with_side_conditions,
)
from layerstats.stats.gamm.structured.system_building import build_system
from layerstats.stats.gamm.structured.unique_rows import UniqueRows
from layerstats.stats.gamm.structured.unsupported import Unsupported
from layerstats.stats.gamm.structured.whitening import neighbour_correlation, series_start

# Beyond this the dense corner is no longer small, and a general engine does better.
MOST_DENSE_COEFFICIENTS = 1500

# With fewer, the coefficients of groups of levels are left in the dense corner.
FEWEST_OUTER_COEFFICIENTS = 150


@dataclass(frozen=True, eq=False)
class ModelTerms:
    """The terms of a request: what takes most of the time to build, and is the same for every AR(1) parameter.

    Attributes
    ----------
    parametric
        The parametric part.
    smooths
        Each smooth of the formula with its terms.
    terms
        These terms, without what smaller smooths are in larger ones.
    """

    parametric: ParametricPart
    smooths: tuple[Built, ...]
    terms: tuple[DenseTerm | GroupedTerm, ...]


def build_model(request: ModelRequest, *, nesting: bool = True) -> Model:
    """Build the model of a request.

    Parameters
    ----------
    request
        What to fit.
    nesting
        Whether terms of a factor in which the blocks are nested may be taken out of the dense corner.

    Raises
    ------
    Unsupported
        The engine does not express it; the message says what.
    """
    return arrange_model(build_terms(request), request, nesting=nesting)


def build_terms(request: ModelRequest) -> ModelTerms:
    """Build the bases of a request.

    Raises
    ------
    Unsupported
        The engine does not express a term.
    """
    parametric = build_parametric(request.formula, request.frame)
    setup = setup_rows(request)
    smooths: list[Built] = [(smooth, _terms_of(smooth, request.formula, setup)) for smooth in request.formula.smooths]
    labels = [term.label for _, built in smooths for term in built]
    repeated = [label for label in labels if labels.count(label) > 1]
    if repeated:
        raise Unsupported(f"two smooths called {repeated[0]}")
    return ModelTerms(parametric, tuple(smooths), tuple(_constrained(smooths, parametric, setup)))


def arrange_model(built: ModelTerms, request: ModelRequest, *, nesting: bool = True) -> Model:
    """Return the model of a request whose terms are built; see `build_model`.

    Raises
    ------
    Unsupported
        Too many terms are left for the dense corner, or the data do not determine the coefficients.
    """
    frame, parametric, terms = request.frame, built.parametric, built.terms
    grouped = [term for term in terms if isinstance(term, GroupedTerm)]
    blocks, outer = _arrangement(grouped, request, nesting)
    factor = blocks[0].factor if blocks else ()
    apart = (*blocks, *outer)
    dense = tuple(term.as_dense() if isinstance(term, GroupedTerm) else term for term in terms if term not in apart)
    columns = len(parametric.coefficients) + sum(term.size for term in dense)
    if columns > MOST_DENSE_COEFFICIENTS:
        raise Unsupported(
            f"{columns} coefficients beside the random part of {':'.join(factor) or 'none'}; it takes up to "
            f"{MOST_DENSE_COEFFICIENTS}"
        )
    beside = [column for term in request.formula.parametric for column in term.columns]
    for smooth, of_smooth in built.smooths:
        own = of_smooth[0]
        grouping = own.factor if isinstance(own, GroupedTerm) and own in apart else ()
        beside += [column for column in smooth.columns if column not in grouping]
    model = Model(
        parametric=parametric,
        dense=dense,
        blocks=blocks,
        outer=outer,
        labels=tuple(term.label for _, of_smooth in built.smooths for term in of_smooth),
        rows=UniqueRows.of(frame, list(dict.fromkeys(beside))),
        level=blocks[0].level_of(frame) if blocks else np.zeros(len(frame), dtype=np.int64),
        group=outer[0].level_of(frame) if outer else np.zeros(len(frame), dtype=np.int64),
        factor_smooths=tuple(
            (smooth, len(of_smooth[0].penalties)) for smooth, of_smooth in built.smooths if smooth.bases[0] == "fs"
        ),
    )
    return _determined(request, model)


def with_rho(model: Model, built: ModelTerms, before: ModelRequest, request: ModelRequest) -> Model:
    """Return the model of a request that differs from the one `before` in its AR(1) parameter.

    Raises
    ------
    Unsupported
        As `arrange_model`.
    """
    # Of columns that depend on each other, which one is left out may hang on the AR(1) parameter.
    if model.aliased.names or not same_blocks(built, before, request):
        return arrange_model(built, request)
    # Sums of the data under another AR(1) parameter are of no use.
    return model if model.summed is None or model.summed[0].rho == request.rho else replace(model, summed=None)


def same_blocks(built: ModelTerms, *requests: ModelRequest) -> bool:
    """Return whether requests that differ in their AR(1) parameter have the same blocks.

    With AR(1) residuals no series may cross the blocks.
    """
    grouped = [term for term in built.terms if isinstance(term, GroupedTerm)]
    return len({one.rho == 0 for one in requests}) == 1 or not any(_crosses_series(one, requests[0]) for one in grouped)


def _determined(request: ModelRequest, model: Model) -> Model:
    """Leave out the unpenalised columns that depend on others, and check that the rest is determined.

    Raises
    ------
    Unsupported
        It is not, or which ones mgcv leaves out cannot be known.
    """
    combinations = dependencies(model)
    if len(combinations) and request.family != "gaussian":
        raise Unsupported(f"terms that the data cannot tell apart with a response of family {request.family!r}")
    # The columns of a large table are made once, for this and for the fit.
    large = is_large(model) and request.family == "gaussian" and not model.outer
    if not len(combinations) and not large:
        check_determined(model)
        return model
    # Which columns depend on each other does not depend on a rho that is yet to be estimated.
    correlation = neighbour_correlation(request, 0.0 if np.isnan(request.rho) else request.rho)
    system = build_system(model, response_of(request), series_start(request), correlation, request.weights)
    if len(combinations):
        model, kept = without_aliased(model, combinations, system, request.method)
        system = system if model.outer else system.with_columns(kept)
    check_determined(model, system.dense_gram.copy() if large and request.weights is None else None)
    return replace(model, summed=(request, system)) if large and isinstance(request, FitRequest) else model


def _constrained(
    smooths: Sequence[Built], parametric: ParametricPart, setup: pd.DataFrame
) -> list[DenseTerm | GroupedTerm]:
    """Return the terms, without what smaller smooths are in larger ones."""
    changed = {term.label: term for term in with_side_conditions(smooths, parametric, setup)}
    return [changed.get(term.label, term) for _, built in smooths for term in built]


def _terms_of(smooth: SmoothTerm, formula: Formula, setup: pd.DataFrame) -> list[DenseTerm] | list[GroupedTerm]:
    others = sharing(smooth, formula.smooths)
    if len(others) > 1:
        return build_smooth(*like_first(smooth, others, setup))
    return build_smooth(smooth, _rows_of(smooth, setup))


def _rows_of(smooth: SmoothTerm, frame: pd.DataFrame) -> UniqueRows:
    """Return the different values of the numbers in a smooth; its factors change nothing in its bases."""
    numeric = [column for column in smooth.columns if not isinstance(frame[column].dtype, pd.CategoricalDtype)]
    return UniqueRows.of(frame, numeric)


def _arrangement(
    grouped: list[GroupedTerm], request: ModelRequest, nesting: bool
) -> tuple[tuple[GroupedTerm, ...], tuple[GroupedTerm, ...]]:
    """Return the terms of the blocks, and those of the groups in which the blocks are nested.

    Blocks are of the factor whose terms have most coefficients, or, where that can be the groups, of one nested in it.
    """
    sizes = _sizes(grouped, request)
    by_size = sorted(sizes, key=lambda factor: -sizes[factor])
    if not by_size:
        return (), ()
    choices = [tuple(term for term in grouped if term.factor == factor) for factor in by_size]
    for blocks in choices if nesting else ():
        if blocks is choices[0] or _nested(blocks[0], choices[0][0], request):
            outer = _outer_terms(grouped, blocks, request)
            if outer:
                return blocks, outer
    return choices[0], ()


def _sizes(grouped: list[GroupedTerm], request: ModelRequest) -> dict[tuple[str, ...], int]:
    """Return how many coefficients the terms of each grouping factor have, for those that no series crosses."""
    sizes: dict[tuple[str, ...], int] = {}
    for term in grouped:
        if request.rho == 0 or not _crosses_series(term, request):
            sizes[term.factor] = sizes.get(term.factor, 0) + term.size
    return sizes


def _crosses_series(term: GroupedTerm, request: ModelRequest) -> bool:
    if request.series_start is None:
        return True
    level = term.level_of(request.frame)
    return bool(np.any((level[1:] != level[:-1]) & ~request.series_start[1:]))


def _outer_terms(
    grouped: list[GroupedTerm], blocks: tuple[GroupedTerm, ...], request: ModelRequest
) -> tuple[GroupedTerm, ...]:
    """Return the terms of the factor with most coefficients among those in which the blocks are nested.

    None where effects of random levels (``bs="re"``) are noise in the tests of others, or where the blocks have several
    terms: those are for the dense corner.
    """
    if request.family != "gaussian" or any(term.random for term in grouped) or len(blocks) != 1:
        return ()
    sizes: dict[tuple[str, ...], int] = {}
    for term in grouped:
        if term not in blocks and _nested(blocks[0], term, request):
            sizes[term.factor] = sizes.get(term.factor, 0) + term.size
    factor = max(sizes, key=lambda one: sizes[one]) if sizes else ()
    if sizes.get(factor, 0) < FEWEST_OUTER_COEFFICIENTS:
        return ()
    return tuple(term for term in grouped if term.factor == factor)


def _nested(inner: GroupedTerm, outer: GroupedTerm, request: ModelRequest) -> bool:
    """Return whether each level of `inner` is in one level of `outer`."""
    pairs = np.unique(np.stack([inner.level_of(request.frame), outer.level_of(request.frame)]), axis=1)
    return len(np.unique(pairs[0])) == pairs.shape[1]
