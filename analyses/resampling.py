"""Does a contrast hold without trusting the model: permutation over layers, bootstrap bands, and power of a new study.

python analyses/resampling.py STORE --out DIR --phones s:sh
"""

from pathlib import Path
from typing import Annotated, Literal, cast

import pandas as pd
import typer

from layerstats.cli import LongWork, listed, run_script, whole_numbers
from layerstats.plots import difference, effect_by_layer
from layerstats.report import Output
from layerstats.stats import bootstrap, claims_of, contrast_tasks, permutation_test, power
from layerstats.store import open_store

CAPTIONS = {
    "permutation": "Labels are exchanged and every model is fitted again. Adjusted over layers by Westfall and Young's "
    "step-down max-T. Tokens: no speaker has a difference; speakers: none that speakers have in common.",
    "bands": "Speakers are drawn with replacement; the band holds for the whole curve.",
    "effects": "Root mean square of the difference curve, corrected for bias, in standard deviations of tokens, with "
    "bootstrap intervals. Filled: significant by permutation after adjustment over layers.",
    "power": "Data are drawn from the model of this layer with half of the difference that was found, which is likely "
    "to be too large, and analysed by the same model.",
}


def main(
    store: Annotated[Path, typer.Argument(help="The store.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    work: LongWork,
    phones: Annotated[str, typer.Option(help="Two sets of phones: s:sh, p,t,k:b,d,g.")] = "",
    words: Annotated[str, typer.Option(help="Instead of phones, two words: ask,wash.")] = "",
    contrast: Annotated[str, typer.Option(help="Instead of phones, any contrast: sex=F:M, phones.position=a:b.")] = "",
    layers: Annotated[str, typer.Option(help="Layers, separated by commas; all by default.")] = "",
    exchange: Annotated[str, typer.Option(help="What is exchanged: tokens, or whole speakers.")] = "speakers",
    times: Annotated[str, typer.Option(help="Times of phones: common (interpolated), or own (slower).")] = "common",
    permutations: Annotated[int, typer.Option(help="Random assignments of labels.")] = 1999,
    bootstraps: Annotated[int, typer.Option(help="Bootstrap samples; 0 for none.")] = 999,
    plan: Annotated[str, typer.Option(help="Speakers of planned studies, separated by commas, for their power.")] = "",
    tokens: Annotated[str, typer.Option(help="Tokens of each speaker with each label, for power.")] = "4",
    samples: Annotated[int, typer.Option(help="Points that longer series are averaged into.")] = 32,
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
) -> Output:
    """Permute labels, draw speakers anew, and plan."""
    planned, each = whole_numbers("plan", plan), whole_numbers("tokens", tokens)
    tasks = contrast_tasks(
        open_store(store), contrast or None, words=listed(words) or None, phones=phones or None,
        layers=listed(layers) or None, times=cast("Literal['common', 'own']", times), samples=samples,
    )  # fmt: skip
    pair = (tasks.level_1, tasks.level_2)
    name, (last, task) = " - ".join(pair), list(tasks.models.items())[-1]
    output = Output(out, title=f"Resampling: {name}", provenance={"store": store.name, "contrast": name, "seed": seed})
    found = permutation_test(
        tasks.models, tasks.label, pairs=[pair], tests=["joint", "level", "shape"], seed=seed, **work("permutations"),
        exchange=cast("Literal['tokens', 'speakers']", exchange), replicates=permutations,
    )  # fmt: skip
    output.table(found.table, "permutation", f"{name}: permutation tests", CAPTIONS["permutation"])
    left_out = [f"{layer} is left out: {reason}." for layer, reason in tasks.left_out.items()]
    output.text("notes", "Notes", "\n\n".join([*found.notes, *left_out]) or "Nothing to note.")
    effects = None
    if bootstraps:
        results = {
            layer: bootstrap(model, tasks.label, *pair, replicates=bootstraps, seed=seed, **work(f"bootstrap {layer}"))
            for layer, model in tasks.models.items()
        }
        order = str(task.order)
        effects = pd.concat([one.effect.assign(layer=layer) for layer, one in results.items()], ignore_index=True)
        effects = effects.merge(found.table.query("test == 'joint'").loc[:, ["layer", "p_adjusted"]], on="layer")
        figure = effect_by_layer(effects, p_column="p_adjusted")
        output.figure(figure, "effect_sizes", "Effect sizes", CAPTIONS["effects"])
        output.table(effects, "effects", f"{name}: effect sizes by bootstrap")
        curve = pd.concat([one.difference.assign(layer=layer) for layer, one in results.items()], ignore_index=True)
        title = f"{name}: bootstrapped differences"
        output.table(curve, "difference", title, CAPTIONS["bands"], kind="difference", user_columns=[order])
        figure = difference(results[last].difference, x=order)
        output.figure(figure, "difference_curve", f"{name} at {last}", CAPTIONS["bands"])
    output.claims(claims_of(found, effects=effects, what="phones" if phones else "words" if words else ""))
    if planned:
        table = power(task, tasks.label, *pair, speakers=planned, tokens=each, effect=0.5, seed=seed, **work("power"))
        output.table(table, "power", f"{name} at {last}: power of planned studies", CAPTIONS["power"])
    return output


if __name__ == "__main__":
    run_script(main)
