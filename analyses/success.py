"""Who hears the target? Success of the maximizations in a store: tables, matrices, figures.

python analyses/success.py STORE --out DIR --natural STORE_OF_RECORDED_WORDS

The store holds outcomes (`layerstats maximize`) that judges have heard (`layerstats judge STORE --judges ...`).
"""

from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from layerstats.cli import listed, run_script
from layerstats.errors import DataError, FitError
from layerstats.files import plain_stem
from layerstats.plots import heard_classes, matrix_of_networks, set_up_differences, success_by_class
from layerstats.plots import variance_shares as variance_figure
from layerstats.report import Output
from layerstats.stats import (
    attempts,
    claims_of,
    compare_set_ups,
    heard_scores,
    natural_confusions,
    stored_responses,
    success_as_published,
    success_matrix,
    success_rates,
    variance_shares,
    with_people,
)
from layerstats.store import open_store
from layerstats.tables import read_table

CAPTIONS = {
    "success": "Marginal: the judge hears the target; joint: the target network does too. Every class counts the same. "
    "Intervals are for what the column says; nulls are rates of the same judge.",
    "matrix": "Rows: target networks. Columns: who judges. Cells are for these networks, means for others.",
    "heard": "As what the starts of each target are heard by another network than the one they were made for.",
    "published": "Two marginal rates over all starts and the mean score, as Soomro et al. 2019 computed them: their "
    "text defines success as both classifiers' at once, which is the joint rate of the other table.",
    "comparisons": "Paired by class and network, and by start where both set-ups began from the same. McNemar's test "
    "holds for these networks and classes only.",
    "variance": "On the scale of the logit: crossed random intercepts, and pi^2/3 for a single attempt.",
    "confusions": "Rank correlation over pairs of classes with what the judge hears in natural words; chance: classes "
    "of natural words permuted.",
}


def main(
    store: Annotated[Path, typer.Argument(help="Outcomes of maximizations with judgements: layerstats judge STORE.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    set_ups: Annotated[str, typer.Option(help="Set-ups, separated by commas; all by default.")] = "",
    targets: Annotated[str, typer.Option(help="Classes, separated by commas; all by default.")] = "",
    judges: Annotated[str, typer.Option(help="Judges, separated by commas; all by default.")] = "",
    denominator: Annotated[
        str, typer.Option(help="What is counted: 'all starts', or those that were 'not the target already'.")
    ] = "all starts",
    classes: Annotated[str, typer.Option(help="fixed: intervals for these classes; drawn: for others.")] = "fixed",
    people: Annotated[
        Path | None, typer.Option(help="answers.csv of a listening test: people are one more judge.")
    ] = None,
    natural: Annotated[Path | None, typer.Option(help="Recorded words, judged by the same judges.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of permutations.")] = 0,
) -> Output:
    """Write matrix.csv, networks.csv, success.csv, variance.csv and what belongs to them."""
    experiment = open_store(store)
    words = None if natural is None else open_store(natural)
    output = Output(out, title="Success of maximization", provenance={"store": store.name, "seed": seed})
    choice = {"set_ups": listed(set_ups) or None, "judges": listed(judges) or None}
    options: dict[str, Any] = {"denominator": denominator, "classes": classes}
    table = attempts(experiment, targets=listed(targets) or None, **choice)
    table = table if people is None else with_people(table, read_table(people))
    scores = heard_scores(experiment, denominator=denominator, **choice)
    _matrices(output, success_matrix(table, scores, **options))
    result = success_rates(table, seed=seed, **options)
    output.table(result.summary, "success", "Success of every set-up", CAPTIONS["success"], kind="success")
    output.figure(success_by_class(result.classes), "success_by_class", "Success by class", CAPTIONS["success"])
    output.table(result.classes, "success_classes", "Success by class", CAPTIONS["success"])
    output.claims(claims_of(result))
    if len(result.idiosyncrasy):
        title = "What is idiosyncratic to one network: its own judgement minus that of other networks"
        output.table(result.idiosyncrasy, "idiosyncrasy", title)
    if len(result.nulls):
        output.table(result.nulls, "success_nulls", "Success minus that of nulls")
    output.table(success_as_published(table), "published", "Success as published", CAPTIONS["published"])
    _compare(output, table, options)
    if words is not None:
        found = natural_confusions(table, stored_responses(words), denominator=denominator, seed=seed)
        output.table(found.association, "confusions", "Confusions and those of natural words", CAPTIONS["confusions"])
        output.table(found.pairs, "confused_pairs", "Pairs of classes, the most confused first")
    notes = [*result.notes, *_variance(output, table)]
    if notes:
        output.text("notes", "What was left out", "\n\n".join(notes))
    return output


def _matrices(output: Output, matrix) -> None:
    networks, heard = matrix.networks, matrix.heard
    output.figure(matrix_of_networks(networks), "networks", "Whose maximizations who hears", CAPTIONS["matrix"])
    output.table(networks, "networks_table", "Success of every pair of network and judge", CAPTIONS["matrix"])
    # One picture a set-up: the first network, and the first judge that is another.
    other = heard.loc[heard["network"] != heard["judge"]]
    taken: set[str] = set()
    for set_up, rows in other.groupby("set_up", sort=False):
        network, judge = min(zip(rows["network"], rows["judge"], strict=True))
        own = rows.loc[(rows["network"] == network) & (rows["judge"] == judge)]
        title, stem = f"What is heard in each class: {set_up}", plain_stem(str(set_up), taken=taken)
        output.figure(heard_classes(own), f"heard_{stem}", title, CAPTIONS["heard"])
        if own["mean_score"].notna().any():
            scored = heard_classes(own, value="mean_score")
            output.figure(scored, f"scores_{stem}", f"{title} (mean scores, as published)", CAPTIONS["heard"])
    output.table(heard, "matrix", "What is heard in each class, by target network and judge", CAPTIONS["heard"])


def _compare(output: Output, table: pd.DataFrame, options: dict) -> None:
    names = list(table.loc[table["null"] == "", "set_up"].astype(str).unique())
    if len(names) > 1:
        compared = [compare_set_ups(table, two, one, **options) for one, two in combinations(names, 2)]
        found = pd.concat(compared, ignore_index=True)
        output.figure(set_up_differences(found), "set_ups", "Differences between set-ups", CAPTIONS["comparisons"])
        output.table(found, "set_ups_table", "Differences between set-ups", CAPTIONS["comparisons"])
        output.claims(claims_of(found, kind="set_ups"))


def _variance(output: Output, table: pd.DataFrame) -> tuple[str, ...]:
    """Write shares of variance; where they cannot be told, the reason is a note and the rest stands."""
    try:
        shares = variance_shares(table)
    except (DataError, FitError) as error:
        return (f"No shares of variance: {error}",)
    figure = variance_figure(shares.shares)
    output.figure(figure, "variance_shares", "Shares of the variance of success", CAPTIONS["variance"])
    output.table(shares.shares, "variance", "Shares of the variance of success", CAPTIONS["variance"])
    output.table(shares.models, "variance_models", "Models of success")
    output.claims(claims_of(shares))
    return shares.notes


if __name__ == "__main__":
    run_script(main)
