"""Names of columns that R's formulas can hold: mgcv pastes them into code, so that others would break it, or be run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from layerstats.stats.gamm.formula.expression import RESERVED, Name
from layerstats.stats.gamm.formula.terms import Formula
from layerstats.stats.gamm.formula.tokens import r_code, tokenize

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._]*")


@dataclass(frozen=True)
class RNames:
    """What columns are called in R.

    Attributes
    ----------
    of_column
        The name in R of each column that has another there.
    """

    of_column: Mapping[str, str]

    @classmethod
    def choose(cls, formula: Formula, frame: pd.DataFrame) -> RNames:
        """Return names for the columns of `frame`.

        Examples
        --------
        >>> from layerstats.stats.gamm.formula.parser import parse_formula
        >>> formula = parse_formula("y ~ s(`time (ms)`)")
        >>> names = RNames.choose(formula, pd.DataFrame({"y": [1.0], "time (ms)": [2.0]}))
        >>> names.code(formula)
        'y ~ s ( column_1_ )'
        >>> names.label("s(column_1_)")
        's(`time (ms)`)'
        """
        columns = list(map(str, frame.columns))
        levels = [
            str(level)
            for column in frame.columns
            if isinstance(frame[column].dtype, pd.CategoricalDtype)
            for level in frame[column].cat.categories
        ]
        stem = "column_"
        while any(stem in text for text in (*columns, *levels, str(formula))):
            stem += "x_"
        strange = [column for column in columns if not _PLAIN.fullmatch(column) or column in RESERVED]
        return cls({column: f"{stem}{number}_" for number, column in enumerate(strange, start=1)})

    def code(self, formula: Formula) -> str:
        """Return a formula as R code with these names."""
        return self.expression(formula.source or str(formula))

    def expression(self, text: str) -> str:
        """Return R code with these names."""
        return r_code(tokenize(text), self.of_column)

    def frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a table with these names."""
        return frame.rename(columns=dict(self.of_column))

    def label(self, text: str) -> str:
        """Return a label from R with the names of the columns."""
        for column, name in self.of_column.items():
            text = text.replace(name, str(Name(column)))
        return text

    def columns(self, names: list[str]) -> tuple[str, ...]:
        """Return the columns behind names in R."""
        known = {name: column for column, name in self.of_column.items()}
        return tuple(known.get(name, name) for name in names)
