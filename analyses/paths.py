"""Do maximized inputs travel the path through a network that natural ones do, layer by layer?

python analyses/paths.py STORE CHECKPOINT --out DIR --corpus demo:yes,no --prior autoencoder:FILE
"""

from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli import listed, run_script
from layerstats.corpora import open_corpus
from layerstats.models import load_checkpoint
from layerstats.plots import effect_by_network, path_similarity
from layerstats.probes import network_attributes, record_beside_natural
from layerstats.report import Output
from layerstats.stats import claims_of, compare_networks, compare_paths
from layerstats.store import open_store, untrained_name

CAPTIONS = {
    "paths": "Similarity of what a layer gives of an input to what it gives of natural ones of the same word, between "
    "natural ones of different words (0) and of the same word (1). Intervals: other speakers and starts.",
    "untrained": "Effect size of maximized against natural items in plain means over channels, in untrained networks: "
    "what the inputs alone bring about.",
}


def main(
    store: Annotated[Path, typer.Argument(help="Store of the maximization.")],
    checkpoint: Annotated[Path, typer.Argument(help="The target network (.safetensors).")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    corpus: Annotated[str, typer.Option(help="Natural speech with the classes as words.")] = "demo",
    split: Annotated[str, typer.Option(help="Split of it that is compared with; empty for all.")] = "test",
    outcomes: Annotated[str, typer.Option(help="Name of the outcome set, where there are several.")] = "",
    prior: Annotated[str, typer.Option(help="Decodes stored codes: autoencoder:FILE.")] = "",
    words: Annotated[str, typer.Option(help="Words, separated by commas; all targets by default.")] = "",
    layers: Annotated[str, typer.Option(help="Layers, separated by commas; all with weights by default.")] = "",
    starts: Annotated[int, typer.Option(help="Starts of each target.")] = 20,
    similarity: Annotated[str, typer.Option(help="correlation, rank or cosine.")] = "correlation",
    untrained: Annotated[int, typer.Option(help="Untrained networks that hear the same items.")] = 2,
    draws: Annotated[int, typer.Option(help="Bootstrap samples.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
) -> Output:
    """Compare layers for maximized and natural inputs of the same word, in the network and in untrained ones."""
    experiment = open_store(store)
    output = Output(out, title="Paths by layer", provenance={"store": store.name, "network": checkpoint.name})
    network, card = load_checkpoint(checkpoint)
    chosen = listed(words) or sorted(set(experiment.outcome(outcomes or None)["target"].to_numpy()))
    speech = open_corpus(corpus, words=chosen, damaged="skip")
    view = record_beside_natural(
        network,
        experiment,
        speech.subset(split=split) if split else speech,
        out / "items.zarr",
        name=outcomes or None,
        words=chosen,
        starts=starts,
        prior=prior or None,
        layers=listed(layers) or None,
        untrained_seeds=range(untrained),
        attrs={**network_attributes(card), "network": card.name},
    )
    known = set(view.tokens["condition"])
    conditions = [name for name in ("maximized", "before", "reconstructed", "random_direction") if name in known]
    views = [view, *(open_store(view.path, recording=untrained_name(number)) for number in range(untrained))]
    result = compare_paths(views, conditions, similarity=similarity, draws=draws, seed=seed)
    output.figure(path_similarity(result.table), "paths", "Path similarity by layer", CAPTIONS["paths"])
    output.table(result.table, "path_table", "Path similarity", CAPTIONS["paths"])
    output.table(result.comparisons, "comparisons", "Differences from natural items and from nulls", CAPTIONS["paths"])
    output.claims(claims_of(result))
    output.table(result.words, "words", "Similarities, word by word")
    if untrained > 1:
        series = [layer for layer in view.layers if view.layer(layer).sizes["sample"] > 3]
        options = {"layers": series, "variant": "padded", "kinds": ["untrained"], "draws": draws, "seed": seed}
        compared = compare_networks([view.path], words=(), contrasts=["condition=maximized:natural"], **options)
        figure = effect_by_network(compared.kinds, compared.networks)
        title = "Maximized against natural items in untrained networks"
        output.figure(figure, "untrained", title, CAPTIONS["untrained"])
        output.table(compared.kinds, "untrained_table", "In untrained networks", CAPTIONS["untrained"])
    return output


if __name__ == "__main__":
    run_script(main)
