"""What do the vectors of phones tell of phones, layer by layer? Discrimination (ABX), and what a linear probe reads.

python analyses/phone_layers.py STORE --out DIR --phones "p,t,k,s,sh"
"""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from layerstats.cli import LongWork, listed, run_script
from layerstats.corpora import phone_set
from layerstats.plots import abx_by_layer
from layerstats.report import Output
from layerstats.stats import AbxSampling, ProbeOptions, abx, phone_probe
from layerstats.store import open_store

CAPTIONS = {
    "abx": "Share of triplets in which a phone X is nearer to B, of another label, than to A of its own; .5 is chance. "
    "Within: one speaker says all three; across: another says X. Means over contexts, speakers and pairs of phones; "
    "Wilson intervals for other speakers, by the jackknife.",
    "abx_figure": "Points: the network, with intervals for other speakers. Band: untrained networks, from the smallest "
    "to the largest about their median. Dashed: the sound alone. Where they agree, phones sound different, but the "
    "network did not learn it.",
    "comparisons": "Difference is level_1 - level_2, of the same phones; tests count speakers. Untrained p ranks the "
    "network among networks with random weights.",
    "probe": "Logistic regression, scored on speakers it has not heard, its penalty chosen by the speakers it learns "
    "from. Balanced accuracy is the mean over levels of the share of their phones that were recognised.",
}


def main(
    store: Annotated[Path, typer.Argument(help="The store, recorded with --phones (best with --untrained).")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    work: LongWork,
    phones: Annotated[str, typer.Option(help="Which phones: p,t,k or vowel; all but silence by default.")] = "",
    layers: Annotated[str, typer.Option(help="Layers, separated by commas; all by default.")] = "",
    recording: Annotated[str, typer.Option(help="The network's recording, where there are several.")] = "",
    context: Annotated[str, typer.Option(help="any, or same: A, B and X between the same phones.")] = "any",
    most: Annotated[int, typer.Option(help="Phones of a label, speaker and context in ABX, at random; 0: all.")] = 0,
    column: Annotated[str, typer.Option(help="What the probe reads: phone_class, label, ...")] = "phone_class",
    folds: Annotated[int, typer.Option(help="Folds of speakers of the probe.")] = 5,
    permutations: Annotated[int, typer.Option(help="Permutations of the probe's labels; each is a probe.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of samples and permutations.")] = 0,
) -> Output:
    """Write tables and figures of ABX and of the probe, beside untrained networks and the sound alone."""
    experiment = open_store(store)
    table = experiment.phones
    chosen = table["label"].isin(phone_set(phones)) if phones else table["phone_class"] != "silence"
    # Sets of phones have labels that a corpus need not have; a text that names none of them is refused with its names.
    experiment = experiment.select(phone=sorted(set(table.loc[chosen, "label"])) or phone_set(phones))
    output = Output(out, title="Phones in layers", provenance={"store": store.name, "phones": phones, "seed": seed})
    shared: dict[str, Any] = {"layers": listed(layers) or None, "recording": recording or None}
    sampling = AbxSampling(phones=most or None, seed=seed)
    errors = abx(experiment, context=context, sampling=sampling, **shared, **work("ABX"))
    output.table(errors.table, "abx", "ABX error at each layer", CAPTIONS["abx"])
    figure = abx_by_layer(errors.table, errors.networks)
    output.figure(figure, "abx_by_layer", "ABX error at each layer", CAPTIONS["abx_figure"])
    tables = {"abx_comparisons": errors.comparisons, "abx_classes": errors.classes, "abx_pairs": errors.pairs}
    titles = {
        "abx_comparisons": ("ABX: what training gained", CAPTIONS["comparisons"]),
        "abx_classes": ("ABX by pair of phone classes", CAPTIONS["abx"]),
        "abx_pairs": ("ABX by pair of phones", CAPTIONS["abx"]),
    }
    shared |= {"options": ProbeOptions(folds=folds), **work("probes")}
    probe = phone_probe(experiment, column, permutations=permutations, seed=seed, **shared)
    tables |= {"probe": probe.table, "probe_comparisons": probe.comparisons, "probe_networks": probe.networks}
    titles |= {
        "probe": (f"What a probe reads of {column}", CAPTIONS["probe"]),
        "probe_comparisons": ("Probe: what training gained", CAPTIONS["comparisons"]),
        "probe_networks": ("The probe on every network", CAPTIONS["probe"]),
    }
    for name, table in tables.items():
        if len(table):
            output.table(table, name, *titles[name])
    notes = pd.unique(pd.Series([*errors.notes, *probe.notes], dtype=str))
    if len(notes):
        output.text("notes", "Notes", "\n".join(notes))
    return output


if __name__ == "__main__":
    run_script(main)
