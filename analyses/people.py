"""Are clips that networks recognise those that people recognise? Identifications of outcomes beside machine judges.

python analyses/people.py STORE ANSWERS --out DIR

The store holds outcomes that judges have heard (`layerstats judge STORE`); the answers are of a listening test of them
(`layerstats listen design STORE --task identification`). The folder of a design in place of answers is answered by
simulated raters, and every table and figure says so.
"""

from pathlib import Path
from typing import Annotated

import typer

from layerstats.checks import check_columns
from layerstats.cli import run_script
from layerstats.errors import DataError
from layerstats.listening import RaterWorld, has_simulated_raters, read_answers, read_design, simulate_answers
from layerstats.plots import judge_agreement as agreement_figure
from layerstats.plots import matrix_of_networks
from layerstats.report import AnswerSettings, ListenerOutput, Output, write_answers
from layerstats.stats import attempts, judge_agreement, success_matrix, with_people
from layerstats.store import open_store

KEY = ["set_up", "network", "start"]
CAPTIONS = {
    "agreement": "Rank correlation over clips of the share of raters who are right with the judge's score; kappa of "
    "single answers. Intervals are for other raters and other clips; in the null a judge's answers are permuted among "
    "clips of a class. Other people: how far people agree with people.",
    "matrix": "Rows: target networks. Columns: who judges; people are one more judge. Only starts that people heard.",
    "heard": "As what starts of each target are heard by people.",
}


def main(
    store: Annotated[Path, typer.Argument(help="Outcomes of maximizations with judgements.")],
    answers: Annotated[Path, typer.Argument(help="Answers of identification, or a design for simulated raters.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    design: Annotated[Path | None, typer.Option(help="Folder of the design that was answered.")] = None,
    draws: Annotated[int, typer.Option(help="Of the bootstrap over raters and clips.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of whatever is drawn.")] = 0,
) -> Output:
    """Write shares of right answers, agreement with each machine judge, and the matrix with people as a judge."""
    experiment = open_store(store)
    output = Output(out, title="People beside machine judges", provenance={"store": store.name, "seed": seed})
    if (answers / "design.json").exists():
        asked = read_design(answers)
        said = simulate_answers(asked, RaterWorld({}), seed=seed)
    else:
        asked = None if design is None else read_design(design)
        said = read_answers(answers, design=asked, task="identification")
    check_columns(said.table, KEY, f"the answers {answers.name!r}")
    kept = write_answers(output, said, design=asked, settings=AnswerSettings(draws=draws, seed=seed))
    listeners = ListenerOutput(output, simulated=has_simulated_raters(kept))
    # Nulls have starts of the same names.
    made = kept["null"].fillna("").astype(str) == "" if "null" in kept else True
    heard = kept.loc[(kept["role"] == "test") & kept["start"].notna() & made].astype(dict.fromkeys(KEY, "str"))
    given = attempts(experiment, set_ups=sorted(set(heard["set_up"])))
    machines = given.loc[given["null"] == ""].astype(dict.fromkeys(["target", "judge", *KEY], "str"))
    machines = machines.merge(heard[KEY].drop_duplicates(), on=KEY)
    if machines.empty:
        raise DataError(f"No start that was heard is in {store.name}: the answers belong to another store.")
    found = judge_agreement(heard, machines, key=KEY, target="expected", draws=draws, seed=seed)
    title = "Do judges recognise the clips that people recognise?"
    listeners.figure(agreement_figure(found), "agreement_figure", title, CAPTIONS["agreement"])
    listeners.table(found, "agreement", title, CAPTIONS["agreement"])
    listeners.claims(found, kind="judges")
    matrix = success_matrix(with_people(machines, heard))
    title = "Whose maximizations who hears, people too"
    listeners.figure(matrix_of_networks(matrix.networks), "matrix_figure", title, CAPTIONS["matrix"])
    listeners.table(matrix.networks, "matrix", title, CAPTIONS["matrix"])
    own = matrix.heard.loc[matrix.heard["judge"] == "people"]
    listeners.table(own, "confusions", "What people hear in each class", CAPTIONS["heard"])
    return output


if __name__ == "__main__":
    run_script(main)
