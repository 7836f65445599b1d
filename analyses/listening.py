"""What would a listening test find? Simulated raters answer a design, and their answers are analysed as people's are.

python analyses/listening.py DESIGN --out DIR --effects natural=2,maximized=0

A pilot without people: whether the design, its rules and its contrasts find what was put in. Every table and figure
says that raters are simulated.
"""

from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli import listed, run_script
from layerstats.errors import ArgumentError
from layerstats.listening import RaterWorld, read_design, simulate_answers
from layerstats.report import AnswerSettings, Output, write_answers


def main(
    design: Annotated[Path, typer.Argument(help="Folder of the design: layerstats listen design CLIPS --out DESIGN.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    effects: Annotated[str, typer.Option(help="On the logit, CONDITION=NUMBER,...; others have 0.")] = "",
    condition: Annotated[str, typer.Option(help="Column of conditions; of pairs COLUMN_a and COLUMN_b.")] = "condition",
    classes: Annotated[str, typer.Option(help="Column of classes, such as target: means by class too.")] = "",
    careless: Annotated[float, typer.Option(help="Share of raters who answer everything at random.")] = 0.0,
    draws: Annotated[int, typer.Option(help="Of the bootstrap over raters and clips.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of raters and of the bootstrap.")] = 0,
) -> Output:
    """Write answers.csv, what the analysis finds, and what was put in."""
    asked = read_design(design)
    true = dict(map(_effect, listed(effects) or []))
    world = RaterWorld(true, by=condition, careless=careless)
    answers = simulate_answers(asked, world, seed=seed)
    facts = {"design": asked.hash[:12], "raters": "simulated", "seed": seed}
    output = Output(out, title=f"{asked.title} (simulated raters)", provenance=facts)
    said = ", ".join(f"{name} {number:g}" for name, number in true.items()) or "none"
    output.text(
        "truth",
        "What is true of the simulated raters",
        f"Effects of conditions on the logit: {said}. Standard deviations: of raters {world.rater_sd:g}, of raters "
        f"within conditions {world.slope_sd:g}, of clips {world.clip_sd:g}. {careless:.0%} of raters are careless.",
    )
    settings = AnswerSettings(by=condition, classes=classes or None, draws=draws, seed=seed)
    kept = write_answers(output, answers, design=asked, settings=settings)
    kept.to_csv(out / "answers.csv", index=False)
    return output


def _effect(text: str) -> tuple[str, float]:
    name, _, number = text.rpartition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        raise ArgumentError(f"--effects takes CONDITION=NUMBER, separated by commas, but one is {text!r}.") from None


if __name__ == "__main__":
    run_script(main)
