"""A request as a model: the dense corner, the random blocks, and the reason where it is neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from layerstats.stats.gamm.engine_interface import FitRequest
from layerstats.stats.gamm.formula.terms import Formula, SmoothTerm
from layerstats.stats.gamm.structured.aliased import Aliased, dependencies, without_aliased
from layerstats.stats.gamm.structured.identifiability import check_determined
from layerstats.stats.gamm.structured.offsets import response_of
from layerstats.stats.gamm.structured.patterns import is_large
from layerstats.stats.gamm.structured.refusal import Refusal
from layerstats.stats.gamm.structured.rows import UniqueRows, pieces
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
from layerstats.stats.gamm.structured.system import System, build_system
from layerstats.stats.gamm.structured.whitening import neighbour_correlation, series_start

# Beyond this the dense corner is no longer small, and a general engine does better.
MOST_DENSE_COEFFICIENTS = 1500

# With fewer, the coefficients of groups of levels are left in the dense corner.
FEWEST_OUTER_COEFFICIENTS = 150


@dataclass(frozen=True, eq=False)
class Model:
    """The terms of a model and where their coefficients stand.

    Attributes
    ----------
    parametric
        The first columns of the dense corner.
    dense
        The smooths in the dense corner, in the order of their columns.
    blocks
        The random terms that are solved level by level; all have the same grouping factor.
    outer
        The random terms of a factor in which that one is nested (speakers, where the blocks are tokens), solved group
        by group. Where they are few they stand in the dense corner.
    labels
        The labels of all smooths in the order of the formula.
    rows
        The different rows of the data under this model.
    level
        (row,) the level of the grouping factor in each row of the data; all zero where there is none.
    group
        (row,) the level of the outer factor.
    factor_smooths
        The smooths with ``bs = "fs"`` and how many penalties each has.
    aliased
        Coefficients that were left out, since the data cannot tell them from others.
    summed
        A request whose data are summed up already, and these sums; None for most.
    """

    parametric: ParametricPart
    dense: tuple[DenseTerm, ...]
    blocks: tuple[GroupedTerm, ...]
    outer: tuple[GroupedTerm, ...]
    labels: tuple[str, ...]
    rows: UniqueRows
    level: np.ndarray
    group: np.ndarray
    factor_smooths: tuple[tuple[SmoothTerm, int], ...]
    aliased: Aliased = field(default_factory=Aliased)
    summed: tuple[FitRequest, System] | None = None

    @property
    def dense_spans(self) -> dict[str, slice]:
        """The columns of each dense smooth in the dense corner."""
        ends = np.cumsum([len(self.parametric.coefficients), *(term.size for term in self.dense)])
        return {term.label: slice(ends[i], ends[i + 1]) for i, term in enumerate(self.dense)}

    @property
    def dense_count(self) -> int:
        """The number of columns of the dense corner."""
        return len(self.parametric.coefficients) + sum(term.size for term in self.dense)

    @property
    def width(self) -> int:
        """The number of columns of the dense corner, a block and a group together."""
        return self.dense_count + sum(term.functions for term in (*self.blocks, *self.outer))

    @property
    def block_spans(self) -> dict[str, slice]:
        """The columns of each grouped term in a random block."""
        return _spans(self.blocks)

    @property
    def outer_spans(self) -> dict[str, slice]:
        """The columns of each outer term in those of a group."""
        return _spans(self.outer)

    @property
    def group_count(self) -> int:
        """The number of groups; 0 where the model has none."""
        return self.outer[0].level_count if self.outer else 0

    @property
    def level_count(self) -> int:
        """The number of random blocks; 0 where the model has none."""
        return self.blocks[0].level_count if self.blocks else 0

    def dense_columns(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the columns of the dense corner, (row, coefficient)."""
        return np.hstack([self.parametric.columns(frame), *(term.columns(frame) for term in self.dense)])

    def block_columns(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the columns of a random block, (row, function)."""
        return np.hstack([np.zeros((len(frame), 0)), *(term.basis(frame) for term in self.blocks)])

    def outer_columns(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the columns of a group, (row, function)."""
        return np.hstack([np.zeros((len(frame), 0)), *(term.basis(frame) for term in self.outer)])

    def predictor(
        self, coefficients: np.ndarray, level_coefficients: np.ndarray, group_coefficients: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the linear predictor of the data, (row,).

        Parameters
        ----------
        coefficients
            (column,) of the dense corner.
        level_coefficients
            (level, function) of the random blocks.
        group_coefficients
            (group, function) of the outer terms.
        """
        frame, place = self.rows.frame, self.rows.place
        fixed = [self.dense_columns(frame.iloc[piece]) @ coefficients for piece in pieces(len(frame), self.width)]
        values = np.concatenate(fixed)[place]
        if self.blocks:
            functions = self.block_columns(frame)
            for piece in pieces(len(place), self.width):
                own = functions[place[piece]]
                values[piece] += np.einsum("rf,rf->r", own, level_coefficients[self.level[piece]])
        if group_coefficients is not None and self.outer:
            functions = self.outer_columns(frame)
            for piece in pieces(len(place), self.width):
                own = functions[place[piece]]
                values[piece] += np.einsum("rf,rf->r", own, group_coefficients[self.group[piece]])
        return values


def build_model(request: FitRequest, *, nesting: bool = True) -> Model:
    """Build the model of a request.

    Parameters
    ----------
    request
        What to fit.
    nesting
        Whether terms of a factor in which the blocks are nested may be taken out of the dense corner.

    Raises
    ------
    Refusal
        The engine does not express it; the message says what.
    """
    frame = request.frame
    parametric = build_parametric(request.formula, frame)
    setup = setup_rows(request)
    smooths: list[Built] = [(smooth, _terms_of(smooth, request.formula, setup)) for smooth in request.formula.smooths]
    labels = [term.label for _, built in smooths for term in built]
    repeated = [label for label in labels if labels.count(label) > 1]
    if repeated:
        raise Refusal(f"two smooths called {repeated[0]}")
    terms = _constrained(smooths, parametric, setup)
    grouped = [term for term in terms if isinstance(term, GroupedTerm)]
    blocks, outer = _arrangement(grouped, request, nesting)
    factor = blocks[0].factor if blocks else ()
    apart = (*blocks, *outer)
    dense = tuple(term.as_dense() if isinstance(term, GroupedTerm) else term for term in terms if term not in apart)
    columns = len(parametric.coefficients) + sum(term.size for term in dense)
    if columns > MOST_DENSE_COEFFICIENTS:
        raise Refusal(
            f"{columns} coefficients beside the random part of {':'.join(factor) or 'none'}; it takes up to "
            f"{MOST_DENSE_COEFFICIENTS}"
        )
    beside = [column for term in request.formula.parametric for column in term.columns]
    for smooth, built in smooths:
        own = built[0]
        grouping = own.factor if isinstance(own, GroupedTerm) and own in apart else ()
        beside += [column for column in smooth.columns if column not in grouping]
    model = Model(
        parametric=parametric,
        dense=dense,
        blocks=blocks,
        outer=outer,
        labels=tuple(labels),
        rows=UniqueRows.of(frame, list(dict.fromkeys(beside))),
        level=blocks[0].level_of(frame) if blocks else np.zeros(len(frame), dtype=np.int64),
        group=outer[0].level_of(frame) if outer else np.zeros(len(frame), dtype=np.int64),
        factor_smooths=tuple((smooth, len(built[0].penalties)) for smooth, built in smooths if smooth.bases[0] == "fs"),
    )
    return _determined(request, model)


def _determined(request: FitRequest, model: Model) -> Model:
    """Leave out the unpenalised columns that depend on others, and check that the rest is determined.

    Raises
    ------
    Refusal
        It is not, or which ones mgcv leaves out cannot be known.
    """
    combinations = dependencies(model)
    if len(combinations) and request.family != "gaussian":
        raise Refusal(f"terms that the data cannot tell apart with a response of family {request.family!r}")
    # The columns of a large table are made once, for this and for the fit.
    large = is_large(model) and request.family == "gaussian" and not model.outer
    if not len(combinations) and not large:
        check_determined(model)
        return model
    correlation = neighbour_correlation(request, request.rho)
    system = build_system(model, response_of(request), series_start(request), correlation, request.weights)
    if len(combinations):
        model, kept = without_aliased(model, combinations, system, request.method)
        system = system if model.outer else system.with_columns(kept)
    check_determined(model, system.dense_gram.copy() if large and request.weights is None else None)
    return replace(model, summed=(request, system)) if large else model


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
    grouped: list[GroupedTerm], request: FitRequest, nesting: bool
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


def _sizes(grouped: list[GroupedTerm], request: FitRequest) -> dict[tuple[str, ...], int]:
    """Return how many coefficients the terms of each grouping factor have, for those that no series crosses."""
    sizes: dict[tuple[str, ...], int] = {}
    for term in grouped:
        if request.rho == 0 or not _crosses_series(term, request):
            sizes[term.factor] = sizes.get(term.factor, 0) + term.size
    return sizes


def _crosses_series(term: GroupedTerm, request: FitRequest) -> bool:
    if request.series_start is None:
        return True
    level = term.level_of(request.frame)
    return bool(np.any((level[1:] != level[:-1]) & ~request.series_start[1:]))


def _spans(terms: tuple[GroupedTerm, ...]) -> dict[str, slice]:
    ends = np.cumsum([0, *(term.functions for term in terms)])
    return {term.label: slice(ends[i], ends[i + 1]) for i, term in enumerate(terms)}


def _outer_terms(
    grouped: list[GroupedTerm], blocks: tuple[GroupedTerm, ...], request: FitRequest
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


def _nested(inner: GroupedTerm, outer: GroupedTerm, request: FitRequest) -> bool:
    """Return whether each level of `inner` is in one level of `outer`."""
    pairs = np.unique(np.stack([inner.level_of(request.frame), outer.level_of(request.frame)]), axis=1)
    return len(np.unique(pairs[0])) == pairs.shape[1]
