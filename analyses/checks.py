"""Can the model of the words be trusted? Basis sizes, autocorrelation and residuals at one layer.

python analyses/checks.py STORE --out DIR
"""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from layerstats.cli import LongWork, listed, run_script
from layerstats.plots import autocorrelation, residual_checks
from layerstats.report import Output
from layerstats.stats import FitOptions, OtherChoice, claims_of, word_contrasts
from layerstats.store import open_store


def main(
    store: Annotated[Path, typer.Argument(help="The store.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    work: LongWork,
    layers: Annotated[str, typer.Option(help="Layers, separated by commas; the last by default.")] = "",
    engine: Annotated[str, typer.Option(help="auto, structured or mgcv.")] = "auto",
    samples: Annotated[int, typer.Option(help="Points that longer series are averaged into.")] = 32,
    seed: Annotated[int, typer.Option(help="Seed of random orders.")] = 0,
) -> Output:
    """Fit the model of Table 1 with and without AR(1) residuals, and look at what it leaves."""
    experiment = open_store(store)
    chosen = listed(layers) or [experiment.layers[-1]]
    output = Output(out, title="Checks of the models", provenance={"store": store.name, "seed": seed})
    rho: dict[str, Any] = {"independent residuals": None, "AR(1) of the residuals": "residuals"}
    rho = {"as analysed": "auto"} | rho | ({"AR(1) by REML": "reml"} if engine != "mgcv" else {})
    results = {
        name: word_contrasts(
            experiment, layers=chosen, pairs="reference", samples=samples,
            fits=FitOptions(engine=engine, rho=own, **work(f"models, {name}")),
        )
        for name, own in rho.items()
    }  # fmt: skip
    main, last = results["as analysed"], results["as analysed"].results[chosen[-1]]
    others = [OtherChoice("autocorrelation", name, "as analysed", results[name]) for name in list(rho)[1:]]
    output.claims(claims_of(main, others=others, sources=("residual_checks", "autocorrelation")))
    about = f"{last.formula}; rho = {last.rho:.3f}; fitted by {last.engine}."
    output.text("formula", "Model", "\n\n".join([about, *last.notes, main.model_warning]))
    output.table(
        main.checks, "k_index", "Were the bases large enough?",
        "A k-index well below 1 with edf near k' speaks for a larger k. On the 16 points of a Conv5 series, k = 10 is "
        "nearly saturated: there the check cannot clear the basis.", kind="k_check",
    )  # fmt: skip
    lags = pd.concat(
        [result.autocorrelation.assign(layer=result.autocorrelation["layer"] + ", " + name)
         for name, result in results.items()], ignore_index=True,
    )  # fmt: skip
    output.figure(
        autocorrelation(lags), "autocorrelation", "Autocorrelation of residuals within tokens",
        "Dashed: limits about what each model leaves in its residuals although its errors are independent. Curves of "
        "tokens that take up most of a series leave residuals that alternate.",
    )  # fmt: skip
    output.table(lags, "autocorrelation_table", "Autocorrelation of residuals", kind="autocorrelation")
    residuals = pd.DataFrame({"fitted": last.fitted, "residual": last.residuals})
    output.figure(residual_checks(residuals, title=chosen[-1]), "residuals", "Residuals")
    tested = [result.residual_checks.assign(model=name) for name, result in results.items()]
    output.table(pd.concat(tested, ignore_index=True), "residual_checks", "Tests of the residuals")
    glance = pd.concat([result.glance.assign(model=name) for name, result in results.items()], ignore_index=True)
    output.table(glance, "glance", "The models", kind="glance")
    return output


if __name__ == "__main__":
    run_script(main)
