"""A study, block by block: what is simulated in which order, what is done already, and the shares that come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_columns, check_count
from layerstats.errors import ArgumentError
from layerstats.files import replacing
from layerstats.parallel import RunOptions
from layerstats.stats.one_thread import run_on_one_thread_each
from layerstats.stats.resampling.blocks import blocks_of
from layerstats.stats.resampling.calibration.recipes import RECIPES, Recipe
from layerstats.stats.resampling.calibration.study import calibrate_block
from layerstats.stats.resampling.calibration.worlds import TRUTHS, WORLDS, World

# Of data sets that are fitted side by side; memory, not results, depends on it.
BLOCK = 100

SUMS = ["total", "squares", "datasets"]
SHARE_OF = ["world", "truth", "recipe", "quantity"]
# What tells a block from others in a file; older files were all made with the default of alpha.
BLOCK_OF = ["seed", "replicates", "alpha", "world", "truth", "recipe", "first", "datasets"]
COLUMNS = [*SHARE_OF, "first", *SUMS, "seed", "replicates", "alpha"]
DEFAULT_ALPHA = 0.05


class Named(Protocol):
    """A world of any study."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...


AnyWorld = TypeVar("AnyWorld", bound=Named)


def calibrate(
    worlds: Iterable[World | str] = WORLDS,
    recipes: Iterable[Recipe] = RECIPES,
    truths: Iterable[str] = TRUTHS,
    datasets: int = 1000,
    replicates: int = 99,
    seed: int = 0,
    alpha: float = DEFAULT_ALPHA,
    *,
    resampled: int | None = None,
    refitted: int | None = None,
    blocks: str | Path | None = None,
    progress: Callable[[pd.DataFrame], None] | None = None,
    run: RunOptions | None = None,
) -> pd.DataFrame:
    """Count how often tests reject and intervals cover.

    Parameters
    ----------
    worlds, recipes, truths
        What is crossed. The worlds of this package by name, or by number from 0. Recipes that a world has no data for
        are left out.
    datasets
        For each world and truth; all recipes see the same ones.
    replicates
        Permutations or bootstrap samples of a data set.
    seed
        Data sets do not depend on how many there are.
    alpha
        Of the tests; intervals are at 95 %.
    resampled, refitted
        Data sets for recipes that resample with the smoothing parameters held, and for those that estimate them anew
        each time; by default as many as `datasets`, and 0 leaves such recipes out.
    blocks
        A CSV file that finished blocks of data sets are added to. A study that is started again with it goes on where
        it stopped, or becomes larger; the result has everything in it with this seed, `replicates` and `alpha`.
        Worlds and recipes are known there by their names.
    progress
        Called after every block with the result so far.
    run
        Where blocks are simulated; by default here, one after another. Numbers do not depend on it.

    Returns
    -------
    pandas.DataFrame
        See `shares_of`.

    Raises
    ------
    ArgumentError
        If there is no such world or truth.
    DataError
        If `blocks` is a file of another kind.

    Examples
    --------
    >>> found = calibrate(["0"], RECIPES[:1], ["none"], datasets=2)
    >>> found[["world", "recipe", "quantity"]].iloc[0].tolist()
    ['tokens', 'no random smooths', 'converged']
    """
    chosen = [one if isinstance(one, World) else world_named(one) for one in worlds]
    truths = list(truths)
    for truth in truths:
        check_choice("truths", truth, TRUTHS)
    numbers = {False: datasets if resampled is None else resampled, True: datasets if refitted is None else refitted}
    sizes = [(one, datasets if one.resampling is None else numbers[one.refit]) for one in recipes]
    file = None if blocks is None else Path(blocks)
    done = _read_blocks(file)
    known = set(done.loc[:, BLOCK_OF].itertuples(index=False, name=None))
    tasks = [
        (world, recipe, truth, block)
        for world, truth, recipe, number in _cells(chosen, truths, sizes)
        for block in blocks_of(number, BLOCK)
        if (seed, replicates, alpha, world.name, truth, recipe.name, block[0], len(block)) not in known
    ]

    def so_far(found: list[pd.DataFrame]) -> pd.DataFrame:
        new = [sums.assign(seed=seed, replicates=replicates, alpha=alpha).loc[:, COLUMNS] for sums in found]
        return pd.concat([*([done] if len(done) else []), *new], ignore_index=True) if new else done

    def received(found: list[pd.DataFrame]) -> None:
        if file is not None:
            with replacing(file) as whole:
                so_far(found).to_csv(whole, index=False)
        if progress is not None:
            progress(_shares_with(so_far(found), seed, replicates, alpha))

    compute = partial(_calibrated, replicates, seed, alpha)
    return _shares_with(so_far(_simulate(compute, tasks, run, received)), seed, replicates, alpha)


def _calibrated(replicates: int, seed: int, alpha: float, task: tuple[World, Recipe, str, range]) -> pd.DataFrame:
    return calibrate_block(*task, replicates, seed, alpha)


def _simulate(
    compute: Callable[[Any], pd.DataFrame],
    tasks: Sequence[Any],
    run: RunOptions | None,
    received: Callable[[list[pd.DataFrame]], None],
) -> list[pd.DataFrame]:
    """Return what tasks give; `received` is called after each with all there is by then, in their order."""
    found: dict[int, pd.DataFrame] = {}

    def one_more(number: int, sums: pd.DataFrame) -> None:
        found[number] = sums
        received([found[each] for each in sorted(found)])

    return run_on_one_thread_each(compute, tasks, run or RunOptions(), _told, one_more)


def _told(task: tuple[Any, ...]) -> str:
    *what, numbers = task
    named = [one if isinstance(one, str) else one.name for one in what if hasattr(one, "name") or isinstance(one, str)]
    return f"{', '.join(named)}, data sets {numbers.start + 1} to {numbers.stop}"


def world_named(text: str, worlds: Sequence[AnyWorld] = WORLDS) -> AnyWorld:
    """Return one of the worlds by its name or its number.

    Examples
    --------
    >>> world_named("3") is world_named("few speakers x label")
    True
    """
    names = {str(number): world for number, world in enumerate(worlds)} | {world.name: world for world in worlds}
    check_choice("worlds", text, names)
    return names[text]


def run_blocks(
    cells: Iterable[tuple[AnyWorld, str]],
    datasets: int,
    simulate: Callable[[AnyWorld, str, range], pd.DataFrame],
    progress: Callable[[pd.DataFrame], None] | None = None,
    run: RunOptions | None = None,
) -> pd.DataFrame:
    """Simulate every world and truth block by block, and return `shares_of` all blocks.

    Parameters
    ----------
    cells
        Worlds and truths, in the order of the result.
    datasets
        For each of them.
    simulate
        Analyses the data sets of the numbers in a world under a truth: a frame as `shares_of` takes it.
    progress
        Called after every block with the result so far.
    run
        Where blocks are simulated; by default here, one after another.
    """

    def received(found: list[pd.DataFrame]) -> None:
        if progress is not None:
            progress(shares_of(pd.concat(found, ignore_index=True)))

    tasks = [(world, truth, numbers) for world, truth in cells for numbers in blocks_of(datasets, BLOCK)]
    blocks = _simulate(partial(_simulated, simulate), tasks, run, received)
    return shares_of(pd.concat(blocks, ignore_index=True))


def _simulated(simulate: Callable[[Any, str, range], pd.DataFrame], task: tuple[Any, str, range]) -> pd.DataFrame:
    return simulate(*task)


def run_study(
    worlds: Iterable[AnyWorld | str],
    truths: Iterable[str],
    datasets: int,
    simulate: Callable[[AnyWorld, str, range], pd.DataFrame],
    progress: Callable[[pd.DataFrame], None] | None = None,
    run: RunOptions | None = None,
    *,
    known: Sequence[AnyWorld],
    known_truths: Sequence[str],
) -> pd.DataFrame:
    """Simulate every world under every truth, after what was asked for was checked; `run_blocks` does it.

    Parameters
    ----------
    worlds
        Worlds, or those of `known` by name or number.
    truths
        Of `known_truths`.
    datasets, simulate, progress, run
        As for `run_blocks`.

    Raises
    ------
    ArgumentError
        There is no such world or truth, or none is given.
    """
    check_count("datasets", datasets)
    chosen = [world_named(one, known) if isinstance(one, str) else one for one in worlds]
    truths = list(truths)
    for name, some in (("worlds", chosen), ("truths", truths)):
        if not some:
            raise ArgumentError(f"The {name!r} parameter names nothing: give one or more.")
    for truth in truths:
        check_choice("truths", truth, known_truths)
    return run_blocks(product(chosen, truths), datasets, simulate, progress, run)


def block_sums(world: str, truth: str, numbers: range, counted: Iterable[tuple[str, str, float]]) -> pd.DataFrame:
    """Add up what the data sets of a block gave, as `shares_of` takes it.

    Parameters
    ----------
    world, truth
        As they are called.
    numbers
        Of the data sets.
    counted
        Recipe, quantity and value (1 where an interval covers or a test rejects, else 0), of all data sets.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, first, total, squares, datasets``.

    Examples
    --------
    >>> block_sums("small", "none", range(2), [("speakers", "rejects", 1.0), ("speakers", "rejects", 0.0)])[SUMS]
       total  squares  datasets
    0    1.0      1.0         2
    """
    found: dict[tuple[str, str], list[float]] = {}
    for recipe, quantity, value in counted:
        found.setdefault((recipe, quantity), []).append(value)
    rows = [
        (world, truth, *place, numbers[0], float(np.sum(one)), float(np.sum(np.square(one))), len(one))
        for place, one in found.items()
    ]
    return pd.DataFrame(rows, columns=pd.Index([*SHARE_OF, "first", *SUMS]))


def shares_of(blocks: pd.DataFrame) -> pd.DataFrame:
    """Put blocks of `calibrate_block` together.

    Returns
    -------
    pandas.DataFrame
        ``world, truth, recipe, quantity, share, std_error, datasets``. Quantities: the share of data sets in which the
        test of level, shape, both jointly, or either of level and shape rejects; the share of time points that
        pointwise intervals cover; the share of data sets whose curve lies inside the simultaneous band everywhere, or
        whose band leaves out zero somewhere; and of fits that converged.
    """
    sums = blocks.groupby(SHARE_OF, sort=False).agg(dict.fromkeys(SUMS, "sum")).reset_index()
    total, squares, number = (sums[name].to_numpy(dtype=float) for name in SUMS)
    share = total / number
    error = np.sqrt(np.maximum(squares / number - share**2, 0) / number)
    return sums.loc[:, SHARE_OF].assign(share=share, std_error=error, datasets=sums["datasets"])


def _cells(
    worlds: Sequence[World], truths: Sequence[str], sizes: Sequence[tuple[Recipe, int]]
) -> Iterator[tuple[World, str, Recipe, int]]:
    """Yield what is simulated and how often: models before resampling, which takes longer."""
    quick = [one for one in sizes if one[0].resampling is None]
    slow = [one for one in sizes if one[0].resampling is not None]
    for recipes in (quick, slow):
        for truth in truths:
            for world in worlds:
                yield from ((world, truth, *one) for one in recipes if one[0].possible_in(world))


def _read_blocks(file: Path | None) -> pd.DataFrame:
    if file is None or not file.exists():
        return pd.DataFrame(columns=pd.Index(COLUMNS))
    frame = pd.read_csv(file, keep_default_na=False)
    if "alpha" not in frame:
        frame = frame.assign(alpha=DEFAULT_ALPHA)
    check_columns(frame, COLUMNS, f"the file of blocks {file}")
    return frame.loc[:, COLUMNS]


def _shares_with(blocks: pd.DataFrame, seed: int, replicates: int, alpha: float) -> pd.DataFrame:
    own = blocks["seed"].eq(seed) & blocks["replicates"].eq(replicates) & blocks["alpha"].eq(alpha)
    own = blocks.loc[own]
    # Of blocks with one first data set, a shorter one, where an earlier run ended, is part of the longer.
    longest = own.groupby(["world", "truth", "recipe", "first"], sort=False)["datasets"].transform("max")
    return shares_of(own.loc[own["datasets"] == longest])
