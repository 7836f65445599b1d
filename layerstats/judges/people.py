"""People: what raters said that they heard, from a table, as a judge."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from layerstats.checks import check_columns, check_complete
from layerstats.corpora import Clips
from layerstats.errors import ArgumentError, DataError
from layerstats.judges.protocol import JudgeOptions
from layerstats.tables import read_table

COLUMNS = ("token", "rater", "response")
# What tells starts of one name apart: the outcomes, or the set-up and the target network. Nulls share those.
PLACES = ("outcomes", "set_up", "network", "null")


class People:
    """What raters heard: the score of a response is the share of a token's raters who gave it.

    Parameters
    ----------
    identifications : DataFrame
        A row a rater and token: `token, rater, response`. Of outcomes of maximizations the token is the start, and the
        columns `outcomes` (their name), or `set_up` and `network`, say of which, where the store has several. Of nulls
        only what a column `null` or `outcomes` says is theirs.
    name : str
        What they are called in judgements.

    Raises
    ------
    DataError
        A column is missing or incomplete, or a rater heard a token twice.

    Examples
    --------
    >>> heard = pd.DataFrame({"token": ["a", "a", "b"], "rater": ["r1", "r2", "r1"], "response": ["yes", "no", "no"]})
    >>> People(heard).shares.loc["a"].to_dict()
    {'no': 0.5, 'yes': 0.5}
    """

    scored = True

    @classmethod
    def from_answers(cls, answers: pd.DataFrame, *, name: str = "people") -> People:
        """Make people of the identifications of a listening test (`layerstats.listening.read_answers`).

        Parameters
        ----------
        answers : DataFrame
            ``rater, clip, response``; rows of another task or another role than "test" are left out, and so are trials
            without an answer. Where there is a column `start`, these are outcomes of maximizations: the token is the
            start, `set_up, network, null` say of which outcomes, and rows without a start (natural clips) are left out.
            Else the token is `token`, where there is such a column, or the clip.
        name : str
            What they are called in judgements.

        Raises
        ------
        DataError
            Nobody identified anything, or as for `People`.

        Examples
        --------
        >>> answers = pd.DataFrame({"rater": ["r1", "r2"], "clip": "a", "response": ["yes", "no"], "role": "test"})
        >>> People.from_answers(answers).shares.loc["a"].to_dict()
        {'no': 0.5, 'yes': 0.5}
        """
        check_columns(answers, ["rater", "clip", "response"], "the answers")
        kept = np.array(answers["response"].notna(), dtype=bool)
        for column, value in (("role", "test"), ("task", "identification")):
            if column in answers:
                kept &= np.asarray(answers[column] == value, dtype=bool)
        key = next(column for column in ("start", "token", "clip") if column in answers)
        table = pd.DataFrame(answers.loc[kept & answers[key].notna().to_numpy()])
        if table.empty:
            raise DataError(
                "Nobody identified anything: there is no answer of identification to a clip that is tested."
            )
        places = [column for column in PLACES if column in table] if key == "start" else []
        columns = {column: table[column] for column in ("rater", "response", *places)}
        return cls(pd.DataFrame({"token": table[key], **columns}), name=name)

    def __init__(self, identifications: pd.DataFrame, *, name: str = "people") -> None:
        what = "the identifications"
        check_columns(identifications, COLUMNS, what)
        self.places = [column for column in PLACES if column in identifications]
        table = pd.DataFrame(identifications[[*COLUMNS, *self.places]].astype("str").fillna({"null": ""}))
        check_complete(identifications, [*COLUMNS, *(name for name in self.places if name != "null")], what)
        if table.empty:
            raise DataError("The identifications have no rows: nobody was asked.")
        identity = ["token", *self.places]
        twice = table.duplicated(subset=[*identity, "rater"])
        if twice.any():
            rater, token = table.loc[twice, ["rater", "token"]].to_numpy().tolist()[0]
            raise DataError(f"The rater {rater!r} heard {token!r} twice; keep one of these rows.")
        self.name = name
        self.shares = pd.crosstab([table[column] for column in identity], table["response"], normalize="index")
        self.responses = tuple(map(str, self.shares.columns))
        content = "\n".join(sorted("\t".join(row) for row in table.to_numpy().tolist()))
        digest = hashlib.sha256(content.encode()).hexdigest()
        raters = len(set(table["rater"].tolist()))
        self.attrs = {"kind": "people", "raters": raters, "identifications_sha256": digest}

    def judge(self, clips: Clips) -> pd.DataFrame:
        """Look up what was heard in every token; nothing is played.

        Returns
        -------
        DataFrame
            ``token, judge, response, score``: a row a token and response; of tokens that nobody heard a row in which
            both are missing.

        Raises
        ------
        DataError
            The identifications are of outcomes of maximizations, and these tokens are not.
        """
        tokens = clips.tokens
        strange = [column for column in self.places if column not in tokens]
        if strange:
            raise DataError(
                f"The identifications are of outcomes of maximizations (column {strange[0]!r}), but not these tokens: "
                "leave that column out."
            )
        keys = [tokens[column] for column in ("token", *self.places)]
        index = pd.MultiIndex.from_arrays(keys) if self.places else pd.Index(keys[0])
        shares = self.shares.reindex(index).to_numpy()
        heard = ~np.isnan(shares[:, 0])
        if "null" in tokens and not {"null", "outcomes"} & set(self.places):
            heard &= (tokens["null"] == "").to_numpy()
        names = tokens["token"].to_numpy(dtype=object)
        said = pd.DataFrame(
            {
                "token": np.repeat(names[heard], len(self.responses)),
                "response": np.tile(np.array(self.responses, dtype=object), int(heard.sum())),
                "score": shares[heard].ravel(),
            }
        )
        unheard = pd.DataFrame({"token": names[~heard], "response": None, "score": np.nan})
        frames = [frame for frame in (said, unheard) if len(frame)]
        return pd.concat(frames, ignore_index=True).assign(judge=self.name)

    def strangers(self, tokens: pd.DataFrame) -> list[str]:
        """Return what was heard and is not among `tokens` (`token` and the columns of places), described."""
        columns = ["token", *self.places]
        known = set(tokens[columns].astype(str).itertuples(index=False, name=None))
        heard = self.shares.index.to_frame(index=False).astype(str).itertuples(index=False, name=None)
        return [
            ", ".join(f"{column} {value!r}" for column, value in zip(columns, row, strict=True))
            for row in heard
            if row not in known
        ]


def open_people(options: JudgeOptions) -> People:
    """Make the judge that "people:FILE" stands for: a table as people have them, or answers of a listening test."""
    if options.path is None:
        raise ArgumentError("People are read from a table of token, rater, response: people:FILE.")
    table = read_table(Path(options.path))
    return People.from_answers(table) if {"clip", "response"} <= set(table) else People(table)
