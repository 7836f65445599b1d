"""What does a way of learning add, at which layer? Words and phones in several kinds of network, several seeds each.

python analyses/networks.py STORE STORE ... --out DIR --words ask,wash --phones s:sh

Stores of one network each or of several, all of the same tokens: `layerstats record` with `--part q_network` and
`--part discriminator` for a ciwGAN, with `--untrained 5` in the first store.
"""

from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli import listed, run_script
from layerstats.plots import effect_by_network
from layerstats.report import Output
from layerstats.stats import claims_of, compare_networks
from layerstats.store import open_store

CAPTIONS = {
    "effects": "Large points: mean over networks of a kind, with its interval for other seeds and other speakers. "
    "Small points: single networks. All heard the same speakers, so that kinds may differ although their intervals "
    "overlap: see the table of differences.",
    "comparisons": "Always the first kind minus the second, by the same speakers. The adjusted p-value is over all "
    "contrasts and layers of a pair of kinds.",
    "kinds": "Effect size: root mean square of the difference between mean curves, corrected for bias, in standard "
    "deviations of series.",
}


def main(
    stores: Annotated[
        list[Path], typer.Argument(help="Stores of one network or several, recorded on the same tokens.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    words: Annotated[
        list[str] | None, typer.Option(help="Words to compare, ask,wash; may be given again. All by default.")
    ] = None,
    phones: Annotated[list[str] | None, typer.Option(help="Two sets of phones, s:sh; may be given again.")] = None,
    contrast: Annotated[list[str] | None, typer.Option(help="Any contrast, sex=F:M; may be given again.")] = None,
    layers: Annotated[str, typer.Option(help="Layers, separated by commas; all by default.")] = "",
    kinds: Annotated[str, typer.Option(help="Kinds of network, separated by commas, in this order.")] = "",
    variant: Annotated[str, typer.Option(help="word: samples inside the word; padded: the whole clip.")] = "word",
    quantity: Annotated[str, typer.Option(help="What was recorded: activation, relevance, gradient, ...")] = (
        "activation"
    ),
    draws: Annotated[int, typer.Option(help="Bootstrap samples of speakers.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
) -> Output:
    """Compare kinds of network at each layer, with the seed of the network as a random effect."""
    experiments = [open_store(store) for store in stores]
    about = {"stores": len(stores), "quantity": quantity, "variant": variant, "seed": seed}
    output = Output(out, title="Kinds of network", provenance=about)
    result = compare_networks(
        experiments,
        words=[listed(each) or () for each in words] if words else None,
        phones=phones or (),
        contrasts=contrast or (),
        layers=listed(layers) or None,
        kinds=listed(kinds) or None,
        variant=variant,
        quantity=quantity,
        draws=draws,
        seed=seed,
    )
    output.claims(claims_of(result))
    figure = effect_by_network(result.kinds, result.networks)
    output.figure(figure, "effects", "Effect sizes by layer and kind of network", CAPTIONS["effects"])
    output.table(result.comparisons, "comparisons", "Differences between kinds of network", CAPTIONS["comparisons"])
    output.table(result.kinds, "kinds", "Mean effect size of each kind of network", CAPTIONS["kinds"])
    output.table(result.networks, "networks", "Effect size of every network")
    output.table(result.series, "series", "What was compared, and what could not be")
    return output


if __name__ == "__main__":
    run_script(main)
