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
    formula, data, arguments
        For ``fit(formula, data, **arguments)``.
    answers
        Columns ``quantity, term, value, tight``: of bam() as it is, and of bam() with its optimiser run until rounding
        stops it.
    convergence
        What mgcv said of its own convergence, with its warnings.
    """

    id: str
    category: str
    formula: str
    data: pd.DataFrame = field(repr=False)
    arguments: dict[str, Any]
    answers: pd.DataFrame = field(repr=False)
    convergence: str

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
    arguments: dict[str, Any] = {"method": model["method"], "rho": float(model["rho"]), "series": "token"}
    arguments["order"] = "sample"
    if model["weighted"]:
        arguments["weights"] = "w"
    if model["reference"]:
        arguments["ordered"] = {"word_o": ("word", model["reference"])}
    return Case(
        id=name,
        category=str(model["category"]),
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
def _listed() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads((FOLDER / "exceptions.toml").read_text(encoding="utf-8"))


def refused() -> dict[str, str]:
    """Return what the structured engine does not express, as its message names it, by model."""
    return {name: entry["message"] for entry in _listed().get("refused", []) for name in entry["ids"]}


def exceptions() -> dict[str, tuple[frozenset[str], str]]:
    """Return which quantities differ from mgcv's and why, by model."""
    return {
        name: (frozenset(entry["quantities"]), entry["reason"])
        for entry in _listed().get("exception", [])
        for name in entry["ids"]
    }


def spread_over(names: Sequence[str], number: int) -> frozenset[str]:
    """Return `number` of the names, spread over the list and so over the categories."""
    positions = np.linspace(0, len(names) - 1, number).round()
    return frozenset(names[int(position)] for position in positions)
