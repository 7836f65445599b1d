"""What success varies over: shares of variance of target network, judge, class and start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import pandas as pd

from layerstats.checks import check_choice, check_count
from layerstats.errors import ArgumentError, DataError, FitError
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.success.attempt_frames import attempts_from_frame
from layerstats.stats.success.crossed_logistic import CrossedLogistic
from layerstats.stats.success.variance_counts import Counts, count_attempts, read_components
from layerstats.stats.success.variance_engines import ENGINES, VarianceEngine, choose_engine, fit_by
from layerstats.stats.success.variance_profile import LOGISTIC_VARIANCE, VarianceFit, share_interval, zero_test
from layerstats.tables import PrintedResult, check_frame
from layerstats.tables.readable_names import readable_name

RESIDUAL = "residual"
# Chi-square a cell beyond which counts vary more than binomial ones do.
_OVERDISPERSED = 1.5


@dataclass(frozen=True, eq=False, repr=False)
class VarianceShares(PrintedResult):
    """Shares of the variance of success on the scale of the logit.

    Attributes
    ----------
    shares
        A row a component: ``set_up, null, component, levels, variance, share, conf_low, conf_high, conf_level,
        statistic, p_value`` and the adjusted p-values; the family is the components of one set-up (or of one null of
        it). The component "residual" is a single attempt: its variance is that of the standard logistic distribution.
    models
        A row a set-up or null: ``set_up, null, attempts, cells, rate, intercept, total_variance, dispersion, engine,
        note``. The note says why there are no shares, where there are none.
    notes
        What was left out, and what to know of the shares.
    """

    main_tables = ("shares",)
    shares: pd.DataFrame
    models: pd.DataFrame
    notes: tuple[str, ...] = ()


def variance_shares(
    attempts: pd.DataFrame,
    *,
    components: Sequence[str] | None = None,
    own_judgements: Literal["exclude", "include"] = "exclude",
    engine: VarianceEngine = "auto",
    conf_level: float = 0.95,
    adjust: AdjustMethod = "holm",
    most_starts: int = 5000,
    seed: int = 0,
) -> VarianceShares:
    """Say how much of the variance of success lies between networks, judges, classes, their pairs, and starts.

    A mixed logistic model for each set-up and null: the logit of success has crossed normal random intercepts, one for
    each component. The share of a component is its variance over the sum of all and pi^2/3, the variance of a single
    attempt on that scale (Nakagawa and Schielzeth 2010, Biol. Rev. 85, 935-956). Variances maximise the restricted
    likelihood by Laplace's method; intervals are profiles of it, tests are likelihood ratios on the boundary. With K
    networks, a share of networks rests on K effects: intervals are wide, and honestly so.

    Parameters
    ----------
    attempts : columns `network, target, start, judge, response`, optional `set_up, null`
        A row a start and judge, as for `attempts_from_frame`. Success is a response that is the target.
    components
        Of "network", "judge", "target", pairs such as "network:judge", "network:judge:target" (cells: what varies
        between cells beyond their pairs and the binomial), and "start" (one start of one network; where several
        judges hear it). By default all but starts that the data can tell. A model without pairs and cells takes what
        they hold for evidence about the rest: its intervals are then too narrow, as `dispersion` shows.
    own_judgements
        Whether judgements of a target network on what was made for itself are left out.
    engine
        "laplace" (this package), "lme4" (R), or "auto": lme4 where it is installed. Both maximise the same likelihood.
    conf_level
        Of the intervals.
    adjust
        See `adjust_p_values`.
    most_starts
        Where "start" is a component, so many starts are used at most, drawn from all, evenly over networks and
        classes. With few binary judgements a start Laplace's method gives too little there; see
        ``docs/how-to/variance.md``.
    seed
        Of that draw.

    Returns
    -------
    VarianceShares
        Shares, models and notes.

    Raises
    ------
    DataError
        The table is not one of attempts (see `attempts_from_frame`), success does not vary in any set-up, or a
        component that was asked for has one level or cannot be told from another.
    ArgumentError
        There is no such component or engine.
    FitError
        No model converged.

    Examples
    --------
    >>> table = pd.DataFrame([(n, t, s, j) for n in "ab" for t in ("yes", "no", "up") for s in range(9) for j in "cd"])
    >>> table = table.set_axis(["network", "target", "start", "judge"], axis=1)
    >>> table["response"] = table["target"].where(table["start"] > 2 * (table["target"] == "up") + 3, "go")
    >>> result = variance_shares(table, components=["target"], engine="laplace")
    >>> result.shares[["component", "levels", "conf_low"]].values.tolist()
    [['target', 3, 0.0], ['residual', <NA>, ...]]
    """
    wanted = read_components(components)
    check_choice("own_judgements", own_judgements, ("exclude", "include"))
    check_choice("engine", engine, ENGINES)
    check_count("most_starts", most_starts)
    if not 0 < conf_level < 1:
        raise ArgumentError(f"'conf_level' must lie between 0 and 1, but is {conf_level!r}.")
    table, notes = _read(attempts, own_judgements)
    chosen = choose_engine(engine)
    shares, models, said = [], [], []
    for key, rows in table.groupby(["set_up", "null"], sort=False, observed=True):
        set_up, null = map(str, cast(tuple, key))
        place = {"set_up": set_up, "null": null}
        name = f"{set_up} ({null})" if null else set_up
        found, model, remarks = _one(rows, wanted, chosen, conf_level, most_starts, seed)
        models.append({**place, **model})
        if found is not None:
            family = f"no variance of a component: {name}"
            shares.append(adjust_p_values(found.assign(**place), family, method=adjust))
        said += [f"{readable_name(name)}: {remark}" for remark in remarks]
    if not shares:
        kind = FitError if any(np.isfinite(model["rate"]) and 0 < model["rate"] < 1 for model in models) else DataError
        raise kind(f"There are no shares of variance: {models[0]['note']}")
    frame = pd.concat(shares, ignore_index=True)
    order = ["set_up", "null", "component", *(name for name in frame if name not in ("set_up", "null", "component"))]
    frame = check_frame(pd.DataFrame(frame.loc[:, order]), "variance_shares")
    return VarianceShares(frame, check_frame(pd.DataFrame(models)), (*notes, *said))


def _read(attempts: pd.DataFrame, own_judgements: str) -> tuple[pd.DataFrame, list[str]]:
    """Return the attempts with their success, and what was left out."""
    table, notes = attempts_from_frame(attempts), []
    table = table.assign(success=table["response"].astype(str).to_numpy() == table["target"].astype(str).to_numpy())
    if own_judgements == "exclude":
        own = table["network"].astype(str).to_numpy() == table["judge"].astype(str).to_numpy()
        if own.any():
            notes.append(f"{int(own.sum())} judgements of networks on what was made for themselves were left out.")
        table = table.loc[~own]
    if table.empty:
        raise DataError(
            "No attempts are left to share a variance of: every judgement is that of a network on what was "
            "made for itself. Let others judge: layerstats judge STORE --judges FILE,FILE,pocketsphinx"
        )
    return pd.DataFrame(table), notes


def _one(
    rows: pd.DataFrame, wanted: tuple[str, ...] | None, engine: str, conf_level: float, most_starts: int, seed: int
) -> tuple[pd.DataFrame | None, dict[str, Any], tuple[str, ...]]:
    """Fit one model: its shares (None where there are none), what is said of it, and notes."""
    rate = float(rows["success"].to_numpy().mean())
    about = {"attempts": len(rows), "rate": rate, "engine": engine, "note": ""}
    if rate in (0.0, 1.0):
        note = f"every attempt {'failed' if rate == 0 else 'succeeded'}, so that there is no variance to share."
        return None, {**about, "note": note}, ()
    counts = count_attempts(rows, wanted, most_starts, seed)
    model = CrossedLogistic(counts.successes, counts.trials, counts.levels)
    try:
        fit, used, notes = fit_by(engine, model, counts.levels)
    except FitError as error:
        return None, {**about, "cells": len(counts.trials), "note": str(error)}, counts.notes
    dispersion = model.dispersion(fit.predictor)
    about |= {
        "engine": used,
        "cells": len(counts.trials),
        "intercept": fit.intercept,
        "total_variance": fit.total,
        "dispersion": dispersion,
    }
    return _table(model, fit, counts, conf_level), about, (*counts.notes, *notes, *_remarks(rows, counts, dispersion))


def _table(model: CrossedLogistic, fit: VarianceFit, counts: Counts, conf_level: float) -> pd.DataFrame:
    rows = []
    for number, component in enumerate(counts.components):
        low, high = share_interval(model, fit, number, conf_level)
        statistic, p_value = zero_test(model, fit, number)
        variance, share = float(fit.variances[number]), float(fit.shares[number])
        rows.append((component, int(model.counts[number]), variance, share, low, high, statistic, p_value))
    low, high = share_interval(model, fit, None, conf_level)
    rows.append((RESIDUAL, pd.NA, LOGISTIC_VARIANCE, LOGISTIC_VARIANCE / fit.total, low, high, np.nan, np.nan))
    names = ["component", "levels", "variance", "share", "conf_low", "conf_high", "statistic", "p_value"]
    return pd.DataFrame(rows, columns=names).astype({"levels": "Int64"}).assign(conf_level=conf_level)


def _remarks(rows: pd.DataFrame, counts: Counts, dispersion: float) -> list[str]:
    """Return what to know of the shares: counts beyond the binomial, levels where success does not vary."""
    said = []
    if dispersion > _OVERDISPERSED:
        said.append(
            f"cells vary {dispersion:.1f} times as much as binomial counts do beyond the components: intervals and "
            "tests are too narrow. Add pairs and 'network:judge:target' to the components."
        )
    for factor in counts.factors:
        successes = pd.Series(rows["success"]).groupby(rows[factor], observed=True)
        rates = {str(level): np.mean(own.to_numpy()) for level, own in successes}
        certain = [level for level, rate in rates.items() if rate in (0.0, 1.0)]
        if certain:
            shown = ", ".join(certain[:5]) + (", ..." if len(certain) > 5 else "")
            said.append(
                f"{len(certain)} of {len(rates)} levels of {factor} always or never succeed ({shown}): their effects "
                "are drawn towards the others, and the variance depends on how normal effects are."
            )
    return said
