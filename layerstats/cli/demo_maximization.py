"""The part of `layerstats demo` that asks what classifiers of commands listen for: maximized, judged, in one store."""

from __future__ import annotations

import sys
from pathlib import Path

# A small cut: words that differ in how they begin, in vowels and in length; three of the five networks that ship.
WORDS = ("yes", "no", "six", "stop", "house", "right")
NETWORKS = 3
STARTS = 4
NULLS = ("untrained", "shuffled", "zero_steps", "random_direction", "natural")
# Begun from held-out tokens and maximized to their own word: where their codes go (Fig. 4 of Soomro et al. 2019).
FROM_DATA, TOKENS = "from_data", 10
ANALYSES = ("success", "maximized_features", "ladder", "exaggeration", "paths", "codes")
# Scripts that draw nothing at random.
WITHOUT_SEED = ("maximized_features", "exaggeration")
CORPUS = "demo:35"


def maximize_small(store: Path, seed: int) -> None:
    """Maximize words of small networks with and without a prior, with their nulls, and let judges listen."""
    from layerstats.corpora import open_corpus
    from layerstats.judges import judge
    from layerstats.models import load_checkpoint
    from layerstats.probes import maximize_activations, record_nulls

    natural = open_corpus(CORPUS, words=list(WORDS)).subset(split="test")
    decoder, shuffled = prior(), str(_shipped("commands_shuffled"))
    networks = [_shipped(f"commands_{number}") for number in range(NETWORKS)]
    for number, path in enumerate(networks):
        network, card = load_checkpoint(path)
        common = {"card": card, "network_name": path.stem, "seed": seed}
        for set_up in (decoder, "none"):
            options = {**common, "prior": set_up, "starts": STARTS}
            maximize_activations(network, WORDS, store, **options)
            nulls = NULLS if number == 0 else tuple(null for null in NULLS if null != "shuffled")
            record_nulls(network, WORDS, store, nulls, shuffled=shuffled, natural=natural, **options)
    network, card = load_checkpoint(networks[0])
    options = {"card": card, "network_name": networks[0].stem, "seed": seed, "set_up": FROM_DATA, "prior": decoder}
    maximize_activations(network, WORDS, store, start_from="data", corpus=natural, starts=TOKENS, **options)
    judge(store, [str(path) for path in networks], priors=[decoder])
    judge(store, ["pocketsphinx"], set_ups=["autoencoder"], networks=[networks[0].stem], priors=[decoder])


def maximizing(store: Path, seed: int) -> list[str]:
    """Return the command that makes the store, in a process of its own."""
    return [sys.executable, "-m", "layerstats.cli.demo_maximization", str(store), str(seed)]


def auditioning(store: Path, out: Path) -> list[str]:
    """Return the command that makes the page to listen to."""
    chosen = ["--set-ups", "none,autoencoder", "--draws", "1", "--exemplars", "1", "--priors", prior()]
    return [sys.executable, "-m", "layerstats.cli", "audition", str(store), "--out", str(out), *chosen]


def prior() -> str:
    """Return the prior that ships: the decoder of an autoencoder."""
    return f"autoencoder:{_shipped('autoencoder')}"


def maximization_jobs(store: Path, ladder: Path) -> dict[str, list[str]]:
    """Return the arguments of the scripts of `analyses/` that look at what was maximized."""
    first, decoder = str(_shipped("commands_0")), ["--prior", prior()]
    words, few = ",".join(WORDS), ",".join(WORDS[:3])
    judged = ["--judges", f"{_shipped('commands_1')},{_shipped('commands_2')}"]
    priors = ["--prior", "none", "--prior", "smooth", *decoder]
    ladder_of = ["--targets", few, "--starts", "4", "--steps", "0,20", *priors]
    made = ["--outcomes", "autoencoder.commands_0"]
    return {
        "success": [str(store), "--set-ups", "autoencoder,none"],
        "maximized_features": [str(store), "--words", ",".join(WORDS[:3]), "--network", "commands_0", *decoder],
        "ladder": [first, str(ladder), *judged, *ladder_of],
        "exaggeration": [str(store), first, *made, *decoder, "--corpus", CORPUS, "--words", few],
        "paths": [str(store), first, *made, *decoder, "--corpus", CORPUS, "--words", words, "--untrained", "1"],
        "codes": [str(store), "--outcomes", f"{FROM_DATA}.commands_0", *decoder],
    }


def _shipped(name: str) -> Path:
    from layerstats.resources import bundled

    return bundled("data", "checkpoints", "commands", f"{name}.safetensors")


if __name__ == "__main__":
    maximize_small(Path(sys.argv[1]), int(sys.argv[2]))
