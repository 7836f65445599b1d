"""What `layerstats clmm --plot` adds: means, probabilities of categories and differences as figures, on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from plotnine import labs

from layerstats.errors import LayerstatsError
from layerstats.plots import listener_means, rating_contrasts, rating_shares
from layerstats.report import Output, write_page

if TYPE_CHECKING:
    from layerstats.stats.ratings import ClmmResult

# Where several columns are named, their combinations have a line each.
_LEVELS = "_levels"
_OF_ALL = "all ratings"
TITLES = {
    "coefficients": "Coefficients",
    "thresholds": "Thresholds",
    "scale": "What the scale depends on",
    "random": "Random effects",
    "correlations": "Correlations of random effects",
    "glance": "The model",
}
CAPTIONS = {
    "means": "For a new rater and a new clip, with 95 % intervals; the axis is the whole scale.",
    "probabilities": "For a new rater and a new clip.",
    "contrasts": "First minus second; p-values are adjusted for all differences that are shown.",
}


def write_clmm_page(
    result: ClmmResult,
    tables: Mapping[str, pd.DataFrame],
    by: Mapping[str, Sequence[str]],
    out: Path,
    about: str,
    margin: float | None = None,
) -> Path:
    """Write figures, and `index.html` of them and of the tables.

    Parameters
    ----------
    result
        The fitted model.
    tables
        What is written of it anyway, by name.
    by
        Columns that means and contrasts are by: "means", "contrasts".
    out
        The folder.
    about
        What the model is of, such as the name of the table.
    margin
        Of equivalence.
    """
    title = f"Mixed model of ratings: {about}"
    output = Output(out, title=title, provenance={"table": about, "formula": result.formula, "link": result.link})
    notes = list(result.notes)
    if "means" in tables:
        notes += _draw_means(output, result, tables, list(by["means"]))
    if "contrasts" in tables:
        notes += _draw_contrasts(output, tables["contrasts"], list(by["contrasts"]), margin)
    for name, heading in TITLES.items():
        if name in tables:
            output.table(tables[name], name, heading, spreadsheet=True)
    if notes:
        output.text("notes", "Notes", "\n\n".join(dict.fromkeys(notes)))
    return write_page(out, title)


def _draw_means(output: Output, result: ClmmResult, tables: Mapping[str, pd.DataFrame], by: list[str]) -> list[str]:
    """Draw means and probabilities, and return why one is not drawn; the rest of the page stands."""
    means, probabilities = tables["means"], tables["probabilities"]
    along, axis = ", ".join(by) or _OF_ALL, ", ".join(by)
    scores = result.latent_model().scores
    limits = (float(min(scores)), float(max(scores)))
    # Of two categories that are no numbers the mean is the probability of the second.
    mean = f"Probability of {result.categories[1]}" if limits == (0, 1) and len(scores) == 2 else "Mean rating"
    title = f"{mean}: {along}"
    figure = listener_means(_named(means, by), _LEVELS, limits=limits, title=mean)
    output.figure(figure + labs(x=axis), "means_figure", title, CAPTIONS["means"])
    output.table(means, "means", title, CAPTIONS["means"], user_columns=by, spreadsheet=True)
    title = f"Probabilities of categories: {along}"
    ratings = pd.Series(pd.to_numeric(probabilities["category"], errors="coerce"), index=probabilities.index)
    drawn = bool(ratings.notna().to_numpy().all())
    if drawn:
        shares = _named(probabilities, by).assign(rating=ratings, share=probabilities["estimate"])
        figure = rating_shares(shares, _LEVELS) + labs(x=axis)
        output.figure(figure, "probabilities_figure", title, CAPTIONS["probabilities"])
    output.table(probabilities, "probabilities", title, CAPTIONS["probabilities"], user_columns=by, spreadsheet=True)
    return [] if drawn else ["Probabilities of categories are drawn where these are numbers; else see their table."]


def _named(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return estimates with one column that names their line in a figure."""
    names = table[by].astype(str).agg(", ".join, axis=1) if by else pd.Series(_OF_ALL, index=table.index)
    return table[["estimate", "conf_low", "conf_high"]].assign(**{_LEVELS: names})


def _draw_contrasts(output: Output, contrasts: pd.DataFrame, by: list[str], margin: float | None) -> list[str]:
    title = f"Differences: {', '.join(by)}"
    try:
        latent = set(contrasts["at"]) == {"latent"}
        axis = "Difference on the latent scale" if latent else "Difference in mean rating"
        output.figure(
            rating_contrasts(contrasts, margin=margin, title=axis), "contrasts_figure", title, CAPTIONS["contrasts"]
        )
        notes = []
    except LayerstatsError as error:
        notes = [f"Differences are not drawn: {error}"]
    output.table(contrasts, "contrasts", title, CAPTIONS["contrasts"], user_columns=by, spreadsheet=True)
    return notes
