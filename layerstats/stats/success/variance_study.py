"""How often intervals of shares of variance cover, and tests of no variance err, where the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
from scipy import special

from layerstats.checks import check_choice, check_count
from layerstats.errors import DataError, FitError
from layerstats.parallel import RunOptions
from layerstats.stats.one_thread import run_on_one_thread_each
from layerstats.stats.success.variance import RESIDUAL, variance_shares
from layerstats.stats.success.variance_engines import VarianceEngine
from layerstats.stats.success.variance_profile import LOGISTIC_VARIANCE
from layerstats.tables import check_frame


@dataclass(frozen=True)
class VarianceWorld:
    """A world with known components of variance.

    Attributes
    ----------
    variances
        Of the components that are estimated.
    left_out
        Of those that vary too, but are not in the model.
    sizes
        Arguments of `simulated_attempts`.
    """

    variances: Mapping[str, float]
    left_out: Mapping[str, float] = field(default_factory=dict)
    sizes: Mapping[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """The variance of the latent response."""
        return sum(self.variances.values()) + sum(self.left_out.values()) + LOGISTIC_VARIANCE

    def truth(self, component: str) -> float:
        """Return the share of a component."""
        return (LOGISTIC_VARIANCE if component == RESIDUAL else self.variances[component]) / self.total


def _world(network: float, judge: float, target: float, cell: float, **others: float) -> dict[str, float]:
    return {"network": network, "judge": judge, "target": target, **others, "network:judge:target": cell}


WORLDS = {
    "nothing varies": VarianceWorld(_world(0, 0, 0, 0)),
    "classes and cells vary": VarianceWorld(_world(0, 0, 1, 0.3)),
    "all vary": VarianceWorld(_world(0.5, 0.5, 1, 0.3)),
    "all vary and success is rare": VarianceWorld(_world(0.5, 0.5, 1, 0.3), sizes={"mean": -3.0}),
    "all vary over 10 networks": VarianceWorld(_world(0.5, 0.5, 1, 0.3), sizes={"networks": 10}),
    "pairs vary": VarianceWorld(_world(0, 0.5, 1, 0.3, **{"network:target": 0.5})),
    "pairs vary but are left out": VarianceWorld(
        {"network": 0.0, "judge": 0.5, "target": 1.0}, {"network:target": 0.5}
    ),
    "starts vary": VarianceWorld(
        {"network": 0.5, "judge": 0.5, "target": 0.5, "start": 1.0}, sizes={"starts": 20, "targets": 5}
    ),
}
ALPHA, CONF_LEVEL = 0.05, 0.95


def simulated_attempts(
    variances: Mapping[str, float],
    *,
    networks: int = 5,
    judges: int = 5,
    targets: int = 10,
    starts: int = 50,
    mean: float = 0.0,
    seed: int | np.random.Generator = 0,
) -> pd.DataFrame:
    """Draw attempts whose components of variance are known.

    Parameters
    ----------
    variances
        Of normal effects on the logit of success, by component (see `variance_shares`).
    networks, judges, targets, starts
        Their numbers; so many starts a network and class, each of which all judges hear.
    mean
        Logit of success where all effects are zero.
    seed
        Of effects and responses.

    Returns
    -------
    pandas.DataFrame
        Columns `network, judge, target, start, response`; "other" is what is heard where the target is not.

    Examples
    --------
    >>> simulated_attempts({"target": 1.0}, networks=2, judges=2, targets=3, starts=5).shape
    (60, 5)
    """
    for name, number in {"networks": networks, "judges": judges, "targets": targets, "starts": starts}.items():
        check_count(name, number)
    generator = np.random.default_rng(seed)
    sizes = {"network": networks, "judge": judges, "target": targets, "start": starts}
    names = [[f"{column} {number}" for number in range(size)] for column, size in sizes.items()]
    table = pd.MultiIndex.from_product(names, names=list(sizes)).to_frame(index=False)
    logit = np.full(len(table), float(mean))
    for component, variance in variances.items():
        columns = ["network", "target", "start"] if component == "start" else component.split(":")
        level = table.groupby(columns).ngroup().to_numpy()
        logit += generator.normal(0.0, np.sqrt(variance), level.max() + 1)[level]
    heard = generator.random(len(table)) < special.expit(logit)
    return table.assign(response=table["target"].where(heard, "other"))


def calibrate_variance(
    worlds: Sequence[str] | None = None,
    datasets: int = 200,
    seed: int = 0,
    engine: VarianceEngine = "laplace",
    progress: Callable[[pd.DataFrame], None] | None = None,
    run: RunOptions | None = None,
) -> pd.DataFrame:
    """Count how often intervals of `variance_shares` cover the true share, and its tests reject no variance.

    Parameters
    ----------
    worlds
        Keys of `WORLDS`; by default all.
    datasets
        For each world.
    seed
        Data set n of a world is the same whatever their number.
    engine
        Who fits.
    progress
        Called with the table so far after each world.
    run
        Where data sets are simulated; by default here, one after another. Numbers do not depend on it.

    Returns
    -------
    pandas.DataFrame
        ``world, component, true_share, mean_share, coverage, coverage_std_error, too_high, median_width, rejected,
        datasets, refused``: how often 95 % intervals hold the true share, how often they lie above it altogether, and
        how often no variance is rejected at .05 (type I error where there is none, else power).

    Examples
    --------
    >>> table = calibrate_variance(("nothing varies",), datasets=2)
    >>> table["component"].tolist()
    ['network', 'judge', 'target', 'network:judge:target', 'residual']
    """
    check_count("datasets", datasets)
    parts: list[pd.DataFrame] = []
    names = list(worlds or WORLDS)
    for world in names:
        check_choice("world", world, WORLDS)
    for number, world in enumerate(names):
        own = (run or RunOptions()).share(number, len(names))
        drawn = run_on_one_thread_each(partial(_dataset, world, seed, engine), range(datasets), own)
        parts.append(_summary(world, drawn))
        table = check_frame(pd.concat(parts, ignore_index=True))
        if progress is not None:
            progress(table)
    return table


def _dataset(world: str, seed: int, engine: VarianceEngine, number: int) -> pd.DataFrame | None:
    """Return the shares of one data set, None where they are refused."""
    truth = WORLDS[world]
    generator = np.random.default_rng([seed, list(WORLDS).index(world), number])
    attempts = simulated_attempts({**truth.variances, **truth.left_out}, seed=generator, **truth.sizes)  # type: ignore[arg-type]
    try:
        return variance_shares(attempts, components=list(truth.variances), engine=engine, conf_level=CONF_LEVEL).shares
    except (DataError, FitError):
        return None


def _summary(world: str, datasets: list[pd.DataFrame | None]) -> pd.DataFrame:
    kept = [shares for shares in datasets if shares is not None]
    rows = []
    for component, own in pd.concat(kept, ignore_index=True).groupby("component", sort=False):
        truth = WORLDS[world].truth(str(component))
        share, low, high, p_value = own[["share", "conf_low", "conf_high", "p_value"]].to_numpy(dtype=float).T
        covered = np.mean((low <= truth) & (truth <= high))
        row = {
            "world": world,
            "component": component,
            "true_share": truth,
            "mean_share": np.mean(share),
            "coverage": covered,
            "coverage_std_error": np.sqrt(covered * (1 - covered) / len(kept)),
            "too_high": np.mean(low > truth),
            "median_width": np.median(high - low),
            "rejected": np.nan if component == RESIDUAL else np.mean(p_value <= ALPHA),
            "datasets": len(kept),
            "refused": len(datasets) - len(kept),
        }
        rows.append(row)
    return pd.DataFrame(rows)
