"""The random models and what mgcv says of them; see README.md."""

from __future__ import annotations

import tomllib
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent
# As in make_models.R: an order of levels that is not the alphabet's.
WORD_ORDER = ("dark", "ask", "suit", "greasy", "wash")
TEXT_COLUMNS = ("token", "speaker", "word", "stress", "item", "speaker_word")


@dataclass(frozen=True, eq=False)
class Case:
    """One model: what to fit, and mgcv's answers.

    Attributes
    ----------
    id, category
        For instance ``"nested-03"`` and ``"nested"``.
    family
        ``"gaussian"`` or ``"binomial"``.
    formula, data, arguments
        For ``fit(formula, data, **arguments)``.
    answers
        Columns ``quantity, term, value, tight, determined``: of bam() as it is; with its optimiser run until rounding
        stops it; and, where that changes the score, of the lower of two optima with nothing left to rounding errors.
    convergence
        What mgcv said of its own convergence, with its warnings.
    """

    id: str
    category: str
    family: str
    formula: str
    data: pd.DataFrame = field(repr=False)
    arguments: dict[str, Any]
    answers: pd.DataFrame = field(repr=False)
    convergence: str

    @property
    def is_determined(self) -> bool:
        """Whether mgcv has another score with nothing left to rounding errors and as many starts as the engine."""
        return bool(self.answers["determined"].notna().any()) and self.id not in first_optimum()

    @property
    def best_answers(self) -> str:
        """The column of the answers at mgcv's own optimum, with nothing left to rounding errors."""
        return "determined" if self.is_determined else "tight"

    def values(self, quantity: str, column: str = "value") -> np.ndarray:
        """Return the answers for one quantity, (term,)."""
        return self.answers.loc[self.answers["quantity"] == quantity, column].to_numpy(dtype=float)

    def terms(self, quantity: str) -> list[str]:
        """Return what the answers for one quantity are about, (term,)."""
        return self.answers.loc[self.answers["quantity"] == quantity, "term"].tolist()

    def value(self, quantity: str, column: str = "value") -> float:
        """Return the answer for a quantity of the whole model."""
        return float(self.values(quantity, column).item())


@cache
def _table(name: str) -> pd.DataFrame:
    text: dict[Hashable, Any] = dict.fromkeys(("reference", "term", *TEXT_COLUMNS), str)
    return pd.read_csv(FOLDER / f"{name}.csv.gz", dtype=text).fillna({"reference": "", "term": ""})


@cache
def _tables_by_model(name: str) -> dict[str, pd.DataFrame]:
    return {str(model): table for model, table in _table(name).groupby("model", sort=False)}


@cache
def case_ids() -> tuple[str, ...]:
    """Return the names of all models."""
    return tuple(_table("models")["id"])


@cache
def case(name: str) -> Case:
    """Return the model called `name`."""
    models = _table("models").set_index("id")
    model = models.loc[name]
    arguments: dict[str, Any] = {
        "method": model["method"],
        "family": model["family"],
        "rho": float(model["rho"]),
        "series": "token",
        "order": "sample",
    }
    if model["weighted"]:
        arguments["weights"] = "w"
    if model["reference"]:
        arguments["ordered"] = {"word_o": ("word", model["reference"])}
    return Case(
        id=name,
        category=str(model["category"]),
        family=str(model["family"]),
        formula=str(model["formula"]),
        data=_coded(_tables_by_model("data")[name]),
        arguments=arguments,
        answers=_tables_by_model("answers")[name].drop(columns="model").reset_index(drop=True),
        convergence=str(model["convergence"]),
    )


def cases() -> Iterator[Case]:
    """Yield every model."""
    return map(case, case_ids())


def _coded(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that the model has, text as factors."""
    data = table.drop(columns="model").dropna(axis="columns", how="all").reset_index(drop=True)
    for column in data.columns.intersection(TEXT_COLUMNS):
        present = set(data[column])
        levels = [word for word in WORD_ORDER if word in present] if column == "word" else sorted(present)
        data[column] = pd.Categorical(data[column], categories=levels)
    return data


@cache
def _listed() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "exceptions.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Exemption:
    """A quantity of a model that differs from mgcv's.

    Attributes
    ----------
    ceiling
        By how much at most, in the units of `comparison.compare_with_answers`.
    may_agree
        Whether rounding errors, and so the processor, decide if it differs at all; else it is listed only if it does.
    """

    ceiling: float
    may_agree: bool


def exceptions(model: Case, where: str) -> dict[str, Exemption]:
    """Return which quantities of a model differ from mgcv's: at the "optimum", or where mgcv "stopped"."""
    return _exempt(model, [entry for entry in _listed().get("exception", []) if where in entry["where"]])


def flat_quantities(model: Case) -> dict[str, Exemption]:
    """Return which quantities depend on where an optimiser stops in a direction in which the criterion is flat."""
    return _exempt(model, _listed().get("flat", []), may_agree=True)


def _exempt(model: Case, entries: list[dict[str, Any]], may_agree: bool = False) -> dict[str, Exemption]:
    return {
        quantity: Exemption(ceiling, entry.get("may_agree", may_agree))
        for entry in entries
        for quantity, ceiling in entry["ceilings"].get(model.id, {}).items()
    }


def score_above_bam(model: Case) -> float:
    """Return how much worse than the score of bam() as it is ours may be, zero for models that are not listed."""
    return max((entry["ceilings"].get(model.id, 0.0) for entry in _listed().get("higher", [])), default=0.0)


def determined_causes(model: Case) -> frozenset[str]:
    """Return what moves mgcv's own score, as the list says: choices that rounding makes, the mean, the start."""
    entries = [entry for entry in _listed().get("determined", []) if model.id in entry["ids"]]
    return frozenset(cause for entry in entries for cause in entry["causes"])


def first_optimum() -> frozenset[str]:
    """Return the models in whose first optimum both the engine and bam() stop, though there is a lower one."""
    return frozenset(name for entry in _listed().get("first", []) for name in entry["ids"])


def listed_models() -> frozenset[str]:
    """Return the models that the list of exceptions names."""
    entries = [entry for entries in _listed().values() for entry in entries]
    return frozenset(name for entry in entries for name in (entry["ids"] if "ids" in entry else entry["ceilings"]))


def spread_over(names: Sequence[str], number: int) -> frozenset[str]:
    """Return `number` of the names, spread over the list and so over the categories."""
    positions = np.linspace(0, len(names) - 1, number).round()
    return frozenset(names[int(position)] for position in positions)
