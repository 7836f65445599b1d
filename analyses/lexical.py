"""Do the codes of a network stand for words, and which word is heard when its generator says a code?

python analyses/lexical.py CHECKPOINT --out DIR --corpus demo
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from layerstats.cli import run_script
from layerstats.corpora import Clips, open_corpus, word_features
from layerstats.judges import hear_words
from layerstats.models import load_checkpoint, untrained
from layerstats.plots import bit_by_feature, code_by_word, heard_words, lexical_measures
from layerstats.probes import generate_speech, read_codes
from layerstats.report import Output
from layerstats.resources import bundled
from layerstats.stats import claims_of, feature_association, heard, lexical_learning

CAPTIONS = {
    "summary": "Accuracy: words get codes on the training voices, and held-out tokens are counted; on the same tokens "
    "it is too good, as its chance level shows. Chance: words permuted within speakers. Entropy in bits.",
    "bits": "Phi, every word counting the same. Interval: other voices; p: features permuted over words, adjusted.",
    "heard": "Every code said with the same noise vectors, over which intervals are. Some word is heard in anything: "
    "chance is what is heard whatever the code; accuracy on recorded words is what the judges can do.",
}


def main(
    checkpoint: Annotated[Path, typer.Argument(help="The network (.safetensors).")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    corpus: Annotated[str, typer.Option(help="Speech with held-out voices: demo, demo:48, timit:PATH.")] = "demo",
    classifier: Annotated[Path | None, typer.Option(help="Words classifier; the shipped one by default.")] = None,
    seeds: Annotated[int, typer.Option(help="Untrained networks.")] = 5,
    voices: Annotated[int, typer.Option(help="Noise vectors that say every code.")] = 30,
    values: Annotated[list[float] | None, typer.Option(help="Code values; may be given again. 1, 2, 5.")] = None,
    draws: Annotated[int, typer.Option(help="Bootstrap samples and permutations.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of both and of the noise.")] = 0,
) -> Output:
    """Measure lexical learning on held-out voices, beside untrained networks and the supervised classifier."""
    speech = open_corpus(corpus, damaged="skip")
    clips = Clips(speech, too_long="trim", damaged="skip")
    network, card = load_checkpoint(checkpoint)
    words_network, words_card = load_checkpoint(classifier or bundled("data", "checkpoints", "words.safetensors"))
    output = Output(out, title="Lexical learning", provenance={"network": checkpoint.name, "corpus": corpus})
    labels = card.outputs if set(card.outputs) == set(speech.words) else None
    networks = [(card.name, 0, network, labels)]
    networks += [("untrained", number, untrained(network, number), None) for number in range(seeds)]
    networks += [("supervised", 0, words_network, words_card.outputs)] * (words_card.name != card.name)
    results = [
        lexical_learning(read_codes(model, clips, labels=names), draws=draws, seed=seed)
        for _, _, model, names in networks
    ]
    parts = [result.summary.assign(network=name, network_seed=number)
             for (name, number, _, _), result in zip(networks, results, strict=True)]  # fmt: skip
    summary = pd.concat(parts, ignore_index=True).sort_values("measure", kind="stable", ignore_index=True)
    summary = summary.loc[:, ["network", "network_seed", *results[0].summary.columns]]
    output.figure(
        lexical_measures(summary), "measures", "What codes say about words, on held-out voices", CAPTIONS["summary"]
    )
    output.figure(code_by_word(results[0].contingency, results[0].words), "codes", f"Codes of words: {card.name}")
    output.table(summary, "summary", "Lexical learning", CAPTIONS["summary"], kind="lexical_learning")
    output.claims(claims_of(results[0], network=card.name, untrained=results[1 : 1 + seeds]))
    output.table(results[0].words, "words", f"Word by word: {card.name}")
    output.table(results[0].contingency, "contingency", f"Codes of the tokens of each word: {card.name}")
    if getattr(network, "kind", None) == "fiwgan":
        bits = feature_association(read_codes(network, clips), word_features(speech), draws=draws, seed=seed)
        output.figure(bit_by_feature(bits), "bits", "Bits and phonological features", CAPTIONS["bits"])
        output.table(bits, "bit_table", "Bits and features", CAPTIONS["bits"], kind="feature_association")
        output.claims(claims_of(bits, kind="features"))
    if hasattr(network, "generator"):
        said = generate_speech(network, voices=voices, value=values or [1.0, 2.0, 5.0], seed=seed)
        real = hear_words(speech.subset(split="test"), words=speech.words, classifier=classifier)
        result = heard(hear_words(said, words=speech.words, classifier=classifier), real, draws=draws, seed=seed)
        output.figure(heard_words(result.shares), "heard", "Words heard in generated speech", CAPTIONS["heard"])
        output.table(result.summary, "heard_summary", "What is heard, over all codes", CAPTIONS["heard"])
        output.claims(claims_of(result))
        output.table(result.codes, "heard_codes", "What is heard, code by code")
        output.table(result.shares, "heard_shares", "Words heard in each code")
    return output


if __name__ == "__main__":
    run_script(main)
