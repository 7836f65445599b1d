"""`layerstats verify`: fit stored models with two engines, and say where they differ most."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerstats.cli.gamm import one_line
from layerstats.cli.stored_models import StoredModel, read_stored_models
from layerstats.errors import DataError, FitError, MissingDependencyError, UnsupportedModelError

if TYPE_CHECKING:
    import pandas as pd


def verify(
    models: Annotated[Path, typer.Argument(help="A folder that `layerstats gamm` wrote (or of such), or a list.")],
    engine: Annotated[str, typer.Option(help="The engine to hold against mgcv: structured or pygam.")] = "structured",
    out: Annotated[Path | None, typer.Option(help="CSV file for the largest differences of each model.")] = None,
) -> None:
    """Fit stored models with an engine and with mgcv, and print the largest difference of each quantity.

    The exit status is 1 where a difference is larger than its tolerance or a fit failed. A model that the engine does
    not express is named with the reason.
    """
    import pandas as pd

    from layerstats.tables import check_frame, write_csv

    stored = read_stored_models(models)
    tables, skipped, failed = [], 0, 0
    for model in stored:
        try:
            tables.append(_differences(model, engine))
        except UnsupportedModelError as error:
            skipped += 1
            typer.echo(f"{model.name}: not compared. {one_line(str(error))}")
        except MissingDependencyError:
            raise
        except (FitError, DataError) as error:
            failed += 1
            typer.echo(f"{model.name}: not fitted. {one_line(str(error))}", err=True)
    differing = 0
    if tables:
        every = check_frame(pd.concat(tables, ignore_index=True))
        if out is not None:
            write_csv(every, out)
        typer.echo(_largest(every).to_string(index=False, na_rep=""))
        beyond = every.query("not agrees")
        differing = len(set(beyond["model"]))
        if differing:
            typer.echo("\nBeyond the tolerance:")
            typer.echo(beyond.drop(columns="agrees").to_string(index=False))
    models_in_words = "1 model" if len(stored) == 1 else f"{len(stored)} models"
    typer.echo(
        f"\n{models_in_words}: {len(tables) - differing} agree with mgcv, {differing} differ, "
        f"{skipped} not compared, {failed} not fitted"
    )
    if differing or failed:
        raise typer.Exit(1)


def _differences(model: StoredModel, engine: str) -> pd.DataFrame:
    """Return the verification of one model, with its name in front."""
    from layerstats.stats.gamm import fit_many

    result = fit_many([model.task(engine=engine, verify=True)], workers=1)[0]
    table = result.verification
    assert table is not None  # `verify` asks for it
    return table.assign(model=model.name).loc[:, ["model", *table.columns]]


def _largest(every: pd.DataFrame) -> pd.DataFrame:
    """Return for each quantity the row of the model where the difference is the largest share of its tolerance."""
    share = every["difference"].abs() / every["tolerance"]
    # A value that only one engine has is beyond every tolerance.
    share = share.where(every["agrees"] | share.notna(), float("inf")).fillna(0)
    chosen = share.groupby(every["quantity"], sort=False).idxmax()
    shown = ["quantity", "model", "term", "estimate", "reference", "difference", "tolerance"]
    return every.loc[chosen.to_numpy()][shown]
