"""Where do codes move in maximization, and what of it can be measured (Soomro et al. 2019, Fig. 4)?

python analyses/codes.py STORE --out DIR --outcomes NAME --checkpoint CHECKPOINT --prior autoencoder:FILE
"""

from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli import listed, run_script
from layerstats.models import load_checkpoint
from layerstats.plots import code_arrows, displacement_by_margin
from layerstats.probes import boundary_distance
from layerstats.report import Output
from layerstats.stats import attempts, claims_of, code_movement, project_codes, read_moved_codes
from layerstats.store import open_store

CAPTIONS = {
    "arrows": "Codes of natural tokens before and after their own word was maximized.",
    "corrections": "Starts that the target network heard as another word before; Wilson's interval for as many "
    "independent starts as speakers make of them. The network itself was climbed: others say more.",
    "displacement": "Ranks within words and speakers; p-values permute displacements within speakers, intervals are by "
    "jackknife of speakers. Where all steps have one length and number, displacement says how straight the path was.",
    "variance": "Shares of the variance of codes by word and by speaker, each adjusted for the other; p-values permute "
    "codes within speakers or words, those of the difference and all intervals are by jackknife of speakers.",
}


def main(
    store: Annotated[Path, typer.Argument(help="Store of a maximization of codes, begun from data.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    outcomes: Annotated[str, typer.Option(help="Name of the outcome set, where there are several.")] = "",
    split: Annotated[str, typer.Option(help="Tokens of this split only, such as test.")] = "",
    checkpoint: Annotated[Path | None, typer.Option(help="Target network, for distances to its boundary.")] = None,
    prior: Annotated[str, typer.Option(help="Decodes the codes, for these: autoencoder:FILE.")] = "",
    words: Annotated[str, typer.Option(help="Words in the figures, eight at most.")] = "",
    speakers: Annotated[str, typer.Option(help="Speakers in the figures, eight at most.")] = "",
    projection: Annotated[str, typer.Option(help="pca, or tsne (scikit-learn).")] = "pca",
    perplexity: Annotated[float, typer.Option(help="Of t-SNE.")] = 30.0,
    permutations: Annotated[int, typer.Option(help="Permutations of the tests.")] = 999,
    seed: Annotated[int, typer.Option(help="Seed of these and of t-SNE.")] = 0,
) -> Output:
    """Draw codes before and after maximization, and test what is said of them."""
    experiment = open_store(store)
    output = Output(out, title="Where codes move", provenance={"store": store.name, "seed": seed})
    outcome = experiment.outcome(outcomes or None)
    distance = None
    if checkpoint is not None:
        distance = boundary_distance(load_checkpoint(checkpoint)[0], outcome, prior=prior or None)
    moved = read_moved_codes(outcome, experiment.tokens, boundary_distance=distance, split=split or None)
    heard = None
    if len(experiment.judgements):
        heard = attempts(experiment, set_ups=[outcome.attrs["set_up"]])
        heard = heard.query("network == @moved.network and null == @outcome.attrs['null']")
    result = code_movement(moved, heard, permutations=permutations, seed=seed)
    plane = project_codes(moved, projection, perplexity=perplexity, seed=seed)
    for color, chosen in (("word", listed(words)), ("speaker", listed(speakers))):
        # As many as can be told apart: those with most misclassified starts.
        wrong = moved.starts.query("misclassified")[color].value_counts()
        names = list(chosen or dict.fromkeys([*wrong.index, *moved.starts[color]]))[: None if chosen else 8]
        shown = plane.points.query(f"{color} in {names}")
        figure = code_arrows(shown, color, explained=plane.explained, note=plane.notes[0])
        output.figure(figure, f"arrows_by_{color}", f"Where codes move, by {color}", CAPTIONS["arrows"])
    figure = displacement_by_margin(moved.starts)
    output.figure(figure, "displacement", "Displacement by margin", CAPTIONS["displacement"])
    output.table(result.corrections, "corrections", "Corrected misclassifications", CAPTIONS["corrections"])
    output.table(result.displacement, "displacement_table", "Displacement near the boundary", CAPTIONS["displacement"])
    output.table(result.variance, "variance", "Variance of codes by word and speaker", CAPTIONS["variance"])
    output.claims(claims_of(result))
    output.table(plane.points, "points", "Codes in the plane")
    return output


if __name__ == "__main__":
    run_script(main)
