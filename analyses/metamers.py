"""Do people recognise a network's model metamers as it does? Feather et al. 2023, as published and by listener.

python analyses/metamers.py experiment_1.csv --out DIR
"""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from layerstats.checks import check_columns
from layerstats.cli import run_script
from layerstats.plots import condition_means as draw_means
from layerstats.report import Output
from layerstats.stats import (
    adjust_p_values,
    agreement_over_conditions,
    claims_of,
    condition_means,
    paired_differences,
    repeated_anova,
)
from layerstats.tables import read_table

VALUE = "proportion_correct"
COLUMNS = ("model", "analysis", "stage", "observer")
CAPTIONS = {
    "anova": "Published: rows of a listener and of the network on that listener's words stand for two independent "
    "subjects. One subject: they are one, so that the observer varies within subjects. GG: Greenhouse and Geisser.",
    "means": "Proportion of words recognised; 95 % intervals over listeners, each by itself.",
    "differences": "Human - network within listeners; 95 % intervals for all stages of a network at once. Stage by "
    "stage, with the largest |t| of all stages as reference.",
    "agreement": "Rank correlation over stages within listeners; stages are permuted under the null.",
}


def main(
    table: Annotated[Path, typer.Argument(help="Columns model, listener, stage, observer, proportion_correct.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    human: Annotated[str, typer.Option(help="Level of observer that is the listener.")] = "Human",
    network: Annotated[str, typer.Option(help="Level of observer that is the network.")] = "Network",
    seed: Annotated[int, typer.Option(help="Seed of the simultaneous intervals.")] = 0,
) -> Output:
    """Write the published analysis of variance, that with a listener as one subject, and human - network by stage."""
    scores = read_table(table)
    check_columns(scores, ["model", "listener", "stage", "observer", VALUE], table.name)
    output = Output(out, title="Model metamers: people and networks", provenance={"table": table.name, "seed": seed})
    anova, means, differences, agreement = [], [], [], []
    for model, own in scores.groupby("model", sort=False):
        rows = own.assign(unit=own["listener"].astype(str) + " " + own["observer"].astype(str))
        family, both = f"effects: {model}", ["observer", "stage"]
        published = repeated_anova(
            rows, value=VALUE, subject="unit", within=["stage"], between="observer", family=family
        )
        single = repeated_anova(rows, value=VALUE, subject="listener", within=both, family=family)
        anova.append(published.effects.assign(model=model, analysis="published"))
        anova.append(single.effects.assign(model=model, analysis="one subject"))
        averages = condition_means(rows, value=VALUE, subject="listener", within=both, bounds=(0, 1))
        means.append(averages.assign(model=model))
        pair: dict[str, Any] = {
            "level_1": human,
            "level_2": network,
            "factor": "observer",
            "by": "stage",
            "subject": "listener",
        }
        differences.append(paired_differences(rows, value=VALUE, seed=seed, **pair).assign(model=model))
        agreement.append(agreement_over_conditions(rows, value=VALUE, seed=seed, **pair).assign(model=model))
    effects = pd.concat(anova, ignore_index=True)
    output.claims(claims_of(effects, kind="stage_effects"))
    order = ["model", "analysis", *(name for name in effects if name not in ("model", "analysis"))]
    output.table(effects.loc[:, order], "anova", "Observer and stage", CAPTIONS["anova"], user_columns=COLUMNS)
    for name, parts in (("means", means), ("differences", differences)):
        title = "Words recognised" if name == "means" else "Human - network"
        frame = pd.concat(parts, ignore_index=True)
        group, estimate = ("observer", "estimate") if name == "means" else (None, "diff")
        output.figure(draw_means(frame, "stage", group, "model", estimate), f"{name}_figure", title, CAPTIONS[name])
        output.table(frame, name, title, CAPTIONS[name], user_columns=COLUMNS)
    agreed = adjust_p_values(pd.concat(agreement, ignore_index=True), "agreement over stages, networks")
    output.claims(claims_of(agreed, kind="stage_agreement"))
    title = "Do people recognise the stages that the network recognises?"
    output.table(agreed, "agreement", title, CAPTIONS["agreement"], user_columns=COLUMNS)
    return output


if __name__ == "__main__":
    run_script(main)
