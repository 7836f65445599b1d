"""What do the vectors of phones tell of phones, layer by layer? ABX, a linear probe, and how alike layers are.

python analyses/phone_layers.py STORE --out DIR --phones "p,t,k,s,sh"
"""

from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli import LongWork, listed, run_script
from layerstats.corpora import phone_set
from layerstats.plots import abx_by_layer, probe_by_layer, similarity_matrix
from layerstats.report import Output
from layerstats.stats import AbxSampling, ProbeOptions, abx, claims_of, layer_similarity, phone_probe
from layerstats.store import open_store

RATES = "Share of triplets in which a phone X is nearer to B, of another label, than to A of its own; .5 is chance. "
RATES += "Within: one speaker says all three; across: another says X. Intervals are for other speakers (jackknife)."
BESIDE = "Points: the network, with intervals for other speakers. Band: untrained networks, about their median. "
BESIDE += "Dashed: the sound alone. Where the network agrees with either, it learned nothing there. Thin line: chance."
GAINED = "The first level minus the second, of the same phones, with a test that counts speakers. Untrained p ranks "
GAINED += "the network among those with random weights: the fewer there are, the larger the smallest p it can have."
READ = "Logistic regression, scored on speakers it has not heard, its penalty chosen by the speakers it learns from."
ALIKE = "Linear CKA, debiased, of the vectors of the same phones: 1 is the same but for rotation and size, 0 is "
ALIKE += "nothing in common, which tests are against. Of recording acoustics: the sound alone, a log-mel spectrogram."


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
    """Write tables and figures of all three, beside untrained networks and the sound alone."""
    experiment = open_store(store)
    output = Output(out, title="Phones in layers", provenance={"store": store.name, "phones": phones, "seed": seed})
    table = experiment.phones
    chosen = table["label"].isin(phone_set(phones)) if phones else table["phone_class"] != "silence"
    # Sets of phones have labels that a corpus need not have; a text that names none of them is refused with its names.
    experiment = experiment.select(phone=sorted(set(table.loc[chosen, "label"])) or phone_set(phones))
    which = {"layers": listed(layers) or None, "recording": recording or None}
    errors = abx(experiment, context=context, sampling=AbxSampling(most or None, seed=seed), **which, **work("ABX"))
    of_probe = {"options": ProbeOptions(folds=folds), "permutations": permutations, "seed": seed}
    probe = phone_probe(experiment, column, **of_probe, **which, **work("probes"))
    # Few phones, speakers or networks are a small cut, and said to be.
    made = " (synthetic voices)" if experiment.attrs.get("corpus") == "demo" else ""
    beside = errors.networks.loc[~errors.networks["trained"].astype(bool), "recording"].nunique()
    of_them = f"{errors.table['phones'].max()} phones by {errors.table['speakers'].max()} speakers{made}"
    heard = f"Of {of_them}, {experiment.phones['label'].nunique()} labels, beside {beside} untrained networks."
    figure = abx_by_layer(errors.table, errors.networks)
    output.figure(figure, "abx_by_layer", "ABX error at each layer", f"{BESIDE} {heard}")
    figure = probe_by_layer(probe.table, probe.networks)
    output.figure(figure, "probe_by_layer", f"What a probe reads: {column}", f"{READ} {BESIDE} {heard}")
    written = {
        "abx": (errors.table, "ABX error at each layer", RATES),
        "abx_comparisons": (errors.comparisons, "ABX: what training gained", GAINED),
        "abx_classes": (errors.classes, "ABX by pair of phone classes", RATES),
        "abx_pairs": (errors.pairs, "ABX by pair of phones", RATES),
        "probe": (probe.table, f"What a probe reads: {column}", READ),
        "probe_comparisons": (probe.comparisons, "Probe: what training gained", GAINED),
    }
    network = experiment.recording_attrs.get("model", "the network")
    output.claims(claims_of(errors, network=network))
    output.claims(claims_of(probe, network=network, column=column))
    if len(set(errors.table["layer"])) > 1:
        alike = layer_similarity(experiment, **which, **work("similarity of layers"))
        output.figure(similarity_matrix(alike.table), "similarity_matrix", "How alike layers are", f"{ALIKE} {heard}")
        output.claims(claims_of(alike))
        output.table(alike.table, "similarity", "How alike layers are", ALIKE)
        if len(alike.comparisons):
            output.table(alike.comparisons, "similarity_comparisons", "Similarity: what training changed", GAINED)
    for name, (table, title, caption) in written.items():
        if len(table):
            output.table(table, name, title, caption)
    if notes := dict.fromkeys([*errors.notes, *probe.notes]):
        output.text("notes", "Notes", "\n\n".join(notes))
    return output


if __name__ == "__main__":
    run_script(main)
