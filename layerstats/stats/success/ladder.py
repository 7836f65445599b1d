"""Priors compared along the steps of maximization, and where their starts have gone equally far."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete
from layerstats.errors import ArgumentError, DataError
from layerstats.stats.multiplicity import AdjustMethod, adjust_p_values
from layerstats.stats.success.attempt_frames import attempts_from_frame
from layerstats.stats.success.judged_starts import judged_starts
from layerstats.stats.success.marginal_and_joint import asked_everywhere, measures, scores_of
from layerstats.stats.success.rate_intervals import Inference, Sampling
from layerstats.stats.success.set_ups import compare_set_ups
from layerstats.stats.success.stored_attempts import attempts
from layerstats.store import Experiment
from layerstats.tables import PrintedResult, check_frame

# From nothing to a model of speech.
RUNGS = ("none", "smooth", "spectrum", "autoencoder", "ciwgan")
_PATH = ["set_up", "null", "network", "target", "start"]
_PLACES = 6


@dataclass(frozen=True, eq=False, repr=False)
class Ladder(PrintedResult):
    """How often starts are heard as their target as maximization goes on, prior by prior.

    Attributes
    ----------
    curves
        A row a place, set-up, null, measure and judge: ``along, place, set_up, null, measure, judge, starts, rate,
        mean_score, mean_displacement, conf_low, conf_high, ...``. Along "steps" a place is their number. Along
        "displacement" it is a distance in what the network hears, and each start is taken where it last was before it
        first went further; a start that never goes so far is taken where it ended, which `mean_displacement` tells.
    contrasts
        Each set-up minus the one before it, at the distance `place`: ``set_up_1, set_up_2, measure, judge, rate_1,
        rate_2, difference, conf_low, conf_high, p_value, p_adjusted, family, ...``.
    notes
        At which distance set-ups are compared, in sentences.
    """

    main_tables = ("contrasts", "curves")
    curves: pd.DataFrame
    contrasts: pd.DataFrame
    notes: tuple[str, ...] = ()


def ladder_attempts(
    experiment: Experiment, *, judges: Sequence[str] | None = None, targets: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read who heard what after each number of steps, in a store that `maximize_ladder` made and judges judged.

    Parameters
    ----------
    experiment : Experiment
        The store.
    judges, targets
        As for `attempts`.

    Returns
    -------
    pandas.DataFrame
        A row a start, judge and number of steps: the columns of `attempts`, `steps`, and `displacement_heard`, how far
        the start has gone in what the network hears (L2).

    Raises
    ------
    DataError
        As for `attempts`; or the store holds one number of steps only.

    Examples
    --------
    >>> from layerstats.store import open_store
    >>> ladder_attempts(open_store("ladder.zarr"))["steps"].unique().tolist()
    [0, 1]
    """
    table = experiment.outcomes
    if table.empty or len(table["steps"].unique()) < 2:
        raise DataError(
            f"The outcomes of {experiment.path} are of one number of steps, and a ladder needs several: make them with "
            "layerstats.probes.maximize_ladder."
        )
    parts = []
    for steps, rows in table.groupby("steps"):
        names = rows["name"].astype(str).tolist()
        heard = attempts(experiment, outcomes=names, judges=judges, targets=targets)
        moved = pd.concat([_moved(experiment, name) for name in names], ignore_index=True)
        heard = heard.astype(dict.fromkeys(_PATH, str)).merge(moved, on=_PATH, validate="many_to_one")
        parts.append(heard.assign(steps=int(steps)))  # pyright: ignore[reportArgumentType]
    return pd.concat(parts, ignore_index=True)


def _moved(experiment: Experiment, name: str) -> pd.DataFrame:
    """Return how far each start of an outcome set has gone."""
    outcome = experiment.outcome(name)
    about = {one: str(outcome.attrs.get(one, "")) for one in ("set_up", "null", "network")}
    columns = {one: outcome[one].to_numpy().astype(object) for one in ("target", "start")}
    return pd.DataFrame({**columns, "displacement_heard": outcome["displacement_heard"].to_numpy()}).assign(**about)


def success_ladder(
    attempts: pd.DataFrame,
    *,
    set_ups: Sequence[str] | None = None,
    displacements: Sequence[float] | None = None,
    at: float | None = None,
    networks: Sampling = "drawn",
    classes: Sampling = "fixed",
    conf_level: float = 0.95,
    adjust: AdjustMethod = "holm",
) -> Ladder:
    """Compare success of set-ups along the steps and at equal displacement.

    Parameters
    ----------
    attempts : DataFrame
        As from `ladder_attempts`: a row a start, judge and number of steps, of which 0 must be one.
    set_ups
        In the order of the ladder, from the lowest rung; by default as in `RUNGS`, then by the alphabet.
    displacements
        Distances at which success is looked at; by default six, from 0 to the median of the set-up that goes furthest.
    at
        The distance at which set-ups are compared; by default the median of the set-up that goes least far, which all
        others reach.
    networks, classes, conf_level
        As for `success_rates`.
    adjust
        How p-values are adjusted, over all pairs of set-ups, measures and judges.

    Raises
    ------
    ArgumentError
        A distance is negative, or there is no such set-up.
    DataError
        A column is missing, or a start has no row without steps.

    Examples
    --------
    >>> rows = [(set_up, "a", "yes", f"yes_{number}", judge, "yes" if number < steps * most else "no", steps, steps / 2)
    ...         for set_up, most in (("none", 1), ("smooth", 2)) for number in range(10) for judge in ("a", "b")
    ...         for steps in (0, 4)]
    >>> columns = ["set_up", "network", "target", "start", "judge", "response", "steps", "displacement_heard"]
    >>> ladder = success_ladder(pd.DataFrame(rows, columns=columns))
    >>> ladder.contrasts.query("judge == 'b' and measure == 'marginal'")[["place", "difference"]].values.tolist()
    [[2.0, 0.4]]
    """
    table = _checked(attempts)
    order = _order(table, set_ups)
    table = table.loc[table["set_up"].isin(order)]
    own = table.loc[table["null"] == ""].drop_duplicates([*_PATH, "steps"])
    ends = own.sort_values("steps").drop_duplicates(_PATH, keep="last").groupby("set_up")["displacement_heard"].median()
    shared = float(ends.min()) if at is None else float(at)
    grid = np.linspace(0, float(ends.max()), _PLACES) if displacements is None else np.asarray(displacements, float)
    if min([shared, *grid]) < 0:
        raise ArgumentError(f"Displacements are distances, 0 or more, but got {min([shared, *grid])!r}.")
    inference = Inference(networks, classes, conf_level)
    rows = [
        row
        for along, place, chosen in _places(table, [float(value) for value in grid])
        for row in _rates(chosen, order, inference)
        for row in [{"along": along, "place": place, **row}]
    ]
    compared = _compared(_within(table, shared), order, networks, classes, conf_level)
    family = "each set-up minus the one before it, measures and judges"
    notes = (
        f"Set-ups are compared where their starts are {shared:.4g} from where they began in what the network hears"
        + (", the median of the one that goes least far." if at is None else "."),
    )
    return Ladder(
        check_frame(pd.DataFrame(rows)),
        check_frame(adjust_p_values(compared.assign(along="displacement", place=shared), family, method=adjust)),
        notes,
    )


def _checked(attempts: pd.DataFrame) -> pd.DataFrame:
    what = "the table of attempts along the steps"
    needed = ("set_up", "network", "target", "start", "judge", "response", "steps", "displacement_heard")
    check_columns(attempts, needed, what)
    table = attempts if "null" in attempts else attempts.assign(null="")
    check_complete(table, [*_PATH, "steps", "displacement_heard"], what, "Leave starts out that were not judged.")
    table = table.astype(dict.fromkeys(_PATH, str))
    beginnings = table.loc[table["steps"] == 0, _PATH].drop_duplicates()
    everyone = table.loc[:, _PATH].drop_duplicates()
    missing = everyone.merge(beginnings, how="left", indicator=True).query("_merge == 'left_only'")
    if len(missing):
        first = missing.iloc[0]
        raise DataError(
            f"The start {first['start']!r} of the set-up {first['set_up']!r}"
            + (f" (null {first['null']!r})" if first["null"] else "")
            + f" has no row without steps, from which it could be followed ({len(missing)} of {len(everyone)} starts)."
        )
    return table


def _order(table: pd.DataFrame, set_ups: Sequence[str] | None) -> list[str]:
    there = sorted(table["set_up"].unique())
    if set_ups is None:
        return sorted(there, key=lambda name: (RUNGS.index(name) if name in RUNGS else len(RUNGS), name))
    unknown = [name for name in set_ups if name not in there]
    if unknown:
        raise ArgumentError(f"There is no set-up {unknown[0]!r}: there are {', '.join(map(repr, there))}.")
    return list(set_ups)


def _places(table: pd.DataFrame, displacements: Sequence[float]) -> Iterator[tuple[str, float, pd.DataFrame]]:
    for steps, rows in table.groupby("steps"):
        yield "steps", float(steps), rows  # pyright: ignore[reportArgumentType]
    for place in displacements:
        yield "displacement", place, _within(table, place)


def _within(table: pd.DataFrame, place: float) -> pd.DataFrame:
    """Return the rows of each start where it last was before it first went further than `place`."""
    paths = table.drop_duplicates([*_PATH, "steps"]).sort_values([*_PATH, "steps"])
    furthest = paths.groupby(_PATH)["displacement_heard"].cummax()
    last = paths.loc[furthest <= place].drop_duplicates(_PATH, keep="last")
    return table.merge(last.loc[:, [*_PATH, "steps"]], on=[*_PATH, "steps"])


def _rates(chosen: pd.DataFrame, order: Sequence[str], inference: Inference) -> Iterator[dict[str, object]]:
    """Yield a row a set-up, null, measure and judge."""
    moved: dict[tuple[str, str], float] = {}
    for (set_up, null), paths in chosen.drop_duplicates(_PATH).groupby(["set_up", "null"]):  # pyright: ignore[reportGeneralTypeIssues]
        moved[str(set_up), str(null)] = float(paths["displacement_heard"].to_numpy().mean())
    laid_out = judged_starts(attempts_from_frame(chosen), "all starts")
    together = asked_everywhere(*laid_out.values())
    for (set_up, null), starts in sorted(laid_out.items(), key=lambda item: (order.index(item[0][0]), item[0][1])):
        for measured in measures(starts, together):
            estimate = measured.estimate(starts)
            yield {
                "set_up": set_up,
                "null": null,
                "measure": measured.measure,
                "judge": measured.judge,
                "starts": estimate.starts,
                "rate": estimate.value,
                "mean_score": scores_of(starts, measured),
                "mean_displacement": moved[set_up, null],
                **inference.rate(estimate),
            }


def _compared(
    chosen: pd.DataFrame, order: Sequence[str], networks: Sampling, classes: Sampling, conf_level: float
) -> pd.DataFrame:
    """Compare each set-up with the one before it; one alone has nothing to be compared with."""
    heard = attempts_from_frame(chosen)
    options = {"networks": networks, "classes": classes, "conf_level": conf_level}
    parts = [
        compare_set_ups(heard, above, below, adjust="none", **options)  # pyright: ignore[reportArgumentType]
        for below, above in itertools.pairwise(order)
    ]
    if not parts:
        return pd.DataFrame(columns=pd.Index(["set_up_1", "set_up_2", "measure", "judge", "difference", "p_value"]))
    return pd.concat(parts, ignore_index=True)
