"""Ratings that a store holds, as a table of answers whose columns of the tokens are conditions."""

from __future__ import annotations

from pathlib import Path

from layerstats.errors import ArgumentError, StoreError


def is_store(path: Path) -> bool:
    """Whether a path is that of a store, whole or not."""
    return (path / "zarr.json").exists() or (path / ".zgroup").exists()


def write_stored_ratings(store: Path, name: str, folder: Path) -> Path:
    """Write ratings of a store beside what it says of their tokens, as a table that answers are read from.

    Parameters
    ----------
    store
        Its path.
    name
        Of the ratings in it; empty where it has one table of them.
    folder
        Where the table is put.

    Raises
    ------
    StoreError
        The store has no ratings, or none of that name.
    ArgumentError
        It has several, and none is named.
    """
    from layerstats.store import open_store
    from layerstats.tables import write_csv

    experiment = open_store(store, incomplete="allow")
    tables = experiment.tables
    names = tables.loc[tables["kind"] == "ratings", "name"].tolist()
    if not names:
        raise StoreError(
            f"{store} holds no ratings. `layerstats ratings` takes a table of answers, or a store that store_table("
            "store, 'ratings', name, frame) has put some into."
        )
    if not name and len(names) > 1:
        raise ArgumentError(f"{store} holds several tables of ratings: name one with --stored {'|'.join(names)}.")
    ratings = experiment.table("ratings", name or names[0])
    # What the store says of a token, where the ratings do not say it themselves.
    tokens = experiment.tokens
    own = tokens[["token", *(column for column in tokens.columns if column not in ratings.columns)]]
    answers = ratings.merge(own, on="token", how="left")
    file = folder / f"{store.stem}_{name or names[0]}.csv"
    write_csv(answers.rename(columns={"token": "clip"} if "clip" not in answers.columns else {}), file)
    return file
