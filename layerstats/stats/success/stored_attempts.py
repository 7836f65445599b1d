"""Attempts of a store: outcomes of maximizations and what judges heard in them, read in blocks of starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from pandas.api.types import union_categoricals

from layerstats.checks import check_choice
from layerstats.errors import DataError
from layerstats.stats.success.attempt_frames import attempts_from_frame
from layerstats.stats.success.judged_starts import DENOMINATORS
from layerstats.store import Experiment

# Starts whose scores are in memory together.
BLOCK = 4096


def attempts(
    experiment: Experiment,
    *,
    set_ups: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    judges: Sequence[str] | None = None,
    outcomes: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Read who heard what in the outcomes of a store.

    Parameters
    ----------
    experiment : Experiment
        A store with outcomes (`layerstats.maximize_activations`) that have been judged (`layerstats judge`).
    set_ups, targets, judges
        Which of them; by default all. The target networks are judges too, and are always kept.
    outcomes
        Names of sets of outcomes, where a store has several of one set-up, network and null.

    Returns
    -------
    pandas.DataFrame
        A row a start and judge, `ATTEMPT_COLUMNS`: `response` is what the judge hears most after maximization,
        `score` the score that it gives the target (missing where it gives none), `response_before` what the target
        network heard before. Success is ``response == target``.

    Raises
    ------
    DataError
        There are no outcomes or only one judge, an unknown set-up or judge, a class that nobody attempted, scores that
        are no numbers, or a judge that does not know a class or has its responses in another order than the network.

    Examples
    --------
    >>> from layerstats.store import open_store
    >>> attempts(open_store("made.zarr"), set_ups=["none"])["judge"].unique().tolist()
    ['a', 'b']
    """
    parts = []
    for judged in _judged_sets(experiment, set_ups, judges, outcomes):
        rows = judged.rows if targets is None else np.flatnonzero(np.isin(judged.targets, list(targets)))
        base = judged.frame(rows)
        for judge, reader in judged.readers():
            response, score = reader.heard(rows, judged.targets[rows])
            asked = response >= 0
            heard = pd.Categorical.from_codes(response[asked], categories=pd.Index(reader.responses))
            said_by = pd.Categorical.from_codes(np.zeros(len(heard), dtype=int), categories=pd.Index([judge]))
            parts.append(base.loc[asked].assign(judge=said_by, response=heard, score=score[asked]))
    return attempts_from_frame(_stacked(parts), targets=targets, set_ups=set_ups)


def _stacked(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return frames below each other, categories of all; pandas would make text of them, which is large."""
    columns = {}
    for name in parts[0].columns:
        values = [part[name] for part in parts]
        if isinstance(values[0].dtype, pd.CategoricalDtype):
            columns[name] = union_categoricals([pd.Categorical(one) for one in values])
        else:
            columns[name] = np.concatenate([one.to_numpy() for one in values])
    return pd.DataFrame(columns)


def heard_scores(
    experiment: Experiment,
    *,
    denominator: str = "all starts",
    set_ups: Sequence[str] | None = None,
    judges: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Average the scores that judges give every response, by target: the matrix of Soomro et al. 2019, Fig. 5.

    Parameters
    ----------
    experiment, set_ups, judges
        As for `attempts`.
    denominator
        "all starts", or those that were "not the target already" for the target network.

    Returns
    -------
    pandas.DataFrame
        ``set_up, null, network, target, judge, response, mean_score``, for the judges that score all their responses.

    Raises
    ------
    ArgumentError
        There is no such denominator.
    DataError
        As for `attempts`.

    Examples
    --------
    >>> from layerstats.store import open_store
    >>> heard_scores(open_store("made.zarr"), judges=["b"])["judge"].unique().tolist()
    ['a', 'b']
    """
    check_choice("denominator", denominator, DENOMINATORS)
    parts = []
    for judged in _judged_sets(experiment, set_ups, judges):
        kept = judged.rows
        if denominator == DENOMINATORS[1]:
            kept = np.flatnonzero(judged.before() != judged.targets)
        for judge, reader in judged.readers():
            if reader.scores is not None and len(kept):
                means = reader.means(kept, judged.targets[kept])
                parts.append(means.assign(set_up=judged.set_up, null=judged.null, network=judged.network, judge=judge))
    columns = ["set_up", "null", "network", "target", "judge", "response", "mean_score"]
    return pd.concat(parts, ignore_index=True).loc[:, columns] if parts else pd.DataFrame(columns=pd.Index(columns))


@dataclass(frozen=True)
class _Reader:
    """What one judge says of the starts of one outcome set: scores of all responses, or else its response."""

    who: str
    responses: np.ndarray
    scores: xr.DataArray | None
    said: np.ndarray | None = None

    @classmethod
    def of_text(cls, who: str, said: np.ndarray) -> _Reader:
        """Return that of a judge without scores; an empty response is none."""
        text = pd.Series(said).astype(object)
        codes, names = pd.factorize(text.where(text != ""))
        return cls(who, np.asarray(names, dtype=str), None, codes)

    def blocks(self, rows: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield which of `rows`, and their scores (start, response)."""
        assert self.scores is not None
        for first in range(0, len(rows), BLOCK):
            part = slice(first, min(first + BLOCK, len(rows)))
            values = np.asarray(self.scores[rows[part]].to_numpy(), dtype=float)
            # Of a start that a judge was not asked about all scores are missing.
            if np.isinf(values).any() or (np.isnan(values).any(axis=1) != np.isnan(values).all(axis=1)).any():
                raise DataError(f"{self.who} has scores that are no numbers. Judge these outcomes again.")
            yield part, values

    def heard(self, rows: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the number of the response in each row, -1 where there is none, and the score of its target."""
        if self.said is not None:
            return self.said[rows], np.full(len(rows), np.nan)
        place = _places(self.who, self.responses, targets)
        best, score = np.empty(len(rows), dtype=int), np.empty(len(rows))
        for part, values in self.blocks(rows):
            score[part] = values[np.arange(len(values)), place[part]]
            best[part] = np.where(np.isnan(score[part]), -1, np.nan_to_num(values, nan=-np.inf).argmax(axis=1))
        return best, score

    def means(self, rows: np.ndarray, targets: np.ndarray) -> pd.DataFrame:
        """Return `target, response, mean_score`."""
        names, group = np.unique(targets, return_inverse=True)
        sums, counts = np.zeros((len(names), len(self.responses))), np.zeros(len(names))
        for part, values in self.blocks(rows):
            np.add.at(sums, group[part], np.nan_to_num(values))
            np.add.at(counts, group[part], ~np.isnan(values[:, 0]))
        with np.errstate(invalid="ignore"):
            means = sums / counts[:, None]
        return pd.DataFrame(
            {
                "target": np.repeat(names, len(self.responses)),
                "response": np.tile(self.responses, len(names)),
                "mean_score": means.ravel(),
            }
        ).dropna()


@dataclass(frozen=True)
class _JudgedSet:
    """One outcome set, and its judgements by judge."""

    name: str
    data: xr.Dataset
    judgements: dict[str, xr.Dataset]

    @property
    def set_up(self) -> str:
        return str(self.data.attrs["set_up"])

    @property
    def network(self) -> str:
        return str(self.data.attrs["network"])

    @property
    def null(self) -> str:
        return str(self.data.attrs.get("null", ""))

    @property
    def rows(self) -> np.ndarray:
        return np.arange(self.data.sizes["start"])

    @property
    def targets(self) -> np.ndarray:
        return _text(self.data["target"])

    def _own(self, moment: str) -> _Reader:
        name = f"scores_{moment}"
        if name not in self.data or "class" not in self.data[name].coords:
            raise DataError(
                f"The outcome set {self.name!r} has no scores of classes ({name!r}): whether a start is heard as its "
                "target is known of classes only. Choose other set-ups."
            )
        scores = self.data[name]
        return _Reader(f"The outcome set {self.name!r} ({name})", _text(scores["class"]), scores)

    def before(self) -> np.ndarray:
        """Return what the target network heard before, (start,)."""
        own = self._own("before")
        return own.responses[own.heard(self.rows, self.targets)[0]]

    def frame(self, rows: np.ndarray) -> pd.DataFrame:
        """Return the columns that say what a start is, a row a start; text as categories."""
        about = self.data.attrs
        same = {"set_up": self.set_up, "network": self.network, "null": self.null}
        same["labels"] = str(about.get("labels", "true"))
        text = {name: pd.Categorical(_text(self.data[name])[rows]) for name in ("target", "start", "token")}
        nought = np.zeros(len(rows), dtype=int)
        text |= {name: pd.Categorical.from_codes(nought, pd.Index([value])) for name, value in same.items()}
        text["response_before"] = pd.Categorical(self.before()[rows])
        numbers = {name: self.data[name].to_numpy()[rows] for name in ("number", "seed")}
        return pd.DataFrame({**text, **numbers}).assign(trained=bool(about.get("trained", True)))

    def readers(self) -> Iterator[tuple[str, _Reader]]:
        """Yield the target network as a judge, then the others."""
        own = self._own("after")
        yield self.network, own
        for judge, data in self.judgements.items():
            if judge == self.network:
                continue
            who = f"The judge {judge!r} of the outcome set {self.name!r}"
            if "score" not in data:
                yield judge, _Reader.of_text(who, data["response"].to_numpy())
                continue
            known = _text(data["score"]["response"])
            if list(known) != list(own.responses) and sorted(known) == sorted(own.responses):
                raise DataError(
                    f"{who} has the same responses as the target network in another order ({str(known[0])!r} first, "
                    f"not {str(own.responses[0])!r}): its labels may be mixed up. Name its outputs in one order."
                )
            yield judge, _Reader(who, known, data["score"])


def _text(values: xr.DataArray) -> np.ndarray:
    # By way of objects: numpy does not cast text of variable length to text of one length.
    return values.to_numpy().astype(object).astype(str)


def _places(who: str, responses: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return where each target stands among the responses, (start,)."""
    place = {name: number for number, name in enumerate(responses)}
    unknown = sorted(set(targets) - set(place))
    if unknown:
        raise DataError(
            f"{who} does not know the class {str(unknown[0])!r} and can never hear it ({len(unknown)} of "
            f"{len(set(targets))} classes). Leave this judge out, or these classes."
        )
    return np.array([place[name] for name in targets])


def _judged_sets(
    experiment: Experiment,
    set_ups: Sequence[str] | None,
    judges: Sequence[str] | None,
    outcomes: Sequence[str] | None = None,
) -> Iterator[_JudgedSet]:
    table = experiment.outcomes
    if table.empty:
        what = "layerstats maximize CHECKPOINT STORE"
        raise DataError(f"The store {experiment.path} holds no outcomes of maximizations. Make some: {what}")
    unknown = [name for name in set_ups or () if name not in set(table["set_up"])]
    if unknown:
        there = ", ".join(sorted(set(table["set_up"])))
        raise DataError(f"There is no set-up {unknown[0]!r} in {experiment.path}. Its set-ups are: {there}.")
    listening = _judgements(experiment)
    known = sorted({judge for one in listening.values() for judge in one} | set(table["network"]))
    strangers = [name for name in judges or () if name not in known]
    if strangers:
        raise DataError(f"The judge {strangers[0]!r} has judged nothing in {experiment.path}: {', '.join(known)} have.")
    meant = table
    for column, wanted in (("set_up", set_ups), ("name", outcomes)):
        meant = meant if wanted is None else meant.loc[meant[column].isin(list(wanted))]
    _check_one_of_each(meant, experiment)
    for name in map(str, meant["name"]):
        chosen = {judge: data for judge, data in listening.get(name, {}).items() if judges is None or judge in judges}
        yield _JudgedSet(name, experiment.outcome(name), chosen)


def _check_one_of_each(table: pd.DataFrame, experiment: Experiment) -> None:
    """Refuse sets of outcomes that differ only in settings, such as rungs of a ladder: each start would count twice."""
    for _, rows in table.groupby(["set_up", "network", "null"], sort=False):
        if len(rows) > 1:
            set_up, network = rows[["set_up", "network"]].iloc[0]
            raise DataError(
                f"{experiment.path} has {len(rows)} sets of outcomes of the set-up {set_up!r} and the network "
                f"{network!r}, made with different settings: {', '.join(rows['name'])}. Name one of them: "
                "attempts(experiment, outcomes=[...])."
            )


def _judgements(experiment: Experiment) -> dict[str, dict[str, xr.Dataset]]:
    """Return the judgements of outcomes by outcome set and judge."""
    found: dict[str, dict[str, xr.Dataset]] = {}
    for name, outcomes, judge in experiment.judgements[["name", "outcomes", "judge"]].itertuples(index=False):
        found.setdefault(str(outcomes), {})[str(judge)] = experiment.judgement(str(name))
    return found
